"""What an index elsewhere is told: chunks as they are now, and which of them it has not been told of yet.

The database notes every change of a chunk or of its vectors itself (ddl.py), in the transaction that makes it, once
somebody wants to know. A note says only *which* chunk: what is told is what the database has when it is told.
"""

from array import array
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

from sqlalchemy import BigInteger, bindparam, func, select, text, tuple_
from sqlalchemy import delete as sql_delete
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import Database
from famulus.knowledge import vectors
from famulus.knowledge.ddl import VECTORS, WATCH, create_watch, drop_watch
from famulus.knowledge.models import Chunk, IndexChange

Note = tuple[int, int]
"""A chunk's number, and the stamp of its change."""


@dataclass(frozen=True, slots=True)
class Outline:
    """A chunk as far as it can change while it keeps its id."""

    number: int
    mark: str
    """Is another one when anything of it is."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A chunk as an index elsewhere keeps it."""

    number: int
    mark: str
    id: str
    scope: str
    heading: str
    """Its title and headings, a line each."""
    text: str
    parts: str
    vectors: dict[int, "array[float]"]
    """By model."""


async def watch(database: Database) -> bool:
    """Have changes noted from now on; False where they were already."""
    async with database.write() as session:
        if await watched(session):
            return False
        for statement in create_watch(database.dialect):
            await session.execute(text(statement))
    return True


async def unwatch(database: Database) -> None:
    """Have changes noted no longer, if they were."""
    async with database.read() as session:
        if not await watched(session):
            return
    async with database.write() as session:
        for statement in drop_watch(database.dialect):
            await session.execute(text(statement))


async def watched(session: AsyncSession) -> bool:
    """Whether changes are noted."""
    return await session.scalar(text(WATCH[session.get_bind().dialect.name])) is not None


async def waiting(session: AsyncSession) -> int:
    """How many chunks an index elsewhere has not been told of."""
    return await session.scalar(select(func.count()).select_from(IndexChange)) or 0


async def noted(session: AsyncSession, limit: int) -> list[Note]:
    """Some of them."""
    query = select(IndexChange.number, IndexChange.stamp).order_by(IndexChange.number).limit(limit)
    return [(row[0], row[1]) for row in await session.execute(query)]


async def told(session: AsyncSession, notes: Sequence[Note]) -> None:
    """Forget these notes; what has changed again since stays noted."""
    same = tuple_(IndexChange.number, IndexChange.stamp).in_(notes)
    await session.execute(sql_delete(IndexChange).where(same))


async def outlines(session: AsyncSession, after: int, limit: int) -> list[Outline]:
    """The chunks after a number, by number."""
    return await _outlines(session, Chunk.number > after, limit)


async def outlines_of(session: AsyncSession, numbers: Sequence[int]) -> list[Outline]:
    """Those of these chunks that are there."""
    return await _outlines(session, Chunk.number.in_(numbers), len(numbers))


async def _outlines(session: AsyncSession, which: Any, limit: int) -> list[Outline]:
    query = select(Chunk.number, Chunk.id, Chunk.scope, Chunk.title, Chunk.heading_path)
    rows = (await session.execute(query.where(which).order_by(Chunk.number).limit(limit))).all()
    held = await _vector_rows(session, [row[0] for row in rows])
    return [Outline(row[0], _mark(row[1:], held[row[0]])) for row in rows]


def _mark(*about: object) -> str:
    return blake2b(repr(about).encode("utf-8", "replace"), digest_size=16).hexdigest()


async def _vector_rows(session: AsyncSession, numbers: Sequence[int]) -> defaultdict[int, list[int]]:
    """The rows of the table of vectors that chunks have, which are never used for anything else."""
    found: defaultdict[int, list[int]] = defaultdict(list)
    if numbers and await vectors.there(session):
        for id, chunk in await _of_chunks(session, "id, chunk", numbers):
            found[chunk].append(id)
    return found


async def _of_chunks(session: AsyncSession, columns: str, numbers: Sequence[int]) -> Sequence[Any]:
    """Rows of the table of vectors."""
    sql = text(f"SELECT {columns} FROM {VECTORS} WHERE chunk IN :numbers ORDER BY id")  # noqa: S608 – constants
    sql = sql.bindparams(bindparam("numbers", expanding=True, type_=BigInteger()))
    return (await session.execute(sql, {"numbers": list(numbers)})).all()


async def entries(session: AsyncSession, numbers: Sequence[int]) -> list[Entry]:
    """Those of these chunks that are there, with all that an index needs."""
    if not numbers:
        return []
    marks = {outline.number: outline.mark for outline in await outlines_of(session, numbers)}
    columns = (Chunk.number, Chunk.id, Chunk.scope, Chunk.title, Chunk.heading_path, Chunk.text, Chunk.parts)
    rows = (await session.execute(select(*columns).where(Chunk.number.in_(numbers)))).all()
    held = await _vectors(session, numbers)
    return [
        Entry(
            row[0], marks[row[0]], row[1], row[2], "\n".join((row[3], *row[4])), row[5], row[6], held[row[0]]
        )
        for row in rows
        if row[0] in marks
    ]


async def _vectors(
    session: AsyncSession, numbers: Sequence[int]
) -> defaultdict[int, dict[int, "array[float]"]]:
    found: defaultdict[int, dict[int, array[float]]] = defaultdict(dict)
    if not await vectors.there(session):
        return found
    sqlite = session.get_bind().dialect.name == "sqlite"
    vector = "vector" if sqlite else "CAST(vector AS text)"
    for chunk, model, value in await _of_chunks(session, f"chunk, model, {vector}", numbers):
        found[chunk][model] = _floats(value)
    return found


def _floats(value: bytes | str) -> "array[float]":
    """A vector as its database gave it."""
    if isinstance(value, str):
        return array("f", map(float, value.strip("[]").split(",")))
    from famulus.knowledge.slices import unpacked  # lazy: NumPy

    return array("f", unpacked(value))
