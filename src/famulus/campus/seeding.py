"""Planting a whole organization at once: people, a course, its lessons, who learns and who teaches.

For demos and tests, before there is anybody who could be asked for rights; no route leads here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.models import Course, Enrolment, Lesson, Membership, Organization
from famulus.identity.accounts import create_account, find_by_email
from famulus.identity.principal import Role
from famulus.kernel.ids import new_id
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account, and what they are here."""

    email: str
    name: str
    role: Role | None
    enrolled: Literal["student", "teacher"] | None = None
    site_admin: bool = False


@dataclass(frozen=True, slots=True)
class PlannedLesson:
    """A lesson to be."""

    title: str
    path: str
    body: str
    published: bool = True


@dataclass(frozen=True, slots=True)
class PlannedCourse:
    """A course to be, with its lessons in order."""

    title: str
    description: str
    lessons: tuple[PlannedLesson, ...]


async def seed_organization(
    session: AsyncSession, name: str, people: Sequence[Person], course: PlannedCourse, *, password_hash: str
) -> str | None:
    """Plant an organization; returns its course's id, or None when there is an organization of this name."""
    taken = select(Organization.id).where(Organization.name_key == fold(name))
    if (await session.execute(taken)).first() is not None:
        return None
    now = utc_now()
    organization = Organization(id=new_id("org"), name=name, created_at=now, updated_at=now)
    planted = Course(
        id=new_id("crs"),
        organization_id=organization.id,
        title=course.title,
        description=course.description,
        published=True,
        created_at=now,
        updated_at=now,
    )
    session.add(organization)
    await session.flush()
    session.add(planted)
    await session.flush()
    _plant_lessons(session, planted.id, course.lessons)
    for person in people:
        await _plant_person(session, person, planted, password_hash)
    return planted.id


def _plant_lessons(session: AsyncSession, course_id: str, lessons: Sequence[PlannedLesson]) -> None:
    now = utc_now()
    session.add_all(
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
    )


async def _plant_person(session: AsyncSession, person: Person, course: Course, password_hash: str) -> None:
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
                organization_id=course.organization_id,
                user_id=account.id,
                role=person.role,
                person_key=fold(account.name),
                created_at=now,
            )
        )
    if person.enrolled is not None:
        session.add(
            Enrolment(
                course_id=course.id,
                user_id=account.id,
                role=person.enrolled,
                person_key=fold(account.name),
                created_at=now,
            )
        )
