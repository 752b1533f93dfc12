"""The campus over HTTP: organizations, members, courses, lessons and enrolments, and who the asker is among them."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.campus import courses, enrolments, lessons, memberships, organizations, presence
from famulus.campus.schemas import (
    CourseChange,
    CourseOut,
    CoursePage,
    EnrolmentOut,
    EnrolmentPage,
    LessonChange,
    LessonOut,
    LessonPage,
    Me,
    MemberChange,
    MemberOut,
    MemberPage,
    NewCourse,
    NewEnrolment,
    NewLesson,
    NewMember,
    NewOrganization,
    OrganizationOut,
    OrganizationPage,
    Switch,
)
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.kernel.text import Id

router = APIRouter()


@router.get("/api/auth/me", tags=["auth"])
async def me(principal: CurrentPrincipal, session: ReadSession) -> Me:
    """Who is asking, in which organization and role, and where else the person belongs."""
    return await presence.me(session, principal)


@router.post("/api/auth/switch", tags=["auth"])
async def switch(body: Switch, principal: CurrentPrincipal, session: WriteSession) -> Me:
    """Make another organization the active one of this session."""
    return await presence.me(session, await presence.switch(session, principal, body.organization_id))


@router.get("/api/v1/organizations", tags=["organizations"])
async def list_organizations(
    principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> OrganizationPage:
    """The organizations that the person belongs to, by name."""
    found = await organizations.list_organizations(session, principal, paging)
    return OrganizationPage(items=found.items, next=found.next)


@router.post("/api/v1/organizations", tags=["organizations"], status_code=status.HTTP_201_CREATED)
async def create_organization(
    body: NewOrganization, principal: CurrentPrincipal, session: WriteSession
) -> OrganizationOut:
    """Create an organization; needs the role site_admin."""
    return await organizations.create_organization(session, principal, body)


@router.get("/api/v1/organizations/{organization_id}", tags=["organizations"])
async def get_organization(
    organization_id: IdPath, principal: CurrentPrincipal, session: ReadSession
) -> OrganizationOut:
    """One organization."""
    return await organizations.get_organization(session, principal, organization_id)


@router.get("/api/v1/organizations/{organization_id}/members", tags=["organizations"])
async def list_members(
    organization_id: IdPath, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> MemberPage:
    """The people of an organization, by name; for its admins."""
    found = await memberships.list_members(session, principal, organization_id, paging)
    return MemberPage(items=found.items, next=found.next)


@router.post(
    "/api/v1/organizations/{organization_id}/members",
    tags=["organizations"],
    status_code=status.HTTP_201_CREATED,
)
async def add_member(
    organization_id: IdPath, body: NewMember, principal: CurrentPrincipal, session: WriteSession
) -> MemberOut:
    """Have an account belong to an organization, in one role."""
    return await memberships.add_member(session, principal, organization_id, body)


@router.patch("/api/v1/organizations/{organization_id}/members/{user_id}", tags=["organizations"])
async def change_member(
    organization_id: IdPath,
    user_id: IdPath,
    body: MemberChange,
    principal: CurrentPrincipal,
    session: WriteSession,
) -> MemberOut:
    """Give a member another role."""
    return await memberships.change_member(session, principal, organization_id, user_id, body)


@router.delete(
    "/api/v1/organizations/{organization_id}/members/{user_id}",
    tags=["organizations"],
    status_code=status.HTTP_204_NO_CONTENT,
)
async def remove_member(
    organization_id: IdPath, user_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """End a membership, and the person's enrolments in the organization with it."""
    await memberships.remove_member(session, principal, organization_id, user_id)


@router.get("/api/v1/courses", tags=["courses"])
async def list_courses(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    organization_id: Annotated[Id | None, Query(description="Only courses of this organization.")] = None,
) -> CoursePage:
    """The courses that the person sees, by title."""
    found = await courses.list_courses(session, principal, paging, organization_id=organization_id)
    return CoursePage(items=found.items, next=found.next)


@router.get("/api/v1/courses/my", tags=["courses"])
async def list_my_courses(principal: CurrentPrincipal, session: ReadSession, paging: PagingDep) -> CoursePage:
    """The courses that the person learns, teaches or administers in the active organization, by title."""
    found = await courses.list_my_courses(session, principal, paging)
    return CoursePage(items=found.items, next=found.next)


@router.post("/api/v1/courses", tags=["courses"], status_code=status.HTTP_201_CREATED)
async def create_course(body: NewCourse, principal: CurrentPrincipal, session: WriteSession) -> CourseOut:
    """Create a course in the active organization; needs the role organization_admin."""
    return await courses.create_course(session, principal, body)


@router.get("/api/v1/courses/{course_id}", tags=["courses"])
async def get_course(course_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> CourseOut:
    """One course."""
    return await courses.get_course(session, principal, course_id)


@router.patch("/api/v1/courses/{course_id}", tags=["courses"])
async def change_course(
    course_id: IdPath, body: CourseChange, principal: CurrentPrincipal, session: WriteSession
) -> CourseOut:
    """Change what is given of a course; for its teachers and admins."""
    return await courses.change_course(session, principal, course_id, body)


@router.get("/api/v1/courses/{course_id}/lessons", tags=["lessons"])
async def list_lessons(
    course_id: IdPath, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> LessonPage:
    """The lessons of a course in their order, without their text."""
    found = await lessons.list_lessons(session, principal, course_id, paging)
    return LessonPage(items=found.items, next=found.next)


@router.post("/api/v1/courses/{course_id}/lessons", tags=["lessons"], status_code=status.HTTP_201_CREATED)
async def create_lesson(
    course_id: IdPath, body: NewLesson, principal: CurrentPrincipal, session: WriteSession
) -> LessonOut:
    """Add a lesson; for the course's teachers and admins."""
    return await lessons.create_lesson(session, principal, course_id, body)


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


@router.delete("/api/v1/lessons/{lesson_id}", tags=["lessons"], status_code=status.HTTP_204_NO_CONTENT)
async def delete_lesson(lesson_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Remove a lesson for good; for the course's teachers and admins."""
    await lessons.delete_lesson(session, principal, lesson_id)


@router.get("/api/v1/courses/{course_id}/enrolments", tags=["enrolments"])
async def list_enrolments(
    course_id: IdPath, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> EnrolmentPage:
    """The people of a course, by name; for its teachers and admins."""
    found = await enrolments.list_enrolments(session, principal, course_id, paging)
    return EnrolmentPage(items=found.items, next=found.next)


@router.post(
    "/api/v1/courses/{course_id}/enrolments", tags=["enrolments"], status_code=status.HTTP_201_CREATED
)
async def enrol(
    course_id: IdPath, body: NewEnrolment, principal: CurrentPrincipal, session: WriteSession
) -> EnrolmentOut:
    """Put a member of the organization into a course, learning or teaching."""
    return await enrolments.enrol(session, principal, course_id, body)


@router.delete(
    "/api/v1/courses/{course_id}/enrolments/{user_id}",
    tags=["enrolments"],
    status_code=status.HTTP_204_NO_CONTENT,
)
async def withdraw(
    course_id: IdPath, user_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """Take a person out of a course."""
    await enrolments.withdraw(session, principal, course_id, user_id)
