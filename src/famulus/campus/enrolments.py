"""Enrolments: who learns and who teaches in a course. Only members of its organization can be in it."""

from datetime import datetime

from sqlalchemy import Select, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive
from famulus.campus.events import RightsChanged
from famulus.campus.memberships import member_by
from famulus.campus.models import Course, CourseRole, Enrolment, listed
from famulus.campus.schemas.people import (
    EVERYBODY,
    EnrolmentChange,
    EnrolmentOut,
    NewEnrolment,
    PeopleFilter,
)
from famulus.identity import audit
from famulus.identity.addresses import require_proven
from famulus.identity.directory import directory, name_or_address
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.finding import ids_matching
from famulus.kernel.paging import Page, Paging, by_row, page
from famulus.kernel.tables import utc_now


class AlreadyEnrolled(Conflict):
    """This person is in the course already; change their role in it instead."""

    code = "already_enrolled"


class NotATeacher(Conflict):
    """Only a member with the role teacher or organization_admin can teach; the organization's admin can give it."""

    code = "not_a_teacher"


ORDERS = {
    "name": ((Enrolment.person_key, Enrolment.user_id), False),
    "-name": ((Enrolment.person_key, Enrolment.user_id), True),
    "created_at": ((Enrolment.created_at, Enrolment.user_id), False),
    "-created_at": ((Enrolment.created_at, Enrolment.user_id), True),
}
"""How the people of a course can be sorted."""


async def list_enrolments(
    session: AsyncSession,
    principal: Principal,
    course_id: str,
    paging: Paging,
    wanted: PeopleFilter = EVERYBODY,
) -> Page[EnrolmentOut]:
    """The people of a course, by name unless told otherwise. Raises NotFound or Forbidden."""
    course = await managed(session, principal, course_id, "see")
    by, descending = ORDERS[wanted.sort]
    here = [Enrolment.course_id == course.id]
    if wanted.role is not None:
        here.append(Enrolment.role == wanted.role)
    if wanted.q is not None:
        among = select(Enrolment.user_id).where(*here)
        texts = name_or_address(Enrolment.person_key, Enrolment.email_key, wanted.q)
        ids = await ids_matching(session, among, texts, by=by, paging=paging, descending=descending)
        here.append(Enrolment.user_id.in_(ids))
        here[0] = by_row(Enrolment.course_id) == course.id  # of these few the ids are known
    query = _enrolments().where(*here)
    found = await page(session, query, by=by, paging=paging, descending=descending)
    return found.map(lambda row: EnrolmentOut.model_validate(row, from_attributes=True))


async def get_enrolment(
    session: AsyncSession, principal: Principal, course_id: str, user_id: str
) -> EnrolmentOut:
    """One of the people of a course. Raises NotFound or Forbidden."""
    course = await managed(session, principal, course_id, "see")
    query = _enrolments().where(Enrolment.course_id == course.id, Enrolment.user_id == user_id)
    row = (await session.execute(query)).one_or_none()
    if row is None:
        raise NotFound("This person is not in the course.")
    return EnrolmentOut.model_validate(row, from_attributes=True)


async def enrol(
    session: AsyncSession, principal: Principal, course_id: str, new: NewEnrolment
) -> EnrolmentOut:
    """Put a member of the organization into a course.

    Raises NotFound, Forbidden, Archived, AddressNotVerified, NotATeacher or AlreadyEnrolled.
    """
    course = await managed(session, principal, course_id, "create")
    archive.require_in_use(course, course.title)
    member = await member_by(session, course.organization_id, user_id=new.user_id, email=new.email)
    if member is None:
        raise NotFound(
            "There is no such person in the course's organization; its admin adds people to the organization first."
        )
    if new.user_id is None:
        await require_proven(session, member.email)
    if new.role == "teacher" and member.role == "student":
        raise NotATeacher()
    now = utc_now()
    keys = listed(member.name, member.email)
    session.add(Enrolment(course_id=course.id, user_id=member.user_id, role=new.role, created_at=now, **keys))
    with duplicates_are(AlreadyEnrolled()):
        await session.flush()
    after = {"user_id": member.user_id, "role": new.role}
    audit.record(session, principal, "enrolment.create", thing_of(course), after=after)
    announce(session, RightsChanged(member.user_id))
    return EnrolmentOut(
        course_id=course.id,
        user_id=member.user_id,
        name=member.name,
        email=member.email,
        role=new.role,
        created_at=now,
    )


async def change_enrolment(
    session: AsyncSession, principal: Principal, course_id: str, user_id: str, change: EnrolmentChange
) -> EnrolmentOut:
    """Have a person of the course learn or teach it. Raises NotFound, Forbidden or NotATeacher."""
    course = await managed(session, principal, course_id, "change")
    here = (Enrolment.course_id == course.id, Enrolment.user_id == user_id)
    row = (await session.execute(_enrolments().where(*here))).one_or_none()
    if row is None:
        raise NotFound("This person is not in the course.")
    now = EnrolmentOut.model_validate(row, from_attributes=True)
    if now.role == change.role:
        return now
    member = await member_by(session, course.organization_id, user_id=user_id)
    if change.role == "teacher" and (member is None or member.role == "student"):
        raise NotATeacher()
    await session.execute(update(Enrolment).where(*here).values(role=change.role))
    before, after = {"user_id": user_id, "role": now.role}, {"user_id": user_id, "role": change.role}
    audit.record(session, principal, "enrolment.change", thing_of(course), before=before, after=after)
    announce(session, RightsChanged(user_id))
    return now.model_copy(update={"role": change.role})


async def withdraw(session: AsyncSession, principal: Principal, course_id: str, user_id: str) -> None:
    """Take a person out of a course. Raises NotFound or Forbidden."""
    course = await managed(session, principal, course_id, "remove")
    gone = await session.execute(
        delete(Enrolment)
        .where(Enrolment.course_id == course.id, Enrolment.user_id == user_id)
        .returning(Enrolment.role)
    )
    role = gone.scalar_one_or_none()
    if role is None:
        raise NotFound("This person is not in the course.")
    before = {"user_id": user_id, "role": role}
    audit.record(session, principal, "enrolment.remove", thing_of(course), before=before)
    announce(session, RightsChanged(user_id))


def _enrolments() -> Select[str, str, str, str, CourseRole, datetime, str]:
    person = directory().subquery()
    return select(
        Enrolment.course_id,
        Enrolment.user_id,
        person.c.name.label("name"),
        person.c.email.label("email"),
        Enrolment.role,
        Enrolment.created_at,
        Enrolment.person_key,
    ).join(person, person.c.id == Enrolment.user_id)


async def managed(session: AsyncSession, principal: Principal, course_id: str, action: str) -> Course:
    """A course in which this person may do something to enrolments. Raises NotFound or Forbidden."""
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, action, course, "enrolment")
    return course


def thing_of(course: Course) -> audit.Thing:
    """A course, for the audit."""
    return audit.Thing(course.id, course.title, course.organization_id)
