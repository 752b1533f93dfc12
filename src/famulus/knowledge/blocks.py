"""What every parser makes of a file: sections under headings, of blocks; and what is cut from them: pieces."""

import re
from typing import Literal

from msgspec import Struct

Format = Literal[
    "markdown", "html", "text", "pdf", "code", "openapi", "docx", "pptx", "xlsx", "csv", "notebook", "epub"
]

_NOT_IN_TEXT = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


class Unparsable(ValueError):
    """The file cannot be read; the message says why."""


class Block(Struct, frozen=True):
    """A paragraph, list, table or stretch of code, as Markdown."""

    text: str
    whole: bool = False
    """Code and tables: cut only between lines, and only when far too long."""
    links: tuple[str, ...] = ()
    """Places on the same site that it points to, which its text no longer shows."""


class Section(Struct):
    """The blocks under one heading, without those under its sub-headings."""

    heading_path: tuple[str, ...] = ()
    """From the outermost heading below the title to its own."""
    anchor: str = ""
    blocks: list[Block] = []
    page: int | None = None
    symbol: str = ""
    """What a section of code defines, such as `Robot.drive`; the id of an API's operation."""
    lines: tuple[int, int] | None = None
    """First and last line of a section of code, from 1."""
    defines: tuple[str, ...] = ()
    """What of it others may refer to, see edges.py; so of what it refers to itself, beside the links of its blocks."""
    refers: tuple[str, ...] = ()


class Content(Struct):
    """A whole file, in order."""

    title: str
    """Empty when the file names none."""
    sections: list[Section]
    notes: list[str] = []
    """What was not quite in order."""


class Piece(Struct, frozen=True):
    """What becomes a chunk."""

    heading_path: tuple[str, ...]
    anchor: str
    page: int | None
    text: str
    parts: str
    """Words inside the words, see words.inner_words."""
    symbol: str = ""
    lines: tuple[int, int] | None = None
    about: tuple[int, ...] = ()
    """Names, see names.names_of."""
    passing: tuple[int, ...] = ()
    links: tuple[str, ...] = ()
    defines: tuple[str, ...] = ()
    """See edges.py."""
    refers: tuple[str, ...] = ()


class Parsed(Struct, frozen=True, tag=True):
    """A file that could be read."""

    title: str
    format: Format
    content_hash: str
    size: int
    pieces: list[Piece]
    notes: list[str]


class Unreadable(Struct, frozen=True, tag=True):
    """A file that could not be read."""

    reason: str
    content_hash: str = ""
    """Empty where another attempt may go better: the same content is then tried again."""


def clean(text: str) -> str:
    """Text without the signs that a database refuses."""
    return _NOT_IN_TEXT.sub("", text)


def one_line(text: str, limit: int = 300) -> str:
    """Text with single blanks between its words, cut at `limit` characters."""
    return " ".join(clean(text).split())[:limit].rstrip()


def slug(heading: str) -> str:
    """A heading's id on its page: lower case, blanks as hyphens, other signs left out."""
    return _NOT_IN_SLUG.sub("", one_line(heading).lower()).replace(" ", "-")


class Slugs:
    """The ids of one page's headings: a second `setup` is `setup-1`."""

    def __init__(self) -> None:
        self._seen: dict[str, int] = {}

    def of(self, heading: str) -> str:
        """The id of the next heading of the page."""
        plain = slug(heading)
        count = self._seen.get(plain, 0)
        self._seen[plain] = count + 1
        return f"{plain}-{count}" if count and plain else plain
