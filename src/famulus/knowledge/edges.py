"""Exact edges: what a passage defines, and what it refers to, as the author wrote it down. Pure.

    docs/setup, docs/setup#install      a document, and a section of it: for links
    src/robot.py:Robot.drive            a symbol of a file: for calls in the same file
    robot.base:Robot.drive              the same by its module: for calls of what was imported
    openapi.json#/components/schemas/X  a schema of an API's document: for the operations that have it
    openapi.json:create_track           an operation: for links of answers

They are kept as names (names.py), each with its source, so that only what is of one source is joined.
"""

import posixpath
import re
from collections.abc import Iterable, Sequence
from hashlib import blake2b
from urllib.parse import unquote, urljoin, urlsplit

from msgspec import structs

from famulus.knowledge.blocks import Piece

MOST = 64
"""References of one passage."""
_ENDINGS = re.compile(r"\.(?:md|markdown|mdx|html?|xhtml|rst|txt)$")
_BEGINNINGS = frozenset(("index", "readme", "_index"))
"""Pages that a folder is known by."""
_SCHEME = re.compile(r"^[a-z][a-z0-9+.\-]*:|^//", re.IGNORECASE)


def edge_number(source_id: str, key: str) -> int:
    """The number that stands for what a key names within a source."""
    return int.from_bytes(blake2b(f"{source_id}\0{key}".encode(), digest_size=8).digest()) >> 1


def known_as(place: str) -> str:
    """What a document is known by: its path or address without its ending, and a folder's page as the folder."""
    if "://" in place:
        parts = urlsplit(place)
        place = f"{parts.netloc}/{parts.path.lstrip('/')}"
    found = _ENDINGS.sub("", unquote(place).lower()).rstrip("/")
    folder, _, name = found.rpartition("/")
    return folder if name in _BEGINNINGS else found


def target(place: str, link: str) -> str | None:
    """What a link in the document at `place` refers to; None where that cannot be a document of the same source."""
    address, _, anchor = link.strip().partition("#")
    address = address.partition("?")[0]
    suffix = f"#{unquote(anchor).lower()}" if anchor else ""
    if not address:
        return known_as(place) + suffix if anchor else None
    if "://" in place:
        whole = urljoin(place, address)
        return known_as(whole) + suffix if whole.startswith(("https://", "http://")) else None
    if _SCHEME.match(address):
        return None
    inner = unquote(address)
    path = inner.lstrip("/") if inner.startswith("/") else posixpath.join(posixpath.dirname(place), inner)
    path = posixpath.normpath(path)
    return None if path.startswith("..") else known_as(path) + suffix


def joined(place: str, pieces: Iterable[Piece]) -> list[Piece]:
    """The pieces of a document with what they define and refer to, beyond what their parser has found."""
    own = known_as(place)
    return [
        structs.replace(
            piece,
            defines=_some((own, *_defined(own, (f"#{piece.anchor}", *piece.defines)))),
            refers=_some((*piece.refers, *_linked(place, own, piece.links))),
        )
        for piece in pieces
    ]


def _defined(own: str, keys: Iterable[str]) -> Iterable[str]:
    """Anchors are those of the document."""
    for key in keys:
        if not key.startswith("#"):
            yield key
        elif len(key) > 1:
            yield own + key.lower()


def _linked(place: str, own: str, links: Sequence[str]) -> Iterable[str]:
    """With a section's document as well: a link to a section that is not there leads to the rest of it."""
    for link in links:
        found = target(place, link)
        if found is not None and found != own:
            yield found
            yield found.partition("#")[0]


def _some(keys: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(keys))[:MOST]
