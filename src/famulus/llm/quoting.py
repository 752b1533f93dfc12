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
SHORT_BLOCK_LINES = 15
MAX_TWO_SENTENCES = 350
GOOD_ENOUGH = 0.6
"""Share of the best quote's score that a further one needs."""
AS_MUCH = 0.8
"""Share of what the best quote covers of the question that a further one needs; one common word is no answer."""

_FENCE = re.compile(r"[ \t]{0,3}(`{3,}|~{3,})")
_MARKER = re.compile(
    r"[ \t]*(?:>[ \t]?)*(?:[-*+]|\d{1,3}[.)])[ \t]+(?:\[[ xX]\][ \t]+)?|[ \t]*(?:>[ \t]?)+|[ \t]+"
)
_NOT_PROSE = re.compile(
    r"[ \t]*(#{1,6}(\s|$)|[-*_=]{3,}[ \t]*$|!\[|<|\[[^\]]+\]:|:::|\{|(\*\*|__)[^*_]+\3[ \t]*$)"
)
_SENTENCE_END = re.compile(r"(?<=[.!?…])[\"'”’)*_`]{0,3}\s+(?=[\"'“‘(*_`\[]*[A-Z0-9À-ÞА-Я])|(?<=[。！？])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|cf|vs|etc|approx|Dr|Prof|Mr|Mrs|Fig|No|Eq)|\b[A-Z])\.$")
_MARK = re.compile(r"\[\d+\]")
_UNFINISHED = {"?": 0.3, ":": 0.8}
_WANTS_CODE = re.compile(
    r"\b(code|snippet|example|command|script|syntax|write|implement|run|install)\b", re.IGNORECASE
)
_WISH = frozenset("cod snippet exampl syntax writ implement".split())
"""Stems of words that say how an answer is wished for, not what it is about."""
_WANTS_STEPS = re.compile(r"\bhow (do|can|should|would) (I|we|you|one)\b|\bhow to\b", re.IGNORECASE)
_WANTS_COMPARISON = re.compile(r"\b(differ\w*|compar\w+|versus|vs)\b", re.IGNORECASE)
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
    quote: Quote
    score: float
    covers: float
    """Weight of the question's words that the quote, or the headings above it, holds."""


def choose_quotes(question: str, grounding: tuple[Grounding, ...]) -> list[Quote]:
    """What answers `question` best, best first, at most one quote of a passage; empty when nothing fits."""
    wanted = content_stems(question)
    wanted = wanted - _WISH or wanted
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
        text = item.quote.text
        repeats = any(text in other.text or other.text in text for other in quotes)
        if item.covers >= AS_MUCH * found[0].covers and not repeats:
            quotes.append(item.quote)
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
    best, at = 0.0, -1
    for index, span in enumerate(spans):
        score = _score(question, passage.text[span.start : span.end], span.kind, weights, about)
        if score > best:
            best, at = score, index
    if at < 0:
        return None
    quote = _quote(passage, spans, at, weights)
    # What retrieval put first is likelier right: worth a little, decides between equals.
    covers = _covered(stems(quote.text), weights, about) * min(
        1.0, _wish_for(quote.kind, question, quote.text)
    )
    return _Found(quote, best + 0.1 / (1 + rank), covers)


def _covered(said: frozenset[str], weights: dict[str, float], about: set[str]) -> float:
    """The weight of the question's words that are said, and less of those that only the headings say."""
    return sum(
        weight * (1.0 if stem in said else 0.4) for stem, weight in weights.items() if stem in said | about
    )


def _score(question: str, text: str, kind: Kind, weights: dict[str, float], about: set[str]) -> float:
    said = stems(text)
    score = _covered(said, weights, about)
    if kind != "prose":
        return score * _wish_for(kind, question, text)
    if _WANTS_MEANING.search(question) and not weights.keys().isdisjoint(said):
        score += 0.3 * _defines(text, weights)
    # A question answers nothing, and a line that announces what follows only half.
    return (score - (0.3 if len(said) < 4 else 0.0)) * _UNFINISHED.get(text.rstrip("*_`\"'”’ )")[-1:], 1.0)


def _wish_for(kind: Kind, question: str, text: str) -> float:
    """How far code or a table is asked for: it holds many words by its size alone."""
    if kind == "prose" or (kind == "table" and _WANTS_COMPARISON.search(question)):
        return 1.0
    if _WANTS_CODE.search(question):
        return 1.15
    short = text.count("\n") < SHORT_BLOCK_LINES
    return 0.9 if kind == "code" and short and _WANTS_STEPS.search(question) else 0.6


def _defines(text: str, weights: dict[str, float]) -> bool:
    """Whether `text` says of one of the words, early on, what it is."""
    head = re.split(r"\b(?:is|are|means|describes|refers to)\b", text, maxsplit=1)
    return len(head) > 1 and len(head[0]) < 60 and not weights.keys().isdisjoint(stems(head[0]))


def _quote(passage: Grounding, spans: list[_Span], at: int, weights: dict[str, float]) -> Quote:
    span, text = spans[at], passage.text
    if span.kind != "prose":
        return Quote(passage.number, text[span.start : span.end], span.kind)
    start, end = _widened(text, spans, at, weights)
    quoted = text[start:end]
    if len(quoted) <= MAX_SENTENCE:
        return Quote(passage.number, quoted, "prose")
    short = quoted[:MAX_SENTENCE]
    return Quote(passage.number, short.rsplit(None, 1)[0], "prose", cut=True)


def _widened(text: str, spans: list[_Span], at: int, weights: dict[str, float]) -> tuple[int, int]:
    """A sentence with the one after it, or with the one before it where that says more of what was asked.

    One sentence alone is often half a thought.
    """
    span = spans[at]
    said = stems(text[span.start : span.end])
    best, widened = -1.0, (span.start, span.end)
    for near in (at + 1, at - 1):
        if not 0 <= near < len(spans) or spans[near].paragraph != span.paragraph:
            continue
        start, end = min(span.start, spans[near].start), max(span.end, spans[near].end)
        adds = _covered(stems(text[start:end]) - said, weights, set())
        if end - start <= MAX_TWO_SENTENCES and adds > best:
            best, widened = adds, (start, end)
    return widened


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
