"""Keeping triples: what a model has found in a text, by the text's hash, and which chunks have that text.

    answers (organization, hash, model, prompt) ◀── readings ──▶ chunks
                                                        └──▶ relations, the edges of the graph

An answer is kept for the organization whose material was read, as long as a chunk of its has the text: what is read
again, has moved or stands in two documents is not asked about again. What hangs on a chunk goes with it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, delete, exists, func, insert, not_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.duplicates import insert_or
from famulus.knowledge.mentions import filed_under
from famulus.knowledge.models import Chunk, Document, Relation, TripleAnswer, TripleReading
from famulus.knowledge.triples import Triple, numbers
from famulus.knowledge.vectors import embedded_text, fingerprint

EXACT = ("code", "openapi")
"""Formats whose edges are exact: no model is asked about them."""
MOST_FORGOTTEN = 1_000
"""Answers removed in one transaction, for nobody else can write to SQLite meanwhile."""
MOST_LINKED = 500
"""Chunks that are looked up at once."""


@dataclass(frozen=True, slots=True)
class By:
    """Who was asked, and how: what makes an answer about the same text the same."""

    model: str
    prompt: str


@dataclass(frozen=True, slots=True)
class Unread:
    """A chunk that has no answer by whom it should be."""

    number: int
    text: str
    """What is asked about."""

    @property
    def hash(self) -> str:
        """Of the text."""
        return fingerprint(self.text)


@dataclass(frozen=True, slots=True)
class Counts:
    """How far an organization's material is read."""

    chunks: int
    read: int
    relations: int


async def counts(session: AsyncSession, organization_id: str, by: By) -> Counts:
    """How many chunks may be asked about, how many of them are read by this model, and what all of them gave."""
    chunks = _of(organization_id, select(func.count()).select_from(Chunk))
    read = chunks.where(_read(by))
    relations = select(func.count()).select_from(Relation).join(Chunk, Chunk.number == Relation.chunk)
    found = [await session.scalar(query) for query in (chunks, read, _of(organization_id, relations))]
    return Counts(*(count or 0 for count in found))


async def lacking(session: AsyncSession, organization_id: str, by: By) -> tuple[int, int]:
    """How many texts are to be asked about, each once, and how many characters they have together."""
    columns = (Chunk.title, Chunk.heading_path, Chunk.text)
    texts = _of(organization_id, select(*columns)).where(not_(_read(by))).distinct().subquery()
    length = func.length(texts.c.title) + func.length(texts.c.heading_path) + func.length(texts.c.text)
    row = (await session.execute(select(func.count(), func.sum(length)).select_from(texts))).one()
    return row[0], int(row[1] or 0)


async def unread(session: AsyncSession, organization_id: str, by: By, after: int, limit: int) -> list[Unread]:
    """The first chunks after a number that are not read by this model."""
    columns = (Chunk.number, Chunk.title, Chunk.heading_path, Chunk.text)
    query = _of(organization_id, select(*columns)).where(Chunk.number > after, not_(_read(by)))
    rows = await session.execute(query.order_by(Chunk.number).limit(limit))
    return [Unread(row[0], embedded_text(*row[1:])) for row in rows]


async def known(session: AsyncSession, organization_id: str, by: By, hashes: Collection[str]) -> set[str]:
    """Which of these texts there are answers about."""
    query = select(TripleAnswer.hash).where(
        TripleAnswer.organization_id == organization_id, _is_by(by), TripleAnswer.hash.in_(hashes)
    )
    return set((await session.execute(query)).scalars())


async def keep(
    session: AsyncSession, organization_id: str, by: By, answers: Mapping[str, Sequence[Triple]]
) -> None:
    """Keep answers, by the hash of what was asked about."""
    rows = [
        {
            "organization_id": organization_id,
            "hash": hash,
            "model": by.model,
            "prompt": by.prompt,
            "triples": [list(triple) for triple in triples],
        }
        for hash, triples in answers.items()
    ]
    if rows:
        await session.execute(insert_or(session, TripleAnswer).on_conflict_do_nothing(), rows)


async def link(
    session: AsyncSession, organization_id: str, chunks: Collection[int], by: By | None = None
) -> None:
    """Give chunks the answers about their texts, as far as there are any: by whom they should be, or the last.

    The chunks are read once more, for they may have gone or changed while somebody was asked about them.
    """
    columns = (Chunk.number, Chunk.scope, Chunk.title, Chunk.heading_path, Chunk.text)
    rows = await session.execute(_of(organization_id, select(*columns)).where(Chunk.number.in_(chunks)))
    found = [(row[0], row[1], fingerprint(embedded_text(*row[2:]))) for row in rows]
    there = select(TripleAnswer).where(
        TripleAnswer.organization_id == organization_id,
        TripleAnswer.hash.in_({hash for _, _, hash in found}),
    )
    if by is not None:
        there = there.where(_is_by(by))
    answers = {row.hash: row for row in (await session.scalars(there.order_by(TripleAnswer.id)))}
    mine = [(number, scope, answers[hash]) for number, scope, hash in found if hash in answers]
    if not mine:
        return
    await session.execute(delete(TripleReading).where(TripleReading.chunk.in_([one[0] for one in mine])))
    readings = [{"chunk": number, "answer": answer.id} for number, _, answer in mine]
    await session.execute(insert(TripleReading), readings)
    edges = [
        _edge(number, scope, Triple(*triple)) for number, scope, answer in mine for triple in answer.triples
    ]
    if edges:
        await session.execute(insert(Relation), edges)


def _edge(chunk: int, scope: str, triple: Triple) -> dict[str, object]:
    subject, object = numbers(triple)
    return {
        "chunk": chunk,
        "scope": filed_under(scope),
        "subject": subject,
        "object": object,
        "said": list(triple),
    }


async def carry(
    session: AsyncSession, organization_id: str | None, chunks: Sequence[Mapping[str, Any]]
) -> None:
    """Give new chunks, as rows of `chunks`, what is known of their texts; nobody is asked."""
    if organization_id is None or not chunks:
        return
    mine = select(TripleAnswer.id).where(TripleAnswer.organization_id == organization_id).limit(1)
    if await session.scalar(mine) is not None:
        for at in range(0, len(chunks), MOST_LINKED):
            ids = [row["id"] for row in chunks[at : at + MOST_LINKED]]
            fresh = await session.scalars(select(Chunk.number).where(Chunk.id.in_(ids)))
            await link(session, organization_id, fresh.all())


async def refile(session: AsyncSession, document_id: str, scope_word: str) -> None:
    """Follow a document whose chunks have moved to another scope."""
    chunks = select(Chunk.number).where(Chunk.document_id == document_id)
    moved = update(Relation).where(Relation.chunk.in_(chunks))
    await session.execute(moved.values(scope=filed_under(scope_word)))


async def tidy(session: AsyncSession, organization_id: str | None) -> None:
    """Forget the answers about texts that no chunk has any more."""
    used = exists().where(TripleReading.answer == TripleAnswer.id)
    await session.execute(delete(TripleAnswer).where(TripleAnswer.organization_id == organization_id, ~used))


async def forget(session: AsyncSession, organization_id: str) -> bool:
    """Forget some of an organization's answers, with what the graph has of them; False when none is left."""
    mine = select(TripleAnswer.id).where(TripleAnswer.organization_id == organization_id)
    ids = (await session.scalars(mine.limit(MOST_FORGOTTEN))).all()
    await session.execute(delete(TripleAnswer).where(TripleAnswer.id.in_(ids)))
    return len(ids) == MOST_FORGOTTEN


def _of(organization_id: str, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    """The chunks of an organization about which a model may be asked."""
    mine = and_(Document.organization_id == organization_id, Document.format.not_in(EXACT))
    return query.join(Document, Document.id == Chunk.document_id).where(mine)


def _read(by: By) -> ColumnElement[bool]:
    """Of a chunk: whether it has its answer."""
    answered = and_(TripleReading.chunk == Chunk.number, TripleAnswer.id == TripleReading.answer)
    return exists().where(answered, _is_by(by)).correlate(Chunk)


def _is_by(by: By) -> ColumnElement[bool]:
    return and_(TripleAnswer.model == by.model, TripleAnswer.prompt == by.prompt)
