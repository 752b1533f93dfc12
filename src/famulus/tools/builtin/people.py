"""Tools that bring people in: instructors into an organization, students into a course and out of it."""

from collections.abc import Sequence
from functools import partial
from typing import Annotated

from pydantic import Field

from famulus.campus import access, enrolments, invitations
from famulus.campus.bulk import enrol_many
from famulus.campus.courses import CourseCard
from famulus.campus.schemas.invitations import NewInstructor
from famulus.campus.schemas.people import BulkEnrolment, BulkLine, BulkLineOut
from famulus.identity.schemas import Email
from famulus.kernel.settings import Settings
from famulus.kernel.text import Name
from famulus.tools.arguments import Arguments
from famulus.tools.builtin import finding
from famulus.tools.builtin.courses import Which as WhichCourse
from famulus.tools.builtin.organizations import Which as WhichOrganization
from famulus.tools.builtin.wording import counted, listed, quoted
from famulus.tools.contract import Done, Preview, Tool, ToolContext, Undo

MOST_COURSES = 10
MOST_STUDENTS = 100
TOLD = 3
"""Of those who could not be enrolled, so many are named in a sentence."""
Who = Annotated[str, Field(min_length=1, max_length=320)]


class InviteInstructor(Arguments):
    """Somebody who is to teach."""

    email: Email
    """The address that they read; the invitation is mailed there."""
    name: Name | None = None
    courses: list[WhichCourse] = Field(default_factory=list[str], max_length=MOST_COURSES)
    """Titles or ids of the courses that they are to teach from the start."""
    organization: WhichOrganization | None = None
    """By default the one where the person is."""


class EnrolStudents(Arguments):
    """Who is to learn in a course."""

    course: WhichCourse
    students: Annotated[list[Who], Field(min_length=1, max_length=MOST_STUDENTS)]
    """E-mail addresses of members of the organization, or their ids."""


class WithdrawStudent(Arguments):
    """Who is no longer to learn in a course."""

    course: WhichCourse
    student: Who
    """The student's e-mail address, name, or id."""


async def _invite(settings: Settings, context: ToolContext, given: InviteInstructor) -> Done:
    new, courses = await _instructor(context, given)
    made = await invitations.invite_instructor(context.session, context.principal, settings, new)
    to_teach = f" to teach {listed([quoted(each.title) for each in courses])}" if courses else ""
    return Done(
        f"Invited {made.email}{to_teach}; the mail has a link that lasts until {made.expires_at:%Y-%m-%d}.",
        {"id": made.id, "email": made.email, "role": made.role, "courses": [each.title for each in courses]},
        next=("Invite another instructor",),
    )


async def _foresee_invitation(context: ToolContext, given: InviteInstructor) -> Preview:
    new, courses = await _instructor(context, given)
    await access.require_in(
        context.session, context.principal, "create", "invitation", organization_id=new.organization_id
    )
    arguments = given.model_dump() | {
        "courses": [each.id for each in courses],
        "organization": new.organization_id,
    }
    taught = listed([quoted(each.title) for each in courses])
    notes = (
        "A mail with a link goes to this address.",
        *([f"They are to teach {taught}."] if courses else []),
    )
    return Preview(f"Invite {given.email} as an instructor", arguments, (), notes)


async def _instructor(
    context: ToolContext, given: InviteInstructor
) -> tuple[NewInstructor, Sequence[CourseCard]]:
    where = await finding.organization_id(context, given.organization)
    courses = [await finding.course(context, each) for each in given.courses]
    ids = [each.id for each in courses]
    return NewInstructor(email=given.email, name=given.name, course_ids=ids, organization_id=where), courses


async def _enrol(context: ToolContext, given: EnrolStudents) -> Done:
    course = await finding.course(context, given.course)
    batch = BulkEnrolment(people=[_line(who) for who in given.students], mode="valid")
    report = await enrol_many(context.session, context.principal, course.id, batch)
    enrolled = _whose(report.lines, "enrolled")
    already = _whose(report.lines, "already")
    others = [line for line in report.lines if line.outcome not in ("enrolled", "already")]
    data = {
        "course": {"id": course.id, "title": course.title},
        "enrolled": enrolled,
        "already": already,
        "not_enrolled": [
            {"who": line.who, "outcome": line.outcome, "detail": line.detail} for line in others
        ],
    }
    said = [f"Enrolled {counted(len(enrolled), 'student')} in {quoted(course.title)}"]
    said += [f"found {len(already)} in it already"] if already else []
    said += [f"could not enrol {_who(others)}"] if others else []
    undo = None
    if len(enrolled) == 1:
        arguments = {"course": course.id, "student": enrolled[0]}
        undo = Undo("withdraw_student", arguments, f"Take {enrolled[0]} out of {quoted(course.title)} again")
    return Done(f"{listed(said)}.", data, undo)


def _who(others: Sequence[BulkLineOut]) -> str:
    """The first of those who could not be enrolled, with why, for a person to read."""
    told = [f"{line.who} ({(line.detail or line.outcome).rstrip('.')})" for line in others[:TOLD]]
    return listed([*told, f"{len(others) - TOLD} more"] if len(others) > TOLD else told)


async def _foresee_enrolment(context: ToolContext, given: EnrolStudents) -> Preview:
    course = await finding.course(context, given.course)
    await access.require_in(context.session, context.principal, "create", "enrolment", course_id=course.id)
    title = f"Enrol {counted(len(given.students), 'student')} in {quoted(course.title)}"
    return Preview(title, {"course": course.id, "students": given.students})


async def _withdraw(context: ToolContext, given: WithdrawStudent) -> Done:
    course = await finding.course(context, given.course)
    student = await finding.student(context, course.id, given.student)
    await enrolments.withdraw(context.session, context.principal, course.id, student.user_id)
    again = {"course": course.id, "students": [student.user_id]}
    return Done(
        f"{student.name} no longer learns in {quoted(course.title)}.",
        {"course": course.title, "student": student.name, "email": student.email},
        Undo("enrol_students", again, f"Enrol {student.name} in {quoted(course.title)} again"),
    )


async def _foresee_withdrawal(context: ToolContext, given: WithdrawStudent) -> Preview:
    course = await finding.course(context, given.course)
    await access.require_in(context.session, context.principal, "remove", "enrolment", course_id=course.id)
    student = await finding.student(context, course.id, given.student)
    return Preview(
        f"Take {student.name} ({student.email}) out of {quoted(course.title)}",
        {"course": course.id, "student": student.user_id},
        (),
        ("They no longer find the course. They can be enrolled again.",),
    )


def _line(who: str) -> BulkLine:
    return BulkLine(user_id=who) if who.startswith("usr_") and "@" not in who else BulkLine(email=who)


def _whose(lines: Sequence[BulkLineOut], outcome: str) -> list[str]:
    return [line.who for line in lines if line.outcome == outcome]


def tools(settings: Settings) -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="invite_instructor",
            description="Invite somebody by e-mail to teach in the organization, perhaps some courses from the start.",
            parameters=InviteInstructor,
            effect="writes",
            needs=("invitation", "create"),
            act=partial(_invite, settings),
            preview=_foresee_invitation,
        ),
        Tool(
            name="enrol_students",
            description="Put members of the organization into a course as students, by their e-mail addresses. Says "
            "who was enrolled, who had been, and who could not be.",
            parameters=EnrolStudents,
            effect="writes",
            needs=("enrolment", "create"),
            act=_enrol,
            preview=_foresee_enrolment,
        ),
        Tool(
            name="withdraw_student",
            description="Take a student out of a course.",
            parameters=WithdrawStudent,
            effect="destroys",
            needs=("enrolment", "remove"),
            act=_withdraw,
            preview=_foresee_withdrawal,
        ),
    )
