"""Members and enrolments over HTTP."""

from fastapi import APIRouter, status

from famulus.campus import enrolments, memberships
from famulus.campus.schemas.people import (
    EnrolmentOut,
    EnrolmentPage,
    MemberChange,
    MemberOut,
    MemberPage,
    NewEnrolment,
    NewMember,
)
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession

router = APIRouter()


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
