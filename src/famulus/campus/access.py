"""Rights: the only place that decides who sees and who may do what.

`visible(principal, kind)` is a `Select` of the things a person may see, for lists, look-ups and joins alike.
`require(session, principal, action, thing)` raises `Forbidden` for what may be seen but not done. Not allowed to see
is 404, allowed to see but not to do is 403. Rights come from the active role, so switching roles changes them.

    site_admin          everything
    organization_admin  the active organization: its courses, lessons, members
    teacher             courses enrolled in as teacher, drafts included; published ones enrolled in as student
    student             published courses enrolled in, published lessons
"""

from typing import Literal, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, literal, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.models import Course, Enrolment, Lesson, Membership, Organization
from famulus.identity.principal import Principal
from famulus.kernel.errors import Forbidden, NotFound

T = TypeVar("T", Organization, Course, Lesson)
Action = Literal["create", "admit", "teach", "enrol"]
"""`create` courses in or `admit` members to an organization; `teach` or `enrol` people in a course."""


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


def reads_lesson(principal: Principal) -> ColumnElement[bool]:
    """Of lessons in courses this person sees: whether this one is among those they may read."""
    return or_(Lesson.published, _teaches(principal))


def role_in_course(principal: Principal) -> ColumnElement[str]:
    """As what this person meets a course they see: `student`, `teacher` or the administrator they are."""
    if principal.role in ("site_admin", "organization_admin"):
        return literal(principal.role)
    return case((_teaches(principal), "teacher"), else_="student")


def visible(principal: Principal, kind: type[T]) -> Select[T]:
    """What of a kind this person may see. Add conditions and an order; never take a condition away."""
    if kind is Organization:
        return select(kind).where(_sees_organization(principal))
    if kind is Course:
        return select(kind).where(_sees_course(principal))
    return (
        select(kind)
        .join(Course, Course.id == Lesson.course_id)
        .where(_sees_course(principal), reads_lesson(principal))
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
            administers = principal.is_organization_admin and principal.organization_id == thing.id
            if not (principal.is_site_admin or administers):
                doing = "Creating a course" if action == "create" else "Managing members"
                raise Forbidden(f"{doing} needs the role organization_admin in this organization.")
        case Course():
            if not await may_teach(session, principal, thing.id):
                raise Forbidden("This needs the role teacher in this course, or organization_admin.")


def require_site_admin(principal: Principal, doing: str) -> None:
    """Raise `Forbidden` unless the whole site is in this person's care."""
    if not principal.is_site_admin:
        raise Forbidden(f"{doing} needs the role site_admin.")


def readable_courses(principal: Principal) -> Select[str, bool]:
    """Ids of the courses whose lessons this person may read, each with whether drafts are included."""
    return select(Course.id, _teaches(principal).label("drafts")).where(_sees_course(principal))


def taught_courses(principal: Principal) -> Select[str]:
    """Ids of the courses that this person may change."""
    return select(Course.id).where(_teaches(principal))
