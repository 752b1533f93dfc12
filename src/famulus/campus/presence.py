"""Presence: where a signed-in person is. A session plus the memberships make the principal that every service takes."""

from collections import defaultdict
from collections.abc import Collection, Generator
from dataclasses import dataclass, replace

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.archive import Archived
from famulus.campus.events import RightsChanged
from famulus.campus.memberships import list_anew, memberships_of
from famulus.campus.models import Course, Enrolment, Membership, Organization
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.campus.schemas.people import Me
from famulus.identity import audit, recovery
from famulus.identity.accounts import ACCOUNT_COLUMNS, Account, account_from
from famulus.identity.own_account import change_account
from famulus.identity.principal import Principal, Role
from famulus.identity.schemas import AccountChange, UserView
from famulus.identity.sessions import SignedIn, choose_organization, live_sessions
from famulus.kernel.database import announce, run_in
from famulus.kernel.errors import Conflict, Forbidden
from famulus.kernel.lane import Row, Statement
from famulus.kernel.settings import Settings


class NoSession(Conflict):
    """These credentials carry no session in which an organization could be active; sign in for one."""

    code = "no_session"


class AskerGone(Forbidden):
    """Whoever asked this may not ask it any more: the account is suspended, or has left the organization."""

    code = "asker_gone"


_AGAIN = (
    f"SELECT {ACCOUNT_COLUMNS}, o.id, o.name, m.role FROM users"  # noqa: S608 – names of ours
    " LEFT JOIN organizations o ON o.id = $2 AND o.archived_at IS NULL"
    " LEFT JOIN memberships m ON m.organization_id = o.id AND m.user_id = users.id"
    " WHERE users.id = $1 AND NOT users.suspended"
)


@dataclass(frozen=True, slots=True)
class _Place:
    organization_id: str
    organization_name: str
    role: Role | None


async def principal_of(session: AsyncSession, signed_in: SignedIn) -> Principal:
    """Who is asking, and as what: in the organization chosen in the session, else in the one joined first."""
    account = signed_in.account
    place = await _place(session, account.id, signed_in.organization_id, anywhere=account.site_admin)
    return Principal(
        user_id=account.id,
        name=account.name,
        email=account.email,
        role="site_admin" if account.site_admin else place and place.role,
        organization_id=place and place.organization_id,
        organization_name=place and place.organization_name,
        session_id=signed_in.session_id,
        locale=account.locale,
        email_verified=account.email_verified,
        profile=account.profile,
    )


async def principal_again(session: AsyncSession, principal: Principal) -> Principal:
    """The same person as they are by now, for work that was put off. Raises AskerGone where they may no longer ask."""
    return await run_in(session, _again(principal))


def _again(principal: Principal) -> Generator[Statement, list[Row], Principal]:
    """One statement of the fast lane, for every call of a tool asks this."""
    rows = yield _AGAIN, (principal.user_id, principal.organization_id)
    if not rows:
        raise AskerGone()
    *columns, organization_id, organization_name, role = rows[0]
    account = account_from(columns)
    belongs = organization_id is None or account.site_admin or role is not None
    if organization_id != principal.organization_id or not belongs:
        raise AskerGone()
    return replace(
        principal,
        name=account.name,
        email=account.email,
        role="site_admin" if account.site_admin else role,
        organization_name=organization_name,
        locale=account.locale,
        email_verified=account.email_verified,
        profile=account.profile,
    )


async def still_here(session: AsyncSession, principals: Collection[Principal]) -> set[Principal]:
    """Of people in sessions: those whose session is alive and who still have the role they had. One query for all."""
    ids = {principal.session_id for principal in principals if principal.session_id is not None}
    alive = live_sessions(ids).subquery()
    in_use = and_(Organization.id == Membership.organization_id, Organization.archived_at.is_(None))
    rows = await session.execute(
        select(alive.c.id, alive.c.site_admin, Organization.id, Membership.role)
        .outerjoin(Membership, Membership.user_id == alive.c.user_id)
        .outerjoin(Organization, in_use)
    )
    standings: defaultdict[str, set[tuple[str | None, str | None]]] = defaultdict(set)
    for id, site_admin, organization_id, role in rows.all():
        standings[id].add((None, "site_admin") if site_admin else (organization_id, role))
    return {each for each in principals if _stands(each, standings.get(each.session_id or "", set()))}


async def still_in(
    session: AsyncSession, asked: Collection[tuple[Principal, str]]
) -> set[tuple[Principal, str]]:
    """Of people and courses: those in which the person still is, in one query for all.

    One who learns is in a course while it is published and in use. Who administers a course needs not be in it; whether
    they still do is `still_here` to say.
    """
    people = {who.user_id for who, _ in asked}
    courses = {course_id for _, course_id in asked}
    is_open = and_(Course.published, access.in_use(Course))
    query = select(Enrolment.user_id, Enrolment.course_id, Enrolment.role, is_open).join(
        Course, Course.id == Enrolment.course_id
    )
    query = query.where(Enrolment.user_id.in_(people), Enrolment.course_id.in_(courses))
    rows = (await session.execute(query)).all() if asked else ()
    enrolled = {(user_id, course_id): (role, is_open) for user_id, course_id, role, is_open in rows}
    return {each for each in asked if _attends(each[0], enrolled.get((each[0].user_id, each[1])))}


def _attends(principal: Principal, enrolment: tuple[str, bool] | None) -> bool:
    """Whether somebody is in a course: by their role in it and whether it is open, if they are enrolled at all."""
    if principal.role in ("site_admin", "organization_admin"):
        return True
    if enrolment is None:
        return False
    role, is_open = enrolment
    return is_open or (role == "teacher" and principal.role == "teacher" and principal.email_verified)


def _stands(principal: Principal, standings: set[tuple[str | None, str | None]]) -> bool:
    if principal.role is None:  # who had no rights can have lost none but the session
        return bool(standings)
    place = None if principal.is_site_admin else principal.organization_id
    return (place, principal.role) in standings


async def change_me(session: AsyncSession, principal: Principal, change: AccountChange) -> Me:
    """Change one's own account; where people are listed by name, the name changes with it. Raises Invalid."""
    account = await change_account(session, principal, change)
    if account.name != principal.name:
        await list_anew(session, account)
    now = replace(principal, name=account.name, locale=account.locale, profile=account.profile)
    return await me(session, now)


async def open_link(session: AsyncSession, settings: Settings, token: str) -> Account:
    """Open a mailed link; under another address the person is found wherever people are listed.

    Raises LinkRefused or EmailTaken.
    """
    account = await recovery.open_link(session, settings, token)
    await list_anew(session, account)
    return account


async def switch(session: AsyncSession, principal: Principal, organization_id: str) -> Principal:
    """Make another organization the active one of this session. Raises NotFound, Archived or NoSession."""
    if principal.session_id is None:
        raise NoSession()
    organization = await access.find(session, principal, Organization, organization_id)
    if organization.archived_at is not None:
        raise Archived(f"{organization.name!r} is archived; nobody is at home in it before it is restored.")
    await choose_organization(session, principal.session_id, organization.id)
    if organization.id != principal.organization_id:
        thing = audit.Thing(organization.id, organization.name, organization.id)
        before, after = principal.organization_id, organization.id
        audit.record(
            session,
            principal,
            "session.switch",
            thing,
            before={"organization_id": before},
            after={"organization_id": after},
        )
    announce(session, RightsChanged(principal.user_id))
    place = await _place(session, principal.user_id, organization.id, anywhere=principal.is_site_admin)
    return replace(
        principal,
        role="site_admin" if principal.is_site_admin else place and place.role,
        organization_id=organization.id,
        organization_name=organization.name,
    )


async def me(session: AsyncSession, principal: Principal) -> Me:
    """What a person is told of themselves."""
    here = None
    if principal.organization_id is not None:
        here = OrganizationRef(id=principal.organization_id, name=principal.organization_name or "")
    return Me(
        user=UserView(
            id=principal.user_id,
            email=principal.email,
            name=principal.name,
            email_verified=principal.email_verified,
            locale=principal.locale,
            profile=principal.profile,
        ),
        organization=here,
        role=principal.role,
        memberships=await memberships_of(session, principal.user_id),
    )


async def _place(session: AsyncSession, user_id: str, chosen: str | None, *, anywhere: bool) -> _Place | None:
    """The chosen organization where the person belongs (or may be anywhere), else that of the oldest membership."""
    mine = and_(Membership.organization_id == Organization.id, Membership.user_id == user_id)
    belongs = Membership.user_id.is_not(None)
    row = (
        await session.execute(
            select(Organization.id, Organization.name, Membership.role)
            .outerjoin(Membership, mine)
            .where(Organization.archived_at.is_(None))
            .where(or_(belongs, Organization.id == chosen) if anywhere else belongs)
            .order_by((Organization.id == (chosen or "")).desc(), Membership.created_at, Organization.id)
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else _Place(row[0], row[1], row[2])
