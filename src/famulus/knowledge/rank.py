"""From hits to passages: words and meaning in one score, the best sentences, and which passages say the same. Pure.

The two are added as log-odds. BM25 is one by its making (Robertson and Zaragoza, 2009, "The Probabilistic Relevance
Framework"), and a nearness times the scale of the model's training, whose softmax is how likely a text is the right one
(van den Oord et al., 2018). Neither is stretched to a common range, question by question, so that the one that
tells these passages apart decides, and the other says little by itself. Adding up ranks would lose just that.
"""

import math
import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from statistics import median

from famulus.knowledge.words import held, inner_words, stem_of, stems_of

QUOTE = 300
MOST_SENTENCES = 100
SAME = 0.8
"""Passages that share so large a part of their words are one and the same."""
PER_DOCUMENT = 3
SCALE = 20.0
"""A nearness of 1, in log-odds: what models of sentences are trained with as a rule."""
WORDS = 0.5
"""What counts of the log-odds of words beside meaning: the two mostly see the same, which is no evidence twice."""
COVERAGE_WEIGHT = 0.3
"""How much the share of the question that is covered counts beside the index's own score."""
FITTING = 0.42
"""The least share of the question's telling words that a passage must have to be worth answering from."""
BESIDES = 0.25
"""What a whole coverage adds to a nearness."""

ASKING = 0.6
"""What a passage, or a sentence, that asks is worth beside one that tells."""

# It begins with one of few signs, so that the search for the next one is quick.
_BORDER = re.compile(r"[.!?…。！？\n](?:(?<=[.!?…])[\"”’)*_`]{0,3}\s+|(?<=[。！？])|(?<=\n)\n*)")
_MARK = re.compile(r"(?:[-*+>|#]+|\d{1,3}[.)])\s+")
_FENCE = re.compile(r"^```.*?^```[ \t]*$", re.DOTALL | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A chunk that was hit."""

    key: str
    document_id: str
    score: float
    """Of its words, as the index gives it; 0 for one that is not among its hits."""
    has: frozenset[str]
    """Those of the question's stems that are in its title, headings and text."""
    words: tuple[str, str]
    """Those, and the words inside their words."""
    asks: bool = False
    """Whether it mostly asks, as exercises at the end of a lesson do: they resemble a question, but answer none."""
    nearness: float | None = None
    """How near it is in meaning, -1 to 1; None where that is not known."""


@dataclass(frozen=True, slots=True)
class Ranked:
    """A candidate that was chosen."""

    key: str
    score: float
    """0 to 1."""
    coverage: float
    """0 to 1: which share of the question's content words it has, the rare ones counting more."""
    nearness: float | None = None
    """As the candidate's."""
    odds: float = 0.0
    """What the score stands for, in log-odds up to a constant of the search."""


def rarity(frequencies: Mapping[str, int], total: int) -> dict[str, float]:
    """How much each stem of the question tells, by how few chunks of the scope have the word."""
    weights: dict[str, float] = {}
    for term, frequency in frequencies.items():
        weight = math.log(1 + (max(total, frequency) - frequency + 0.5) / (frequency + 0.5))
        # Of two words with one stem the commoner one says how rare that is.
        stem = stem_of(term)
        weights[stem] = min(weight, weights.get(stem, weight))
    return weights


def coverage(weights: Mapping[str, float], stems: Collection[str]) -> float:
    """The share of the question's weight that stands in these words."""
    every = sum(weights.values())
    return sum(weight for stem, weight in weights.items() if stem in stems) / every if every else 0.0


def worth(coverage: float, nearness: float | None, enough: float | None) -> bool:
    """Whether a passage has enough of the question to be answered from.

    `enough` is what nearness and coverage must reach together, where that was measured for the model of `nearness`.
    Without it words decide.
    """
    if nearness is None or enough is None:
        return coverage >= FITTING
    return nearness + BESIDES * coverage >= enough


def rate(weights: Mapping[str, float], candidates: Sequence[Candidate]) -> list[Ranked]:
    """All candidates by their words and by meaning, best first."""
    most = max((candidate.score for candidate in candidates), default=0.0)
    near = [candidate.nearness for candidate in candidates if candidate.nearness is not None]
    # One without a vector is taken for as near as the others are: that alone neither lifts nor sinks it.
    usual = SCALE * median(near) if near else 0.0
    covered = [coverage(weights, candidate.has) for candidate in candidates]
    said = _said(weights, candidates, covered)
    odds: list[float] = []
    for candidate, score, share in zip(candidates, said, covered, strict=True):
        words = (1 - COVERAGE_WEIGHT) * score + COVERAGE_WEIGHT * most * share
        meaning = usual if candidate.nearness is None else SCALE * candidate.nearness
        odds.append(WORDS * words + meaning if near else words)
    low, high = min(odds, default=0.0) if near else 0.0, max(odds, default=0.0)
    rated: list[Ranked] = []
    for candidate, value, share in zip(candidates, odds, covered, strict=True):
        score = (value - low) / (high - low) if high > low else 1.0
        score *= ASKING if candidate.asks else 1
        rated.append(Ranked(candidate.key, score, share, candidate.nearness, low + score * (high - low)))
    return sorted(rated, key=lambda one: (-one.score, one.key))


def _said(
    weights: Mapping[str, float], candidates: Sequence[Candidate], covered: Sequence[float]
) -> list[float]:
    """What the words of each candidate tell. That meaning alone has found it does not say that it has none.

    BM25 gives a word its rarity where it stands once in a passage of usual length, and so it is reckoned here; but what
    the index has not put among its hits tells no more than the last of them.
    """
    every = sum(weights.values())
    least = min((candidate.score for candidate in candidates if candidate.score > 0), default=math.inf)
    return [
        candidate.score if candidate.score > 0 else min(least, every * share)
        for candidate, share in zip(candidates, covered, strict=True)
    ]


def choose(rated: Sequence[Ranked], candidates: Mapping[str, Candidate], limit: int) -> list[Ranked]:
    """The first of them, without repetitions and with few of any one document."""
    chosen: list[Ranked] = []
    said: list[set[str]] = []
    of_document: Counter[str] = Counter()
    for ranked in rated:
        if len(chosen) == limit:
            break
        candidate = candidates[ranked.key]
        if of_document[candidate.document_id] == PER_DOCUMENT:
            continue
        stems = stems_of(*candidate.words)
        if not any(_same(stems, other) for other in said):
            chosen.append(ranked)
            said.append(stems)
            of_document[candidate.document_id] += 1
    return chosen


def asks(text: str) -> bool:
    """Whether most lines of a text hold a question."""
    lines = [line for line in text.split("\n") if line.strip()]
    return sum("? " in line or line.rstrip().endswith("?") for line in lines) * 2 > len(lines)


def _same(one: set[str], other: set[str]) -> bool:
    shared = len(one & other)
    return shared >= SAME * (len(one) + len(other) - shared)


def quote(weights: Mapping[str, float], text: str) -> str:
    """The sentences of `text` that say most about the question: a slice of it of at most 300 characters."""
    inner = None if inner_words(text) else ""  # where the whole hides none, no part of it does
    found = held(weights, text, inner)
    spans = _sentences(text)[:MOST_SENTENCES]
    if not spans:
        return text[:QUOTE].rstrip()
    best, best_score = spans[0], -1.0
    telling = [held(found, text[start:end], inner) for start, end in spans]
    for at, (start, _) in enumerate(spans):
        said: set[str] = set()
        for n, (_, end) in enumerate(spans[at : at + 3], at):
            if end - start > QUOTE and end != spans[at][1]:
                break
            said |= telling[n]
            told = sum(weight for stem, weight in weights.items() if stem in said) if said else 0.0
            score = told * (1 - 0.0005 * (end - start)) * (ASKING if text[end - 1] == "?" else 1)
            if score > best_score:
                best, best_score = (start, end), score
    return _shortened(text[best[0] : best[1]])


def _shortened(slice_: str) -> str:
    if len(slice_) <= QUOTE:
        return slice_
    cut = slice_[:QUOTE]
    return (cut.rsplit(None, 1)[0] if " " in cut else cut).rstrip()


def _sentences(text: str) -> list[tuple[int, int]]:
    """Where the sentences, list items and lines of a text begin and end; code only if there is nothing else."""
    fences = [match.span() for match in _FENCE.finditer(text)]
    found: list[tuple[int, int]] = []
    start = 0
    for stop, resume in [*fences, (len(text), len(text))]:
        found += _within(text, start, stop)
        start = resume
    if not found:
        found = [
            inner for first, last in fences for inner in _within(text, first, last) if text[inner[0]] != "`"
        ]
    return found


def _within(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for end, following in [*map(_border, _BORDER.finditer(text, start, stop)), (stop, stop)]:
        mark = _MARK.match(text, start, end)
        first = mark.end() if mark else start
        kept = text[first:end].lstrip()
        first = end - len(kept)
        kept = kept.rstrip()
        if any(map(str.isalnum, kept)):
            found.append((first, first + len(kept)))
        start = following
    return found


def _border(match: re.Match[str]) -> tuple[int, int]:
    """Where a sentence ends, its mark included, and where the next one begins."""
    return match.start() + (match[0][0] != "\n"), match.end()
