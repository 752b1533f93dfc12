"""What a search has found, rated; and where the graph leads from there."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import run_in
from famulus.knowledge.graph import Led, Start, lead
from famulus.knowledge.graph import Step as Way
from famulus.knowledge.index import Found, Hit, Scope
from famulus.knowledge.names import key_of, number_of, spelled
from famulus.knowledge.rank import (
    PER_DOCUMENT,
    Candidate,
    Ranked,
    asks,
    coverage,
    rarity,
    rate,
    worth,
)
from famulus.knowledge.rows import Row, rows_of
from famulus.knowledge.words import held

HITS = 40
"""Passages that become candidates by their words, and so many by meaning."""
KNOWN = 120
"""Hits by words of which the score is known, for one of them may become a candidate by meaning."""
MOST_FILTERED = 500
"""Passages that the graph may leave where not all are wanted: it steps on the others, too, as they lead on."""
Rows = dict[str, Row]


@dataclass(frozen=True, slots=True)
class Search:
    """What is searched for, and what words have found."""

    query: str
    scope: Scope
    limit: int
    graph: bool
    """Whether the graph leads on."""
    found: Found
    """The first `KNOWN`."""
    reading: int
    """Sources within the scope that are still being read."""
    enough: float | None
    """What makes a passage worth answering from (`rank.worth`)."""

    @property
    def hits(self) -> list[Hit]:
        """Those by words that become candidates."""
        return self.found.hits[:HITS]


@dataclass(frozen=True, slots=True)
class Pool:
    """What was found so far."""

    weights: Mapping[str, float]
    """Of the question's stems."""
    rows: Rows
    candidates: dict[str, Candidate]
    rated: list[Ranked]
    """Best first."""
    led: Led | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """A passage on the way to another, with the name in it that led on."""

    passage_id: str
    title: str
    name: str
    worth: bool
    """As of a passage."""
    relation: str | None = None
    """What a model has read of that name, as `A —relation→ B`."""


async def pooled(session: AsyncSession, search: Search, near: Sequence[Hit]) -> Pool:
    """Everything that was found by words and near in meaning, and by the graph."""
    weights = rarity(search.found.frequencies, search.found.total)
    nearness = {hit.chunk_id: hit.score for hit in near}
    scores = {hit.chunk_id: hit.score for hit in search.found.hits}
    numbers = {hit.number for hit in (*search.hits, *near)}
    rows = await _load(session, search.scope, numbers) if numbers else {}
    candidates = {
        id: _candidate(row, weights, scores.get(id, 0.0), nearness.get(id)) for id, row in rows.items()
    }
    pool = Pool(weights, rows, candidates, rate(weights, list(candidates.values())))
    return await _follow(session, search, pool) if search.graph else pool


async def _load(session: AsyncSession, scope: Scope, numbers: Iterable[int]) -> Rows:
    rows = await run_in(session, rows_of(numbers, scope, session.get_bind().dialect.name))
    return {row.id: row for row in rows}


async def _follow(session: AsyncSession, search: Search, pool: Pool) -> Pool:
    """The pool after the graph stage, with what only the graph has found."""
    chunks = [pool.rows[one.key] for one in pool.rated]
    starts = [
        Start(chunk.number, one.score, one.odds, chunk.text)
        for chunk, one in zip(chunks, pool.rated, strict=True)
    ]
    most = MOST_FILTERED if search.scope.filtered else PER_DOCUMENT * search.limit
    led = await lead(session, search.query, starts, search.scope, most)
    if led is None:
        return pool
    fresh = [number for number, _ in led.ranking if number not in led.starts]
    added = await _load(session, search.scope, fresh) if fresh else {}
    rows = pool.rows | added
    candidates = pool.candidates | {
        key: _candidate(row, pool.weights, 0.0, None) for key, row in added.items()
    }
    keys = {row.number: key for key, row in rows.items()}
    rated = [
        Ranked(key, score, coverage(pool.weights, candidates[key].has))
        for number, score in led.ranking
        if (key := keys.get(number)) is not None
    ]
    return Pool(pool.weights, rows, candidates, rated, led)


def path_to(pool: Pool, key: str, enough: float | None) -> tuple[Step, ...]:
    """How the graph led to a passage, in words; what lies on the way but has gone is left out."""
    if pool.led is None:
        return ()
    keys = {row.number: other for other, row in pool.rows.items()}
    steps: list[Step] = []
    for step in pool.led.path(pool.rows[key].number):
        if (other := keys.get(step.passage)) is not None:
            row = pool.rows[other]
            name = spelled(step.name, row.text) or _written(step) or pool.rows[key].document_title
            covered = coverage(pool.weights, pool.candidates[other].has)
            good = worth(covered, pool.candidates[other].nearness, enough)
            steps.append(Step(other, row.document_title, name, good, _relation(step.said)))
    return tuple(steps)


def _written(step: Way) -> str | None:
    """A name as a relation has it."""
    return next((part for part in (step.said or ())[::2] if number_of(key_of(part)) == step.name), None)


def _relation(said: tuple[str, str, str] | None) -> str | None:
    return said and f"{said[0]} —{said[1]}→ {said[2]}"


def _candidate(row: Row, weights: Mapping[str, float], score: float, nearness: float | None) -> Candidate:
    words = row.said, row.parts
    return Candidate(row.id, row.document_id, score, held(weights, *words), words, asks(row.text), nearness)
