"""Invitations: a place in an organization is held for an address until whoever reads it takes it.

The mail has a link; of its token only a digest is kept, and it works once. Taking it is in `acceptance`.
"""

import hashlib
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive
from famulus.campus.memberships import AlreadyMember, member_by
from famulus.campus.models import Course, Invitation, Organization
from famulus.campus.schemas.invitations import InvitationOut, NewInstructor, NewInvitation, State
from famulus.identity import audit, mails
from famulus.identity.accounts import find_by_email
from famulus.identity.letters import letter
from famulus.identity.principal import Principal
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, FieldProblem, Invalid, NotFound
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.settings import Settings
from famulus.kernel.tables import utc_now

LIFE = timedelta(days=14)


class AlreadyInvited(Conflict):
    """There is an open invitation for this address already; send it again, or withdraw it first."""

    code = "already_invited"


class InvitationNotFound(NotFound):
    """The organization has no such invitation."""

    code = "invitation_not_found"


class InvitationClosed(Conflict):
    """This invitation has been accepted or withdrawn; invite the person anew."""

    code = "invitation_closed"


async def invite(
    session: AsyncSession, principal: Principal, settings: Settings, organization_id: str, new: NewInvitation
) -> InvitationOut:
    """Hold a place for an address, and write to it.

    Raises NotFound, Forbidden, Archived, AlreadyMember, AlreadyInvited, or Invalid for a course that is not there.
    """
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "create", organization, "invitation")
    await _check_courses(session, organization.id, new.course_ids)
    if await member_by(session, organization.id, email=new.email) is not None:
        raise AlreadyMember()
    now, token = utc_now(), new_token()
    await _clear_expired(session, organization.id, new.email, now)
    invitation = Invitation(
        id=new_id("inv"),
        organization_id=organization.id,
        email=new.email,
        name=new.name,
        role=new.role,
        course_ids=list(dict.fromkeys(new.course_ids)),
        token_hash=digest(token),
        state="open",
        expires_at=now + LIFE,
        invited_by=principal.user_id,
        created_at=now,
        updated_at=now,
    )
    session.add(invitation)
    with duplicates_are(AlreadyInvited()):
        await session.flush()
    after = {"email": new.email, "role": new.role, "course_ids": invitation.course_ids}
    audit.record(session, principal, "invitation.create", thing_of(invitation), after=after)
    await _write(session, settings, principal, organization, invitation, token=token)
    return shown(invitation)


async def invite_instructor(
    session: AsyncSession, principal: Principal, settings: Settings, new: NewInstructor
) -> InvitationOut:
    """Invite somebody who is to teach, to the active organization unless told otherwise. Raises as `invite` does."""
    organization_id = new.organization_id or principal.organization_id
    if organization_id is None:
        raise Invalid(fields=(FieldProblem("organization_id", "Say in which organization."),))
    invitation = NewInvitation(email=new.email, name=new.name, role="teacher", course_ids=new.course_ids)
    return await invite(session, principal, settings, organization_id, invitation)


async def list_invitations(
    session: AsyncSession,
    principal: Principal,
    organization_id: str,
    paging: Paging,
    state: State | None = None,
) -> Page[InvitationOut]:
    """The invitations of an organization, the newest first. Raises NotFound or Forbidden."""
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "see", organization, "invitation")
    query = select(Invitation).where(Invitation.organization_id == organization.id)
    if state is not None:
        query = query.where(Invitation.state == ("open" if state == "expired" else state))
    if state in ("open", "expired"):
        late = Invitation.expires_at <= utc_now()
        query = query.where(late if state == "expired" else ~late)
    found: Page[Invitation] = await page(session, query, by=[Invitation.id], paging=paging, descending=True)
    return found.map(shown)


async def withdraw_invitation(
    session: AsyncSession, principal: Principal, organization_id: str, invitation_id: str
) -> None:
    """Take an open invitation back: its link ends. Raises NotFound, Forbidden or InvitationClosed."""
    _, invitation = await _open(session, principal, organization_id, invitation_id, "withdraw")
    invitation.state, invitation.updated_at = "withdrawn", utc_now()
    audit.record(
        session,
        principal,
        "invitation.withdraw",
        thing_of(invitation),
        before={"email": invitation.email, "role": invitation.role},
    )


async def resend_invitation(
    session: AsyncSession, principal: Principal, settings: Settings, organization_id: str, invitation_id: str
) -> InvitationOut:
    """Write again, with a new link that lasts as long as the first; the old one ends.

    Raises NotFound, Forbidden or InvitationClosed.
    """
    organization, invitation = await _open(session, principal, organization_id, invitation_id, "create")
    now, token = utc_now(), new_token()
    invitation.token_hash, invitation.expires_at, invitation.updated_at = digest(token), now + LIFE, now
    await session.flush()
    audit.record(session, principal, "invitation.resend", thing_of(invitation))
    await _write(session, settings, principal, organization, invitation, token=token)
    return shown(invitation)


def new_token() -> str:
    """A token that nobody guesses."""
    return f"fmi_{secrets.token_urlsafe(32)}"


def digest(token: str) -> str:
    """What is kept of a token: it carries 256 random bits, so a plain digest hides it."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


def thing_of(invitation: Invitation) -> audit.Thing:
    """An invitation, for the audit."""
    return audit.Thing(invitation.id, invitation.email, invitation.organization_id)


def shown(invitation: Invitation) -> InvitationOut:
    """An invitation as the organization's admins see it."""
    late = invitation.state == "open" and invitation.expires_at <= utc_now()
    return InvitationOut(
        id=invitation.id,
        organization_id=invitation.organization_id,
        email=invitation.email,
        name=invitation.name,
        role=invitation.role,
        course_ids=invitation.course_ids,
        state="expired" if late else invitation.state,
        expires_at=invitation.expires_at,
        invited_by=invitation.invited_by,
        accepted_by=invitation.accepted_by,
        created_at=invitation.created_at,
        updated_at=invitation.updated_at,
    )


async def _open(
    session: AsyncSession, principal: Principal, organization_id: str, invitation_id: str, action: str
) -> tuple[Organization, Invitation]:
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, action, organization, "invitation")
    query = access.visible(principal, Invitation).where(
        Invitation.id == invitation_id, Invitation.organization_id == organization.id
    )
    invitation = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if invitation is None:
        raise InvitationNotFound()
    if invitation.state != "open":
        raise InvitationClosed()
    return organization, invitation


async def _check_courses(session: AsyncSession, organization_id: str, course_ids: Sequence[str]) -> None:
    query = select(Course).where(Course.organization_id == organization_id, Course.id.in_(course_ids))
    known = {course.id: course for course in await session.scalars(query)} if course_ids else {}
    missing = [id for id in course_ids if id not in known]
    if missing:
        message = f"The organization has no course {missing[0]!r}."
        raise Invalid(fields=(FieldProblem("course_ids", message),))
    for course in known.values():
        archive.require_in_use(course, course.title)


async def _clear_expired(session: AsyncSession, organization_id: str, email: str, now: datetime) -> None:
    """One that ran out must not keep the address from being invited again."""
    await session.execute(
        update(Invitation)
        .where(Invitation.organization_id == organization_id, Invitation.email == email)
        .where(Invitation.state == "open", Invitation.expires_at <= now)
        .values(state="withdrawn", updated_at=now)
    )


async def _write(
    session: AsyncSession,
    settings: Settings,
    principal: Principal,
    organization: Organization,
    invitation: Invitation,
    *,
    token: str,
) -> None:
    """In the reader's language where they have an account, else in that of whoever invites them."""
    reader = await find_by_email(session, invitation.email)
    written = letter(
        "invitation",
        reader.locale if reader else principal.locale,
        site=settings.base_url,
        token=token,
        expires_at=invitation.expires_at,
        role=invitation.role,
        name=f" {invitation.name}" if invitation.name else "",
        inviter=principal.name,
        organization=organization.name,
    )
    await mails.put(session, settings, written, to=invitation.email)
