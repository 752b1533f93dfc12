"""Lessons: the pages of a course, in Markdown. What they say is what the knowledge room knows of a course."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from famulus.campus import access, archive, ordering
from famulus.campus.events import CourseLessonsChanged
from famulus.campus.models import Course, Lesson
from famulus.campus.schemas.courses import LessonChange, LessonFilters, LessonOut, LessonSummary, NewLesson
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, begins_with, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


class LessonPathTaken(Conflict):
    """The course has a lesson at this path already."""

    code = "lesson_path_taken"


@dataclass(frozen=True, slots=True)
class LessonText:
    """A lesson as the knowledge room takes it in."""

    id: str
    course_id: str
    organization_id: str
    title: str
    path: str
    body: str
    published: bool
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Beginning:
    """A lesson as an outline has it."""

    id: str
    title: str
    published: bool
    text: str
    """The first characters of its Markdown."""
    length: int
    """Characters of the whole."""


async def list_lessons(
    session: AsyncSession, principal: Principal, course_id: str, filters: LessonFilters, paging: Paging
) -> Page[LessonSummary]:
    """The lessons of a course that this person may read, in their order; raises NotFound."""
    course = await access.find(session, principal, Course, course_id)
    query = access.visible(principal, Lesson).where(
        Lesson.course_id == course.id, archive.on_shelf(Lesson, archived=filters.archived)
    )
    if filters.published is not None:
        query = query.where(Lesson.published == filters.published)
    if filters.q is not None:
        query = query.where(begins_with(Lesson.title_key, fold(filters.q)))
    found: Page[Lesson] = await page(
        session,
        query.options(defer(Lesson.body, raiseload=True)),
        by=[Lesson.position, Lesson.id],
        paging=paging,
    )
    return found.map(LessonSummary.model_validate)


async def get_lesson(session: AsyncSession, principal: Principal, lesson_id: str) -> LessonOut:
    """One lesson with its text; raises NotFound."""
    return LessonOut.model_validate(await access.find(session, principal, Lesson, lesson_id))


async def outline(
    session: AsyncSession,
    principal: Principal,
    course_id: str,
    *,
    since: str | None = None,
    limit: int,
    characters: int,
) -> list[Beginning]:
    """How a course's lessons begin that this person may read, in their order, from one of them on; raises NotFound."""
    course = await access.find(session, principal, Course, course_id)
    query = access.visible(principal, Lesson).where(
        Lesson.course_id == course.id, archive.on_shelf(Lesson, archived=False)
    )
    if since is not None:
        first = await access.find(session, principal, Lesson, since)
        query = query.where(tuple_(Lesson.position, Lesson.id) >= tuple_(first.position, first.id))
    rows = await session.execute(
        query.with_only_columns(
            Lesson.id,
            Lesson.title,
            Lesson.published,
            func.substr(Lesson.body, 1, characters),
            func.length(Lesson.body),
        )
        .order_by(Lesson.position, Lesson.id)
        .limit(limit)
    )
    return [Beginning(*row) for row in rows]


async def free_path(session: AsyncSession, principal: Principal, course_id: str, wanted: str) -> str:
    """A path that no lesson of a course has yet: what is wanted, else with a number; raises NotFound."""
    course = await access.find(session, principal, Course, course_id)
    stem, dot, ending = wanted.rpartition(".")
    taken = set(
        await session.scalars(
            select(Lesson.path).where(
                Lesson.course_id == course.id, Lesson.path.startswith(stem, autoescape=True)
            )
        )
    )
    return next(
        path
        for number in itertools.count(1)
        if (path := wanted if number == 1 else f"{stem}-{number}{dot}{ending}") not in taken
    )


async def create_lesson(
    session: AsyncSession, principal: Principal, course_id: str, new: NewLesson
) -> LessonOut:
    """A new lesson. Raises NotFound, Forbidden, Archived or LessonPathTaken."""
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "create", course, "lesson")
    archive.require_in_use(course, course.title)
    now = utc_now()
    lesson = Lesson(
        id=new_id("lsn"),
        course_id=course.id,
        title=new.title,
        path=new.path,
        body=new.body,
        position=await _next_position(session, course) if new.position is None else new.position,
        published=new.published,
        created_at=now,
        updated_at=now,
    )
    session.add(lesson)
    await _flush(session, lesson, course)
    audit.record(session, principal, "lesson.create", _thing(lesson, course), after=new.model_dump())
    return LessonOut.model_validate(lesson)


async def change_lesson(
    session: AsyncSession, principal: Principal, lesson_id: str, change: LessonChange
) -> LessonOut:
    """Change what is given. Raises NotFound, Forbidden or LessonPathTaken."""
    lesson, course = await _taught(session, principal, lesson_id, "change")
    before, after = audit.change(lesson, change.given())
    if after:
        await _flush(session, lesson, course)
        thing = _thing(lesson, course)
        audit.record(session, principal, "lesson.change", thing, before=before, after=after)
    return LessonOut.model_validate(lesson)


async def delete_lesson(session: AsyncSession, principal: Principal, lesson_id: str) -> None:
    """Remove a lesson for good. Raises NotFound or Forbidden."""
    lesson, course = await _taught(session, principal, lesson_id, "remove")
    await session.delete(lesson)
    await _flush(session, lesson, course)
    before = {"title": lesson.title, "path": lesson.path, "body": lesson.body}
    audit.record(session, principal, "lesson.remove", _thing(lesson, course), before=before)


async def archive_lesson(
    session: AsyncSession, principal: Principal, lesson_id: str, *, away: bool = True
) -> LessonOut:
    """Put a lesson away, or take it out again. Raises NotFound or Forbidden."""
    lesson, course = await _taught(session, principal, lesson_id, "archive")
    if await archive.put_away(session, principal, lesson, _thing(lesson, course), away=away):
        announce(session, CourseLessonsChanged(course.id, course.organization_id))
    return LessonOut.model_validate(lesson)


async def order_lessons(
    session: AsyncSession, principal: Principal, course_id: str, lesson_ids: Sequence[str]
) -> None:
    """Put all lessons of a course that are in use in order. Raises NotFound, Forbidden or OrderDiffers."""
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "change", course, "lesson")
    await session.execute(select(Course.id).where(Course.id == course.id).with_for_update())
    there = select(Lesson.id, Lesson.title).where(Lesson.course_id == course.id)
    order = await ordering.reorder(
        session,
        Lesson,
        there.order_by(Lesson.position, Lesson.id),
        there.where(archive.on_shelf(Lesson, archived=False)).with_only_columns(Lesson.id),
        lesson_ids,
    )
    if order is not None:
        thing = audit.Thing(course.id, course.title, course.organization_id)
        audit.record(session, principal, "course.order_lessons", thing, **ordering.changed(order))


async def lesson_texts(session: AsyncSession, course_id: str) -> list[LessonText]:
    """Every lesson of a course with its text, drafts included: for the knowledge room, which asks rights itself.

    What is archived is not there: nobody expects an answer from it, teachers as little as students. Restored, it is
    taken in anew.
    """
    rows = await session.execute(
        select(Lesson, Course.organization_id)
        .join(Course, Course.id == Lesson.course_id)
        .where(Lesson.course_id == course_id, archive.on_shelf(Lesson, archived=False))
        .order_by(Lesson.position, Lesson.id)
    )
    return [
        LessonText(
            id=lesson.id,
            course_id=lesson.course_id,
            organization_id=organization_id,
            title=lesson.title,
            path=lesson.path,
            body=lesson.body,
            published=lesson.published,
            updated_at=lesson.updated_at,
        )
        for lesson, organization_id in rows.all()
    ]


async def _taught(
    session: AsyncSession, principal: Principal, lesson_id: str, action: str
) -> tuple[Lesson, Course]:
    lesson = await access.find(session, principal, Lesson, lesson_id)
    course = await access.find(session, principal, Course, lesson.course_id)
    await access.require(session, principal, action, course, "lesson")
    return lesson, course


def _thing(lesson: Lesson, course: Course) -> audit.Thing:
    return audit.Thing(lesson.id, lesson.title, course.organization_id)


async def _next_position(session: AsyncSession, course: Course) -> int:
    last = await session.scalar(select(func.max(Lesson.position)).where(Lesson.course_id == course.id))
    return 1 if last is None else last + 1


async def _flush(session: AsyncSession, lesson: Lesson, course: Course) -> None:
    with duplicates_are(LessonPathTaken(f"The course has a lesson at {lesson.path!r} already.")):
        await session.flush()
    announce(session, CourseLessonsChanged(course.id, course.organization_id))
