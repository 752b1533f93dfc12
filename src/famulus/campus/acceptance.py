"""Taking an invitation: whoever holds its link looks at it, and joins with a new account or with their own."""

from dataclasses import dataclass

from sqlalchemy import Select, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.events import RightsChanged
from famulus.campus.invitations import digest, thing_of
from famulus.campus.memberships import list_anew
from famulus.campus.models import (
    Course,
    CourseRole,
    Enrolment,
    Invitation,
    MemberRole,
    Membership,
    Organization,
    listed,
)
from famulus.campus.schemas.invitations import InvitationLook
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.identity import audit, invited, sessions
from famulus.identity.accounts import Account
from famulus.identity.gate import Gate
from famulus.identity.principal import Principal
from famulus.identity.sessions import Mode, Opened, choose_organization, open_session
from famulus.identity.sign_in import sign_in
from famulus.kernel.database import Database, announce
from famulus.kernel.duplicates import insert_or
from famulus.kernel.errors import Conflict, FamulusError, FieldProblem, Invalid, NotFound
from famulus.kernel.tables import utc_now

RANK: dict[MemberRole, int] = {"student": 0, "teacher": 1, "organization_admin": 2}


class InvitationUnknown(NotFound):
    """This invitation is unknown, has run out, was withdrawn or has been taken; ask for a new one."""

    code = "invitation_unknown"


class SignInToAccept(Conflict):
    """There is an account with this address: sign in to it, or send its password; the link alone does not open it."""

    code = "sign_in_to_accept"


@dataclass(frozen=True, slots=True)
class Answer:
    """What somebody who takes an invitation says."""

    token: str
    name: str | None
    password: str | None
    mode: Mode
    address: str | None = None
    locale: str | None = None
    """Of whoever makes an account with it."""


@dataclass(frozen=True, slots=True)
class Joined:
    """Where somebody belongs now, and the session that was opened for it."""

    organization: OrganizationRef
    role: MemberRole
    opened: Opened | None


async def look(session: AsyncSession, token: str) -> InvitationLook:
    """What an invitation is, for whoever holds its link. Raises InvitationUnknown."""
    invitation, organization = await _found(session, token)
    return InvitationLook(
        organization=OrganizationRef(id=organization.id, name=organization.name),
        email=invitation.email,
        name=invitation.name,
        role=invitation.role,
        account=await invited.owner_of(session, invitation.email) == "somebody",
        expires_at=invitation.expires_at,
    )


async def accept(database: Database, gate: Gate, principal: Principal | None, answer: Answer) -> Joined:
    """Take an invitation, once. Raises InvitationUnknown, SignInToAccept, or as signing in and signing up do."""
    async with database.read() as session:
        invitation, _ = await _found(session, answer.token)
        owner = await invited.owner_of(session, invitation.email)
    if principal is not None and principal.email == invitation.email:
        return await _join(database, answer, principal.user_id)
    if owner == "somebody":
        if answer.password is None:
            raise SignInToAccept()
        opened = await sign_in(
            database,
            gate,
            email=invitation.email,
            password=answer.password,
            mode=answer.mode,
            address=answer.address,
        )
        try:
            return await _join(database, answer, opened.account.id, opened)
        except FamulusError:
            async with database.write() as session:  # nobody is told of this session, so nobody would end it
                await sessions.sign_out(session, opened.token)
            raise
    name = answer.name or invitation.name
    if answer.password is None or name is None:
        raise _missing(name=name, password=answer.password)
    password_hash = await gate.new_hash(answer.password, email=invitation.email, name=name)
    async with database.write() as session:
        invitation, organization = await _take(session, answer.token)
        account = await invited.take_account(
            session,
            email=invitation.email,
            name=name,
            password_hash=password_hash,
            locale=answer.locale,
        )
        await list_anew(session, account)
        opened = await open_session(session, account, answer.mode)
        return await _settle(session, account, invitation, organization, opened)


def _missing(**given: str | None) -> Invalid:
    problem = "This is needed for a new account."
    return Invalid(
        fields=tuple(FieldProblem(field, problem) for field, value in given.items() if value is None)
    )


async def _join(database: Database, answer: Answer, user_id: str, opened: Opened | None = None) -> Joined:
    """Have an account of one's own belong to the organization, too."""
    async with database.write() as session:
        invitation, organization = await _take(session, answer.token)
        account = await invited.own_account(session, user_id, invitation.email)
        if account is None:
            raise SignInToAccept()
        return await _settle(session, account, invitation, organization, opened)


def _by_token(token: str) -> Select[Invitation, Organization]:
    return (
        select(Invitation, Organization)
        .join(Organization, Organization.id == Invitation.organization_id)
        .where(Invitation.token_hash == digest(token), Invitation.state == "open")
        .where(Invitation.expires_at > utc_now(), Organization.archived_at.is_(None))
    )


async def _found(session: AsyncSession, token: str) -> tuple[Invitation, Organization]:
    row = (await session.execute(_by_token(token))).one_or_none()
    if row is None:
        raise InvitationUnknown()
    return row[0], row[1]


async def _take(session: AsyncSession, token: str) -> tuple[Invitation, Organization]:
    """The invitation, now taken: of many at the same moment, one comes through here."""
    invitation, organization = await _found(session, token)
    taken = await session.execute(
        update(Invitation)
        .where(Invitation.id == invitation.id, Invitation.state == "open")
        .where(Invitation.token_hash == digest(token))
        .values(state="accepted", updated_at=utc_now())
        .returning(Invitation.id)
    )
    if taken.first() is None:
        raise InvitationUnknown()
    return invitation, organization


async def _settle(
    session: AsyncSession,
    account: Account,
    invitation: Invitation,
    organization: Organization,
    opened: Opened | None,
) -> Joined:
    invitation.accepted_by = account.id
    role = await _belong(session, account, invitation)
    await _enrol(session, account, invitation, role)
    actor = Principal(account.id, account.name, account.email, role, organization.id)
    after = {"user_id": account.id, "role": role, "course_ids": invitation.course_ids}
    audit.record(session, actor, "invitation.accept", thing_of(invitation), after=after)
    announce(session, RightsChanged(account.id))
    if opened is not None:
        await choose_organization(session, opened.session_id, organization.id)
    return Joined(OrganizationRef(id=organization.id, name=organization.name), role, opened)


async def _belong(session: AsyncSession, account: Account, invitation: Invitation) -> MemberRole:
    """The membership; somebody who became a member meanwhile keeps the higher role of the two."""
    membership = await session.get(Membership, (invitation.organization_id, account.id))
    if membership is None:
        session.add(
            Membership(
                organization_id=invitation.organization_id,
                user_id=account.id,
                role=invitation.role,
                **listed(account.name, account.email),
                created_at=utc_now(),
            )
        )
        return invitation.role
    if RANK[membership.role] < RANK[invitation.role]:
        membership.role = invitation.role
    return membership.role


async def _enrol(session: AsyncSession, account: Account, invitation: Invitation, role: MemberRole) -> None:
    """The courses that are still there: taught by who teaches, learned by a student; nobody loses what they teach."""
    here = select(Course.id).where(
        Course.organization_id == invitation.organization_id,
        Course.id.in_(invitation.course_ids),
        Course.archived_at.is_(None),
    )
    courses = list((await session.execute(here)).scalars()) if invitation.course_ids else []
    if not courses:
        return
    course_role: CourseRole = "student" if role == "student" else "teacher"
    row = {"user_id": account.id, "role": course_role, "created_at": utc_now()}
    row |= listed(account.name, account.email)
    rows = [{"course_id": id, **row} for id in courses]
    statement = insert_or(session, Enrolment).values(rows)
    where = [Enrolment.course_id, Enrolment.user_id]
    if course_role == "teacher":
        statement = statement.on_conflict_do_update(index_elements=where, set_={"role": "teacher"})
    else:
        statement = statement.on_conflict_do_nothing(index_elements=where)
    await session.execute(statement)
