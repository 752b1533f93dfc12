"""Enrolments: who learns and who teaches in a course. Only members of its organization can be in it."""

from datetime import datetime

from sqlalchemy import Select, delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.events import RightsChanged
from famulus.campus.memberships import member_by
from famulus.campus.models import Course, CourseRole, Enrolment
from famulus.campus.schemas.people import EnrolmentOut, NewEnrolment
from famulus.identity import audit
from famulus.identity.accounts import people
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


class AlreadyEnrolled(Conflict):
    """This person is in the course already; remove them first to give them another role in it."""

    code = "already_enrolled"


class NotATeacher(Conflict):
    """Only a member with the role teacher or organization_admin can teach; the organization's admin can give it."""

    code = "not_a_teacher"


async def list_enrolments(
    session: AsyncSession, principal: Principal, course_id: str, paging: Paging
) -> Page[EnrolmentOut]:
    """The people of a course, by name. Raises NotFound or Forbidden."""
    course = await _managed(session, principal, course_id, "see")
    query = _enrolments(course.id)
    by = [Enrolment.person_key, Enrolment.user_id]
    found = await page(session, query, by=by, paging=paging)
    return found.map(lambda row: EnrolmentOut.model_validate(row, from_attributes=True))


async def enrol(
    session: AsyncSession, principal: Principal, course_id: str, new: NewEnrolment
) -> EnrolmentOut:
    """Put a member of the organization into a course. Raises NotFound, Forbidden, NotATeacher or AlreadyEnrolled."""
    course = await _managed(session, principal, course_id, "create")
    member = await member_by(session, course.organization_id, user_id=new.user_id, email=new.email)
    if member is None:
        raise NotFound(
            "There is no such person in the course's organization; its admin adds people to the organization first."
        )
    if new.role == "teacher" and member.role == "student":
        raise NotATeacher()
    now = utc_now()
    key = fold(member.name)
    session.add(
        Enrolment(course_id=course.id, user_id=member.user_id, role=new.role, person_key=key, created_at=now)
    )
    with duplicates_are(AlreadyEnrolled()):
        await session.flush()
    after = {"user_id": member.user_id, "role": new.role}
    audit.record(session, principal, "enrolment.create", _thing(course), after=after)
    announce(session, RightsChanged(member.user_id))
    return EnrolmentOut(
        course_id=course.id,
        user_id=member.user_id,
        name=member.name,
        email=member.email,
        role=new.role,
        created_at=now,
    )


async def withdraw(session: AsyncSession, principal: Principal, course_id: str, user_id: str) -> None:
    """Take a person out of a course. Raises NotFound or Forbidden."""
    course = await _managed(session, principal, course_id, "remove")
    gone = await session.execute(
        delete(Enrolment)
        .where(Enrolment.course_id == course.id, Enrolment.user_id == user_id)
        .returning(Enrolment.role)
    )
    role = gone.scalar_one_or_none()
    if role is None:
        raise NotFound("This person is not in the course.")
    before = {"user_id": user_id, "role": role}
    audit.record(session, principal, "enrolment.remove", _thing(course), before=before)
    announce(session, RightsChanged(user_id))


def _enrolments(course_id: str) -> Select[str, str, str, str, CourseRole, datetime, str]:
    person = people().subquery()
    return (
        select(
            Enrolment.course_id,
            Enrolment.user_id,
            person.c.name.label("name"),
            person.c.email.label("email"),
            Enrolment.role,
            Enrolment.created_at,
            Enrolment.person_key,
        )
        .join(person, person.c.id == Enrolment.user_id)
        .where(Enrolment.course_id == course_id)
    )


async def _managed(session: AsyncSession, principal: Principal, course_id: str, action: str) -> Course:
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, action, course, "enrolment")
    return course


def _thing(course: Course) -> audit.Thing:
    return audit.Thing(course.id, course.title, course.organization_id)
