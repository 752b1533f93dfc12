"""Courses and lessons over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.campus import courses, lessons
from famulus.campus.schemas.courses import (
    AllCourseFilters,
    CourseChange,
    CourseFilters,
    CourseOut,
    CoursePage,
    LessonChange,
    LessonFilters,
    LessonOrder,
    LessonOut,
    LessonPage,
    NewCourse,
    NewLesson,
)
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession

router = APIRouter()


@router.get("/api/v1/courses", tags=["courses"])
async def list_courses(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[AllCourseFilters, Query()],
) -> CoursePage:
    """The courses that the person sees."""
    found = await courses.list_courses(session, principal, filters, paging)
    return CoursePage(items=found.items, next=found.next)


@router.get("/api/v1/courses/my", tags=["courses"])
async def list_my_courses(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[CourseFilters, Query()],
) -> CoursePage:
    """The courses that the person learns, teaches or administers in the active organization."""
    found = await courses.list_my_courses(session, principal, filters, paging)
    return CoursePage(items=found.items, next=found.next)


@router.post("/api/v1/courses", tags=["courses"], status_code=status.HTTP_201_CREATED)
async def create_course(body: NewCourse, principal: CurrentPrincipal, session: WriteSession) -> CourseOut:
    """Create a course in the active organization; for its teachers and admins. A teacher teaches it."""
    return await courses.create_course(session, principal, body)


@router.get("/api/v1/courses/{course_id}", tags=["courses"])
async def get_course(course_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> CourseOut:
    """One course."""
    return await courses.get_course(session, principal, course_id)


@router.patch("/api/v1/courses/{course_id}", tags=["courses"])
async def change_course(
    course_id: IdPath, body: CourseChange, principal: CurrentPrincipal, session: WriteSession
) -> CourseOut:
    """Change what is given of a course; for its teachers and admins. A null `track_id` takes it out of its track."""
    return await courses.change_course(session, principal, course_id, body)


@router.post("/api/v1/courses/{course_id}/archive", tags=["courses"])
async def archive_course(course_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> CourseOut:
    """Put a course away: who learns in it no longer finds it, its teachers and admins do. For these."""
    return await courses.archive_course(session, principal, course_id)


@router.post("/api/v1/courses/{course_id}/restore", tags=["courses"])
async def restore_course(course_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> CourseOut:
    """Take a course out of the archive; for its teachers and admins."""
    return await courses.archive_course(session, principal, course_id, away=False)


@router.get("/api/v1/courses/{course_id}/lessons", tags=["lessons"])
async def list_lessons(
    course_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[LessonFilters, Query()],
) -> LessonPage:
    """The lessons of a course in their order, without their text."""
    found = await lessons.list_lessons(session, principal, course_id, filters, paging)
    return LessonPage(items=found.items, next=found.next)


@router.post("/api/v1/courses/{course_id}/lessons", tags=["lessons"], status_code=status.HTTP_201_CREATED)
async def create_lesson(
    course_id: IdPath, body: NewLesson, principal: CurrentPrincipal, session: WriteSession
) -> LessonOut:
    """Add a lesson; for the course's teachers and admins."""
    return await lessons.create_lesson(session, principal, course_id, body)


@router.put(
    "/api/v1/courses/{course_id}/lessons/order", tags=["lessons"], status_code=status.HTTP_204_NO_CONTENT
)
async def order_lessons(
    course_id: IdPath, body: LessonOrder, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """Put the lessons of a course that are in use in order, all at once; for the course's teachers and admins."""
    await lessons.order_lessons(session, principal, course_id, body.lesson_ids)


@router.get("/api/v1/lessons/{lesson_id}", tags=["lessons"])
async def get_lesson(lesson_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> LessonOut:
    """One lesson with its text."""
    return await lessons.get_lesson(session, principal, lesson_id)


@router.patch("/api/v1/lessons/{lesson_id}", tags=["lessons"])
async def change_lesson(
    lesson_id: IdPath, body: LessonChange, principal: CurrentPrincipal, session: WriteSession
) -> LessonOut:
    """Change what is given of a lesson; for the course's teachers and admins."""
    return await lessons.change_lesson(session, principal, lesson_id, body)


@router.post("/api/v1/lessons/{lesson_id}/archive", tags=["lessons"])
async def archive_lesson(lesson_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> LessonOut:
    """Put a lesson away, so that it is neither listed nor found; for the course's teachers and admins."""
    return await lessons.archive_lesson(session, principal, lesson_id)


@router.post("/api/v1/lessons/{lesson_id}/restore", tags=["lessons"])
async def restore_lesson(lesson_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> LessonOut:
    """Take a lesson out of the archive; for the course's teachers and admins."""
    return await lessons.archive_lesson(session, principal, lesson_id, away=False)


@router.delete("/api/v1/lessons/{lesson_id}", tags=["lessons"], status_code=status.HTTP_204_NO_CONTENT)
async def delete_lesson(lesson_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Remove a lesson for good; for the course's teachers and admins."""
    await lessons.delete_lesson(session, principal, lesson_id)
