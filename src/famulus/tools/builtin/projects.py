"""Tools for projects: the bodies of work of an organization, each with tracks of its own."""

from typing import Annotated

from pydantic import Field

from famulus.campus import access, projects
from famulus.campus.contents import project_contents
from famulus.campus.schemas.places import Description, NewProject, ProjectChange, ProjectFilters
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
from famulus.tools.builtin.organizations import Which as WhichOrganization
from famulus.tools.builtin.wording import SHOWN, brief, counted, listing, quoted
from famulus.tools.contract import Done, Preview, Tool, ToolContext

Which = Annotated[Name, Field(description="The project's name, or its id.")]


class ListProjects(Arguments):
    """Which projects."""

    organization: WhichOrganization | None = None
    words: Name | None = None
    """The beginning of the name."""
    archived: bool = False
    """Those that are archived, instead of those in use."""


class CreateProject(Arguments):
    """A project to be."""

    name: Name
    description: Description = ""
    organization: WhichOrganization | None = None
    """By default the one where the person is."""


class UpdateProject(Arguments):
    """What of a project is to be different; what is left away stays."""

    project: Which
    name: Name | None = None
    """What it is to be called."""
    description: Description | None = None


class OneProject(Arguments):
    """Which project."""

    project: Which


async def _list(context: ToolContext, given: ListProjects) -> Done:
    within = None
    if given.organization is not None:
        within = (await finding.organization(context, given.organization)).id
    filters = ProjectFilters(q=given.words, archived=given.archived, organization_id=within)
    found = await projects.list_projects(context.session, context.principal, filters, Paging(SHOWN))
    rows = [
        {"id": each.id, "name": each.name, "description": brief(each.description)} for each in found.items
    ]
    return listing(rows, "project", more=found.next is not None)


async def _create(context: ToolContext, given: CreateProject) -> Done:
    new = await _new(context, given)
    made = await projects.create_project(context.session, context.principal, new)
    return Done(
        f"Created the project {quoted(made.name)}.",
        {"id": made.id, "name": made.name},
        taken_back(context, "project", made.id, made.name),
        (f"Create a track in {quoted(made.name)}",),
    )


async def _foresee_creation(context: ToolContext, given: CreateProject) -> Preview:
    new = await _new(context, given)
    await access.require_in(
        context.session, context.principal, "create", "project", organization_id=new.organization_id
    )
    arguments = {"name": new.name, "description": new.description, "organization": new.organization_id}
    return Preview(f"Create the project {quoted(new.name)}", arguments)


async def _new(context: ToolContext, given: CreateProject) -> NewProject:
    where = await finding.organization_id(context, given.organization)
    return NewProject(name=given.name, description=given.description, organization_id=where)


async def _find(context: ToolContext, given: OneProject, archived: bool) -> Found:
    found = await finding.project(context, given.project, archived=archived)
    return Found(found.id, found.name, found.archived_at is not None)


async def _follows(context: ToolContext, found: Found) -> tuple[str, ...]:
    inside = await project_contents(context.session, context.principal, found.id, "archive")
    return (
        f"It has {counted(inside.tracks, 'track')} with {counted(inside.courses, 'course')}.",
        "Its tracks are put away with it; their courses stay.",
    )


async def _read(context: ToolContext, given: UpdateProject) -> Wish:
    found = await finding.project(context, given.project)
    before = {"name": found.name, "description": found.description}
    return Wish(found.id, found.name, before, wanted_of(given, "project"))


async def _write(context: ToolContext, wish: Wish) -> str:
    change = ProjectChange.model_validate(dict(wish.wanted))
    return (await projects.change_project(context.session, context.principal, wish.id, change)).name


async def _require(context: ToolContext, wish: Wish) -> None:
    await access.require_in(context.session, context.principal, "change", "project", project_id=wish.id)


CHANGED = Changing(
    "project",
    UpdateProject,
    _read,
    _write,
    _require,
    "Change a project: its name or its description.",
)
SHELF = Shelf(
    "project",
    OneProject,
    _find,
    projects.archive_project,
    _follows,
    "Its tracks are put away with it; their courses stay.",
)


def tools() -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="list_projects",
            description="List the projects that the person sees. A project holds tracks, and tracks hold courses.",
            parameters=ListProjects,
            effect="reads",
            needs=("project", "see"),
            act=_list,
        ),
        Tool(
            name="create_project",
            description="Create a project: a body of work that has tracks.",
            parameters=CreateProject,
            effect="writes",
            needs=("project", "create"),
            act=_create,
            preview=_foresee_creation,
        ),
        change_tool(CHANGED),
        *shelf_tools(SHELF),
    )
