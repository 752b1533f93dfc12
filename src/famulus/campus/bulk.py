"""Many people into one course at once: a report line by line, and the same few statements however many lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import insert, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive
from famulus.campus.enrolments import managed, thing_of
from famulus.campus.events import RightsChanged
from famulus.campus.models import Course, CourseRole, Enrolment, MemberRole, Membership, Organization, listed
from famulus.campus.schemas.people import BulkEnrolment, BulkLine, BulkLineOut, BulkOutcome, BulkReport
from famulus.identity import audit
from famulus.identity.accounts import normal_email
from famulus.identity.addresses import AddressNotVerified, unproven_of
from famulus.identity.directory import ChangedMeanwhile, directory, ids_by_email
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.tables import utc_now

FINE = ("enrolled", "already")
DETAILS: Mapping[BulkOutcome, str | None] = {
    "unknown": "There is no account with this address or id; import or invite the person.",
    "not_a_member": "This person does not belong to the course's organization; its admin adds people to it.",
    "not_verified": AddressNotVerified.__doc__,
    "not_a_teacher": "Only a member with the role teacher or organization_admin can teach.",
}


@dataclass(frozen=True, slots=True)
class _Member:
    id: str
    name: str
    email: str
    role: MemberRole


@dataclass(frozen=True, slots=True)
class _Known:
    """What a batch is held against."""

    members: Mapping[str, _Member]
    """By id and by address."""
    accounts: frozenset[str]
    """Addresses of accounts that belong elsewhere."""
    unproven: frozenset[str]
    """Addresses of members who have not shown that they are theirs."""
    enrolled: dict[str, CourseRole]
    """Roles by id; lines that are fine are added, so that a person who comes twice is seen."""


async def enrol_many(
    session: AsyncSession, principal: Principal, course_id: str, batch: BulkEnrolment
) -> BulkReport:
    """Put members of the organization into a course. Raises NotFound, Forbidden, Archived or ChangedMeanwhile."""
    course = await managed(session, principal, course_id, "create")
    archive.require_in_use(course, course.title)
    named = [_named(line) for line in batch.people]
    known = await _known(session, principal, course, {who for who, problem in named if problem is None})
    lines: list[BulkLineOut] = []
    wanted: list[tuple[_Member, CourseRole]] = []
    for number, (line, (who, problem)) in enumerate(zip(batch.people, named, strict=True), 1):
        outcome, detail = ("invalid", problem) if problem else _outcome(known, who, line.role)
        lines.append(BulkLineOut(line=number, who=who, outcome=outcome, detail=detail))
        if outcome == "enrolled":
            member = known.members[who]
            known.enrolled[member.id] = line.role
            wanted.append((member, line.role))
    applied = batch.mode == "valid" or all(line.outcome in FINE for line in lines)
    if applied and wanted:
        await _keep(session, principal, course, wanted)
    return BulkReport(applied=applied, enrolled=len(wanted) if applied else 0, lines=lines)


def _named(line: BulkLine) -> tuple[str, str | None]:
    """Whom a line means, and what is wrong with that."""
    if (line.email is None) == (line.user_id is None):
        return line.email or "", "Say who it is: either `email` or `user_id`."
    if line.user_id is not None:
        return line.user_id, None
    try:
        return normal_email(line.email or ""), None
    except ValueError as error:
        return line.email or "", str(error)


def _outcome(known: _Known, who: str, role: CourseRole) -> tuple[BulkOutcome, str | None]:
    member = known.members.get(who)
    if member is None:
        outcome: BulkOutcome = "not_a_member" if who in known.accounts else "unknown"
        return outcome, DETAILS[outcome]
    here = known.enrolled.get(member.id)
    if here == role:
        return "already", None
    if here is not None:
        return "invalid", f"This person is in the course as {here}; change their role in it instead."
    if who in known.unproven:
        return "not_verified", DETAILS["not_verified"]
    if role == "teacher" and member.role == "student":
        return "not_a_teacher", DETAILS["not_a_teacher"]
    return "enrolled", None


async def _known(session: AsyncSession, principal: Principal, course: Course, named: set[str]) -> _Known:
    person = directory().subquery()
    rows = await session.execute(
        select(person.c.id, person.c.email, person.c.name, Membership.role, Enrolment.role)
        .join(Membership, Membership.user_id == person.c.id)
        .outerjoin(Enrolment, (Enrolment.user_id == Membership.user_id) & (Enrolment.course_id == course.id))
        .where(Membership.organization_id == course.organization_id)
        .where(or_(person.c.id.in_(named), person.c.email.in_(named)))
    )
    members: dict[str, _Member] = {}
    enrolled: dict[str, CourseRole] = {}
    for id, email, name, role, course_role in rows.all():
        members[id] = members[email] = _Member(id, name, email, role)
        if course_role:
            enrolled[id] = course_role
    elsewhere = await _elsewhere(session, principal, course, named - members.keys())
    unproven = await unproven_of(session, named & members.keys())
    return _Known(members, elsewhere, frozenset(unproven), enrolled)


async def _elsewhere(
    session: AsyncSession, principal: Principal, course: Course, missing: set[str]
) -> frozenset[str]:
    """Those of the missing who have an account. Whoever may not add members is not told who has one: all may have."""
    place = access.organizations_where(principal, "create", "membership")
    told = await session.execute(place.where(Organization.id == course.organization_id))
    if told.first() is None:
        return frozenset(missing)
    return frozenset(await ids_by_email(session, missing))


async def _keep(
    session: AsyncSession, principal: Principal, course: Course, wanted: Sequence[tuple[_Member, CourseRole]]
) -> None:
    now = utc_now()
    rows = [
        {
            "course_id": course.id,
            "user_id": member.id,
            "role": role,
            **listed(member.name, member.email),
            "created_at": now,
        }
        for member, role in wanted
    ]
    with duplicates_are(ChangedMeanwhile()):
        await session.execute(insert(Enrolment), rows)
    done = [
        audit.Done("enrolment.create", thing_of(course), after={"user_id": member.id, "role": role})
        for member, role in wanted
    ]
    await audit.record_all(session, principal, done)
    announce(session, *[RightsChanged(member.id) for member, _ in wanted])
