"""Courses: what an organization teaches, each with its lessons and perhaps an assistant of its own."""

from dataclasses import dataclass

from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive
from famulus.campus.events import CourseChanged, RightsChanged
from famulus.campus.models import Course, Enrolment, Lesson, Organization, Track, listed
from famulus.campus.names import Order, TitleSort, write_named
from famulus.campus.schemas.courses import (
    AllCourseFilters,
    CourseChange,
    CourseFilters,
    CourseOut,
    NewCourse,
)
from famulus.campus.tracks import OtherOrganization, next_position, track_to_fill
from famulus.identity import audit
from famulus.identity.principal import Principal, Role
from famulus.kernel.database import announce
from famulus.kernel.errors import Conflict, FieldProblem, Invalid, NotFound
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, begins_with, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold

MY_COURSES = 100
ORDERS: dict[TitleSort, Order] = {
    "title": ([Course.title_key, Course.id], False),
    "-title": ([Course.title_key, Course.id], True),
    "created_at": ([Course.id], False),
    "-created_at": ([Course.id], True),
    "position": ([Course.position, Course.id], False),
}
"""Ids sort by time of creation."""


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
    query = _mine(principal).where(archive.on_shelf(Course, archived=False))
    found = await session.scalars(query.order_by(Course.title_key, Course.id).limit(MY_COURSES))
    return [_card(course) for course in found]


async def list_my_courses(
    session: AsyncSession, principal: Principal, filters: CourseFilters, paging: Paging
) -> Page[CourseOut]:
    """The courses that this person learns, teaches or administers in the active organization."""
    return await _list(session, principal, _mine(principal), filters, paging)


async def list_courses(
    session: AsyncSession, principal: Principal, filters: AllCourseFilters, paging: Paging
) -> Page[CourseOut]:
    """The courses that this person sees."""
    query = access.visible(principal, Course)
    if filters.organization_id is not None:
        query = query.where(Course.organization_id == filters.organization_id)
    return await _list(session, principal, query, filters, paging)


async def get_course(session: AsyncSession, principal: Principal, course_id: str) -> CourseOut:
    """One course as this person meets it; raises NotFound."""
    query = access.visible(principal, Course).where(Course.id == course_id)
    row = (await session.execute(_with_facts(query, principal))).one_or_none()
    if row is None:
        raise NotFound(f"There is no course {course_id!r} that you may see.")
    return _out(row[0], row.lesson_count, row.my_role)


async def create_course(session: AsyncSession, principal: Principal, new: NewCourse) -> CourseOut:
    """A new course in the active organization, or wherever a site admin says; a teacher who makes one teaches it.

    Raises NotFound, Forbidden, Archived, OtherOrganization, CourseTitleTaken, or Invalid when nothing says where.
    """
    track = None if new.track_id is None else await track_to_fill(session, principal, new.track_id)
    organization_id = new.organization_id or (track.organization_id if track else principal.organization_id)
    if organization_id is None:
        raise Invalid(fields=(FieldProblem("organization_id", "Say in which organization."),))
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "create", organization, "course")
    archive.require_in_use(organization, organization.name)
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
    if track is not None:
        course.track_id, course.position = track.id, await _last_place(session, course, track)
    session.add(course)
    await write_named(session, course, CourseTitleTaken)
    if principal.role == "teacher":  # whoever teaches what they make would otherwise not even see it
        await _add_teacher(session, course.id, principal)
    audit.record(
        session, principal, "course.create", _thing(course), after=new.model_dump(exclude_unset=True)
    )
    return await get_course(session, principal, course.id)


async def change_course(
    session: AsyncSession, principal: Principal, course_id: str, change: CourseChange
) -> CourseOut:
    """Change what is given, its track among it.

    Raises NotFound, Forbidden, Archived, OtherOrganization or CourseTitleTaken.
    """
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "change", course)
    given = change.given()
    if change.track_id not in (None, course.track_id):
        track = await track_to_fill(session, principal, change.track_id or "")
        given["position"] = await _last_place(session, course, track)
    elif "track_id" in given and change.track_id is None:
        given["position"] = 0
    before, after = audit.change(course, given)
    if after:
        await _changed(session, course)
        audit.record(session, principal, "course.change", _thing(course), before=before, after=after)
    return await get_course(session, principal, course.id)


async def archive_course(
    session: AsyncSession, principal: Principal, course_id: str, *, away: bool = True
) -> CourseOut:
    """Put a course away, so that who learns in it no longer finds it, or take it out. Raises NotFound or Forbidden."""
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "archive", course)
    if await archive.put_away(session, principal, course, _thing(course), away=away):
        announce(session, RightsChanged(None), CourseChanged(course.id, course.organization_id))
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
    if after:
        await _changed(session, course)
        thing = _thing(course)
        audit.record(session, principal, "course.pin_assistant", thing, before=before, after=after)


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
            **listed(principal.name, principal.email),
            created_at=utc_now(),
        )
    )
    await session.flush()


def _mine(principal: Principal) -> Select[Course]:
    query = access.visible(principal, Course)
    if principal.organization_id is not None:
        query = query.where(Course.organization_id == principal.organization_id)
    return query


def _with_facts(query: Select[Course], principal: Principal) -> Select[Course, int, Role, str, int, str]:
    """The courses with what this person would ask next, in the same statement."""
    lessons = (
        select(func.count(Lesson.id))
        .where(Lesson.course_id == Course.id, access.in_use(Lesson), access.reads_lesson(principal))
        .correlate(Course)
        .scalar_subquery()
    )
    return query.add_columns(
        lessons.label("lesson_count"),
        access.role_in_course(principal).label("my_role"),
        Course.title_key,
        Course.position,
        Course.id,
    )


async def _list(
    session: AsyncSession,
    principal: Principal,
    query: Select[Course],
    filters: CourseFilters,
    paging: Paging,
) -> Page[CourseOut]:
    query = query.where(archive.on_shelf(Course, archived=filters.archived))
    if filters.track_id is not None:
        query = query.where(Course.track_id == filters.track_id)
    elif filters.sort == "position":
        raise Invalid(fields=(FieldProblem("sort", "A position is one in a track; give track_id with it."),))
    if filters.published is not None:
        query = query.where(Course.published == filters.published)
    if filters.role is not None:
        role = "teacher" if filters.role == "teaching" else "student"
        query = query.where(access.meets_course(principal, role))
    if filters.q is not None:
        query = query.where(begins_with(Course.title_key, fold(filters.q)))
    by, descending = ORDERS[filters.sort]
    found = await page(session, _with_facts(query, principal), by=by, paging=paging, descending=descending)
    return found.map(lambda row: _out(row[0], row.lesson_count, row.my_role))


async def _last_place(session: AsyncSession, course: Course, track: Track) -> int:
    """The position that a course gets in a track of its own organization."""
    if track.organization_id != course.organization_id:
        raise OtherOrganization(
            f"The track {track.name!r} belongs to another organization than the course {course.title!r}."
        )
    return await next_position(session, track.id)


async def _changed(session: AsyncSession, course: Course) -> None:
    await write_named(session, course, CourseTitleTaken)
    announce(session, CourseChanged(course.id, course.organization_id))


def _thing(course: Course) -> audit.Thing:
    return audit.Thing(course.id, course.title, course.organization_id)


def _card(course: Course) -> CourseCard:
    return CourseCard(course.id, course.organization_id, course.title, course.assistant_id)


def _out(course: Course, lesson_count: int, my_role: Role) -> CourseOut:
    return CourseOut(
        id=course.id,
        organization_id=course.organization_id,
        track_id=course.track_id,
        position=course.position,
        title=course.title,
        description=course.description,
        published=course.published,
        archived_at=course.archived_at,
        assistant_id=course.assistant_id,
        lesson_count=lesson_count,
        my_role=my_role,
        created_at=course.created_at,
        updated_at=course.updated_at,
    )
