"""Places of this machine that sources may name."""

from collections.abc import Sequence
from pathlib import Path

OUTSIDE = "This folder is in none of FAMULUS_SOURCE_FOLDERS, which the operator sets."


def on_server(kind: str, location: str) -> bool:
    """Whether it is a place of this machine, whoever has named it."""
    return kind in ("folder", "git") and not location.startswith(("https://", "http://"))


def is_outside(kind: str, location: str, folders: Sequence[Path]) -> bool:
    """Whether it is a place of this machine that the server may not read for a source, links followed."""
    if not on_server(kind, location):
        return False
    place = Path(location).resolve()
    return not any(place.is_relative_to(root.resolve()) for root in folders)
