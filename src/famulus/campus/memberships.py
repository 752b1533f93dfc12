"""Memberships: a person's one role in each organization they belong to. Managed by the organization's admins."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.events import RightsChanged
from famulus.campus.models import Course, Enrolment, MemberRole, Membership, Organization, listed
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.campus.schemas.people import (
    EVERYBODY,
    MemberChange,
    MemberOut,
    MembershipOut,
    NewMember,
    PeopleFilter,
)
from famulus.identity import audit
from famulus.identity.accounts import Account, find_by_email
from famulus.identity.addresses import require_proven
from famulus.identity.directory import directory, name_or_address
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.finding import ids_matching
from famulus.kernel.paging import Page, Paging, by_row, page
from famulus.kernel.tables import utc_now


class AlreadyMember(Conflict):
    """This person belongs to the organization already; change the role of the membership instead."""

    code = "already_member"


class LastAdmin(Conflict):
    """Nobody else administers this organization; give another member the role organization_admin first."""

    code = "last_admin"


class NoMember(NotFound):
    """This person does not belong to the organization."""

    code = "no_member"


ORDERS = {
    "name": ((Membership.person_key, Membership.user_id), False),
    "-name": ((Membership.person_key, Membership.user_id), True),
    "created_at": ((Membership.created_at, Membership.user_id), False),
    "-created_at": ((Membership.created_at, Membership.user_id), True),
}
"""How members can be sorted."""


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
    session: AsyncSession,
    principal: Principal,
    organization_id: str,
    paging: Paging,
    wanted: PeopleFilter = EVERYBODY,
) -> Page[MemberOut]:
    """The people of an organization, by name unless told otherwise. Raises NotFound or Forbidden."""
    organization = await _administered(session, principal, organization_id, "see")
    by, descending = ORDERS[wanted.sort]
    here = [Membership.organization_id == organization.id]
    if wanted.role is not None:
        here.append(Membership.role == wanted.role)
    if wanted.q is not None:
        among = select(Membership.user_id).where(*here)
        texts = name_or_address(Membership.person_key, Membership.email_key, wanted.q)
        ids = await ids_matching(session, among, texts, by=by, paging=paging, descending=descending)
        here.append(Membership.user_id.in_(ids))
        here[0] = by_row(Membership.organization_id) == organization.id  # of these few the ids are known
    query = _members().where(*here)
    found = await page(session, query, by=by, paging=paging, descending=descending)
    return found.map(lambda row: MemberOut.model_validate(row, from_attributes=True))


async def get_member(
    session: AsyncSession, principal: Principal, organization_id: str, user_id: str
) -> MemberOut:
    """One of the people of an organization. Raises NotFound or Forbidden."""
    organization = await _administered(session, principal, organization_id, "see")
    member = await member_by(session, organization.id, user_id=user_id)
    if member is None:
        raise NoMember()
    return member


async def add_member(
    session: AsyncSession, principal: Principal, organization_id: str, new: NewMember
) -> MemberOut:
    """Have an account belong to an organization. Raises NotFound, Forbidden, AddressNotVerified or AlreadyMember."""
    organization = await _administered(session, principal, organization_id, "create")
    account = await find_by_email(session, new.email)
    if account is None:
        raise NotFound(
            f"There is no account with the e-mail address {new.email!r}; the person signs up first."
        )
    await require_proven(session, account.email)
    now = utc_now()
    session.add(
        Membership(
            organization_id=organization.id,
            user_id=account.id,
            role=new.role,
            **listed(account.name, account.email),
            created_at=now,
        )
    )
    with duplicates_are(AlreadyMember()):
        await session.flush()
    after = {"user_id": account.id, "role": new.role}
    audit.record(session, principal, "membership.create", _thing(organization), after=after)
    announce(session, RightsChanged(account.id))
    return MemberOut(
        user_id=account.id,
        name=account.name,
        email=account.email,
        service=account.service,
        verified=account.email_verified,
        role=new.role,
        created_at=now,
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
    role = await _role(session, organization.id, user_id)
    if role != change.role:
        await _keep_an_admin(session, organization.id, user_id, role)
        await set_roles(session, principal, organization, {user_id: (role, change.role)})
    return await get_member(session, principal, organization_id, user_id)


async def set_roles(
    session: AsyncSession,
    principal: Principal,
    organization: Organization,
    roles: Mapping[str, tuple[MemberRole, MemberRole]],
) -> None:
    """Give members, by id, another role than they have. Whoever becomes a student learns what they taught.

    A student has no say over a course, so nothing is lost; but a teacher's enrolment that only slept would come back
    with the role, long after everybody has forgotten it. In some statements, however many they are.
    """
    thing = _thing(organization)
    for wanted in {after for _, after in roles.values()}:
        given = [user_id for user_id, (_, after) in roles.items() if after == wanted]
        here = (Membership.organization_id == organization.id, Membership.user_id.in_(given))
        await session.execute(update(Membership).where(*here).values(role=wanted))
    done = [
        audit.Done(
            "membership.change", thing, {"user_id": id, "role": before}, {"user_id": id, "role": after}
        )
        for id, (before, after) in roles.items()
    ]
    await audit.record_all(session, principal, done)
    await _stop_teaching(
        session, principal, organization, [id for id, (_, role) in roles.items() if role == "student"]
    )
    announce(session, *[RightsChanged(id) for id in roles])


async def _stop_teaching(
    session: AsyncSession, principal: Principal, organization: Organization, user_ids: Sequence[str]
) -> None:
    if not user_ids:
        return
    taught = (
        select(Enrolment.user_id, Course.id, Course.title)
        .join(Course, Course.id == Enrolment.course_id)
        .where(Course.organization_id == organization.id)
        .where(Enrolment.user_id.in_(user_ids), Enrolment.role == "teacher")
    )
    rows = (await session.execute(taught)).all()
    courses = {course_id for _, course_id, _ in rows}
    where = (Enrolment.user_id.in_(user_ids), Enrolment.course_id.in_(courses), Enrolment.role == "teacher")
    if courses:
        await session.execute(update(Enrolment).where(*where).values(role="student"))
    done = [
        audit.Done(
            "enrolment.change",
            audit.Thing(course_id, title, organization.id),
            {"user_id": user_id, "role": "teacher"},
            {"user_id": user_id, "role": "student"},
        )
        for user_id, course_id, title in rows
    ]
    await audit.record_all(session, principal, done)


async def remove_member(
    session: AsyncSession, principal: Principal, organization_id: str, user_id: str
) -> None:
    """End a membership, and with it the person's enrolments in the organization. Raises NotFound or Forbidden."""
    organization = await _administered(session, principal, organization_id, "remove")
    role = await _role(session, organization.id, user_id)
    await _keep_an_admin(session, organization.id, user_id, role)
    await session.execute(
        delete(Membership).where(Membership.organization_id == organization.id, Membership.user_id == user_id)
    )
    before = {"user_id": user_id, "role": role}
    audit.record(session, principal, "membership.remove", _thing(organization), before=before)
    await end_enrolments(session, organization.id, user_id)
    announce(session, RightsChanged(user_id))


async def end_enrolments(session: AsyncSession, organization_id: str, user_id: str) -> None:
    """Take somebody out of every course of an organization."""
    courses = select(Course.id).where(Course.organization_id == organization_id)
    await session.execute(
        delete(Enrolment).where(Enrolment.user_id == user_id, Enrolment.course_id.in_(courses))
    )


async def member_by(
    session: AsyncSession, organization_id: str, *, user_id: str | None = None, email: str | None = None
) -> MemberOut | None:
    """The member with this id, or else with this address; rights are the caller's to ask."""
    query = _members().where(Membership.organization_id == organization_id)
    columns = query.selected_columns
    query = query.where(columns["user_id"] == user_id if user_id is not None else columns["email"] == email)
    row = (await session.execute(query)).one_or_none()
    return None if row is None else MemberOut.model_validate(row, from_attributes=True)


async def list_anew(session: AsyncSession, account: Account) -> None:
    """Have somebody with another name or address stand in their place in every list of people, and be found there."""
    for table in (Membership, Enrolment):
        where = table.user_id == account.id
        await session.execute(update(table).where(where).values(listed(account.name, account.email)))


async def _other_admin(session: AsyncSession, organization_id: str, user_id: str) -> bool:
    """Whether somebody else administers the organization, too; no admin can leave while this is being settled."""
    await session.execute(select(Organization.id).where(Organization.id == organization_id).with_for_update())
    other = select(Membership.user_id).where(
        Membership.organization_id == organization_id,
        Membership.role == "organization_admin",
        Membership.user_id != user_id,
    )
    return (await session.execute(other.limit(1))).first() is not None


async def _keep_an_admin(session: AsyncSession, organization_id: str, user_id: str, role: MemberRole) -> None:
    if role == "organization_admin" and not await _other_admin(session, organization_id, user_id):
        raise LastAdmin()


async def _role(session: AsyncSession, organization_id: str, user_id: str) -> MemberRole:
    """What a member is; the row stays as it is until the end of this transaction."""
    query = select(Membership.role).where(
        Membership.organization_id == organization_id, Membership.user_id == user_id
    )
    role = (await session.execute(query.with_for_update())).scalar_one_or_none()
    if role is None:
        raise NoMember()
    return role


def _members() -> Select[str, str, str, bool, bool, MemberRole, datetime, str]:
    person = directory().subquery()
    return select(
        Membership.user_id,
        person.c.name.label("name"),
        person.c.email.label("email"),
        person.c.service.label("service"),
        person.c.verified.label("verified"),
        Membership.role,
        Membership.created_at,
        Membership.person_key,
    ).join(person, person.c.id == Membership.user_id)


async def _administered(
    session: AsyncSession, principal: Principal, organization_id: str, action: str
) -> Organization:
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, action, organization, "membership")
    return organization


def _thing(organization: Organization) -> audit.Thing:
    return audit.Thing(organization.id, organization.name, organization.id)
