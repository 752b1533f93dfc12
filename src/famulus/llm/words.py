"""Cutting a finished text into the pieces in which a model would have said it."""

import re
from collections.abc import Iterator

_PIECE = re.compile(r"\s*\S{1,24}|\s+")
FAIR = 16
"""Pieces after which a model without a network lets the others on the event loop have a turn."""


def pieces(text: str) -> Iterator[str]:
    """Word by word, the space before each; joined they are exactly `text`."""
    return (match.group() for match in _PIECE.finditer(text))


def estimate_tokens(text: str) -> int:
    """A fair guess at how many tokens a text is: four characters each."""
    return (len(text) + 3) // 4
