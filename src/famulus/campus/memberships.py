"""Memberships: a person's one role in each organization they belong to. Managed by the organization's admins."""

from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.events import RightsChanged
from famulus.campus.models import Course, Enrolment, MemberRole, Membership, Organization
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.campus.schemas.people import MemberChange, MemberOut, MembershipOut, NewMember
from famulus.identity import audit
from famulus.identity.accounts import find_by_email, people
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


class AlreadyMember(Conflict):
    """This person belongs to the organization already; change the role of the membership instead."""

    code = "already_member"


async def memberships_of(session: AsyncSession, user_id: str) -> list[MembershipOut]:
    """Where a person belongs, the oldest membership first: for that person."""
    rows = await session.execute(
        select(Organization.id, Organization.name, Membership.role)
        .join(Organization, Organization.id == Membership.organization_id)
        .where(Membership.user_id == user_id, Organization.archived_at.is_(None))
        .order_by(Membership.created_at, Organization.id)
    )
    return [
        MembershipOut(organization=OrganizationRef(id=id, name=name), role=role)
        for id, name, role in rows.all()
    ]


async def list_members(
    session: AsyncSession, principal: Principal, organization_id: str, paging: Paging
) -> Page[MemberOut]:
    """The people of an organization, by name. Raises NotFound or Forbidden."""
    organization = await _administered(session, principal, organization_id, "see")
    query = _members(organization.id)
    by = [Membership.person_key, Membership.user_id]
    found = await page(session, query, by=by, paging=paging)
    return found.map(lambda row: MemberOut.model_validate(row, from_attributes=True))


async def add_member(
    session: AsyncSession, principal: Principal, organization_id: str, new: NewMember
) -> MemberOut:
    """Have an account belong to an organization. Raises NotFound, Forbidden or AlreadyMember."""
    organization = await _administered(session, principal, organization_id, "create")
    account = await find_by_email(session, new.email)
    if account is None:
        raise NotFound(
            f"There is no account with the e-mail address {new.email!r}; the person signs up first."
        )
    now = utc_now()
    session.add(
        Membership(
            organization_id=organization.id,
            user_id=account.id,
            role=new.role,
            person_key=fold(account.name),
            created_at=now,
        )
    )
    with duplicates_are(AlreadyMember()):
        await session.flush()
    after = {"user_id": account.id, "role": new.role}
    audit.record(session, principal, "membership.create", _thing(organization), after=after)
    announce(session, RightsChanged(account.id))
    return MemberOut(
        user_id=account.id, name=account.name, email=account.email, role=new.role, created_at=now
    )


async def change_member(
    session: AsyncSession,
    principal: Principal,
    organization_id: str,
    user_id: str,
    change: MemberChange,
) -> MemberOut:
    """Give a member another role. Raises NotFound or Forbidden."""
    organization = await _administered(session, principal, organization_id, "change")
    membership = await session.get(Membership, (organization.id, user_id))
    if membership is None:
        raise NotFound("This person does not belong to the organization.")
    before = {"user_id": user_id, "role": membership.role}
    membership.role = change.role
    await session.flush()
    after = {"user_id": user_id, "role": change.role}
    audit.record(session, principal, "membership.change", _thing(organization), before=before, after=after)
    announce(session, RightsChanged(user_id))
    row = (await session.execute(_members(organization.id).where(Membership.user_id == user_id))).one()
    return MemberOut.model_validate(row, from_attributes=True)


async def remove_member(
    session: AsyncSession, principal: Principal, organization_id: str, user_id: str
) -> None:
    """End a membership, and with it the person's enrolments in the organization. Raises NotFound or Forbidden."""
    organization = await _administered(session, principal, organization_id, "remove")
    gone = await session.execute(
        delete(Membership)
        .where(Membership.organization_id == organization.id, Membership.user_id == user_id)
        .returning(Membership.role)
    )
    role = gone.scalar_one_or_none()
    if role is None:
        raise NotFound("This person does not belong to the organization.")
    before = {"user_id": user_id, "role": role}
    audit.record(session, principal, "membership.remove", _thing(organization), before=before)
    courses = select(Course.id).where(Course.organization_id == organization.id)
    await session.execute(
        delete(Enrolment).where(Enrolment.user_id == user_id, Enrolment.course_id.in_(courses))
    )
    announce(session, RightsChanged(user_id))


async def rename_person(session: AsyncSession, user_id: str, name: str) -> None:
    """Have a person stand under another name wherever people are listed; rights are the caller's to ask."""
    for table in (Membership, Enrolment):
        await session.execute(update(table).where(table.user_id == user_id).values(person_key=fold(name)))


async def member_by(
    session: AsyncSession, organization_id: str, *, user_id: str | None = None, email: str | None = None
) -> MemberOut | None:
    """The member with this id, or else with this address; rights are the caller's to ask."""
    query = _members(organization_id)
    columns = query.selected_columns
    query = query.where(columns["user_id"] == user_id if user_id is not None else columns["email"] == email)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else MemberOut.model_validate(row, from_attributes=True)


def _members(organization_id: str) -> Select[str, str, str, MemberRole, datetime, str]:
    person = people().subquery()
    return (
        select(
            Membership.user_id,
            person.c.name.label("name"),
            person.c.email.label("email"),
            Membership.role,
            Membership.created_at,
            Membership.person_key,
        )
        .join(person, person.c.id == Membership.user_id)
        .where(Membership.organization_id == organization_id)
    )


async def _administered(
    session: AsyncSession, principal: Principal, organization_id: str, action: str
) -> Organization:
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, action, organization, "membership")
    return organization


def _thing(organization: Organization) -> audit.Thing:
    return audit.Thing(organization.id, organization.name, organization.id)
