"""What is in a place, counted: for whoever is about to put it away, or looks after it. One statement for a place."""

from dataclasses import dataclass

from sqlalchemy import ColumnElement, ScalarSelect, func, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.models import Course, Enrolment, Lesson, Membership, Organization, Project, Track
from famulus.identity.principal import Principal


@dataclass(frozen=True, slots=True)
class Contents:
    """How much is in a place; of places and lessons, what is in use."""

    members: int = 0
    projects: int = 0
    tracks: int = 0
    courses: int = 0
    lessons: int = 0
    teachers: int = 0
    students: int = 0


async def organization_contents(
    session: AsyncSession, principal: Principal, organization_id: str, action: str
) -> Contents:
    """What is in an organization, for who may do `action` to it. Raises NotFound or Forbidden."""
    place = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, action, place)
    return await _counted(
        session,
        members=_count(Membership.organization_id == place.id),
        projects=_count(Project.organization_id == place.id, access.in_use(Project)),
        tracks=_count(Track.organization_id == place.id, access.in_use(Track)),
        courses=_count(Course.organization_id == place.id, access.in_use(Course)),
    )


async def project_contents(
    session: AsyncSession, principal: Principal, project_id: str, action: str
) -> Contents:
    """The tracks of a project and their courses, for who may do `action` to it. Raises NotFound or Forbidden."""
    place = await access.find(session, principal, Project, project_id)
    await access.require(session, principal, action, place)
    tracks = select(Track.id).where(Track.project_id == place.id, Track.archived_at.is_(None))
    return await _counted(
        session,
        tracks=_count(Track.project_id == place.id, Track.archived_at.is_(None)),
        courses=_count(Course.track_id.in_(tracks), access.in_use(Course)),
    )


async def track_contents(session: AsyncSession, principal: Principal, track_id: str, action: str) -> Contents:
    """The courses of a track, for who may do `action` to it. Raises NotFound or Forbidden."""
    place = await access.find(session, principal, Track, track_id)
    await access.require(session, principal, action, place)
    return await _counted(session, courses=_count(Course.track_id == place.id, access.in_use(Course)))


async def course_contents(
    session: AsyncSession, principal: Principal, course_id: str, action: str
) -> Contents:
    """Lessons and people of a course, for who may do `action` to it. Raises NotFound or Forbidden."""
    place = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, action, place)
    here = Enrolment.course_id == place.id
    return await _counted(
        session,
        lessons=_count(Lesson.course_id == place.id, access.in_use(Lesson)),
        teachers=_count(here, Enrolment.role == "teacher"),
        students=_count(here, Enrolment.role == "student"),
    )


def _count(*where: ColumnElement[bool]) -> ScalarSelect[int]:
    return select(func.count()).where(*where).scalar_subquery()


async def _counted(session: AsyncSession, **counts: ScalarSelect[int]) -> Contents:
    query = select(*[count.label(name) for name, count in counts.items()])
    row = (await session.execute(query)).mappings().one()
    return Contents(**{name: int(row[name]) for name in counts})
