"""Presence: where a signed-in person is. A session plus the memberships make the principal that every service takes."""

from dataclasses import dataclass, replace

from sqlalchemy import and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.archive import Archived
from famulus.campus.events import RightsChanged
from famulus.campus.memberships import memberships_of
from famulus.campus.models import Membership, Organization
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.campus.schemas.people import Me
from famulus.identity.principal import Principal, Role
from famulus.identity.schemas import UserView
from famulus.identity.sessions import SignedIn, choose_organization
from famulus.kernel.database import announce
from famulus.kernel.errors import Conflict


class NoSession(Conflict):
    """These credentials carry no session in which an organization could be active; sign in for one."""

    code = "no_session"


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


async def switch(session: AsyncSession, principal: Principal, organization_id: str) -> Principal:
    """Make another organization the active one of this session. Raises NotFound, Archived or NoSession."""
    if principal.session_id is None:
        raise NoSession()
    organization = await access.find(session, principal, Organization, organization_id)
    if organization.archived_at is not None:
        raise Archived(f"{organization.name!r} is archived; nobody is at home in it before it is restored.")
    await choose_organization(session, principal.session_id, organization.id)
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
