"""Sources and their documents, as people see and remove them."""

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.access import require_in
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.kernel.paging import Page, Paging, page
from famulus.knowledge import triple_store
from famulus.knowledge.errors import LessonsSource
from famulus.knowledge.golden import material_changed
from famulus.knowledge.models import Chunk, Document, Source
from famulus.knowledge.store import remove
from famulus.knowledge.visibility import scope_of, visible_documents, visible_sources

OPEN = ("waiting", "indexing")
"""States of a source that is still to be read, or is being read."""
MOST_NAMED = 20
DELETED_AT_ONCE = 32
"""Documents removed in one transaction, for nobody else can write to SQLite meanwhile."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How a source stands."""

    id: str
    state: str
    done: int
    total: int
    documents: int
    chunks: int
    failed: int
    error: str | None

    @property
    def over(self) -> bool:
        """Whether nothing will change by itself."""
        return self.state not in OPEN


def thing_of(organization_id: str | None, course_id: str | None) -> str:
    """What a source is in the matrix of rights."""
    if course_id is not None:
        return "source"
    return "organization source" if organization_id is not None else "global source"


async def list_sources(
    session: AsyncSession, principal: Principal, course_id: str | None, paging: Paging
) -> Page[Source]:
    """The sources that a person may see, oldest first; raises `NotFound` for a course that is not theirs to see."""
    query = visible_sources(principal)
    if course_id is not None:
        await scope_of(session, principal, course_id)
        query = query.where(Source.course_id == course_id)
    return await page(session, query, by=[Source.id], paging=paging)


async def get_source(session: AsyncSession, principal: Principal, id: str) -> Source:
    """One source; raises `NotFound`."""
    found = (await session.execute(visible_sources(principal).where(Source.id == id))).scalar_one_or_none()
    if found is None:
        raise _no_source(id)
    return found


async def require_sources(session: AsyncSession, principal: Principal, ids: Collection[str]) -> None:
    """Raise `NotFound` for the first of these sources that the person may not see."""
    if not ids:
        return
    query = visible_sources(principal).with_only_columns(Source.id).where(Source.id.in_(ids))
    seen = set((await session.execute(query)).scalars())
    for id in ids:
        if id not in seen:
            raise _no_source(id)


async def sources_named(session: AsyncSession, principal: Principal, name: str) -> list[str]:
    """The ids of the sources that a person may see and that have this name or id, at most twenty."""
    named = or_(Source.id == name, func.lower(Source.name) == name.lower())
    query = visible_sources(principal).with_only_columns(Source.id).where(named)
    return list((await session.execute(query.order_by(Source.id).limit(MOST_NAMED))).scalars())


def _no_source(id: str) -> NotFound:
    return NotFound(f"There is no source {id!r} that you may see.")


async def standing_of(session: AsyncSession, principal: Principal, id: str) -> Standing:
    """How a source stands; raises `NotFound`."""
    found = await get_source(session, principal, id)
    return Standing(
        *(found.id, found.state, found.done, found.total),
        *(found.documents, found.chunks, found.failed, found.error),
    )


async def list_documents(
    session: AsyncSession, principal: Principal, source_id: str, paging: Paging
) -> Page[Document]:
    """The documents of a source by path; raises `NotFound` for the source."""
    source = await get_source(session, principal, source_id)
    query = visible_documents(principal).where(Document.source_id == source.id)
    return await page(session, query, by=[Document.path, Document.id], paging=paging)


async def get_document(
    session: AsyncSession, principal: Principal, id: str, paging: Paging
) -> tuple[Document, Page[Chunk]]:
    """One document and a page of its chunks in their order; raises `NotFound`."""
    found = (
        await session.execute(visible_documents(principal).where(Document.id == id))
    ).scalar_one_or_none()
    if found is None:
        raise NotFound(f"There is no document {id!r} that you may see.")
    query = select(Chunk).where(Chunk.document_id == id)
    return found, await page(session, query, by=[Chunk.ordinal], paging=paging)


async def delete_source(database: Database, principal: Principal, id: str) -> None:
    """Remove a source with all its documents; raises `NotFound`, `Forbidden` or `LessonsSource`.

    The documents go in batches; what is interrupted has removed some of them, and is finished by asking again.
    """
    async with database.read() as session:
        source = await get_source(session, principal, id)
        await require_in(
            session,
            principal,
            "remove",
            thing_of(source.organization_id, source.course_id),
            organization_id=source.organization_id,
            course_id=source.course_id,
        )
    if source.kind == "lessons":
        raise LessonsSource()
    some = select(Document.id).where(Document.source_id == id).limit(DELETED_AT_ONCE)
    while True:
        async with database.write() as session:
            ids = list((await session.execute(some)).scalars())
            await remove(session, ids)
            if len(ids) < DELETED_AT_ONCE:
                last = await session.get(Source, id)
                if last is not None:
                    await session.delete(last)
                    await material_changed(session, last.organization_id, last.course_id)
                    await triple_store.tidy(session, last.organization_id)
                    thing = audit.Thing(id, last.name, last.organization_id)
                    audit.record(session, principal, "source.remove", thing, before={"kind": last.kind})
                return
