"""Markdown, written and read: tables, headings with their anchors, links, fenced blocks and which of them are run."""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

FENCE = re.compile(
    r"^(?P<mark>`{3,}|~{3,})(?P<language>[\w-]*)[^\n]*\n(?P<text>.*?)^(?P=mark)[ \t]*$",
    re.MULTILINE | re.DOTALL,
)
RUN = re.compile(r"<!-- runs(?:: (?P<prints>[^>]*?))? -->\s*\Z")
"""Stands before a block that the tests run; what follows the colon has to be in its output, parted by ` · `."""
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\]]*\])*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#{1,6} +(.*?) *#*$", re.MULTILINE)
INLINE = re.compile(r"`[^`\n]*`")


@dataclass(frozen=True)
class Block:
    """A fenced block of a page."""

    language: str
    text: str
    line: int
    prints: tuple[str, ...] | None
    """What its output has to contain, for a block that is run; None for others."""


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table; of its columns after the second those that are empty throughout are left out."""
    lines = list(rows)
    kept = [n for n in range(len(head)) if n < 2 or any(line[n] for line in lines)]
    shown = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(_cell(line[n]) for n in kept) + " |" for line in shown)


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def blocks(text: str) -> Iterator[Block]:
    """The fenced blocks of a page."""
    for match in FENCE.finditer(text):
        marked = RUN.search(text, 0, match.start())
        prints = None
        if marked is not None:
            prints = tuple(each.strip() for each in (marked["prints"] or "").split(" · ") if each.strip())
        line = text.count("\n", 0, match.start()) + 1
        yield Block(match["language"], match["text"], line, prints)


def links(text: str) -> list[str]:
    """Where a page links to, code left out."""
    return LINK.findall(INLINE.sub("", FENCE.sub("", text)))


def headings(text: str) -> list[str]:
    """The headings of a page."""
    return HEADING.findall(FENCE.sub("", text))


def anchor(heading: str) -> str:
    """The anchor that a heading gets where Markdown is shown."""
    plain = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading.strip().lower())
    return re.sub(r"[^\w\- ]", "", plain).replace(" ", "-")
