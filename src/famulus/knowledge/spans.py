"""Code by its symbols: each function, method and class with the lines it takes, made into sections. Pure.

    spans (a tree of symbols) ─▶ each symbol's own lines, those of its inner symbols left out ─▶ sections

What stands right above a symbol and speaks of it, a comment or an attribute, belongs to it. What is left of a file is
its own first section: imports, constants and what the file says of itself.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from famulus.knowledge.blocks import Block, Section
from famulus.knowledge.cut import LONGEST, TARGET

_WORD = re.compile(r"\w+")
LEAST_WORDS = 3
"""A class of which no more is left than `class Robot {` says nothing that its methods do not."""
ELIDED = "…"
Run = tuple[int, int]
"""First and last line, from 1."""


@dataclass(slots=True)
class Span:
    """A symbol and its lines, from 1, both included."""

    symbol: str
    """With all that it is inside of, such as `Robot.drive`."""
    first: int
    last: int
    children: list["Span"] = field(default_factory=list["Span"])


def sections_of(
    lines: Sequence[str], spans: list[Span], language: str, above: tuple[str, ...]
) -> list[Section]:
    """The sections of a file in the order of its symbols; lines that begin with one of `above` speak of the next."""
    whole = Span("", 1, len(lines), spans)
    return list(_sections(lines, whole, language, above))


def _sections(lines: Sequence[str], span: Span, language: str, above: tuple[str, ...]) -> Iterator[Section]:
    children = _in_order(lines, span, above)
    own = _own_runs(lines, span, children)
    said = sum(len(_WORD.findall(line)) for first, last in own for line in lines[first - 1 : last])
    if said >= (LEAST_WORDS if children else 1):
        for runs in _gathered(lines, own):
            yield _section(lines, runs, span.symbol, language)
    for child in children:
        yield from _sections(lines, child, language, above)


def _in_order(lines: Sequence[str], span: Span, above: tuple[str, ...]) -> list[Span]:
    """The children from top to bottom, each with what stands above it, none in the lines of another."""
    found: list[Span] = []
    floor = span.first if not span.symbol else span.first + 1
    for child in sorted(span.children, key=lambda each: (each.first, -each.last)):
        first, last = max(child.first, floor), min(child.last, span.last)
        if first > last:
            continue
        first = _raised(lines, first, floor, above)
        found.append(Span(child.symbol, first, last, child.children))
        floor = last + 1
    return found


def _raised(lines: Sequence[str], first: int, floor: int, above: tuple[str, ...]) -> int:
    """The first of the lines right above `first` that speak of it."""
    while first > floor:
        line = lines[first - 2].strip()
        if line.endswith("*/"):
            start = next((n for n in range(first - 1, floor - 1, -1) if "/*" in lines[n - 1]), None)
            if start is None or not lines[start - 1].lstrip().startswith("/*"):
                return first
            first = start
        elif line.startswith(above):
            first -= 1
        else:
            return first
    return first


def _own_runs(lines: Sequence[str], span: Span, children: Sequence[Span]) -> list[Run]:
    """The lines of a symbol that are no child's, without blank ones at the ends of a run."""
    runs: list[Run] = []
    start = span.first
    for child in [*children, Span("", span.last + 1, span.last + 1)]:
        first, last = start, child.first - 1
        while first <= last and not lines[first - 1].strip():
            first += 1
        while first <= last and not lines[last - 1].strip():
            last -= 1
        if first <= last and any(sign.isalnum() for line in lines[first - 1 : last] for sign in line):
            runs.append((first, last))
        start = child.last + 1
    return runs


def _gathered(lines: Sequence[str], own: Sequence[Run]) -> Iterator[list[Run]]:
    """Runs in groups, each short enough for one section."""
    held: list[Run] = []
    length = 0
    for run in (part for each in own for part in _short_runs(lines, each)):
        size = _size(lines, run)
        if held and length + size > TARGET:
            yield held
            held, length = [], 0
        held.append(run)
        length += size
    if held:
        yield held


def _short_runs(lines: Sequence[str], run: Run) -> Iterator[Run]:
    """A run that is too long in parts, cut at empty lines where there are any."""
    first, last = run
    while _size(lines, (first, last)) > LONGEST - 60:  # with its fence it shall still be one piece
        end, size, blank = first, 0, 0
        while end <= last and (size := size + len(lines[end - 1]) + 1) <= TARGET:
            blank = end if size > TARGET // 3 and not lines[end - 1].strip() else blank
            end += 1
        end = max(first, blank or end - 1)
        yield first, end
        first = end + 1
    if first <= last:
        yield first, last


def _size(lines: Sequence[str], run: Run) -> int:
    return sum(len(line) + 1 for line in lines[run[0] - 1 : run[1]])


def _section(lines: Sequence[str], runs: list[Run], symbol: str, language: str) -> Section:
    parts = ["\n".join(lines[first - 1 : last]) for first, last in runs]
    text = f"\n{ELIDED}\n".join(parts)
    first, last = runs[0][0], runs[-1][1]
    return Section(
        heading_path=(symbol,) if symbol else (),
        anchor=f"L{first}-L{last}",
        blocks=[Block(f"```{language}\n{text}\n```", whole=True)],
        symbol=symbol,
        lines=(first, last),
    )
