"""Keeping vectors: one for each chunk and model, by the hash of what was embedded, so that no text is embedded twice.

A vector goes with its chunk, in the same transaction. What is read again, or has moved to another file, keeps the ones
it has; what lacks them is found by `lacking` and written by `store`, a batch at a time.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from sqlalchemy import CursorResult, String, bindparam, delete, func, select, text, update
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import Database
from famulus.kernel.duplicates import insert_or
from famulus.kernel.jobs import enqueue
from famulus.knowledge.ddl import VECTORS, create_vectors
from famulus.knowledge.models import Chunk, VectorModel

EMBED_JOB = "knowledge.embed"
MOST_FORGOTTEN = 1_000
"""Vectors removed in one transaction, for nobody else can write to SQLite meanwhile."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A chunk without a vector."""

    number: int
    id: str
    text: str
    """What is to be embedded."""

    @property
    def hash(self) -> str:
        """Of the text."""
        return fingerprint(self.text)


@dataclass(frozen=True, slots=True)
class Model:
    """A model that there are vectors of; as in the table."""

    id: int
    name: str
    dimension: int
    ready: bool


Kept = dict[tuple[int, str], object]
"""Vectors as the database has them, by model and hash."""


def embedded_text(title: str, heading_path: Sequence[str], body: str) -> str:
    """A chunk as a model reads it: a passage often says only in its headings what it is about."""
    return "\n".join((" › ".join(dict.fromkeys((title, *heading_path))), body))


def fingerprint(content: str) -> str:
    """Half of a SHA-256, in hex: texts that have it in common are taken for the same."""
    return hashlib.sha256(content.encode("utf-8", "replace")).hexdigest()[:32]


async def there(session: AsyncSession) -> bool:
    """Whether this database can keep vectors."""
    if session.get_bind().dialect.name == "sqlite":
        return True
    return await session.scalar(text("SELECT to_regclass(:name) IS NOT NULL"), {"name": VECTORS}) or False


async def ensure(database: Database) -> bool:
    """Make the table of vectors where the migration could not; whether there is one now."""
    async with database.read() as session:
        if await there(session):
            return True
    try:
        async with database.write() as session:
            for statement in create_vectors(database.dialect):
                await session.execute(text(statement))
    except DBAPIError:
        async with database.read() as session:
            return await there(session)  # another instance may have been quicker
    return True


async def models(session: AsyncSession) -> list[Model]:
    """The models that there are vectors of."""
    rows = await session.execute(select(VectorModel).order_by(VectorModel.id))
    return [Model(row.id, row.name, row.dimension, row.ready) for row in rows.scalars()]


async def model_named(session: AsyncSession, name: str, dimension: int) -> int:
    """The id of a model, which is made known if need be. One of another length under its name is forgotten."""
    await session.execute(
        delete(VectorModel).where(VectorModel.name == name, VectorModel.dimension != dimension)
    )
    fresh = insert_or(session, VectorModel).values(name=name, dimension=dimension, ready=False)
    await session.execute(fresh.on_conflict_do_nothing())
    return (await session.execute(select(VectorModel.id).where(VectorModel.name == name))).scalar_one()


async def lacking(session: AsyncSession, model: int, after: int, limit: int) -> list[Waiting]:
    """Chunks after a number that have no vector of a model yet, by number."""
    query = (
        select(Chunk.number, Chunk.id, Chunk.title, Chunk.heading_path, Chunk.text)
        .where(Chunk.number > after, text(_NONE_YET).bindparams(model=model))
        .order_by(Chunk.number)
        .limit(limit)
    )
    return [Waiting(row[0], row[1], embedded_text(*row[2:])) for row in await session.execute(query)]


async def count_chunks(session: AsyncSession) -> int:
    """How many chunks there are."""
    return await session.scalar(select(func.count()).select_from(Chunk)) or 0


async def count_lacking(session: AsyncSession, name: str) -> int:
    """How many chunks have no vector of a model yet."""
    model = select(VectorModel.id).where(VectorModel.name == name).scalar_subquery()
    within = text(f"SELECT count(*) FROM {VECTORS} WHERE model = :model")
    chunks = await count_chunks(session)
    had = await session.scalar(within, {"model": await session.scalar(select(model)) or 0}) or 0
    return chunks - had


_NONE_YET = f"NOT EXISTS (SELECT 1 FROM {VECTORS} AS v WHERE v.chunk = chunks.number AND v.model = :model)"


async def known(session: AsyncSession, hashes: Iterable[str]) -> Kept:
    """The vectors that texts with these hashes have already, whoever's they are."""
    return await _kept(session, "hash IN :hashes", hashes=list(dict.fromkeys(hashes)))


async def of_documents(session: AsyncSession, document_ids: Sequence[str]) -> Kept:
    """The vectors of documents' chunks, before those are replaced."""
    if not document_ids or not await there(session):
        return {}
    within = "chunk IN (SELECT number FROM chunks WHERE document_id IN :ids)"
    return await _kept(session, within, ids=list(document_ids))


async def _kept(session: AsyncSession, where: str, **values: list[str]) -> Kept:
    vector = "vector" if session.get_bind().dialect.name == "sqlite" else "CAST(vector AS text)"
    sql = text(f"SELECT model, hash, {vector} FROM {VECTORS} WHERE {where}")
    for name in values:
        sql = sql.bindparams(bindparam(name, expanding=True, type_=String()))
    rows = await session.execute(sql, values)
    return {(row[0], row[1]): row[2] for row in rows}


async def carry(session: AsyncSession, chunks: Sequence[Mapping[str, Any]], kept: Kept) -> None:
    """Give new chunks the vectors that their texts have had, here or elsewhere, and have the rest embedded."""
    if not chunks:
        return
    await enqueue(session, EMBED_JOB, {}, unique=EMBED_JOB)
    if not await there(session) or not (names := [model.id for model in await models(session)]):
        return
    hashes = {
        row["id"]: fingerprint(embedded_text(row["title"], row["heading_path"], row["text"]))
        for row in chunks
    }
    found = kept | await known(session, hashes.values())
    await write(
        session,
        [
            Row(model, id, hash, found[model, hash])
            for id, hash in hashes.items()
            for model in names
            if (model, hash) in found
        ],
    )


@dataclass(frozen=True, slots=True)
class Row:
    """A vector of a chunk, to be written."""

    model: int
    id: str
    hash: str
    vector: object
    """As the database has it; see `slices.packed`."""


async def write(session: AsyncSession, rows: Sequence[Row]) -> None:
    """Write vectors of the chunks that are still there and have none."""
    vector = (
        ":vector" if session.get_bind().dialect.name == "sqlite" else "CAST(CAST(:vector AS text) AS halfvec)"
    )
    sql = (
        f"INSERT INTO {VECTORS} (model, chunk, scope, hash, vector)"
        f" SELECT :model, number, scope, :hash, {vector} FROM chunks WHERE id = :id ON CONFLICT DO NOTHING"
    )
    if rows:
        values = [{"model": row.model, "id": row.id, "hash": row.hash, "vector": row.vector} for row in rows]
        await session.execute(text(sql), values)


async def settle(session: AsyncSession, model: int) -> None:
    """Every chunk has its vector of this model: from now on it serves."""
    await session.execute(update(VectorModel).where(VectorModel.id == model).values(ready=True))


async def forget_others(session: AsyncSession, model: int) -> bool:
    """Remove some of what other models have; False when nothing is left of them."""
    some = (
        f"DELETE FROM {VECTORS} WHERE id IN"
        f" (SELECT id FROM {VECTORS} WHERE model IN (SELECT id FROM vector_models WHERE id <> :model) LIMIT :most)"
    )
    gone = cast(
        CursorResult[Any], await session.execute(text(some), {"model": model, "most": MOST_FORGOTTEN})
    )
    if gone.rowcount == MOST_FORGOTTEN:
        return True
    await session.execute(delete(VectorModel).where(VectorModel.id != model))
    return False
