"""Retrieval: the passages that answer a question, cut by what the asker may see.

    question ─┬▶ words ──▶ index: 40 hits ────┬▶ one score, repetitions, at most 3 a document ─▶ passages
              └▶ vector ─▶ index: 40 nearest ─┘
               both within the scope (rights)

`fits` says whether a passage is worth answering from; where none fits, the material does not answer the question.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote as url_quote

from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.courses import CourseCard
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.knowledge import vectors
from famulus.knowledge.ddl import Dialect
from famulus.knowledge.graph import Led, Start, lead
from famulus.knowledge.index import Found, Hit, Index, Scope, Target, vectors_in
from famulus.knowledge.index_postgres import PostgresIndex
from famulus.knowledge.index_sqlite import SqliteIndex
from famulus.knowledge.languages import differs
from famulus.knowledge.meaning import Meaning, State
from famulus.knowledge.models import Chunk, Document
from famulus.knowledge.names import spelled
from famulus.knowledge.rank import (
    PER_DOCUMENT,
    Candidate,
    Ranked,
    asks,
    choose,
    coverage,
    quote,
    rarity,
    rate,
    worth,
)
from famulus.knowledge.sources import being_read
from famulus.knowledge.visibility import scope_of, visible_documents
from famulus.knowledge.words import read_question, stems_of
from famulus.llm.embedding.local import MODEL_ID

HITS = 40
ENOUGH = {MODEL_ID: 0.5}
"""What makes a passage worth answering from (`rank.worth`), by model: only where it was measured."""
Way = Literal["words", "meaning", "graph"]
EVERY_WAY: frozenset[Way] = frozenset(("words", "meaning", "graph"))
Rows = dict[str, tuple[Chunk, Document]]
FAR = 0.25
"""What is no nearer in meaning has nothing to do with the question, unless it shares words with it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A passage on the way to another, with the name in it that led on."""

    passage_id: str
    title: str
    name: str
    worth: bool
    """As of a passage."""


@dataclass(frozen=True, slots=True)
class Passage:
    """A chunk that was found, with what is needed to cite it."""

    id: str
    document_id: str
    lesson_id: str | None
    course_id: str | None
    title: str
    heading_path: tuple[str, ...]
    text: str
    """Markdown."""
    quote: str
    """The best sentences of `text`: a slice of it of at most 300 characters."""
    url: str
    score: float
    """0 to 1; the larger the better."""
    coverage: float
    """0 to 1: the share of the question's content words found here, rare ones counting more."""
    nearness: float | None = None
    """How near it is to the question in meaning, up to 1; None where that is not known."""
    worth: bool = True
    """Whether it has enough of the question by itself; see `rank.worth`."""
    words: tuple[str, ...] = ()
    """Which of the question's words it has, the most telling first."""
    symbol: str = ""
    """What it defines, if it is code or an operation of an API."""
    lines: tuple[int, int] | None = None
    """First and last line in its file, if it is code; the title then is `file:line`."""
    path: tuple[Step, ...] = ()
    """How the graph led here, from a passage that was found by the question on; empty where it did not have to."""


@dataclass(frozen=True, slots=True)
class OpenPassage:
    """A passage with what stands before and after it; empty at the ends of its document."""

    passage: Passage
    before: str
    after: str


def fits(passage: Passage) -> bool:
    """Whether a passage is worth answering from: by itself or, where one led to it, if that is."""
    return passage.path[0].worth if passage.path else passage.worth


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and how far meaning had a say in it."""

    passages: list[Passage]
    meaning: State
    reading: int = 0
    """Sources in reach that are still being read: what they hold may not have been found yet."""
    other_language: bool = False
    """Whether the question is in another language than the passages: little is found then, and that by chance."""


def _answer(query: str, passages: list[Passage], meaning: State, reading: int) -> Answer:
    return Answer(passages, meaning, reading, differs(query, [passage.text for passage in passages]))


def index_of(dialect: Dialect) -> Index:
    """The index of a database. One is kept for each, as it may hold vectors in memory."""
    return SqliteIndex() if dialect == "sqlite" else PostgresIndex()


class Retriever:
    """Finds passages in one database, by words and, where there is a model for it, by meaning."""

    def __init__(
        self, database: Database, meaning: Meaning | None = None, index: Index | None = None
    ) -> None:
        """`index` is the database's own if left out."""
        self._database = database
        self._meaning = meaning if meaning is None or meaning.embedders.chosen else None
        self.index = index or index_of(database.dialect)

    async def search(
        self,
        principal: Principal,
        query: str,
        *,
        course_id: str | None = None,
        limit: int = 5,
        ways: frozenset[Way] = EVERY_WAY,
    ) -> Answer:
        """The best passages for a question in plain language, best first; none where nothing has to do with it.

        Raises `NotFound` for a course that the person may not see.
        """
        question = read_question(query)
        async with self._database.read() as session:
            scope = await scope_of(session, principal, course_id)
            reading = await being_read(session, scope)
            compared = "meaning" in ways and question.terms and scope.words
            asked = await self._ask(session, query) if compared else None
            found = Found([], {}, 0)
            if "words" in ways or asked is None:
                found = await self.index.search(session, question, scope, HITS)
            if asked is None:
                pool = await _Search(session, query, scope, limit, "graph" in ways).pool(found, [])
                state: State = "off" if self._meaning is None else "pending"
                return _answer(query, _passages(pool, limit), state, reading)
        target = await asked[0]
        async with self._database.read() as session:
            near, state = await self._near(session, target, scope, found)
            pool = await _Search(session, query, scope, limit, "graph" in ways).pool(found, near)
        return _answer(query, _passages(pool, limit, enough=asked[1]), state, reading)

    async def _ask(
        self, session: AsyncSession, query: str
    ) -> tuple[asyncio.Task[Target | None], float | None] | None:
        """The question's vector, in the making while words are looked up, and what is enough to answer from.

        None where there is nothing to compare.
        """
        if self._meaning is None:
            return None
        model = self._meaning.searched(await vectors.models(session))
        if model is None:
            return None
        return asyncio.create_task(self._meaning.target(query, *model)), ENOUGH.get(model[0].name)

    async def _near(
        self, session: AsyncSession, target: Target | None, scope: Scope, found: Found
    ) -> tuple[list[Hit], State]:
        if target is None:
            return [], "unavailable"
        besides = [hit.number for hit in found.hits]
        hits = await self.index.nearest(session, target, scope, HITS, besides)
        had = await vectors_in(session, target.model, scope)
        state: State = "pending" if not had else "partial" if had < found.total else "ready"
        return [hit for hit in hits if hit.score >= FAR or hit.number in besides], state


async def search(
    database: Database, principal: Principal, query: str, *, course_id: str | None = None, limit: int = 5
) -> list[Passage]:
    """The best passages by words alone; see `Retriever.search`."""
    answer = await Retriever(database).search(principal, query, course_id=course_id, limit=limit)
    return answer.passages


@dataclass(frozen=True, slots=True)
class _Search:
    """One search, from hits on."""

    session: AsyncSession
    query: str
    scope: Scope
    limit: int
    graph: bool

    async def pool(self, found: Found, near: Sequence[Hit]) -> "_Pool":
        """Everything that was found, rated."""
        weights = rarity(found.frequencies, found.total)
        nearness = {hit.chunk_id: hit.score for hit in near}
        scores = dict.fromkeys(nearness, 0.0) | {hit.chunk_id: hit.score for hit in found.hits}
        rows = await _load(self.session, self.scope, Chunk.id.in_(list(scores)))
        candidates = {
            id: _candidate(*rows[id], score, nearness.get(id)) for id, score in scores.items() if id in rows
        }
        rated = rate(weights, list(candidates.values()))
        pool = _Pool(weights, rows, candidates, rated, PER_DOCUMENT * self.limit)
        return await _follow(self.session, self.query, self.scope, pool) if self.graph else pool


def _passages(pool: "_Pool", limit: int, *, enough: float | None = None) -> list[Passage]:
    telling = sorted(pool.weights, key=lambda stem: -pool.weights[stem])
    return [
        _passage(
            *pool.rows[one.key],
            quoted=quote(pool.weights, pool.rows[one.key][0].text),
            score=one.score,
            coverage=one.coverage,
            nearness=(near := pool.candidates[one.key].nearness),
            worth=worth(one.coverage, near, enough),
            words=tuple(stem for stem in telling if stem in pool.candidates[one.key].stems),
            path=_path(pool, one.key, enough),
        )
        for one in choose(pool.rated, pool.candidates, limit)
    ]


async def open_passage(session: AsyncSession, principal: Principal, chunk_id: str) -> OpenPassage:
    """A passage by id with its neighbours; raises `NotFound` when it is gone or not for this person's eyes."""
    row = (await session.execute(_chunks(principal).where(Chunk.id == chunk_id))).one_or_none()
    if row is None:
        raise NotFound("This passage is not there any more, or not for you.")
    chunk, document = row
    around = select(Chunk.ordinal, Chunk.text).where(
        Chunk.document_id == document.id, Chunk.ordinal.in_((chunk.ordinal - 1, chunk.ordinal + 1))
    )
    texts: dict[int, str] = {row[0]: row[1] for row in await session.execute(around)}
    passage = _passage(chunk, document, quoted=quote({}, chunk.text), score=1.0, coverage=1.0)
    return OpenPassage(passage, texts.get(chunk.ordinal - 1, ""), texts.get(chunk.ordinal + 1, ""))


async def passages_in(
    session: AsyncSession, principal: Principal, course: CourseCard, ids: Iterable[str]
) -> dict[str, Passage]:
    """Those of these passages that the person may see and that can be cited in a course, by id.

    They are of the course's own material, or of its organization's general one.
    """
    owner = or_(Document.organization_id == course.organization_id, Document.organization_id.is_(None))
    general = and_(Document.course_id.is_(None), owner)
    query = _chunks(principal).where(
        Chunk.id.in_(list(dict.fromkeys(ids))), or_(Document.course_id == course.id, general)
    )
    return {
        row[0].id: _passage(row[0], row[1], quoted=quote({}, row[0].text), score=1.0, coverage=1.0)
        for row in await session.execute(query)
    }


def _chunks(principal: Principal) -> Select[Chunk, Document]:
    """Chunks with their documents, as far as the person may see those."""
    visible = visible_documents(principal).with_only_columns(Document.id)
    return select(Chunk, Document).join(Document).where(Document.id.in_(visible))


async def _load(session: AsyncSession, scope: Scope, which: ColumnElement[bool]) -> Rows:
    """Chunks with their documents, as far as the scope goes now, whatever an index said."""
    within = frozenset(scope.words)
    query = select(Chunk, Document).join(Document).where(which)
    return {row[0].id: (row[0], row[1]) for row in await session.execute(query) if row[0].scope in within}


@dataclass(frozen=True, slots=True)
class _Pool:
    """What was found so far."""

    weights: Mapping[str, float]
    """Of the question's stems."""
    rows: Rows
    candidates: dict[str, Candidate]
    rated: list[Ranked]
    """Best first."""
    wanted: int
    """How many the graph may leave, so that enough can be chosen from them."""
    led: Led | None = None


async def _follow(session: AsyncSession, query: str, scope: Scope, pool: _Pool) -> _Pool:
    """The pool after the graph stage, with what only the graph has found."""
    chunks = [pool.rows[one.key][0] for one in pool.rated]
    starts = [
        Start(chunk.number, one.score, one.odds, chunk.text)
        for chunk, one in zip(chunks, pool.rated, strict=True)
    ]
    led = await lead(session, query, starts, scope, pool.wanted)
    if led is None:
        return pool
    fresh = [number for number, _ in led.ranking if number not in led.starts]
    added = await _load(session, scope, Chunk.number.in_(fresh)) if fresh else {}
    rows = pool.rows | added
    candidates = pool.candidates | {key: _candidate(*row, 0.0, None) for key, row in added.items()}
    keys = {chunk.number: key for key, (chunk, _) in rows.items()}
    rated = [
        Ranked(key, score, coverage(pool.weights, candidates[key].stems))
        for number, score in led.ranking
        if (key := keys.get(number)) is not None
    ]
    return _Pool(pool.weights, rows, candidates, rated, pool.wanted, led)


def _path(pool: _Pool, key: str, enough: float | None) -> tuple[Step, ...]:
    """How the graph led to a passage, in words; what lies on the way but has gone is left out."""
    if pool.led is None:
        return ()
    keys = {chunk.number: other for other, (chunk, _) in pool.rows.items()}
    steps: list[Step] = []
    for step in pool.led.path(pool.rows[key][0].number):
        if (other := keys.get(step.passage)) is not None:
            chunk, document = pool.rows[other]
            name = spelled(step.name, chunk.text) or pool.rows[key][1].title
            covered = coverage(pool.weights, pool.candidates[other].stems)
            good = worth(covered, pool.candidates[other].nearness, enough)
            steps.append(Step(other, document.title, name, good))
    return tuple(steps)


def _candidate(chunk: Chunk, document: Document, score: float, nearness: float | None) -> Candidate:
    words = stems_of("\n".join((chunk.title, *chunk.heading_path, chunk.text)), chunk.parts)
    return Candidate(chunk.id, document.id, score, frozenset(words), asks(chunk.text), nearness)


def _passage(chunk: Chunk, document: Document, **found: Any) -> Passage:
    return Passage(
        id=chunk.id,
        document_id=document.id,
        lesson_id=document.lesson_id,
        course_id=document.course_id,
        title=document.title if chunk.first_line is None else f"{document.path}:{chunk.first_line}",
        heading_path=tuple(chunk.heading_path),
        text=chunk.text,
        quote=found["quoted"],
        url=_url(chunk, document),
        score=found["score"],
        coverage=found["coverage"],
        symbol=chunk.symbol,
        lines=(chunk.first_line, chunk.last_line or chunk.first_line) if chunk.first_line else None,
        nearness=found.get("nearness"),
        worth=found.get("worth", True),
        words=found.get("words", ()),
        path=found.get("path", ()),
    )


def _url(chunk: Chunk, document: Document) -> str:
    place = (
        f"/courses/{document.course_id}/lessons/{document.lesson_id}"
        if document.lesson_id
        else f"/passages/{chunk.id}"
    )
    return f"{place}#{url_quote(chunk.anchor, safe='=')}" if chunk.anchor else place
