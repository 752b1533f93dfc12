"""Courses: what an organization teaches, each with its lessons and perhaps an assistant of its own."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.events import CourseChanged
from famulus.campus.models import Course, Enrolment, Lesson, Organization
from famulus.campus.schemas.courses import CourseChange, CourseOut, NewCourse
from famulus.identity import audit
from famulus.identity.principal import Principal, Role
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, FieldProblem, Invalid, NotFound
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold

MY_COURSES = 100


class CourseTitleTaken(Conflict):
    """The organization has a course of this title already; upper and lower case make no difference."""

    code = "course_title_taken"


@dataclass(frozen=True, slots=True)
class CourseCard:
    """The little that other rooms need of a course."""

    id: str
    organization_id: str
    title: str
    assistant_id: str | None = None


async def course_card(session: AsyncSession, principal: Principal, course_id: str) -> CourseCard:
    """A course that this person sees; raises NotFound."""
    return _card(await access.find(session, principal, Course, course_id))


async def my_courses(session: AsyncSession, principal: Principal) -> list[CourseCard]:
    """The first hundred courses of the person in the active organization, by title."""
    found = await session.scalars(_mine(principal).order_by(Course.title_key, Course.id).limit(MY_COURSES))
    return [_card(course) for course in found]


async def list_my_courses(session: AsyncSession, principal: Principal, paging: Paging) -> Page[CourseOut]:
    """The courses that this person learns, teaches or administers in the active organization, by title."""
    return await _list(session, principal, _mine(principal), paging)


async def list_courses(
    session: AsyncSession, principal: Principal, paging: Paging, *, organization_id: str | None = None
) -> Page[CourseOut]:
    """The courses that this person sees, by title."""
    query = access.visible(principal, Course)
    if organization_id is not None:
        query = query.where(Course.organization_id == organization_id)
    return await _list(session, principal, query, paging)


async def get_course(session: AsyncSession, principal: Principal, course_id: str) -> CourseOut:
    """One course as this person meets it; raises NotFound."""
    query = access.visible(principal, Course).where(Course.id == course_id)
    row = (await session.execute(_with_facts(query, principal))).one_or_none()
    if row is None:
        raise NotFound(f"There is no course {course_id!r} that you may see.")
    return _out(row[0], row.lesson_count, row.my_role)


async def create_course(session: AsyncSession, principal: Principal, new: NewCourse) -> CourseOut:
    """A new course in the active organization, or wherever a site admin says; a teacher who makes one teaches it.

    Raises NotFound, Forbidden, CourseTitleTaken, or Invalid when nothing says where.
    """
    organization_id = new.organization_id or principal.organization_id
    if organization_id is None:
        raise Invalid(fields=(FieldProblem("organization_id", "Say in which organization."),))
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "create", organization, "course")
    now = utc_now()
    course = Course(
        id=new_id("crs"),
        organization_id=organization.id,
        title=new.title,
        description=new.description,
        published=new.published,
        created_at=now,
        updated_at=now,
    )
    session.add(course)
    await _flush(session, course)
    if principal.role == "teacher":  # whoever teaches what they make would otherwise not even see it
        await _add_teacher(session, course.id, principal)
    audit.record(
        session, principal, "course.create", _thing(course), after=new.model_dump(exclude_unset=True)
    )
    return await get_course(session, principal, course.id)


async def change_course(
    session: AsyncSession, principal: Principal, course_id: str, change: CourseChange
) -> CourseOut:
    """Change what is given. Raises NotFound, Forbidden or CourseTitleTaken."""
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "change", course)
    before, after = audit.change(course, change.given())
    await _changed(session, course)
    audit.record(session, principal, "course.change", _thing(course), before=before, after=after)
    return await get_course(session, principal, course.id)


async def pin_assistant(
    session: AsyncSession, principal: Principal, course_id: str, assistant_id: str | None
) -> None:
    """Pin a course to an assistant, or to none; whether this one fits is for the registry to say.

    Raises NotFound or Forbidden.
    """
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "change", course, "course assistant")
    before, after = audit.change(course, {"assistant_id": assistant_id})
    await _changed(session, course)
    audit.record(session, principal, "course.pin_assistant", _thing(course), before=before, after=after)


def pinned_assistant(course_id: str) -> Select[str | None]:
    """The id of the assistant that a course is pinned to, for a statement of the registry's; rights are its to ask."""
    return select(Course.assistant_id).where(Course.id == course_id)


async def _add_teacher(session: AsyncSession, course_id: str, principal: Principal) -> None:
    """Have a teacher teach a course of their own making."""
    session.add(
        Enrolment(
            course_id=course_id,
            user_id=principal.user_id,
            role="teacher",
            person_key=fold(principal.name),
            created_at=utc_now(),
        )
    )
    await session.flush()


def _mine(principal: Principal) -> Select[Course]:
    query = access.visible(principal, Course)
    if principal.organization_id is not None:
        query = query.where(Course.organization_id == principal.organization_id)
    return query


def _with_facts(query: Select[Course], principal: Principal) -> Select[Course, int, Role, str, str]:
    """The courses with what this person would ask next, in the same statement."""
    lessons = (
        select(func.count(Lesson.id))
        .where(Lesson.course_id == Course.id, access.reads_lesson(principal))
        .correlate(Course)
        .scalar_subquery()
    )
    return query.add_columns(
        lessons.label("lesson_count"),
        access.role_in_course(principal).label("my_role"),
        Course.title_key,
        Course.id,
    )


async def _list(
    session: AsyncSession, principal: Principal, query: Select[Course], paging: Paging
) -> Page[CourseOut]:
    found = await page(
        session, _with_facts(query, principal), by=[Course.title_key, Course.id], paging=paging
    )
    return found.map(lambda row: _out(row[0], row.lesson_count, row.my_role))


async def _changed(session: AsyncSession, course: Course) -> None:
    course.updated_at = utc_now()
    await _flush(session, course)
    announce(session, CourseChanged(course.id, course.organization_id))


async def _flush(session: AsyncSession, course: Course) -> None:
    with duplicates_are(CourseTitleTaken(f"The organization has a course {course.title!r} already.")):
        await session.flush()


def _thing(course: Course) -> audit.Thing:
    return audit.Thing(course.id, course.title, course.organization_id)


def _card(course: Course) -> CourseCard:
    return CourseCard(course.id, course.organization_id, course.title, course.assistant_id)


def _out(course: Course, lesson_count: int, my_role: Role) -> CourseOut:
    return CourseOut(
        id=course.id,
        organization_id=course.organization_id,
        title=course.title,
        description=course.description,
        published=course.published,
        assistant_id=course.assistant_id,
        lesson_count=lesson_count,
        my_role=my_role,
        created_at=course.created_at,
        updated_at=course.updated_at,
    )
