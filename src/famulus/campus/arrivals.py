"""Arrivals: people who come from a trusted issuer get the account, the organization and the role that it says.

What the claims say is followed each time, and written only where something differs. A membership that the claims gave
ends when they name another organization; one that somebody here gave is left alone.
"""

from dataclasses import dataclass

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.events import RightsChanged
from famulus.campus.memberships import end_enrolments
from famulus.campus.models import MemberRole, Membership, Organization, listed
from famulus.identity import audit, foreigners
from famulus.identity.accounts import Account
from famulus.identity.foreign import Claimed
from famulus.identity.foreigners import AddressTaken, Foreigner
from famulus.identity.sign_in import Suspended
from famulus.kernel.database import Database, announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict
from famulus.kernel.ids import new_id
from famulus.kernel.issuers import TrustedIssuer
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold

log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Arrival:
    """Who has come, and where they belong by their claims."""

    account: Account
    organization_id: str | None


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the claims put somebody. Without an organization they put nobody anywhere."""

    organization: Organization | None = None
    role: MemberRole | None = None
    found: bool = True
    """Whether the organization that they name exists."""

    @property
    def id(self) -> str | None:
        return self.organization and self.organization.id


async def arrive(database: Database, issuer: TrustedIssuer, claimed: Claimed) -> Arrival:
    """The account of whoever the claims speak of, as the claims want it.

    Raises ForeignRefused, AddressTaken or Suspended.
    """
    async with database.read() as session:
        known = await foreigners.find(session, claimed)
        if known is not None and not await _differs(session, issuer, known, claimed):
            return _arrived(known.account, known.organization_id)
    try:
        return await _settle(database, issuer, claimed)
    except (
        Conflict,
        AddressTaken,
    ):  # a page asks for several things at once: another request may just have done it
        return await _settle(database, issuer, claimed)


async def _differs(session: AsyncSession, issuer: TrustedIssuer, known: Foreigner, claimed: Claimed) -> bool:
    if known.account.suspended or known.knows_better_than(claimed):
        return False
    place = await _place(session, issuer, claimed)
    if foreigners.differs(issuer, known, claimed) or place.id != known.organization_id:
        return True
    if not place.found:
        return issuer.create_organizations
    return place.id is not None and await _role(session, place.id, known.account.id) != place.role


async def _settle(database: Database, issuer: TrustedIssuer, claimed: Claimed) -> Arrival:
    async with database.write() as session:
        known = await foreigners.find(session, claimed) or await foreigners.take_in(session, issuer, claimed)
        if known.account.suspended or known.knows_better_than(claimed):
            return _arrived(known.account, known.organization_id)
        place = await _place(session, issuer, claimed)
        if not place.found and issuer.create_organizations:
            place = await _founded(session, claimed)
        if known.organization_id not in (None, place.id):
            await _leave(session, known.organization_id, known.account)
        if place.organization is not None and place.role is not None:
            await _join(session, place.organization, known.account, place.role)
        await foreigners.follow(session, issuer, known, claimed, place.id)
        again = await foreigners.find(session, claimed)
    assert again is not None, "it has just been written"
    return _arrived(again.account, place.id)


def _arrived(account: Account, organization_id: str | None) -> Arrival:
    if account.suspended or account.service:
        raise Suspended()
    return Arrival(account, organization_id)


async def _place(session: AsyncSession, issuer: TrustedIssuer, claimed: Claimed) -> _Place:
    """Where the claims put somebody. An archived organization stays theirs, though nobody is at home in it."""
    named, role = claimed.organization, claimed.role
    if named is None or role is None or role == "site_admin":
        return _Place()
    only = issuer.only_organizations
    if only is not None and fold(named) not in map(fold, only):
        log.warning("foreign_organization_refused", issuer=issuer.issuer)
        return _Place()
    by_id = issuer.organizations == "id"
    query = select(Organization).where(
        Organization.id == named if by_id else Organization.name_key == fold(named)
    )
    organization = (await session.execute(query)).scalar_one_or_none()
    if organization is None:
        return _Place(found=by_id)  # one that is named by an id of ours cannot be made
    return _Place(organization, role)


async def _founded(session: AsyncSession, claimed: Claimed) -> _Place:
    """A new organization of the name in the claims."""
    assert claimed.organization is not None, "it was named and not found"
    assert claimed.role != "site_admin", "a site admin belongs nowhere by their claims"
    now = utc_now()
    organization = Organization(id=new_id("org"), name=claimed.organization, created_at=now, updated_at=now)
    session.add(organization)
    with duplicates_are(Conflict()):
        await session.flush()
    audit.record(
        session, None, "organization.create", _thing(organization), after={"name": organization.name}
    )
    return _Place(organization, claimed.role)


async def _role(session: AsyncSession, organization_id: str, user_id: str) -> MemberRole | None:
    query = select(Membership.role).where(
        Membership.organization_id == organization_id, Membership.user_id == user_id
    )
    return (await session.execute(query)).scalar_one_or_none()


async def _join(
    session: AsyncSession, organization: Organization, account: Account, role: MemberRole
) -> None:
    membership = await session.get(Membership, (organization.id, account.id))
    before = None if membership is None else {"user_id": account.id, "role": membership.role}
    after = {"user_id": account.id, "role": role}
    if before == after:
        return
    if membership is not None:
        membership.role = role
    else:
        session.add(
            Membership(
                organization_id=organization.id,
                user_id=account.id,
                role=role,
                **listed(account.name, account.email),
                created_at=utc_now(),
            )
        )
    with duplicates_are(Conflict()):
        await session.flush()
    action = "membership.create" if before is None else "membership.change"
    audit.record(session, None, action, _thing(organization), before=before, after=after)
    announce(session, RightsChanged(account.id))


async def _leave(session: AsyncSession, organization_id: str | None, account: Account) -> None:
    organization = await session.get(Organization, organization_id)
    membership = await session.get(Membership, (organization_id, account.id))
    if organization is None or membership is None:
        return
    before = {"user_id": account.id, "role": membership.role}
    await session.delete(membership)
    await session.flush()
    await end_enrolments(session, organization.id, account.id)
    audit.record(session, None, "membership.remove", _thing(organization), before=before)
    announce(session, RightsChanged(account.id))


def _thing(organization: Organization) -> audit.Thing:
    return audit.Thing(organization.id, organization.name, organization.id)
