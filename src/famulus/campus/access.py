"""Rights: the only place that decides who sees and who may do what.

`visible(principal, kind)` is a `Select` of the things a person may see, for lists, look-ups and joins alike.
`require(session, principal, action, thing)` raises `Forbidden` for what may be seen but not done. Not allowed to see
is 404, allowed to see but not to do is 403. Rights come from the active role, so switching roles changes them.
"""

from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, and_, exists, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.models import Course, Enrolment, Lesson, Membership, Organization
from famulus.identity.principal import Principal
from famulus.kernel.errors import Forbidden, NotFound

T = TypeVar("T", Organization, Course, Lesson)
Action = Literal["create", "change", "teach", "enrol"]


def _sees_organization(principal: Principal) -> ColumnElement[bool]:
    if principal.is_site_admin:
        return true()
    return exists().where(
        Membership.organization_id == Organization.id, Membership.user_id == principal.user_id
    )


def _enrolled(principal: Principal, *roles: str) -> ColumnElement[bool]:
    return exists().where(
        Enrolment.course_id == Course.id, Enrolment.user_id == principal.user_id, Enrolment.role.in_(roles)
    )


def _sees_course(principal: Principal) -> ColumnElement[bool]:
    if principal.is_site_admin:
        return true()
    if principal.organization_id is None:
        return false()
    here = Course.organization_id == principal.organization_id
    if principal.is_organization_admin:
        return here
    learns = and_(_enrolled(principal, "student", "teacher"), Course.published)
    return and_(here, or_(_teaches(principal), learns))


def _teaches(principal: Principal) -> ColumnElement[bool]:
    """Teaches or administers the course: sees drafts and may change it."""
    if principal.is_site_admin:
        return true()
    if principal.organization_id is None:
        return false()
    here = Course.organization_id == principal.organization_id
    if principal.is_organization_admin:
        return here
    return and_(here, _enrolled(principal, "teacher")) if principal.role == "teacher" else false()


def visible(principal: Principal, kind: type[T]) -> Select[T]:
    """What of a kind this person may see. Add conditions and an order; never take a condition away."""
    if kind is Organization:
        return select(kind).where(_sees_organization(principal))
    if kind is Course:
        return select(kind).where(_sees_course(principal))
    return (
        select(kind)
        .join(Course, Course.id == Lesson.course_id)
        .where(_sees_course(principal), or_(Lesson.published, _teaches(principal)))
    )


async def find(session: AsyncSession, principal: Principal, kind: type[T], id: str) -> T:
    """One thing by id, or `NotFound` when it does not exist or is not for this person's eyes."""
    thing = (await session.execute(visible(principal, kind).where(kind.id == id))).scalar_one_or_none()
    if thing is None:
        raise NotFound(f"There is no {kind.__name__.lower()} {id!r} that you may see.")
    return thing


async def may_teach(session: AsyncSession, principal: Principal, course_id: str) -> bool:
    """Whether this person may change a course, sees its drafts and enrols people."""
    query = select(Course.id).where(Course.id == course_id, _teaches(principal))
    return (await session.execute(query)).first() is not None


async def require(
    session: AsyncSession, principal: Principal, action: Action, thing: Organization | Course
) -> None:
    """Raise `Forbidden`, naming the needed role, unless the person may do this to a thing that they see."""
    match thing:
        case Organization():
            if principal.is_site_admin:
                return
            if action == "create":
                if principal.is_organization_admin and principal.organization_id == thing.id:
                    return
                raise Forbidden("Creating a course needs the role organization_admin in this organization.")
            raise Forbidden("Changing an organization needs the role site_admin.")
        case Course():
            if await may_teach(session, principal, thing.id):
                return
            raise Forbidden("This needs the role teacher in this course, or organization_admin.")


def readable_courses(principal: Principal) -> Select[tuple[str, bool]]:
    """Ids of the courses whose lessons this person may read, each with whether drafts are included."""
    drafts: Any = _teaches(principal)
    return select(Course.id, drafts.label("drafts")).where(_sees_course(principal))
