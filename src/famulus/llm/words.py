"""Cutting a finished text into the pieces in which a model would have said it."""

import re
from collections.abc import Iterator
from itertools import islice

_PIECE = re.compile(r"\s*\S{1,24}|\s+")
BURST = 16
"""Pieces that a model without a network says at once, before the others on the event loop have a turn."""


def pieces(text: str) -> Iterator[str]:
    """Word by word, the space before each; joined they are exactly `text`."""
    return (match.group() for match in _PIECE.finditer(text))


def bursts(text: str) -> Iterator[list[str]]:
    """The pieces of a text, some at a time."""
    rest = pieces(text)
    while burst := list(islice(rest, BURST)):
        yield burst


def estimate_tokens(text: str) -> int:
    """A fair guess at how many tokens a text is: four characters each."""
    return (len(text) + 3) // 4
