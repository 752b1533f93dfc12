"""Invitations and instructors over HTTP; taking an invitation needs no sign-in, only its link."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from famulus.campus import acceptance, instructors, invitations
from famulus.campus.routes.people import Beginning
from famulus.campus.schemas.invitations import (
    Acceptance,
    Accepted,
    InstructorPage,
    InvitationLook,
    InvitationOut,
    InvitationPage,
    InvitationToken,
    NewInstructor,
    NewInvitation,
    State,
)
from famulus.identity.credentials import require_same_origin
from famulus.identity.deps import (
    PUBLIC,
    AnyPrincipal,
    CurrentPrincipal,
    DatabaseDep,
    GateDep,
    IdPath,
    PagingDep,
    ReadSession,
    SettingsDep,
    WriteSession,
    hand_over,
)
from famulus.kernel.text import Id

router = APIRouter()


@router.get("/api/v1/organizations/{organization_id}/invitations", tags=["invitations"])
async def list_invitations(
    organization_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    state: Annotated[State | None, Query(description="Only those in this state.")] = None,
) -> InvitationPage:
    """The invitations of an organization, the newest first; for its admins."""
    found = await invitations.list_invitations(session, principal, organization_id, paging, state)
    return InvitationPage(items=found.items, next=found.next)


@router.post(
    "/api/v1/organizations/{organization_id}/invitations",
    tags=["invitations"],
    status_code=status.HTTP_201_CREATED,
)
async def invite(
    organization_id: IdPath,
    *,
    body: NewInvitation,
    principal: CurrentPrincipal,
    session: WriteSession,
    settings: SettingsDep,
) -> InvitationOut:
    """Invite somebody by mail, in any role, perhaps into courses; the link works once, for 14 days."""
    return await invitations.invite(session, principal, settings, organization_id, body)


@router.delete(
    "/api/v1/organizations/{organization_id}/invitations/{invitation_id}",
    tags=["invitations"],
    status_code=status.HTTP_204_NO_CONTENT,
)
async def withdraw_invitation(
    organization_id: IdPath, invitation_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """Take an open invitation back; its link ends."""
    await invitations.withdraw_invitation(session, principal, organization_id, invitation_id)


@router.post(
    "/api/v1/organizations/{organization_id}/invitations/{invitation_id}/resend", tags=["invitations"]
)
async def resend_invitation(
    organization_id: IdPath,
    invitation_id: IdPath,
    *,
    principal: CurrentPrincipal,
    session: WriteSession,
    settings: SettingsDep,
) -> InvitationOut:
    """Write to the person again, with a new link; the old one ends."""
    return await invitations.resend_invitation(session, principal, settings, organization_id, invitation_id)


@router.get("/api/v1/instructors", tags=["invitations"])
async def list_instructors(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    organization_id: Annotated[
        Id | None, Query(description="Where; by default the active organization.")
    ] = None,
    q: Beginning = None,
) -> InstructorPage:
    """The teachers of an organization, with whether their address is verified and what they teach; for its admins."""
    found = await instructors.list_instructors(
        session, principal, paging, organization_id=organization_id, q=q
    )
    return InstructorPage(items=found.items, next=found.next)


@router.post("/api/v1/instructors", tags=["invitations"], status_code=status.HTTP_201_CREATED)
async def invite_instructor(
    body: NewInstructor, principal: CurrentPrincipal, session: WriteSession, settings: SettingsDep
) -> InvitationOut:
    """Invite somebody by mail who is to teach, perhaps in courses; the link works once, for 14 days."""
    return await invitations.invite_instructor(session, principal, settings, body)


@router.post("/api/auth/invitation/look", openapi_extra=PUBLIC, tags=["auth"])
async def look(body: InvitationToken, response: Response, session: ReadSession) -> InvitationLook:
    """What an invitation is, for whoever holds its link."""
    response.headers["Cache-Control"] = "no-store"
    return await acceptance.look(session, body.token)


@router.post("/api/auth/invitation/accept", openapi_extra=PUBLIC, tags=["auth"])
async def accept(
    body: Acceptance,
    request: Request,
    response: Response,
    *,
    principal: AnyPrincipal,
    database: DatabaseDep,
    settings: SettingsDep,
    gate: GateDep,
) -> Accepted:
    """Take an invitation: signed in to the account it is for, with its password, or with a new name and password."""
    require_same_origin(request.headers, settings)
    answer = acceptance.Answer(
        body.token,
        body.name,
        body.password,
        body.mode,
        request.client.host if request.client else None,
        body.locale,
    )
    joined = await acceptance.accept(database, gate, principal, answer)
    given = hand_over(joined.opened, response, settings) if joined.opened else None
    response.headers["Cache-Control"] = "no-store"
    return Accepted(organization=joined.organization, role=joined.role, session=given)
