"""Which knowledge a person may see: what campus says of courses, carried over to sources, documents and scopes."""

from dataclasses import replace
from functools import lru_cache

from sqlalchemy import ColumnElement, Select, and_, column, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.access import in_course_where, readable_courses, require_in
from famulus.identity.principal import Principal
from famulus.kernel.database import run_in, statement_of
from famulus.kernel.errors import NotFound
from famulus.kernel.lane import Script, Statement
from famulus.knowledge.index import Scope
from famulus.knowledge.models import Document, Source
from famulus.knowledge.store import Owner

_COURSES = table("courses", column("id"), column("organization_id"))


def _general(principal: Principal, kind: type[Source] | type[Document]) -> ColumnElement[bool]:
    """The general material of the active organization, and of the site.

    For someone at home in no organization, that of all readable courses.
    """
    if principal.organization_id is not None:
        owned = kind.organization_id == principal.organization_id
    else:
        readable = readable_courses(principal).subquery()
        owners = select(_COURSES.c.organization_id).where(_COURSES.c.id.in_(select(readable.c.id)))
        owned = kind.organization_id.in_(owners)
    return and_(kind.course_id.is_(None), or_(owned, kind.organization_id.is_(None)))


def visible_sources(principal: Principal) -> Select[Source]:
    """The sources of the courses a person may read, and the organization's own."""
    readable = in_course_where(principal, Source.course_id, "see")
    return select(Source).where(or_(readable, _general(principal, Source)))


def visible_documents(principal: Principal) -> Select[Document]:
    """The documents of those sources; drafts and what could not be read only for those who teach."""
    shown = and_(Document.published, Document.state == "ready")
    readable = and_(shown, in_course_where(principal, Document.course_id, "see"))
    taught = in_course_where(principal, Document.course_id, "change")
    return select(Document).where(or_(readable, taught, _general(principal, Document)))


async def scope_of(session: AsyncSession, principal: Principal, course_id: str | None) -> Scope:
    """What a search may reach: one course or all readable ones, and the general material beside them.

    Raises `NotFound` for a course that the person may not see.
    """
    return await run_in(session, reach(principal, course_id, session.get_bind().dialect.name))


def reach(principal: Principal, course_id: str | None, dialect: str) -> Script:
    """The script of `scope_of`."""
    rows = yield _readable(replace(principal, token=None, profile={}), course_id, dialect)
    if course_id is None:
        return Scope(tuple((row[0], bool(row[1])) for row in rows), principal.organization_id)
    if not rows:
        raise _no_course(course_id)
    ((_, drafts, owner),) = rows
    # A course elsewhere, such as a site admin sees, comes without the general material, as `_general` has it.
    general = owner if principal.organization_id in (None, owner) else None
    return Scope(((course_id, bool(drafts)),), general)


@lru_cache(maxsize=1_000)
def _readable(principal: Principal, course_id: str | None, dialect: str) -> Statement:
    """Asks which courses somebody may read, whether with drafts, and whose they are: the question, not its answer."""
    readable = readable_courses(principal).subquery()
    owner = select(_COURSES.c.organization_id).where(_COURSES.c.id == readable.c.id).scalar_subquery()
    if course_id is None:
        return statement_of(select(readable.c.id, readable.c.drafts), dialect)
    query = select(readable.c.id, readable.c.drafts, owner)
    return statement_of(query.where(readable.c.id == course_id), dialect)


async def owner_to_write(session: AsyncSession, principal: Principal, course_id: str) -> Owner:
    """The course as an owner of material, for someone who teaches it; raises `NotFound` or `Forbidden`."""
    await scope_of(session, principal, course_id)
    await require_in(session, principal, "create", "source", course_id=course_id)
    owner = select(_COURSES.c.organization_id).where(_COURSES.c.id == course_id)
    return Owner((await session.execute(owner)).scalar_one(), course_id)


def _no_course(course_id: str) -> NotFound:
    return NotFound(f"There is no course {course_id!r} that you may see.")
