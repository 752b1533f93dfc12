"""Tools for organizations: the tenants of the site, which its admins care for."""

from typing import Annotated

from pydantic import Field

from famulus.campus import access, organizations
from famulus.campus.contents import organization_contents
from famulus.campus.schemas.organizations import NewOrganization, OrganizationChange
from famulus.campus.schemas.places import NameFilters
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
from famulus.tools.builtin.wording import SHOWN, counted, listed, listing, quoted
from famulus.tools.contract import Done, Preview, Tool, ToolContext
from famulus.tools.rules import get_rules

Which = Annotated[Name, Field(description="The organization's name, or its id.")]


class ListOrganizations(Arguments):
    """Which organizations."""

    words: Name | None = None
    """The beginning of the name."""
    archived: bool = False
    """Those that are archived, instead of those in use."""


class CreateOrganization(Arguments):
    """An organization to be."""

    name: Name


class UpdateOrganization(Arguments):
    """What of an organization is to be different."""

    organization: Which
    name: Name | None = None
    """What it is to be called."""


class OneOrganization(Arguments):
    """Which organization."""

    organization: Which


class OrganizationSettings(Arguments):
    """Which organization."""

    organization: Which | None = None
    """By default the one where the person is."""


async def _list(context: ToolContext, given: ListOrganizations) -> Done:
    filters = NameFilters(q=given.words, archived=given.archived)
    found = await organizations.list_organizations(context.session, context.principal, filters, Paging(SHOWN))
    rows = [
        {"id": each.id, "name": each.name, "here": each.id == context.principal.organization_id}
        for each in found.items
    ]
    return listing(rows, "organization", more=found.next is not None)


async def _create(context: ToolContext, given: CreateOrganization) -> Done:
    made = await organizations.create_organization(
        context.session, context.principal, NewOrganization(name=given.name)
    )
    return Done(
        f"Created the organization {quoted(made.name)}.",
        {"id": made.id, "name": made.name},
        taken_back(context, "organization", made.id, made.name),
        (f"Create a project in {quoted(made.name)}", f"Invite an instructor to {quoted(made.name)}"),
    )


async def _foresee_creation(context: ToolContext, given: CreateOrganization) -> Preview:
    access.require_site_admin(context.principal, "create", "organization")
    return Preview(f"Create the organization {quoted(given.name)}", {"name": given.name})


async def _settings(context: ToolContext, given: OrganizationSettings) -> Done:
    id = await finding.organization_id(context, given.organization)
    found = await organizations.get_organization(context.session, context.principal, id)
    rules = await get_rules(context.session, context.principal, id)
    inside = await organization_contents(context.session, context.principal, id, "change")
    data = {
        "id": found.id,
        "name": found.name,
        "archived": found.archived_at is not None,
        "tool_rules": [
            {"tools": each.tools, "decision": each.decision, "approver": each.approver} for each in rules
        ],
        "members": inside.members,
        "projects": inside.projects,
        "tracks": inside.tracks,
        "courses": inside.courses,
    }
    said = (
        f"{quoted(found.name)} has {counted(inside.members, 'member')}, {counted(inside.courses, 'course')} "
        f"and {counted(len(rules), 'rule')} for its assistants' tools."
    )
    return Done(said, data, next=("List the projects", "How is the organization used?"))


async def _find(context: ToolContext, given: OneOrganization, archived: bool) -> Found:
    found = await finding.organization(context, given.organization, archived=archived)
    return Found(found.id, found.name, found.archived_at is not None)


async def _follows(context: ToolContext, found: Found) -> tuple[str, ...]:
    inside = await organization_contents(context.session, context.principal, found.id, "archive")
    has = listed(
        [
            counted(inside.projects, "project"),
            counted(inside.tracks, "track"),
            counted(inside.courses, "course"),
            counted(inside.members, "member"),
        ]
    )
    return (f"It has {has}.", "All of it is put away with it, and nobody can be in it any more.")


async def _read(context: ToolContext, given: UpdateOrganization) -> Wish:
    found = await finding.organization(context, given.organization)
    return Wish(found.id, found.name, {"name": found.name}, wanted_of(given, "organization"))


async def _write(context: ToolContext, wish: Wish) -> str:
    change = OrganizationChange.model_validate(dict(wish.wanted))
    return (await organizations.change_organization(context.session, context.principal, wish.id, change)).name


async def _require(context: ToolContext, wish: Wish) -> None:
    await access.require_in(
        context.session, context.principal, "change", "organization", organization_id=wish.id
    )


CHANGED = Changing(
    "organization",
    UpdateOrganization,
    _read,
    _write,
    _require,
    "Give an organization another name.",
)
SHELF = Shelf(
    "organization",
    OneOrganization,
    _find,
    organizations.archive_organization,
    _follows,
    "Everything in it is put away with it, and its members can no longer be in it.",
)


def tools() -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="list_organizations",
            description="List the organizations that the person belongs to; for a site admin, all.",
            parameters=ListOrganizations,
            effect="reads",
            needs=("organization", "see"),
            act=_list,
        ),
        Tool(
            name="create_organization",
            description="Create a new, empty organization: a tenant of the site, such as a school.",
            parameters=CreateOrganization,
            effect="writes",
            needs=("organization", "create"),
            act=_create,
            preview=_foresee_creation,
        ),
        change_tool(CHANGED),
        *shelf_tools(SHELF),
        Tool(
            name="organization_settings",
            description="Show how an organization is set up: its name, the rules for its assistants' tools, and how "
            "much there is in it. For its admins.",
            parameters=OrganizationSettings,
            effect="reads",
            needs=("tool rules", "see"),
            act=_settings,
        ),
    )
