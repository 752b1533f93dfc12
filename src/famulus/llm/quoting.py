"""Finding what a set of passages says to a question, in their own words.

    passage ─▶ spans (sentences, list items, whole code blocks and tables) ─▶ score by shared stems ─▶ quotes

A quote is always a slice of its passage, never put together, so nothing can be invented here.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import Literal

from msgspec import Struct

from famulus.llm.protocol import Grounding
from famulus.llm.stems import content_stems, stems

MAX_QUOTES = 3
MAX_SENTENCE = 500
MAX_BLOCK_LINES = 60
GOOD_ENOUGH = 0.6
"""Share of the best quote's score that a further one needs."""

_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_MARKER = re.compile(
    r"[ \t]*(?:>[ \t]?)*(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?|[ \t]*(?:>[ \t]?)+|[ \t]+"
)
_NOT_PROSE = re.compile(r"[ \t]*(#{1,6}(\s|$)|[-*_=]{3,}[ \t]*$|!\[|<|\[[^\]]+\]:|:::|\{)")
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)*_`]{0,3}\s+(?=[\"'“‘(*_`\[]*[A-Z0-9À-ÞА-Я])|(?<=[。！？])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|etc|approx|Dr|Prof|Mr|Mrs|Fig|No|Eq)|\b[A-Z])\.$")
_MARK = re.compile(r"\[\d+\]")
_WANTS_CODE = re.compile(
    r"\b(code|snippet|example|command|script|syntax|write|implement|run|install|how (do|can|to))\b",
    re.IGNORECASE,
)
_WANTS_MEANING = re.compile(
    r"^\W*(what|who)(\s+(is|are|does|do)\b|['’]s\b)|\b(define|definition|meaning)\b", re.IGNORECASE
)

Kind = Literal["prose", "code", "table"]


class Quote(Struct, frozen=True):
    """A slice of a passage."""

    number: int
    """The passage's citation number."""
    text: str
    kind: Kind
    cut: bool = False
    """Whether the sentence goes on after `text`."""


class _Span(Struct):
    start: int
    end: int
    kind: Kind
    paragraph: int
    """Sentences of one paragraph may be quoted together."""


class _Found(Struct):
    score: float
    grounding: Grounding
    spans: list[_Span]
    at: int


def choose_quotes(question: str, grounding: tuple[Grounding, ...]) -> list[Quote]:
    """What answers `question` best, best first, at most one quote of a passage; empty when nothing fits."""
    wanted = content_stems(question)
    if not wanted:
        return []
    weights = _weights(wanted, grounding)
    found = [
        best for rank, passage in enumerate(grounding) if (best := _best(question, passage, weights, rank))
    ]
    found.sort(key=lambda item: -item.score)
    quotes: list[Quote] = []
    for item in found:
        if len(quotes) == MAX_QUOTES or item.score < GOOD_ENOUGH * found[0].score:
            break
        quote = _quote(item)
        if not any(quote.text in other.text or other.text in quote.text for other in quotes):
            quotes.append(quote)
    return quotes


def _weights(wanted: frozenset[str], grounding: tuple[Grounding, ...]) -> dict[str, float]:
    """How much each word of the question tells: one that stands in every passage tells little."""
    seen = Counter(stem for passage in grounding for stem in wanted & stems(_whole(passage)))
    return {stem: 1.0 / (1.0 + math.log(1 + seen[stem])) for stem in sorted(wanted)}


def _whole(passage: Grounding) -> str:
    return "\n".join((passage.title, *passage.heading_path, passage.text))


def _enough(wanted: int) -> int:
    """How many different words of the question a passage must share before it may speak."""
    return min(3, max(1, math.ceil(wanted * 0.4)))


def _best(question: str, passage: Grounding, weights: dict[str, float], rank: int) -> _Found | None:
    wanted = weights.keys()
    if len(wanted & stems(_whole(passage))) < _enough(len(wanted)):
        return None
    about = wanted & stems(" ".join((passage.title, *passage.heading_path)))
    spans = list(spans_of(passage.text))
    best: _Found | None = None
    for at, span in enumerate(spans):
        score = _score(question, passage.text[span.start : span.end], span.kind, weights, about)
        # What retrieval put first is likelier right: worth a little, decides between equals.
        score += 0.1 / (1 + rank)
        if best is None or score > best.score:
            best = _Found(score, passage, spans, at)
    return best


def _score(question: str, text: str, kind: Kind, weights: dict[str, float], about: set[str]) -> float:
    said = stems(text)
    hit = sum(weight for stem, weight in weights.items() if stem in said)
    told = sum(weights[stem] for stem in about if stem not in said)
    score = hit + 0.4 * told
    if kind == "prose":
        if _WANTS_MEANING.search(question) and hit:
            score += 0.3 * _defines(text, weights)
        return score - (0.3 if len(said) < 4 else 0.0)
    # A block holds many words by its size alone; it must be asked for.
    return score * (1.15 if _WANTS_CODE.search(question) else 0.6)


def _defines(text: str, weights: dict[str, float]) -> bool:
    """Whether `text` says of one of the words, early on, what it is."""
    head = re.split(r"\b(?:is|are|means|describes|refers to)\b", text, maxsplit=1)
    return len(head) > 1 and len(head[0]) < 60 and not weights.keys().isdisjoint(stems(head[0]))


def _quote(found: _Found) -> Quote:
    span, text = found.spans[found.at], found.grounding.text
    if span.kind != "prose":
        return Quote(found.grounding.number, text[span.start : span.end], span.kind)
    end = span.end
    follower = found.spans[found.at + 1] if found.at + 1 < len(found.spans) else None
    # One sentence alone is often half a thought.
    if follower and follower.paragraph == span.paragraph and follower.end - span.start <= 350:
        end = follower.end
    quoted = text[span.start : end]
    if len(quoted) <= MAX_SENTENCE:
        return Quote(found.grounding.number, quoted, "prose")
    short = quoted[:MAX_SENTENCE]
    return Quote(found.grounding.number, short.rsplit(None, 1)[0], "prose", cut=True)


def spans_of(text: str) -> Iterator[_Span]:
    """The quotable slices of a Markdown text, in order."""
    paragraph = 0
    for kind, start, end in _blocks(text):
        paragraph += 1
        if kind != "prose":
            if text.count("\n", start, end) < MAX_BLOCK_LINES:
                yield _Span(start, end, kind, paragraph)
            continue
        for first, last in _sentences(text, start, end):
            # A mark of the author's own would look like a citation of ours.
            if re.search(r"\w", text[first:last]) and not _MARK.search(text, first, last):
                yield _Span(first, last, "prose", paragraph)


def _blocks(text: str) -> Iterator[tuple[Kind, int, int]]:
    """Fenced code, tables, and runs of prose lines (a list item is a run of its own)."""
    kind: Kind = "prose"
    start = end = at = 0
    fence = ""
    for line in text.splitlines(keepends=True):
        at, here, bare = at + len(line), at, line.rstrip()
        if fence:
            end = here + len(bare)
            if bare.strip().startswith(fence) and not bare.strip().strip(fence[0]):
                yield "code", start, end
                start, end, fence = at, at, ""
            continue
        opening = _FENCE.match(line)
        own: Kind = "table" if bare.lstrip().startswith("|") else "prose"
        marker = _MARKER.match(line)
        begins = marker is not None and marker.group().strip() != ""
        if opening or not bare or own != kind or begins or _NOT_PROSE.match(line):
            if end > start:
                yield kind, start, end
            skip = marker.end() if marker and own == "prose" else 0
            start = here + (0 if opening else skip)
            end, kind = start, own
        if opening:
            fence = opening[1]
            end = here + len(bare)
        elif bare and not _NOT_PROSE.match(line):
            end = here + len(bare)
        else:
            start = end = at
    if end > start:
        yield ("code" if fence else kind), start, end


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    first = start
    for gap in _SENTENCE_END.finditer(text, start, end):
        stop = gap.start() + len(gap.group().rstrip())
        if _ABBREVIATION.search(text, max(start, gap.start() - 8), gap.start()):
            continue
        yield first, stop
        first = gap.end()
    if first < end:
        yield first, end
