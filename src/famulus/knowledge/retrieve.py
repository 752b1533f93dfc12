"""Retrieval: the passages that answer a question, cut by what the asker may see.

    question ─┬▶ words ──▶ index: 40 hits ────┬▶ one score, repetitions, at most 3 a document ─▶ passages
              └▶ vector ─▶ index: 40 nearest ─┘
               both within the scope (rights)

`fits` says whether a passage is worth answering from; where none fits, the material does not answer the question.
"""

import asyncio
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote as url_quote

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.courses import CourseCard
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.knowledge import vectors
from famulus.knowledge.ddl import Dialect
from famulus.knowledge.index import Found, Hit, Index, Scope, Target, vectors_in
from famulus.knowledge.index_postgres import PostgresIndex
from famulus.knowledge.index_sqlite import SqliteIndex
from famulus.knowledge.meaning import Meaning, State
from famulus.knowledge.models import Chunk, Document
from famulus.knowledge.rank import Candidate, asks, choose, quote, rarity
from famulus.knowledge.visibility import scope_of, visible_documents
from famulus.knowledge.words import read_question, stems_of
from famulus.llm.embedding.local import MODEL_ID

HITS = 40
FITTING = 0.42
"""The least share of the question's telling words that a passage must have to be worth answering from."""
NEAR = {MODEL_ID: 0.45}
"""How near a passage must be to be worth answering from whatever its words, by model: only where it was measured."""
FAR = 0.25
"""What is no nearer in meaning has nothing to do with the question, unless it shares words with it."""


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
    near: bool = False
    """Whether that is near enough to be worth answering from."""
    words: tuple[str, ...] = ()
    """Which of the question's words it has, the most telling first."""
    symbol: str = ""
    """What it defines, if it is code or an operation of an API."""
    lines: tuple[int, int] | None = None
    """First and last line in its file, if it is code; the title then is `file:line`."""


@dataclass(frozen=True, slots=True)
class OpenPassage:
    """A passage with what stands before and after it; empty at the ends of its document."""

    passage: Passage
    before: str
    after: str


def fits(passage: Passage) -> bool:
    """Whether a passage is worth answering from."""
    return passage.near or passage.coverage >= FITTING


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found, and how far meaning had a say in it."""

    passages: list[Passage]
    meaning: State


def index_of(dialect: Dialect) -> Index:
    """The index of a database. One is kept for each, as it may hold vectors in memory."""
    return SqliteIndex() if dialect == "sqlite" else PostgresIndex()


class Retriever:
    """Finds passages in one database, by words and, where there is a model for it, by meaning."""

    def __init__(self, database: Database, meaning: Meaning | None = None) -> None:
        self._database = database
        self._meaning = meaning if meaning is None or meaning.embedders.chosen else None
        self._index = index_of(database.dialect)

    async def search(
        self, principal: Principal, query: str, *, course_id: str | None = None, limit: int = 5
    ) -> Answer:
        """The best passages for a question in plain language, best first; none where nothing has to do with it.

        Raises `NotFound` for a course that the person may not see.
        """
        question = read_question(query)
        rows: dict[str, tuple[Chunk, Document]] = {}
        async with self._database.read() as session:
            scope = await scope_of(session, principal, course_id)
            asked = await self._ask(session, query) if question.terms and scope.words else None
            found = await self._index.search(session, question, scope, HITS)
            if asked is None:
                rows = await _load(session, principal, found.hits)
        if asked is None:
            return Answer(_passages(found, {}, rows, limit), "off" if self._meaning is None else "pending")
        target = await asked[0]
        async with self._database.read() as session:
            near, state = await self._near(session, target, scope, found)
            rows = await _load(session, principal, [*found.hits, *near])
        passages = _passages(found, {hit.chunk_id: hit.score for hit in near}, rows, limit, enough=asked[1])
        return Answer(passages, state)

    async def _ask(
        self, session: AsyncSession, query: str
    ) -> tuple[asyncio.Task[Target | None], float] | None:
        """The question's vector, in the making while words are looked up, and how near is near enough.

        None where there is nothing to compare.
        """
        if self._meaning is None:
            return None
        model = self._meaning.searched(await vectors.models(session))
        if model is None:
            return None
        return asyncio.create_task(self._meaning.target(query, *model)), NEAR.get(model[0].name, math.inf)

    async def _near(
        self, session: AsyncSession, target: Target | None, scope: Scope, found: Found
    ) -> tuple[list[Hit], State]:
        if target is None:
            return [], "unavailable"
        besides = [hit.number for hit in found.hits]
        hits = await self._index.nearest(session, target, scope, HITS, besides)
        had = await vectors_in(session, target.model, scope)
        state: State = "pending" if not had else "partial" if had < found.total else "ready"
        return [hit for hit in hits if hit.score >= FAR or hit.number in besides], state


async def search(
    database: Database, principal: Principal, query: str, *, course_id: str | None = None, limit: int = 5
) -> list[Passage]:
    """The best passages by words alone; see `Retriever.search`."""
    answer = await Retriever(database).search(principal, query, course_id=course_id, limit=limit)
    return answer.passages


def _passages(
    found: Found,
    near: Mapping[str, float],
    rows: dict[str, tuple[Chunk, Document]],
    limit: int,
    *,
    enough: float = math.inf,
) -> list[Passage]:
    weights = rarity(found.frequencies, found.total)
    scores = dict.fromkeys(near, 0.0) | {hit.chunk_id: hit.score for hit in found.hits}
    candidates = [_candidate(*rows[id], score, near.get(id)) for id, score in scores.items() if id in rows]
    stems = {candidate.key: candidate.stems for candidate in candidates}
    telling = sorted(weights, key=lambda stem: -weights[stem])
    return [
        _passage(
            *rows[one.key],
            quoted=quote(weights, rows[one.key][0].text),
            score=one.score,
            coverage=one.coverage,
            nearness=one.nearness,
            near=one.nearness is not None and one.nearness >= enough,
            words=tuple(stem for stem in telling if stem in stems[one.key]),
        )
        for one in choose(weights, candidates, limit)
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


async def _load(
    session: AsyncSession, principal: Principal, hits: Sequence[Hit]
) -> dict[str, tuple[Chunk, Document]]:
    if not hits:
        return {}
    query = _chunks(principal).where(Chunk.id.in_([hit.chunk_id for hit in hits]))
    return {row[0].id: (row[0], row[1]) for row in await session.execute(query)}


def _candidate(chunk: Chunk, document: Document, score: float, nearness: float | None) -> Candidate:
    words = stems_of("\n".join((chunk.title, *chunk.heading_path, chunk.text)))
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
        near=found.get("near", False),
        words=found.get("words", ()),
    )


def _url(chunk: Chunk, document: Document) -> str:
    place = (
        f"/courses/{document.course_id}/lessons/{document.lesson_id}"
        if document.lesson_id
        else f"/passages/{chunk.id}"
    )
    return f"{place}#{url_quote(chunk.anchor, safe='=')}" if chunk.anchor else place
