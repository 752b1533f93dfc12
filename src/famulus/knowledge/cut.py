"""Cutting sections into pieces of about a thousand characters, at the borders that the author drew.

A heading is always a border, except that tiny neighbours share a piece. Blocks stay whole where they can. Only where
an over-long paragraph offers no border but its sentences do neighbouring pieces overlap.
"""

import re
from collections.abc import Iterable, Iterator, Sequence

from msgspec import structs

from famulus.knowledge.blocks import Block, Piece, Section, clean
from famulus.knowledge.names import names_of
from famulus.knowledge.words import inner_words

TARGET = 1_000
OVERLAP = 200
TINY = 200
LONGEST = 2_400
"""The most characters that a stretch of code or a table keeps in one piece."""

_SENTENCE_END = re.compile(r"(?<=[.!?…])\s+|(?<=[。！？])|\n+")


def cut(title: str, sections: Iterable[Section]) -> list[Piece]:
    """The pieces of a document, in order."""
    pieces: list[Piece] = []
    empty: list[Section] = []
    for section in sections:
        found = list(_of_section(section))
        if not found:
            empty.append(section)
        for piece in found:
            if pieces and _share(pieces[-1], piece):
                pieces[-1] = _joined(pieces[-1], empty, piece)
            else:
                pieces.append(piece)
            empty = []
    return [_indexed(title, piece) for piece in pieces]


def _of_section(section: Section) -> Iterator[Piece]:
    held: list[tuple[str, Block]] = []
    length = 0
    for text, block in ((text, one) for one in section.blocks for text in _fitting(one)):
        if held and length + len(text) > TARGET:
            yield _piece(section, held)
            held, length = [], 0
        held.append((text, block))
        length += len(text) + 2
    if held:
        yield _piece(section, held)


def _piece(section: Section, held: list[tuple[str, Block]]) -> Piece:
    text = "\n\n".join(text for text, _ in held)
    links = tuple(dict.fromkeys(link for _, block in held for link in block.links))
    where = (section.heading_path, section.anchor, section.page)
    return Piece(
        *(*where, text, "", section.symbol, section.lines),
        links=links,
        defines=section.defines,
        refers=section.refers,
    )


def _fitting(block: Block) -> list[str]:
    text = clean(block.text).strip("\n").rstrip()
    if len(text) <= TARGET or (block.whole and len(text) <= LONGEST):
        return [text] if text.strip() else []
    if block.whole:
        return _by_lines(text)
    return _by_sentences(text)


def _by_lines(text: str) -> list[str]:
    """Code and tables, cut between lines; the fence is closed and opened again."""
    lines = text.split("\n")
    fenced = lines[0].startswith("```") and lines[-1].startswith("```")
    opening, closing = (lines[0], lines[-1]) if fenced else ("", "")
    found: list[str] = []
    held: list[str] = []
    length = 0
    inner = lines[1:-1] if fenced else lines
    for line in (part for long in inner for part in _short(long)):
        if held and length + len(line) > TARGET:
            found.append("\n".join(held))
            held, length = [], 0
        held.append(line)
        length += len(line) + 1
    found.append("\n".join(held))
    return [f"{opening}\n{part}\n{closing}" if fenced else part for part in found if part.strip()]


def _short(line: str) -> list[str]:
    return [line[at : at + TARGET] for at in range(0, len(line), TARGET)] or [""]


def _by_sentences(text: str) -> list[str]:
    """Slices of a long paragraph, each beginning some 200 characters before the end of the one before it."""
    ends = [match.end() for match in _SENTENCE_END.finditer(text)] + [len(text)]
    found: list[str] = []
    start = 0
    while start < len(text):
        end = max((e for e in ends if start < e <= start + TARGET), default=0)
        end = end or _at_blank(text, start + TARGET)
        found.append(text[start:end].strip())
        if end >= len(text):
            break
        back = [e for e in ends if end - OVERLAP <= e < end and e > start]
        start = back[0] if back else end
    return [part for part in found if part]


def _at_blank(text: str, near: int) -> int:
    if near >= len(text):
        return len(text)
    blank = text.rfind(" ", near - OVERLAP, near)
    return blank + 1 if blank > 0 else near


def _share(before: Piece, piece: Piece) -> bool:
    """Whether a tiny piece may join its neighbour: sections of one parent, or a section and its first below."""
    if piece.symbol or piece.lines or before.symbol or before.lines:
        return False
    if before.page != piece.page or len(before.text) + len(piece.text) > TARGET:
        return False
    depth = len(before.heading_path)
    if len(piece.heading_path) < depth:
        return False
    related = piece.heading_path[:depth] == before.heading_path or (
        depth > 0 and piece.heading_path[: depth - 1] == before.heading_path[:-1]
    )
    return related and (len(before.text) < TINY or len(piece.text) < TINY)


def _joined(before: Piece, empty: Sequence[Section], piece: Piece) -> Piece:
    """Two pieces as one, with the headings between them: those under which nothing stands, and the piece's own."""
    paths = [section.heading_path for section in empty]
    if piece.heading_path != before.heading_path:
        paths.append(piece.heading_path)
    headings = [f"**{path[-1]}**" for path in paths if path]
    text = "\n\n".join((before.text, *headings, piece.text))
    return structs.replace(
        before,
        text=text,
        links=(*before.links, *piece.links),
        defines=(
            *before.defines,
            *(f"#{section.anchor}" for section in empty),
            *piece.defines,
            f"#{piece.anchor}",
        ),
        refers=(*before.refers, *piece.refers),
    )


def _indexed(title: str, piece: Piece) -> Piece:
    """With what indexes want to know of it."""
    parts = inner_words(" ".join((title, *piece.heading_path, piece.text)))
    headings = (*piece.heading_path, piece.symbol) if piece.symbol else piece.heading_path
    near = [link for link in piece.links if "://" not in link]
    names = names_of(title, headings, piece.text, near)
    return structs.replace(piece, parts=parts, about=names.about, passing=names.passing)
