"""Tracks: paths through courses, each in a project and at one level. A track never leaves its organization."""

from collections.abc import Sequence

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive, ordering
from famulus.campus.models import Course, Project, Track
from famulus.campus.names import order_by, write_named
from famulus.campus.schemas.places import NewTrack, TrackChange, TrackFilters, TrackOut
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.errors import Conflict
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, begins_with, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


class TrackNameTaken(Conflict):
    """The project has a track of this name already; upper and lower case make no difference."""

    code = "track_name_taken"


class OtherOrganization(Conflict):
    """Projects, tracks and courses stay in their organization; this one belongs to another."""

    code = "other_organization"


async def list_tracks(
    session: AsyncSession, principal: Principal, filters: TrackFilters, paging: Paging
) -> Page[TrackOut]:
    """The tracks that this person sees."""
    query = access.visible(principal, Track).where(archive.on_shelf(Track, archived=filters.archived))
    if filters.project_id is not None:
        query = query.where(Track.project_id == filters.project_id)
    if filters.level is not None:
        query = query.where(Track.level == filters.level)
    if filters.q is not None:
        query = query.where(begins_with(Track.name_key, fold(filters.q)))
    by, descending = order_by(Track, filters.sort)
    found: Page[Track] = await page(session, query, by=by, paging=paging, descending=descending)
    return found.map(TrackOut.model_validate)


async def get_track(session: AsyncSession, principal: Principal, track_id: str) -> TrackOut:
    """One track; raises NotFound."""
    return TrackOut.model_validate(await access.find(session, principal, Track, track_id))


async def create_track(session: AsyncSession, principal: Principal, new: NewTrack) -> TrackOut:
    """A new track in a project. Raises NotFound, Forbidden, Archived or TrackNameTaken."""
    project = await _project_to_fill(session, principal, new.project_id, "create")
    now = utc_now()
    track = Track(
        id=new_id("trk"),
        organization_id=project.organization_id,
        project_id=project.id,
        name=new.name,
        level=new.level,
        description=new.description,
        created_at=now,
        updated_at=now,
    )
    session.add(track)
    await write_named(session, track, TrackNameTaken)
    audit.record(session, principal, "track.create", _thing(track), after=new.model_dump())
    return TrackOut.model_validate(track)


async def change_track(
    session: AsyncSession, principal: Principal, track_id: str, change: TrackChange
) -> TrackOut:
    """Change what is given, its project among it.

    Raises NotFound, Forbidden, OtherOrganization, Archived or TrackNameTaken.
    """
    track = await access.find(session, principal, Track, track_id)
    await access.require(session, principal, "change", track)
    if change.project_id not in (None, track.project_id):
        project = await _project_to_fill(session, principal, change.project_id, "change")
        if project.organization_id != track.organization_id:
            raise OtherOrganization(
                f"The project {project.name!r} belongs to another organization than the track {track.name!r}."
            )
    before, after = audit.change(track, change.given())
    if after:
        await write_named(session, track, TrackNameTaken)
        audit.record(session, principal, "track.change", _thing(track), before=before, after=after)
    return TrackOut.model_validate(track)


async def archive_track(
    session: AsyncSession, principal: Principal, track_id: str, *, away: bool = True
) -> TrackOut:
    """Put a track away or take it out again; its courses stay where they are. Raises NotFound or Forbidden."""
    track = await access.find(session, principal, Track, track_id)
    await access.require(session, principal, "archive", track)
    await archive.put_away(session, principal, track, _thing(track), away=away)
    return TrackOut.model_validate(track)


async def order_courses(
    session: AsyncSession, principal: Principal, track_id: str, course_ids: Sequence[str]
) -> None:
    """Put a track's courses in order: all that the person sees there and that are in use; others keep their places.

    Raises NotFound, Forbidden or OrderDiffers.
    """
    track = await access.find(session, principal, Track, track_id)
    await access.require(session, principal, "change", track)
    await session.execute(select(Track.id).where(Track.id == track.id).with_for_update())
    there = select(Course.id, Course.title).where(Course.track_id == track.id)
    seen = access.visible(principal, Course).where(
        Course.track_id == track.id, archive.on_shelf(Course, archived=False)
    )
    order = await ordering.reorder(
        session,
        Course,
        there.order_by(Course.position, Course.id),
        seen.with_only_columns(Course.id),
        course_ids,
    )
    if order is not None:
        audit.record(session, principal, "track.order", _thing(track), **ordering.changed(order))


async def track_to_fill(session: AsyncSession, principal: Principal, track_id: str) -> Track:
    """The track that a course is to be put into. Raises NotFound, Forbidden or Archived."""
    track = await access.find(session, principal, Track, track_id)
    await access.require(session, principal, "change", track)
    archive.require_in_use(track, track.name)
    project = await session.get_one(Project, track.project_id)
    archive.require_in_use(project, project.name)
    return track


async def next_position(session: AsyncSession, track_id: str) -> int:
    """The place after a track's last course."""
    last = await session.scalar(select(func.max(Course.position)).where(Course.track_id == track_id))
    return 1 if last is None else last + 1


async def _project_to_fill(
    session: AsyncSession, principal: Principal, project_id: str | None, action: str
) -> Project:
    project = await access.find(session, principal, Project, project_id or "")
    await access.require(session, principal, action, project, "track")
    archive.require_in_use(project, project.name)
    return project


def _thing(track: Track) -> audit.Thing:
    return audit.Thing(track.id, track.name, track.organization_id)
