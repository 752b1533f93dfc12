"""Projects and tracks over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.campus import projects, tracks
from famulus.campus.schemas.courses import CourseOrder
from famulus.campus.schemas.places import (
    NewProject,
    NewTrack,
    ProjectChange,
    ProjectFilters,
    ProjectOut,
    ProjectPage,
    TrackChange,
    TrackFilters,
    TrackOut,
    TrackPage,
)
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession

router = APIRouter(prefix="/api/v1")


@router.get("/projects", tags=["projects"])
async def list_projects(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[ProjectFilters, Query()],
) -> ProjectPage:
    """The projects that the person sees."""
    found = await projects.list_projects(session, principal, filters, paging)
    return ProjectPage(items=found.items, next=found.next)


@router.post("/projects", tags=["projects"], status_code=status.HTTP_201_CREATED)
async def create_project(body: NewProject, principal: CurrentPrincipal, session: WriteSession) -> ProjectOut:
    """Create a project in the active organization; for its admins."""
    return await projects.create_project(session, principal, body)


@router.get("/projects/{project_id}", tags=["projects"])
async def get_project(project_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> ProjectOut:
    """One project."""
    return await projects.get_project(session, principal, project_id)


@router.patch("/projects/{project_id}", tags=["projects"])
async def change_project(
    project_id: IdPath, body: ProjectChange, principal: CurrentPrincipal, session: WriteSession
) -> ProjectOut:
    """Change what is given of a project; for the organization's admins."""
    return await projects.change_project(session, principal, project_id, body)


@router.post("/projects/{project_id}/archive", tags=["projects"])
async def archive_project(
    project_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> ProjectOut:
    """Put a project and its tracks away; their courses stay. For the organization's admins."""
    return await projects.archive_project(session, principal, project_id)


@router.post("/projects/{project_id}/restore", tags=["projects"])
async def restore_project(
    project_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> ProjectOut:
    """Take a project out of the archive, and with it the tracks that went in with it."""
    return await projects.archive_project(session, principal, project_id, away=False)


@router.get("/tracks", tags=["tracks"])
async def list_tracks(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[TrackFilters, Query()],
) -> TrackPage:
    """The tracks that the person sees."""
    found = await tracks.list_tracks(session, principal, filters, paging)
    return TrackPage(items=found.items, next=found.next)


@router.post("/tracks", tags=["tracks"], status_code=status.HTTP_201_CREATED)
async def create_track(body: NewTrack, principal: CurrentPrincipal, session: WriteSession) -> TrackOut:
    """Create a track in a project; for the organization's teachers and admins."""
    return await tracks.create_track(session, principal, body)


@router.get("/tracks/{track_id}", tags=["tracks"])
async def get_track(track_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> TrackOut:
    """One track. Its courses: `GET /api/v1/courses?track_id=…&sort=position`."""
    return await tracks.get_track(session, principal, track_id)


@router.patch("/tracks/{track_id}", tags=["tracks"])
async def change_track(
    track_id: IdPath, body: TrackChange, principal: CurrentPrincipal, session: WriteSession
) -> TrackOut:
    """Change what is given of a track, its project among it; for the organization's teachers and admins."""
    return await tracks.change_track(session, principal, track_id, body)


@router.post("/tracks/{track_id}/archive", tags=["tracks"])
async def archive_track(track_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> TrackOut:
    """Put a track away; its courses stay. For the organization's admins."""
    return await tracks.archive_track(session, principal, track_id)


@router.post("/tracks/{track_id}/restore", tags=["tracks"])
async def restore_track(track_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> TrackOut:
    """Take a track out of the archive; for the organization's admins."""
    return await tracks.archive_track(session, principal, track_id, away=False)


@router.put("/tracks/{track_id}/courses", tags=["tracks"], status_code=status.HTTP_204_NO_CONTENT)
async def order_courses(
    track_id: IdPath, body: CourseOrder, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """Put the courses of a track in order: all of them that the person sees there and that are in use."""
    await tracks.order_courses(session, principal, track_id, body.course_ids)
