"""Bringing people in by file, and writing them out again. The same file twice changes nothing."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import dataclass

from sqlalchemy import bindparam, func, insert, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.events import RightsChanged
from famulus.campus.memberships import list_members, set_roles
from famulus.campus.models import Course, CourseRole, Enrolment, Membership, Organization, listed
from famulus.campus.roster import Roster, read_roster, write_row
from famulus.campus.roster_plan import Known, Plan, courses_named
from famulus.campus.schemas.people import Mode
from famulus.campus.schemas.rosters import PROBLEMS, ImportReport
from famulus.identity import audit
from famulus.identity.addresses import unproven_of
from famulus.identity.directory import ChangedMeanwhile, ids_by_email, open_accounts
from famulus.identity.principal import Principal
from famulus.kernel.database import Database, announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.paging import Paging
from famulus.kernel.tables import utc_now

EXPORTED = 1000
"""Members read at once; each page is a read of its own, so a long export holds nothing."""


@dataclass(frozen=True, slots=True)
class Wishes:
    """How a file is to be taken."""

    mode: Mode = "all"
    dry_run: bool = False
    update: bool = False
    """Whether people who are here already get the roles that the file gives them."""


async def import_people(
    database: Database, principal: Principal, organization_id: str, data: bytes, wishes: Wishes
) -> ImportReport:
    """Make the accounts, memberships and enrolments that a CSV file asks for, in one transaction.

    Raises NotFound, Forbidden, Unreadable, TooLarge or ChangedMeanwhile.
    """
    async with database.read() as session:
        await _administered(session, principal, organization_id)
    roster = await asyncio.to_thread(read_roster, data)  # thousands of addresses take a second to check
    if wishes.dry_run:
        async with database.read() as session:
            organization = await _administered(session, principal, organization_id)
            plan = await _plan(session, organization, roster, wishes)
        return _report(plan, wishes, roster, applied=False)
    async with database.write() as session:
        organization = await _administered(session, principal, organization_id)
        plan = await _plan(session, organization, roster, wishes)
        applied = wishes.mode == "valid" or not plan.failed
        if applied:
            await _keep(session, principal, organization, plan)
    return _report(plan, wishes, roster, applied=applied)


async def _administered(session: AsyncSession, principal: Principal, organization_id: str) -> Organization:
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "create", organization, "membership")
    return organization


async def _plan(session: AsyncSession, organization: Organization, roster: Roster, wishes: Wishes) -> Plan:
    """How things stand, read in six statements, and what the roster makes of it."""
    # Two imports, or an import and a change of roles, do not plan on the same state.
    await session.execute(select(Organization.id).where(Organization.id == organization.id).with_for_update())
    emails = {line.email for line in roster.lines}
    accounts = await ids_by_email(session, emails)
    ids = [id for id, _ in accounts.values()]
    here = Membership.organization_id == organization.id
    roles = await session.execute(
        select(Membership.user_id, Membership.role).where(here, Membership.user_id.in_(ids))
    )
    admins = select(func.count()).where(here, Membership.role == "organization_admin")
    named, titled = courses_named(roster.lines)
    courses = await session.execute(
        select(Course.id, Course.title_key, Course.archived_at)
        .where(Course.organization_id == organization.id)
        .where(or_(Course.id.in_(named), Course.title_key.in_(titled)))
    )
    found = courses.all()
    enrolled = await session.execute(
        select(Enrolment.user_id, Enrolment.course_id, Enrolment.role)
        .join(Course, Course.id == Enrolment.course_id)
        .where(Course.organization_id == organization.id, Enrolment.user_id.in_(ids))
    )
    courses_by_person: dict[str, dict[str, CourseRole]] = {}
    for user_id, course_id, role in enrolled.all():
        courses_by_person.setdefault(user_id, {})[course_id] = role
    known = Known(
        accounts=accounts,
        unproven=await unproven_of(session, emails),
        roles={row[0]: row[1] for row in roles.all()},
        courses={name: id for id, key, _ in found for name in (key, id)},
        archived=frozenset(id for id, _, archived_at in found if archived_at is not None),
        enrolled=courses_by_person,
        admins=(await session.execute(admins)).scalar_one(),
    )
    plan = Plan(known, wishes.update)
    plan.read(roster)
    return plan


async def _keep(session: AsyncSession, principal: Principal, organization: Organization, plan: Plan) -> None:
    now = utc_now()
    emails = {id: email for email, (id, _) in plan.known.accounts.items()}
    await open_accounts(session, plan.newcomers)
    members = [
        {
            "organization_id": organization.id,
            "user_id": user_id,
            "role": role,
            **listed(name, emails[user_id]),
            "created_at": now,
        }
        for user_id, (name, role) in plan.memberships.items()
    ]
    enrolments = [
        {
            "course_id": course_id,
            "user_id": user_id,
            "role": role,
            **listed(name, emails[user_id]),
            "created_at": now,
        }
        for (user_id, course_id), (name, role) in plan.enrolments.items()
    ]
    with duplicates_are(ChangedMeanwhile()):
        if members:
            await session.execute(insert(Membership), members)
        if enrolments:
            await session.execute(insert(Enrolment), enrolments)
    await set_roles(session, principal, organization, plan.roles)
    await _set_course_roles(session, plan)
    await audit.record_all(session, principal, _done(organization, plan))
    touched = {user_id for user_id, _ in (*plan.enrolments, *plan.course_roles)} | plan.memberships.keys()
    announce(session, *[RightsChanged(user_id) for user_id in touched])


async def _set_course_roles(session: AsyncSession, plan: Plan) -> None:
    wanted: dict[CourseRole, list[tuple[str, str]]] = {}
    for key, (_, role) in plan.course_roles.items():
        wanted.setdefault(role, []).append(key)
    for role, keys in wanted.items():
        statement = update(Enrolment).where(
            Enrolment.user_id == bindparam("user"), Enrolment.course_id == bindparam("course")
        )
        rows = [{"user": user_id, "course": course_id} for user_id, course_id in keys]
        connection = await session.connection()
        await connection.execute(statement.values(role=role), rows)


def _done(organization: Organization, plan: Plan) -> list[audit.Done]:
    """For the audit, what was done to whom; set_roles has written down its part."""
    thing = audit.Thing(organization.id, organization.name, organization.id)
    titles = {id: name for name, id in plan.known.courses.items() if name != id}
    return [
        *[
            audit.Done(
                "account.create", audit.Thing(new.id, new.email, organization.id), None, {"name": new.name}
            )
            for new in plan.newcomers
        ],
        *[
            audit.Done("membership.create", thing, None, {"user_id": user_id, "role": role})
            for user_id, (_, role) in plan.memberships.items()
        ],
        *[
            audit.Done(
                "enrolment.create",
                audit.Thing(course_id, titles.get(course_id, course_id), organization.id),
                None,
                {"user_id": user_id, "role": role},
            )
            for (user_id, course_id), (_, role) in plan.enrolments.items()
        ],
        *[
            audit.Done(
                "enrolment.change",
                audit.Thing(course_id, titles.get(course_id, course_id), organization.id),
                {"user_id": user_id, "role": before},
                {"user_id": user_id, "role": role},
            )
            for (user_id, course_id), (before, role) in plan.course_roles.items()
        ],
    ]


def _report(plan: Plan, wishes: Wishes, roster: Roster, *, applied: bool) -> ImportReport:
    return ImportReport(
        applied=applied,
        dry_run=wishes.dry_run,
        mode=wishes.mode,
        lines=len(roster.lines) + len(roster.bad),
        outcomes=dict(sorted(plan.outcomes.items())),
        accounts=len(plan.newcomers),
        memberships=len(plan.memberships),
        enrolments=len(plan.enrolments),
        changes=len(plan.roles) + len(plan.course_roles),
        failed=plan.failed,
        problems=plan.problems[:PROBLEMS],
        remarks=plan.remarks[:PROBLEMS],
    )


async def export_people(
    database: Database, principal: Principal, organization_id: str
) -> AsyncGenerator[bytes, None]:
    """The members of an organization as CSV that can be imported again, by name. Raises at once, as their list does."""
    async with database.read() as session:
        first = await list_members(session, principal, organization_id, Paging(EXPORTED))

    async def rows() -> AsyncGenerator[bytes, None]:
        yield write_row(("email", "name", "role")).encode()
        found = first
        while True:
            yield "".join(write_row((one.email, one.name, one.role)) for one in found.items).encode()
            if found.next is None:
                return
            async with database.read() as session:
                found = await list_members(session, principal, organization_id, Paging(EXPORTED, found.next))

    return rows()
