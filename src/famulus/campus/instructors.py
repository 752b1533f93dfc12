"""Instructors: the teachers of an organization, with what they teach."""

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.memberships import list_members
from famulus.campus.models import Course, Enrolment
from famulus.campus.schemas.invitations import CourseRef, InstructorOut
from famulus.campus.schemas.people import PeopleFilter
from famulus.identity.principal import Principal
from famulus.kernel.errors import FieldProblem, Invalid
from famulus.kernel.paging import Page, Paging, by_row

SHOWN = 50
"""Courses that are named of one teacher."""


async def list_instructors(
    session: AsyncSession, principal: Principal, paging: Paging, *, organization_id: str | None, q: str | None
) -> Page[InstructorOut]:
    """The teachers of an organization, the active one unless told otherwise, by name. Raises NotFound or Forbidden."""
    organization_id = organization_id or principal.organization_id
    if organization_id is None:
        raise Invalid(fields=(FieldProblem("organization_id", "Say in which organization."),))
    found = await list_members(session, principal, organization_id, paging, PeopleFilter(role="teacher", q=q))
    taught = await _taught(session, organization_id, [member.user_id for member in found.items])
    return found.map(
        lambda member: InstructorOut(
            user_id=member.user_id,
            name=member.name,
            email=member.email,
            verified=member.verified,
            course_count=taught[member.user_id][0] if member.user_id in taught else 0,
            courses=taught[member.user_id][1] if member.user_id in taught else [],
            created_at=member.created_at,
        )
    )


async def _taught(
    session: AsyncSession, organization_id: str, user_ids: list[str]
) -> dict[str, tuple[int, list[CourseRef]]]:
    """By teacher, how many courses they teach and the first of them by title, in one statement.

    It begins at the teachers of the page: the organization's courses may be thousands.
    """
    if not user_ids:
        return {}
    order = func.row_number().over(partition_by=Enrolment.user_id, order_by=(Course.title_key, Course.id))
    ranked = (
        select(
            Enrolment.user_id.label("user_id"),
            Course.id.label("id"),
            Course.title.label("title"),
            order.label("place"),
            func.count().over(partition_by=Enrolment.user_id).label("number"),
        )
        .join(Course, Course.id == Enrolment.course_id)
        .where(by_row(Course.organization_id) == organization_id, Course.archived_at.is_(None))
        .where(Enrolment.user_id.in_(user_ids), Enrolment.role == "teacher")
        .subquery()
    )
    rows = await session.execute(select(ranked).where(ranked.c.place <= SHOWN).order_by(ranked.c.place))
    found: dict[str, tuple[int, list[CourseRef]]] = {}
    for row in rows.mappings():
        _, courses = found.setdefault(row["user_id"], (row["number"], []))
        courses.append(CourseRef(id=row["id"], title=row["title"]))
    return found
