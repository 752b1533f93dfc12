"""Tools for tracks: paths through courses, each in a project and at one level."""

from typing import Annotated

from pydantic import Field

from famulus.campus import access, tracks
from famulus.campus.contents import track_contents
from famulus.campus.lookup import project_names
from famulus.campus.schemas.places import Description, Level, NewTrack, TrackChange, TrackFilters
from famulus.kernel.paging import Paging
from famulus.kernel.text import Name
from famulus.tools.arguments import Arguments
from famulus.tools.builtin import finding
from famulus.tools.builtin.changing import (
    Changing,
    Found,
    Shelf,
    Wish,
    change_tool,
    shelf_tools,
    taken_back,
    wanted_of,
)
from famulus.tools.builtin.projects import Which as WhichProject
from famulus.tools.builtin.wording import SHOWN, brief, counted, listing, quoted
from famulus.tools.contract import Done, Preview, Tool, ToolContext

Which = Annotated[Name, Field(description="The track's name, or its id.")]
Narrowed = Annotated[
    Name | None, Field(description="The project that the track is in, where several have such.")
]


class ListTracks(Arguments):
    """Which tracks."""

    project: WhichProject | None = None
    level: Level | None = None
    words: Name | None = None
    """The beginning of the name."""
    archived: bool = False
    """Those that are archived, instead of those in use."""


class CreateTrack(Arguments):
    """A track to be."""

    project: WhichProject
    name: Name
    level: Level = "beginner"
    description: Description = ""


class UpdateTrack(Arguments):
    """What of a track is to be different; what is left away stays."""

    track: Which
    project: Narrowed = None
    name: Name | None = None
    """What it is to be called."""
    level: Level | None = None
    description: Description | None = None
    move_to_project: WhichProject | None = None
    """The project that it is to be in from now on."""


class OneTrack(Arguments):
    """Which track."""

    track: Which
    project: Narrowed = None


async def _list(context: ToolContext, given: ListTracks) -> Done:
    within = None if given.project is None else await finding.project(context, given.project)
    filters = TrackFilters(
        q=given.words, archived=given.archived, level=given.level, project_id=within and within.id
    )
    found = await tracks.list_tracks(context.session, context.principal, filters, Paging(SHOWN))
    ids = {each.project_id for each in found.items}
    names = await project_names(context.session, context.principal, ids)
    rows = [
        {
            "id": each.id,
            "name": each.name,
            "level": each.level,
            "project": names.get(each.project_id),
            "description": brief(each.description),
        }
        for each in found.items
    ]
    where = f" in {quoted(within.name)}" if within else ""
    return listing(rows, "track", more=found.next is not None, where=where)


async def _create(context: ToolContext, given: CreateTrack) -> Done:
    project = await finding.project(context, given.project)
    new = NewTrack(project_id=project.id, name=given.name, level=given.level, description=given.description)
    made = await tracks.create_track(context.session, context.principal, new)
    return Done(
        f"Created the track {quoted(made.name)} in {quoted(project.name)}.",
        {"id": made.id, "name": made.name, "level": made.level, "project": project.name},
        taken_back(context, "track", made.id, made.name),
        (f"Create a course in the track {quoted(made.name)}", f"List the tracks of {quoted(project.name)}"),
    )


async def _foresee_creation(context: ToolContext, given: CreateTrack) -> Preview:
    project = await finding.project(context, given.project)
    await access.require_in(context.session, context.principal, "create", "track", project_id=project.id)
    arguments = given.model_dump() | {"project": project.id}
    return Preview(f"Create the track {quoted(given.name)} in {quoted(project.name)}", arguments)


async def _find(context: ToolContext, given: OneTrack, archived: bool) -> Found:
    found = await finding.track(context, given.track, given.project, archived=archived)
    return Found(found.id, found.name, found.archived_at is not None)


async def _follows(context: ToolContext, found: Found) -> tuple[str, ...]:
    inside = await track_contents(context.session, context.principal, found.id, "archive")
    stay = ("Its courses stay where they are.",) if inside.courses else ()
    return (f"It has {counted(inside.courses, 'course')}.", *stay)


async def _read(context: ToolContext, given: UpdateTrack) -> Wish:
    found = await finding.track(context, given.track, given.project)
    wanted = wanted_of(given, "track", "project")
    names: dict[str, str] = {}
    if given.move_to_project is not None:
        project = await finding.project(context, given.move_to_project)
        wanted["move_to_project"] = project.id
        names = await project_names(context.session, context.principal, {project.id, found.project_id})
    before = {
        "name": found.name,
        "level": found.level,
        "description": found.description,
        "move_to_project": found.project_id,
    }
    return Wish(found.id, found.name, before, wanted, names)


async def _write(context: ToolContext, wish: Wish) -> str:
    given = dict(wish.wanted)
    if "move_to_project" in given:
        given["project_id"] = given.pop("move_to_project")
    change = TrackChange.model_validate(given)
    return (await tracks.change_track(context.session, context.principal, wish.id, change)).name


async def _require(context: ToolContext, wish: Wish) -> None:
    await access.require_in(context.session, context.principal, "change", "track", track_id=wish.id)


CHANGED = Changing(
    "track",
    UpdateTrack,
    _read,
    _write,
    _require,
    "Change a track: its name, level or description, or the project that it is in.",
)
SHELF = Shelf("track", OneTrack, _find, tracks.archive_track, _follows, "Its courses stay where they are.")


def tools() -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="list_tracks",
            description="List the tracks that the person sees, of one project or of all, by level or name.",
            parameters=ListTracks,
            effect="reads",
            needs=("track", "see"),
            act=_list,
        ),
        Tool(
            name="create_track",
            description="Create a track in a project: a path through courses at one level. Ask for the project "
            "where the person has not named one.",
            parameters=CreateTrack,
            effect="writes",
            needs=("track", "create"),
            act=_create,
            preview=_foresee_creation,
        ),
        change_tool(CHANGED),
        *shelf_tools(SHELF),
    )
