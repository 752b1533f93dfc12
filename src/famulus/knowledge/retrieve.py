"""Retrieval: the passages that answer a question, cut by what the asker may see.

    question ─┬▶ words ──▶ index: 40 hits ────┬▶ one score, repetitions, at most 3 a document ─▶ passages
              └▶ vector ─▶ index: 40 nearest ─┘
               both within the scope (rights)

`fits` says whether a passage is worth answering from; where none fits, the material does not answer the question.
"""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import quote as url_quote

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.courses import CourseCard
from famulus.identity.principal import Principal
from famulus.kernel.database import Database, run_in
from famulus.kernel.errors import NotFound
from famulus.knowledge import vectors
from famulus.knowledge.beginning import begin
from famulus.knowledge.ddl import Dialect
from famulus.knowledge.index import Found, Hit, Index, Kind, Scope, Target
from famulus.knowledge.index_postgres import PostgresIndex
from famulus.knowledge.index_sqlite import SqliteIndex
from famulus.knowledge.languages import differs
from famulus.knowledge.meaning import Meaning, State
from famulus.knowledge.models import Chunk, Document
from famulus.knowledge.pooled import HITS, KNOWN, Pool, Search, Step, path_to, pooled
from famulus.knowledge.rank import (
    choose,
    quote,
    worth,
)
from famulus.knowledge.rows import COLUMNS, Row
from famulus.knowledge.sources import require_sources
from famulus.knowledge.visibility import visible_documents
from famulus.knowledge.words import read_question
from famulus.llm.embedding.local import MODEL_ID

ENOUGH = {MODEL_ID: 0.5}
"""What makes a passage worth answering from (`rank.worth`), by model: only where it was measured."""
Way = Literal["words", "meaning", "graph"]
EVERY_WAY: frozenset[Way] = frozenset(("words", "meaning", "graph"))
Rows = dict[str, Row]
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
        sources: Collection[str] = (),
        kinds: Collection[Kind] = (),
    ) -> Answer:
        """The best passages for a question in plain language, best first; none where nothing has to do with it.

        Of certain `sources` or `kinds` only, where any are given.

        Raises `NotFound` for a course or a source that the person may not see.
        """
        question = read_question(query)
        async with self._database.read() as session:
            begun = begin(principal, course_id, self._database.dialect)
            everything, reading, models, counts = await run_in(session, begun)
            await require_sources(session, principal, sources)
            scope: Scope = replace(everything, sources=tuple(sources), kinds=tuple(kinds))
            compared = "meaning" in ways and question.terms and scope.words
            asked = self._ask(query, models, counts) if compared else None
            found = Found([], {}, 0)
            if "words" in ways or asked is None:
                found = await self.index.search(session, question, scope, KNOWN)
            enough = None if asked is None else asked[1]
            search = Search(query, scope, limit, "graph" in ways, found, reading, enough)
            if asked is None:
                return await _answer(session, search, [], "off" if self._meaning is None else "pending")
            if asked[0].done():
                return await self._compared(session, search, asked[0].result(), counts)
        target = await asked[0]
        async with self._database.read() as session:
            return await self._compared(session, search, target, counts)

    def _ask(
        self, query: str, models: Sequence[vectors.Model], counts: Mapping[int, int]
    ) -> tuple[asyncio.Task[Target | None], float | None] | None:
        """The question's vector, in the making while words are looked up, and what is enough to answer from.

        None where there is nothing to compare: nobody waits for a model that is just being started for the first time.
        """
        if self._meaning is None:
            return None
        model = self._meaning.searched(models)
        if model is None or not counts.get(model[0].id):
            return None
        return asyncio.create_task(self._meaning.target(query, *model)), ENOUGH.get(model[0].name)

    async def _compared(
        self, session: AsyncSession, search: Search, target: Target | None, counts: Mapping[int, int]
    ) -> Answer:
        """With what is near in meaning; by words alone if there is no vector in time."""
        if target is None:
            return await _answer(session, search, [], "unavailable")
        besides = [hit.number for hit in search.hits]
        hits = await self.index.nearest(session, target, search.scope, HITS, besides)
        state: State = "partial" if counts[target.model] < search.found.total else "ready"
        near = [hit for hit in hits if hit.score >= FAR or hit.number in besides]
        return await _answer(session, search, near, state)


async def _answer(session: AsyncSession, search: Search, near: Sequence[Hit], state: State) -> Answer:
    chosen = _passages(await pooled(session, search, near), search)
    return Answer(chosen, state, search.reading, differs(search.query, [one.text for one in chosen]))


async def search(
    database: Database, principal: Principal, query: str, *, course_id: str | None = None, limit: int = 5
) -> list[Passage]:
    """The best passages by words alone; see `Retriever.search`."""
    answer = await Retriever(database).search(principal, query, course_id=course_id, limit=limit)
    return answer.passages


def _passages(pool: Pool, search: Search) -> list[Passage]:
    telling = sorted(pool.weights, key=lambda stem: -pool.weights[stem])
    chosen: list[Passage] = []
    for one in choose(pool.rated, pool.candidates, search.limit):
        row, candidate = pool.rows[one.key], pool.candidates[one.key]
        chosen.append(
            _passage(
                row,
                quoted=quote(pool.weights, row.text),
                score=one.score,
                coverage=one.coverage,
                nearness=candidate.nearness,
                worth=worth(one.coverage, candidate.nearness, search.enough),
                words=tuple(stem for stem in telling if stem in candidate.has),
                path=path_to(pool, one.key, search.enough),
            )
        )
    return chosen


async def open_passage(session: AsyncSession, principal: Principal, chunk_id: str) -> OpenPassage:
    """A passage by id with its neighbours; raises `NotFound` when it is gone or not for this person's eyes."""
    query = _chunks(principal).add_columns(Chunk.ordinal).where(Chunk.id == chunk_id)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise NotFound("This passage is not there any more, or not for you.")
    row, ordinal = Row(*found[:-1]), found[-1]
    around = select(Chunk.ordinal, Chunk.text).where(
        Chunk.document_id == row.document_id, Chunk.ordinal.in_((ordinal - 1, ordinal + 1))
    )
    texts: dict[int, str] = {each[0]: each[1] for each in await session.execute(around)}
    return OpenPassage(_whole(row), texts.get(ordinal - 1, ""), texts.get(ordinal + 1, ""))


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
    rows = [Row(*each) for each in await session.execute(query)]
    return {row.id: _whole(row) for row in rows}


def _chunks(principal: Principal) -> Select[*tuple[Any, ...]]:
    """The columns of a `Row`, as far as the person may see its document."""
    visible = visible_documents(principal).with_only_columns(Document.id)
    return select(*COLUMNS).join(Document).where(Document.id.in_(visible))


def _whole(row: Row) -> Passage:
    """A passage that nobody has searched for."""
    return _passage(row, quoted=quote({}, row.text), score=1.0, coverage=1.0)


def _passage(row: Row, **found: Any) -> Passage:
    return Passage(
        id=row.id,
        document_id=row.document_id,
        lesson_id=row.lesson_id,
        course_id=row.course_id,
        title=row.document_title if row.first_line is None else f"{row.path}:{row.first_line}",
        heading_path=tuple(row.heading_path),
        text=row.text,
        quote=found["quoted"],
        url=_url(row),
        score=found["score"],
        coverage=found["coverage"],
        symbol=row.symbol,
        lines=(row.first_line, row.last_line or row.first_line) if row.first_line else None,
        nearness=found.get("nearness"),
        worth=found.get("worth", True),
        words=found.get("words", ()),
        path=found.get("path", ()),
    )


def _url(row: Row) -> str:
    place = f"/courses/{row.course_id}/lessons/{row.lesson_id}" if row.lesson_id else f"/passages/{row.id}"
    return f"{place}#{url_quote(row.anchor, safe='=')}" if row.anchor else place
