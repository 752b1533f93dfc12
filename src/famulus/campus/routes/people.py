"""Members and enrolments over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.campus import bulk, enrolments, memberships
from famulus.campus.models import CourseRole, MemberRole
from famulus.campus.schemas.people import (
    BulkEnrolment,
    BulkReport,
    EnrolmentChange,
    EnrolmentOut,
    EnrolmentPage,
    MemberChange,
    MemberOut,
    MemberPage,
    NewEnrolment,
    NewMember,
    PeopleFilter,
    Sort,
)
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.kernel.text import Name

router = APIRouter()
Beginning = Annotated[Name | None, Query(description="Only those whose name or address begins so.")]
SortQuery = Annotated[Sort, Query(description="The order; a minus turns it round.")]


@router.get("/api/v1/organizations/{organization_id}/members", tags=["organizations"])
async def list_members(
    organization_id: IdPath,
    *,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    role: Annotated[MemberRole | None, Query(description="Only those with this role.")] = None,
    q: Beginning = None,
    sort: SortQuery = "name",
) -> MemberPage:
    """The people of an organization; for its admins."""
    wanted = PeopleFilter(role, q, sort)
    found = await memberships.list_members(session, principal, organization_id, paging, wanted)
    return MemberPage(items=found.items, next=found.next)


@router.get("/api/v1/organizations/{organization_id}/members/{user_id}", tags=["organizations"])
async def get_member(
    organization_id: IdPath, user_id: IdPath, principal: CurrentPrincipal, session: ReadSession
) -> MemberOut:
    """One of the people of an organization; for its admins."""
    return await memberships.get_member(session, principal, organization_id, user_id)


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


@router.get("/api/v1/courses/{course_id}/enrolments", tags=["enrolments"])
async def list_enrolments(
    course_id: IdPath,
    *,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    role: Annotated[CourseRole | None, Query(description="Only those with this role in it.")] = None,
    q: Beginning = None,
    sort: SortQuery = "name",
) -> EnrolmentPage:
    """The people of a course; for its teachers and admins."""
    wanted = PeopleFilter(role, q, sort)
    found = await enrolments.list_enrolments(session, principal, course_id, paging, wanted)
    return EnrolmentPage(items=found.items, next=found.next)


@router.post(
    "/api/v1/courses/{course_id}/enrolments", tags=["enrolments"], status_code=status.HTTP_201_CREATED
)
async def enrol(
    course_id: IdPath, body: NewEnrolment, principal: CurrentPrincipal, session: WriteSession
) -> EnrolmentOut:
    """Put a member of the organization into a course, learning or teaching."""
    return await enrolments.enrol(session, principal, course_id, body)


@router.post("/api/v1/courses/{course_id}/enrolments/bulk", tags=["enrolments"])
async def enrol_many(
    course_id: IdPath, body: BulkEnrolment, principal: CurrentPrincipal, session: WriteSession
) -> BulkReport:
    """Put up to 1,000 members into a course; the answer says what became of each, and whether anything was kept."""
    return await bulk.enrol_many(session, principal, course_id, body)


@router.patch("/api/v1/courses/{course_id}/enrolments/{user_id}", tags=["enrolments"])
async def change_enrolment(
    course_id: IdPath,
    user_id: IdPath,
    body: EnrolmentChange,
    principal: CurrentPrincipal,
    session: WriteSession,
) -> EnrolmentOut:
    """Have a person of the course learn or teach it."""
    return await enrolments.change_enrolment(session, principal, course_id, user_id, body)


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
