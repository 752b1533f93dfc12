"""What a person typed, as words that commands are read from: names in quotes kept whole, politeness left out. Pure."""

import re
from collections.abc import Sequence
from typing import Literal

from msgspec import Struct

MAX_CHARACTERS = 1000
MAX_WORDS = 60
"""Whoever says more than this in a command had better use the page for it."""
_TOKEN = re.compile(
    r"“(?P<a>[^“”]+)”|\"(?P<b>[^\"]+)\"|„(?P<c>[^„“”]+)[“”]|«(?P<d>[^«»]+)»"
    r"|(?<!\w)'(?P<e>[^']+)'(?!\w)|(?<!\w)‘(?P<f>[^‘’]+)’(?!\w)"
    r"|(?P<mark>[,;:?!]|\.(?!\S))|(?P<word>[^\s,;?!“”\"„«»]*[^\s,;:?!.“”\"„«»]|\S)"
)
_OPENINGS = tuple(
    tuple(words.split())
    for words in (
        "please", "hi", "hello", "hey", "famulus", "ok", "okay", "now", "then", "and", "so", ",", "!",
        "could you", "can you", "would you", "will you",
        "i want to", "i want you to", "i would like to", "i would like you to", "i'd like to", "i'd like you to",
        "i need you to", "let's", "let us", "go ahead and", "kindly", "just",
    )
)  # fmt: skip
POLITE = frozenset(word for words in _OPENINGS for word in words)
"""The words of all openings."""
_CLOSINGS = (
    ("please",),
    (",",),
    (".",),
    ("!",),
    ("?",),
    (";",),
    (",", "thanks"),
    (",", "thank", "you"),
    ("for", "me"),
)


class Token(Struct, frozen=True):
    """A word, a mark, or a whole text in quotes."""

    key: str
    """What words are compared by; empty for a text in quotes, which is never a word of a command."""
    text: str
    """As it was typed, without its quotes."""
    start: int
    end: int
    kind: Literal["word", "mark", "quote"]


class Typed(Struct, frozen=True):
    """One line of a person's, in tokens."""

    line: str
    tokens: tuple[Token, ...]

    def words(self, start: int, end: int) -> list[str]:
        """The keys from one place to another."""
        return [token.key for token in self.tokens[start:end]]

    def text(self, start: int, end: int) -> str:
        """What was typed from one place to another; a text in quotes alone without them."""
        if end - start == 1:
            return self.tokens[start].text.strip()
        return self.line[self.tokens[start].start : self.tokens[end - 1].end]


def read_line(said: str) -> Typed | None:
    """The words of a command without what is only polite; None for what is too long, has lines, or is nothing."""
    line = said.strip()
    if not line or len(line) > MAX_CHARACTERS or "\n" in line:
        return None
    tokens = [_token(match) for match in _TOKEN.finditer(line)]
    kept = _core(tokens)
    return Typed(line, tuple(kept)) if 0 < len(kept) <= MAX_WORDS else None


def _token(match: re.Match[str]) -> Token:
    kind, text = match.lastgroup or "word", match.group(match.lastgroup or 0)
    start, end = match.span()
    if kind in ("word", "mark"):
        key = text.casefold().replace("’", "'")
        return Token(key, text, start, end, "word" if kind == "word" else "mark")
    return Token("", text, start, end, "quote")


def _core(tokens: Sequence[Token]) -> Sequence[Token]:
    """The tokens between the polite opening and closing."""
    keys = [token.key for token in tokens]
    start, end = 0, len(tokens)
    while opening := next((o for o in _OPENINGS if tuple(keys[start : start + len(o)]) == o), None):
        start += len(opening)
    while closing := next(
        (c for c in _CLOSINGS if end > start and tuple(keys[max(start, end - len(c)) : end]) == c), None
    ):
        end -= len(closing)
    return tokens[start:end]
