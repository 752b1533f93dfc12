"""Rights: the only place that decides who sees and who may do what.

RIGHTS says who may do what, as a matrix of things, actions and standings; `_stands` says, as a condition of SQL, who
has a standing towards a row. Everything else here puts the two together:

    visible(principal, kind)   a `Select` of the things a person may see, for lists, look-ups and joins alike
    find(…)                    one of them by id, or NotFound
    require(…)                 raises `Forbidden`, naming the needed role, for what may be seen but not done

Not allowed to see is 404, allowed to see but not to do is 403. Rights come from the active role, so switching changes
them. What is archived is there for those who may archive it, and for nobody else.
"""

from collections.abc import Iterable
from typing import Literal, TypeVar

from sqlalchemy import ColumnElement, Select, and_, case, exists, false, literal, not_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from famulus.campus.models import (
    Course,
    CourseRole,
    Enrolment,
    Invitation,
    Lesson,
    Membership,
    Organization,
    Project,
    Quiz,
    Task,
    Track,
)
from famulus.identity.principal import Principal, Scope
from famulus.kernel.errors import Forbidden, NotFound

Standing = Literal["site_admin", "organization_admin", "teacher", "student", "self"]
"""What somebody is towards a thing: not their role alone, but their role where the thing is."""
STANDINGS: tuple[Standing, ...] = ("site_admin", "organization_admin", "teacher", "student", "self")
SITE: tuple[Standing, ...] = ("site_admin",)
ADMINS: tuple[Standing, ...] = ("site_admin", "organization_admin")
TEACHERS: tuple[Standing, ...] = (*ADMINS, "teacher")
MEMBERS: tuple[Standing, ...] = (*TEACHERS, "student")
SELF: tuple[Standing, ...] = ("self",)

RIGHTS: dict[str, dict[str, tuple[Standing, ...]]] = {
    "organization": {"see": MEMBERS, "create": SITE, "change": ADMINS, "archive": SITE, "analyse": ADMINS},
    "membership": {"see": ADMINS, "create": ADMINS, "change": ADMINS, "remove": ADMINS},
    "invitation": {"see": ADMINS, "create": ADMINS, "withdraw": ADMINS},
    "project": {"see": MEMBERS, "create": ADMINS, "change": ADMINS, "archive": ADMINS},
    "track": {"see": MEMBERS, "create": TEACHERS, "change": TEACHERS, "archive": ADMINS},
    "course": {"see": MEMBERS, "create": TEACHERS, "change": TEACHERS, "archive": TEACHERS, "analyse": TEACHERS},
    "lesson": {"see": MEMBERS, "create": TEACHERS, "change": TEACHERS, "archive": TEACHERS, "remove": TEACHERS},
    "quiz": {"see": TEACHERS, "create": TEACHERS, "change": TEACHERS, "archive": TEACHERS},
    "enrolment": {"see": TEACHERS, "create": TEACHERS, "change": TEACHERS, "remove": TEACHERS},
    "source": {"see": MEMBERS, "create": TEACHERS, "change": TEACHERS, "remove": TEACHERS},
    "golden question": {"see": TEACHERS, "create": TEACHERS, "change": TEACHERS, "remove": TEACHERS},
    "organization source": {"see": MEMBERS, "create": ADMINS, "change": ADMINS, "remove": ADMINS},
    "global source": {"see": MEMBERS, "create": SITE, "change": SITE, "remove": SITE},
    "source on the server": {"create": SITE, "change": SITE},
    "global assistant": {"see": MEMBERS, "review": SITE, "create": SITE, "change": SITE},
    "organization assistant": {"see": MEMBERS, "review": ADMINS, "create": ADMINS, "change": ADMINS},
    "course assistant": {"see": MEMBERS, "review": TEACHERS, "create": TEACHERS, "change": TEACHERS},
    "thread": {"see": SELF, "create": SELF, "change": SELF, "remove": SELF},
    "task": {"see": SELF, "create": SELF, "change": SELF, "archive": SELF, "remove": SELF},
    "account": {"see": (*SITE, *SELF), "change": SELF, "suspend": SITE, "verify": SITE, "delete": SITE},
    "session": {"see": SELF, "remove": SELF},
    "own API key": {"see": SELF, "create": SELF, "remove": SELF},
    "organization API key": {"see": ADMINS, "create": ADMINS, "remove": ADMINS},
    "audit entry": {"see": ADMINS},
    "set of triples": {"see": ADMINS, "create": ADMINS, "change": ADMINS, "remove": ADMINS},
    "tool rules": {"see": ADMINS, "change": ADMINS},
    "connection": {"see": ADMINS, "create": ADMINS, "change": ADMINS, "remove": ADMINS},
    "connection as the asker": {"create": SITE, "change": SITE},
    "connection by command": {"create": SITE, "change": SITE},
    "activity": {"see": (*ADMINS, *SELF)},
    "mail": {"see": SITE},
}  # fmt: skip
"""By thing and action, the standings that may. An organization's things are its members' by their role there; a
course's by what they are in the course: who teaches it, who learns in it. `self` is whose own the thing is."""

SEEING = frozenset({"see", "analyse", "review"})
"""The actions that change nothing."""

Kind = Organization | Invitation | Project | Track | Course | Lesson | Quiz | Task
T = TypeVar("T", Organization, Invitation, Project, Track, Course, Lesson, Quiz, Task)
NAMES: dict[type[Kind], str] = {
    Organization: "organization", Invitation: "invitation", Project: "project", Track: "track", Course: "course",
    Lesson: "lesson", Quiz: "quiz", Task: "task",
}  # fmt: skip
"""What a table's rows are in RIGHTS. Memberships and enrolments have no id; their organization or course is asked."""


class EmailNotVerified(Forbidden):
    """Teaching begins once your e-mail address is verified; open the link mailed to you, or ask for a new one."""

    code = "email_not_verified"


def _home(kind: type[Kind]) -> InstrumentedAttribute[str]:
    """The column that says in which organization a row is; a lesson or a quiz is joined to its course."""
    if kind is Organization:
        return Organization.id
    if kind is Course or kind is Lesson or kind is Quiz:
        return Course.organization_id
    assert kind is Invitation or kind is Project or kind is Track, "a task belongs to a person"
    return kind.organization_id


def _stands(principal: Principal, standing: Standing, kind: type[Kind]) -> ColumnElement[bool]:
    """Whether this person has a standing towards a row of a kind."""
    match standing:
        case "site_admin":
            return true() if principal.is_site_admin else false()
        case "self":
            return Task.user_id == principal.user_id if kind is Task else false()
        case "organization_admin":
            return _home(kind) == principal.organization_id if principal.is_organization_admin else false()
        case "teacher":
            return _teaches(principal, kind)
        case "student":
            return _belongs(principal, kind)


def _teaches(principal: Principal, kind: type[Kind]) -> ColumnElement[bool]:
    """Teaches the course, or is a teacher of the organization."""
    if principal.role != "teacher" or principal.organization_id is None or not principal.email_verified:
        return false()
    here = _home(kind) == principal.organization_id
    in_course = kind is Course or kind is Lesson or kind is Quiz
    return and_(here, _enrolled(principal, "teacher") if in_course else in_use(kind))


def _belongs(principal: Principal, kind: type[Kind]) -> ColumnElement[bool]:
    """Learns in the course, or is a member of the organization."""
    if kind is Organization:  # any of one's own, so that one can switch to it
        mine = exists().where(
            Membership.organization_id == Organization.id, Membership.user_id == principal.user_id
        )
        return and_(mine, in_use(kind))
    if principal.organization_id is None:
        return false()
    here = _home(kind) == principal.organization_id
    assert kind is not Quiz, "a quiz is there for those who teach"
    if kind is Course or kind is Lesson:
        page = and_(Lesson.published, in_use(Lesson)) if kind is Lesson else true()
        return and_(here, _enrolled(principal, "student", "teacher"), Course.published, in_use(Course), page)
    return and_(here, in_use(kind))


def in_use(kind: type[Kind]) -> ColumnElement[bool]:
    """Whether a row has not been put away; a track is put away with its project."""
    if kind is Track:
        project = exists().where(Project.id == Track.project_id, Project.archived_at.is_(None))
        return and_(Track.archived_at.is_(None), project.correlate(Track))
    for each in (Organization, Project, Course, Lesson, Quiz, Task):
        if kind is each:
            return each.archived_at.is_(None)
    return true()


def _enrolled(principal: Principal, *roles: str) -> ColumnElement[bool]:
    # A list rather than a question for each course: a person's own courses are few, and a list is asked for once.
    # Never of the enrolments that a statement around it may be about.
    mine = select(Enrolment.course_id).where(
        Enrolment.user_id == principal.user_id, Enrolment.role.in_(roles)
    )
    return Course.id.in_(mine.correlate(None))


def allows(
    principal: Principal, action: str, kind: type[Kind], thing: str | None = None
) -> ColumnElement[bool]:
    """Whether this person may do something to a row: `action` of RIGHTS to `thing`, by default what the row is.

    It only asks, so an API key needs the scope `read` for it, whatever the action.
    """
    principal.needs("read")
    standings = RIGHTS[thing or NAMES[kind]][action]
    return or_(false(), *[_stands(principal, standing, kind) for standing in standings])


def visible(principal: Principal, kind: type[T]) -> Select[T]:
    """What of a kind this person may see. Add conditions and an order; never take a condition away."""
    query = select(kind)
    if kind is Lesson:
        query = query.join(Course, Course.id == Lesson.course_id)
    elif kind is Quiz:
        query = query.join(Course, Course.id == Quiz.course_id)
    if kind not in (Organization, Task) and principal.organization_id and not principal.is_site_admin:
        # True of every standing but that one; said apart from them, it lets a database use the index of a list.
        query = query.where(_home(kind) == principal.organization_id)
    return query.where(allows(principal, "see", kind))


async def find(session: AsyncSession, principal: Principal, kind: type[T], id: str) -> T:
    """One thing by id, or `NotFound` when it does not exist or is not for this person's eyes."""
    thing = (await session.execute(visible(principal, kind).where(kind.id == id))).scalar_one_or_none()
    if thing is None:
        raise NotFound(f"There is no {NAMES[kind]} {id!r} that you may see.")
    return thing


async def require(
    session: AsyncSession,
    principal: Principal,
    action: str,
    place: Organization | Project | Track | Course,
    thing: str | None = None,
) -> None:
    """Raise `Forbidden` unless the person may do `action` of RIGHTS to `thing` there; by default to the place itself.

    `require(session, principal, "create", course, "lesson")`: may they add a lesson to this course, which they see?
    """
    principal.needs(_scope(action))
    kind = type(place)
    query = select(kind.id).where(kind.id == place.id, allows(principal, action, kind, thing))
    if (await session.execute(query)).first() is None:
        raise refusal(principal, action, thing or NAMES[kind])


def in_reach(principal: Principal, action: str, thing: str) -> bool:
    """Whether this person, as what they are now, may do `action` of RIGHTS to any `thing` at all."""
    reach: dict[str | None, tuple[Standing, ...]] = {
        "site_admin": ("site_admin", "self"),
        "organization_admin": ("organization_admin", "self"),
        "teacher": ("teacher", "student", "self") if principal.email_verified else ("student", "self"),
        "student": ("student", "self"),
    }
    return not set(RIGHTS[thing][action]).isdisjoint(reach.get(principal.role, ("self",)))


def require_site_admin(principal: Principal, action: str, thing: str) -> None:
    """Raise `Forbidden` unless the person may do this as the one who cares for the whole site."""
    principal.needs(_scope(action))
    if not (principal.is_site_admin and "site_admin" in RIGHTS[thing][action]):
        raise refusal(principal, action, thing)


def require_person(principal: Principal, action: str, user_id: str, thing: str = "account") -> None:
    """Whether one may do `action` to what belongs to a person, oneself or another.

    Raises NotFound for what one may not see, Forbidden for what one may see but not do.
    """
    principal.needs(_scope(action))
    standings = {"site_admin"} if principal.is_site_admin else set[str]()
    if principal.user_id == user_id:
        standings.add("self")
    if standings.isdisjoint(RIGHTS[thing]["see"]):
        raise NotFound(f"There is no {thing} {user_id!r} that you may see.")
    if standings.isdisjoint(RIGHTS[thing][action]):
        raise refusal(principal, action, thing)


def _scope(action: str) -> Scope:
    """What an API key has to be made for."""
    return "read" if action in SEEING else "write"


def refusal(principal: Principal, action: str, thing: str) -> Forbidden:
    """Why somebody may not do something, with the roles that it takes."""
    standings = RIGHTS[thing][action]
    if principal.role == "teacher" and "teacher" in standings and not principal.email_verified:
        return EmailNotVerified()
    roles = " or ".join(_role(standing, thing) for standing in reversed(standings))
    article = "an" if thing[0] in "aeiou" else "a"
    return Forbidden(f"To {action} {article} {thing} you need the role {roles}.")


def _role(standing: Standing, thing: str) -> str:
    course = thing in (
        "course",
        "lesson",
        "quiz",
        "enrolment",
        "source",
        "golden question",
        "course assistant",
    )
    return "teacher in this course" if standing == "teacher" and course else standing


def role_in_course(principal: Principal) -> ColumnElement[str]:
    """As what this person meets a course they see: `student`, `teacher` or the administrator they are."""
    if principal.role in ("site_admin", "organization_admin"):
        return literal(principal.role)
    return case((_teaches(principal, Course), "teacher"), else_="student")


def meets_course(principal: Principal, role: CourseRole) -> ColumnElement[bool]:
    """Whether this person is enrolled in a course they see as somebody who teaches it, or as one who learns."""
    teaches = _enrolled(principal, "teacher")
    if principal.role not in ("site_admin", "organization_admin"):
        teaches = _teaches(principal, Course)
    return teaches if role == "teacher" else and_(_enrolled(principal, "student", "teacher"), not_(teaches))


def reads_lesson(principal: Principal) -> ColumnElement[bool]:
    """Of lessons in courses this person sees: whether this one is among those they may read."""
    return allows(principal, "see", Lesson)


def readable_courses(principal: Principal) -> Select[str, bool]:
    """Ids of the courses whose lessons this person may read, each with whether drafts are included."""
    drafts = allows(principal, "change", Course).label("drafts")
    return select(Course.id, drafts).where(allows(principal, "see", Course))


def in_course_where(
    principal: Principal, course_id: InstrumentedAttribute[str | None], action: str, thing: str = "course"
) -> ColumnElement[bool]:
    """Whether a row of the rooms above is of a course in which this person may do something.

    Who administers has thousands of courses, so each row is asked for its own; all others have a short list of theirs.
    """
    where = allows(principal, action, Course, thing)
    if principal.role in ("site_admin", "organization_admin"):
        return exists().where(Course.id == course_id, where).correlate_except(Course)
    return course_id.in_(select(Course.id).where(where))


def organizations_where(principal: Principal, action: str, thing: str) -> Select[str]:
    """Ids of the organizations in which this person may do something, for the rooms above."""
    return select(Organization.id).where(allows(principal, action, Organization, thing))


async def require_in(
    session: AsyncSession,
    principal: Principal,
    action: str,
    thing: str,
    *,
    organization_id: str | None = None,
    project_id: str | None = None,
    track_id: str | None = None,
    course_id: str | None = None,
) -> None:
    """`require` for rooms that know a place by its id only: the innermost that is given, else the whole site.

    Raises NotFound for a place that the person does not see.
    """
    place: Organization | Project | Track | Course
    if course_id is not None:
        place = await find(session, principal, Course, course_id)
    elif track_id is not None:
        place = await find(session, principal, Track, track_id)
    elif project_id is not None:
        place = await find(session, principal, Project, project_id)
    elif organization_id is not None:
        place = await find(session, principal, Organization, organization_id)
    else:
        return require_site_admin(principal, action, thing)
    await require(session, principal, action, place, thing)


def matrix() -> Iterable[tuple[str, str, tuple[Standing, ...]]]:
    """RIGHTS row by row, for the documentation."""
    for thing, actions in RIGHTS.items():
        for action, standings in actions.items():
            yield thing, action, standings
