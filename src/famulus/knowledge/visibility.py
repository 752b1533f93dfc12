"""Which knowledge a person may see: what campus says of courses, carried over to sources, documents and scopes."""

from sqlalchemy import ColumnElement, Select, and_, column, or_, select, table
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.access import in_course_where, readable_courses, require_in
from famulus.identity.principal import Principal
from famulus.kernel.errors import NotFound
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
    if course_id is not None:
        drafts, owner = await _course(session, principal, course_id)
        # A course elsewhere, such as a site admin sees, comes without the general material, as `_general` has it.
        general = owner if principal.organization_id in (None, owner) else None
        return Scope(((course_id, drafts),), general)
    readable = readable_courses(principal).subquery()
    rows = await session.execute(select(readable.c.id, readable.c.drafts))
    return Scope(tuple((row[0], bool(row[1])) for row in rows), principal.organization_id)


async def _course(session: AsyncSession, principal: Principal, course_id: str) -> tuple[bool, str]:
    """Whether drafts are included, and whose the course is."""
    readable = readable_courses(principal).subquery()
    owner = select(_COURSES.c.organization_id).where(_COURSES.c.id == readable.c.id).scalar_subquery()
    query = select(readable.c.drafts, owner).where(readable.c.id == course_id)
    found = (await session.execute(query)).one_or_none()
    if found is None:
        raise _no_course(course_id)
    return bool(found[0]), found[1]


async def owner_to_write(session: AsyncSession, principal: Principal, course_id: str) -> Owner:
    """The course as an owner of material, for someone who teaches it; raises `NotFound` or `Forbidden`."""
    _, organization_id = await _course(session, principal, course_id)
    await require_in(session, principal, "create", "source", course_id=course_id)
    return Owner(organization_id, course_id)


def _no_course(course_id: str) -> NotFound:
    return NotFound(f"There is no course {course_id!r} that you may see.")
