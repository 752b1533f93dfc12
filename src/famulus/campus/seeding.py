"""Planting whole organizations at once: people, projects, tracks, courses with lessons, who learns and who teaches.

For demos and tests, before there is anybody who could be asked for rights; no route leads here. It writes no audit:
that says who did what, and nobody did this, it is what a server begins with.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.models import (
    Course,
    CourseRole,
    Enrolment,
    Lesson,
    Level,
    MemberRole,
    Membership,
    Organization,
    Project,
    Task,
    Track,
    listed,
)
from famulus.identity.accounts import Account, create_account, find_by_email
from famulus.kernel.ids import new_id
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """Something that somebody is to do."""

    title: str
    description: str = ""
    due_in: timedelta | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and what they are here."""

    email: str
    name: str
    role: MemberRole | None
    site_admin: bool = False
    tasks: tuple[PlannedTask, ...] = ()


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """A lesson to be."""

    title: str
    path: str
    body: str
    published: bool = True


@dataclass(frozen=True, slots=True)
class PlannedCourse:
    """A course to be, with its lessons in order, and who is in it by address."""

    title: str
    description: str
    lessons: tuple[PlannedLesson, ...]
    people: Mapping[str, CourseRole] = field(default_factory=dict[str, CourseRole])


@dataclass(frozen=True, slots=True)
class PlannedTrack:
    """A track to be, with its courses in order."""

    name: str
    level: Level
    description: str
    courses: tuple[PlannedCourse, ...]


@dataclass(frozen=True, slots=True)
class PlannedProject:
    """A project to be."""

    name: str
    description: str
    tracks: tuple[PlannedTrack, ...]


@dataclass(frozen=True, slots=True)
class PlannedOrganization:
    """An organization to be; `courses` are those that stand in no track."""

    name: str
    people: Sequence[Person]
    courses: tuple[PlannedCourse, ...] = ()
    projects: tuple[PlannedProject, ...] = ()


async def is_planted(session: AsyncSession, name: str) -> bool:
    """Whether there is an organization of this name."""
    taken = select(Organization.id).where(Organization.name_key == fold(name))
    return (await session.execute(taken)).first() is not None


async def seed_organization(
    session: AsyncSession, planned: PlannedOrganization, *, password_hash: str
) -> list[str] | None:
    """Plant an organization; returns its courses' ids, or None when there is one of this name."""
    if await is_planted(session, planned.name):
        return None
    now = utc_now()
    organization = Organization(id=new_id("org"), name=planned.name, created_at=now, updated_at=now)
    session.add(organization)
    await session.flush()
    accounts: dict[str, Account] = {}
    for person in planned.people:
        accounts[person.email] = await _plant_person(session, person, organization, password_hash)
    planting = _Planting(session, organization, accounts)
    for course in planned.courses:
        await planting.course(course)
    for project in planned.projects:
        await planting.project(project)
    return planting.course_ids


async def _plant_person(
    session: AsyncSession, person: Person, organization: Organization, password_hash: str
) -> Account:
    account = await find_by_email(session, person.email) or await create_account(
        session,
        email=person.email,
        name=person.name,
        password_hash=password_hash,
        site_admin=person.site_admin,
        verified=True,
    )
    now = utc_now()
    if person.role is not None:
        session.add(
            Membership(
                organization_id=organization.id,
                user_id=account.id,
                role=person.role,
                **listed(account.name, account.email),
                created_at=now,
            )
        )
    for task in person.tasks:
        session.add(
            Task(
                id=new_id("tsk"),
                user_id=account.id,
                title=task.title,
                description=task.description,
                due_at=None if task.due_in is None else now + task.due_in,
                done_at=now if task.done else None,
                created_at=now,
                updated_at=now,
            )
        )
    return account


class _Planting:
    """What goes into one organization, from the top down: a row has to be there before others refer to it."""

    def __init__(
        self, session: AsyncSession, organization: Organization, accounts: Mapping[str, Account]
    ) -> None:
        self._session = session
        self._organization = organization
        self._accounts = accounts
        self.course_ids: list[str] = []

    async def project(self, planned: PlannedProject) -> None:
        now = utc_now()
        project = Project(
            id=new_id("prj"),
            organization_id=self._organization.id,
            name=planned.name,
            description=planned.description,
            created_at=now,
            updated_at=now,
        )
        self._session.add(project)
        await self._session.flush()
        for track in planned.tracks:
            await self._track(project, track)

    async def _track(self, project: Project, planned: PlannedTrack) -> None:
        now = utc_now()
        track = Track(
            id=new_id("trk"),
            organization_id=self._organization.id,
            project_id=project.id,
            name=planned.name,
            level=planned.level,
            description=planned.description,
            created_at=now,
            updated_at=now,
        )
        self._session.add(track)
        await self._session.flush()
        for position, course in enumerate(planned.courses, 1):
            await self.course(course, track.id, position)

    async def course(self, planned: PlannedCourse, track_id: str | None = None, position: int = 0) -> None:
        now = utc_now()
        course = Course(
            id=new_id("crs"),
            organization_id=self._organization.id,
            track_id=track_id,
            position=position,
            title=planned.title,
            description=planned.description,
            published=True,
            created_at=now,
            updated_at=now,
        )
        self._session.add(course)
        await self._session.flush()
        self.course_ids.append(course.id)
        self._session.add_all(_lessons(course.id, planned.lessons))
        self._session.add_all(
            Enrolment(
                course_id=course.id,
                user_id=self._accounts[email].id,
                role=role,
                **listed(self._accounts[email].name, email),
                created_at=now,
            )
            for email, role in planned.people.items()
        )


def _lessons(course_id: str, lessons: Sequence[PlannedLesson]) -> list[Lesson]:
    now = utc_now()
    return [
        Lesson(
            id=new_id("lsn"),
            course_id=course_id,
            title=lesson.title,
            path=lesson.path,
            body=lesson.body,
            position=position,
            published=lesson.published,
            created_at=now,
            updated_at=now,
        )
        for position, lesson in enumerate(lessons, 1)
    ]
