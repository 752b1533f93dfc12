"""Finding people and places by the names that somebody types: an operator, or a person speaking to an assistant."""

from collections.abc import Collection, Sequence
from typing import TypeVar

from sqlalchemy import ColumnElement, and_, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, defer

from famulus.campus import access, archive
from famulus.campus.courses import CourseCard
from famulus.campus.enrolments import get_enrolment, list_enrolments
from famulus.campus.memberships import list_members
from famulus.campus.models import Course, Lesson, Organization, Project, Track
from famulus.campus.presence import principal_of
from famulus.campus.schemas.courses import LessonSummary
from famulus.campus.schemas.organizations import OrganizationOut
from famulus.campus.schemas.people import EnrolmentOut, MemberOut, PeopleFilter
from famulus.campus.schemas.places import ProjectOut, TrackOut
from famulus.identity.accounts import find_by_email, first_site_admin
from famulus.identity.principal import Principal
from famulus.identity.sessions import SignedIn
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.paging import Paging, begins_with
from famulus.kernel.text import fold

T = TypeVar("T", Organization, Project, Track, Course, Lesson)
P = TypeVar("P", MemberOut, EnrolmentOut)
CANDIDATES = 5
NO_STUDENT = "No student of this course"


class Ambiguous(Conflict):
    """Several things have this name; write the id of the one that is meant."""

    code = "ambiguous"

    def __init__(
        self, detail: str | None = None, name: str = "", candidates: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.candidates = candidates
        """What is to be written instead, and how people call it."""


class Unknown(NotFound):
    """Nothing that you may see has this name; what there is instead is named with it."""

    code = "unknown_name"

    def __init__(
        self, detail: str | None = None, name: str = "", candidates: tuple[tuple[str, str], ...] = ()
    ) -> None:
        super().__init__(detail)
        self.name = name
        self.candidates = candidates
        """Some of what the person sees, by id and name."""


async def principal_by_email(session: AsyncSession, email: str | None) -> Principal:
    """The person with this address as they would be signed in; without one, the site's first admin."""
    account = await (find_by_email(session, email) if email else first_site_admin(session))
    if account is None:
        sentence = f"There is no account {email!r}." if email else "There is no site admin yet."
        raise NotFound(
            f"{sentence} Create one with `famulus user create`, or load the demo with `famulus seed`."
        )
    return await principal_of(session, SignedIn(account, session_id="", organization_id=None))


# --- Places ------------------------------------------------------------------------------------------
# With `archived`, what has been put away goes before what is in use, else the other way round.


async def organization_by_name(
    session: AsyncSession, principal: Principal, name: str, *, archived: bool = False
) -> OrganizationOut:
    """The one organization that the person sees whose id or name this is, or whose name begins so.

    Raises NotFound or Ambiguous, like all that follow.
    """
    key = Organization.name_key
    found = await _one(session, principal, Organization, key, name, archived=archived)
    return OrganizationOut.model_validate(found)


async def project_by_name(
    session: AsyncSession, principal: Principal, name: str, *, archived: bool = False
) -> ProjectOut:
    """The one project that the person sees whose id or name this is, or whose name begins so."""
    found = await _one(session, principal, Project, Project.name_key, name, archived=archived)
    return ProjectOut.model_validate(found)


async def track_by_name(
    session: AsyncSession,
    principal: Principal,
    name: str,
    *,
    project_id: str | None = None,
    archived: bool = False,
) -> TrackOut:
    """The one track, of a project if one is given, whose id or name this is, or whose name begins so."""
    within = true() if project_id is None else Track.project_id == project_id
    found = await _one(session, principal, Track, Track.name_key, name, within=within, archived=archived)
    return TrackOut.model_validate(found)


async def course_by_name(
    session: AsyncSession, principal: Principal, name: str, *, archived: bool = False
) -> CourseCard:
    """The one course that the person sees whose id or title this is, or whose title begins so."""
    course = await _one(session, principal, Course, Course.title_key, name, archived=archived)
    return CourseCard(course.id, course.organization_id, course.title, course.assistant_id)


async def lesson_by_name(
    session: AsyncSession, principal: Principal, course_id: str | None, name: str, *, archived: bool = False
) -> LessonSummary:
    """The one lesson of a course whose id, title or path this is, or whose title begins so; without a course, by id."""
    within = Lesson.id == name.strip() if course_id is None else Lesson.course_id == course_id
    found = await _one(session, principal, Lesson, Lesson.title_key, name, within=within, archived=archived)
    return LessonSummary.model_validate(found)


async def project_names(
    session: AsyncSession, principal: Principal, ids: Collection[str | None]
) -> dict[str, str]:
    """Names by id, of those of these projects that the person sees."""
    query = access.visible(principal, Project).where(Project.id.in_(ids))
    rows = await session.execute(query.with_only_columns(Project.id, Project.name)) if ids else ()
    return {row[0]: row[1] for row in rows}


async def track_names(
    session: AsyncSession, principal: Principal, ids: Collection[str | None]
) -> dict[str, str]:
    """Names by id, of those of these tracks that the person sees."""
    query = access.visible(principal, Track).where(Track.id.in_(ids))
    rows = await session.execute(query.with_only_columns(Track.id, Track.name)) if ids else ()
    return {row[0]: row[1] for row in rows}


async def _one(
    session: AsyncSession,
    principal: Principal,
    kind: type[T],
    key: InstrumentedAttribute[str],
    name: str,
    *,
    within: ColumnElement[bool] | None = None,
    archived: bool = False,
) -> T:
    """An exact name goes before a beginning, and what is in use before what is archived, or the other way round."""
    name = name.strip()
    visible = access.visible(principal, kind).order_by(key, kind.id).limit(CANDIDATES + 1)
    if within is not None:
        visible = visible.where(within)
    if kind is Lesson:
        visible = visible.options(defer(Lesson.body, raiseload=True))
    exact, beginning = or_(kind.id == name, key == fold(name)), begins_with(key, fold(name))
    if kind is Lesson:
        exact = or_(exact, Lesson.path == name)
    first = archive.on_shelf(kind, archived=archived)
    for condition in (and_(exact, first), exact, and_(beginning, first), beginning) if name else ():
        found = list(await session.scalars(visible.where(condition)))
        if len(found) == 1:
            return found[0]
        if found:
            raise _ambiguous(name, found, await _homes(session, found))
    there = list(await session.scalars(visible.where(first)))
    raise _unknown(access.NAMES[kind], name, there)


async def _homes(
    session: AsyncSession, found: Sequence[Organization | Project | Track | Course | Lesson]
) -> dict[str, str]:
    """By id, where things of the same name are, in case that tells them apart: tracks in projects, all else in tenants.

    Of the projects and organizations of what a person sees they see the names, too.
    """
    homes = {each.id: each.project_id for each in found if isinstance(each, Track)}
    if homes:
        rows = await session.execute(select(Project.id, Project.name).where(Project.id.in_(homes.values())))
    else:
        homes = {each.id: each.organization_id for each in found if isinstance(each, (Project, Course))}
        query = select(Organization.id, Organization.name).where(Organization.id.in_(homes.values()))
        rows = await session.execute(query) if len(set(homes.values())) > 1 else ()
    names = {row[0]: row[1] for row in rows}
    return {id: names[home] for id, home in homes.items() if home in names}


def _unknown(
    kind: str, name: str, there: Sequence[Organization | Project | Track | Course | Lesson]
) -> Unknown:
    shown = tuple(
        (one.id, one.title if isinstance(one, (Course, Lesson)) else one.name) for one in there[:CANDIDATES]
    )
    named = "; ".join(called for _, called in shown)
    more = " and others" if len(there) > CANDIDATES else ""
    known = f" There {'is' if len(there) == 1 else 'are'} {named}{more}." if shown else ""
    return Unknown(f"There is no {kind} {name!r} here.{known}", name, shown)


def _ambiguous(
    name: str,
    found: Sequence[Organization | Project | Track | Course | Lesson],
    homes: dict[str, str],
) -> Ambiguous:
    def told(one: Organization | Project | Track | Course | Lesson) -> str:
        called = one.title if isinstance(one, (Course, Lesson)) else one.name
        return f"{called} in {homes[one.id]}" if one.id in homes else called

    shown = tuple((one.id, told(one)) for one in found[:CANDIDATES])
    named = "; ".join(f"{called} ({id})" for id, called in shown)
    more = " and others" if len(found) > CANDIDATES else ""
    return Ambiguous(f"{name!r} may mean {named}{more}; write the id.", name, shown)


# --- People ------------------------------------------------------------------------------------------


async def student_by_name(
    session: AsyncSession, principal: Principal, course_id: str, who: str
) -> EnrolmentOut:
    """The one who learns in a course whose id, address or name this is, or begins so. Raises Forbidden, too."""
    if who.startswith("usr_"):
        found_by_id = await get_enrolment(session, principal, course_id, who)
        return _person([found_by_id] if found_by_id.role == "student" else [], found_by_id.email, NO_STUDENT)
    wanted = PeopleFilter(role="student", q=who)
    found = await list_enrolments(session, principal, course_id, Paging(), wanted)
    return _person(found.items, who, NO_STUDENT)


async def member_by_name(
    session: AsyncSession, principal: Principal, organization_id: str, who: str
) -> MemberOut:
    """The one member of an organization whose address or name this is, or begins so. Raises Forbidden, too."""
    found = await list_members(session, principal, organization_id, Paging(), PeopleFilter(q=who))
    return _person(found.items, who, "No member of this organization")


def _person(found: Sequence[P], who: str, nobody: str) -> P:
    exact = [each for each in found if fold(who) in (fold(each.email), fold(each.name))]
    match exact or found:
        case [one]:
            return one
        case []:
            raise NotFound(f"{nobody} has the name or the e-mail address {who!r}.")
        case several:
            shown = tuple((each.email, each.name) for each in several[:CANDIDATES])
            named = "; ".join(f"{name} ({email})" for email, name in shown)
            more = " and others" if len(several) > CANDIDATES else ""
            raise Ambiguous(f"{who!r} may mean {named}{more}; write the e-mail address.", who, shown)
