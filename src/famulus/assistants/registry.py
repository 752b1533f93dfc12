"""The registry: assistants and their versions. Changing what one is adds a version; none is ever rewritten."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.errors import AssistantExists, AssistantInactive, AssistantNotFound
from famulus.assistants.events import AssistantChanged
from famulus.assistants.given import given_instructions
from famulus.assistants.models import Assistant, AssistantVersion
from famulus.assistants.rights import find_assistant, manages, require_manage, visible_assistants
from famulus.assistants.settings import (
    AssistantSettings,
    ResolvedAssistant,
    changed_settings,
    read_settings,
)
from famulus.campus.courses import CourseCard, course_card, pin_assistant
from famulus.campus.organizations import get_organization
from famulus.identity import audit
from famulus.identity.principal import Principal, Role
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import FieldProblem, Invalid
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold

Scope = Literal["global", "organization", "course"]
DEFAULT_NAME = "Famulus"
RULES: dict[Scope, str] = {
    "global": "A global assistant with this name exists already; names of global assistants are unique.",
    "organization": "This organization has an assistant for this role already; there is one for each role.",
    "course": "This course has an assistant already; change that one.",
}


@dataclass(frozen=True, slots=True)
class Draft:
    """A new assistant as its maker describes it."""

    scope: Scope
    name: str
    instructions: str
    settings: AssistantSettings
    role: Role | None = None
    organization_id: str | None = None
    course_id: str | None = None


@dataclass(frozen=True, slots=True)
class Filters:
    """Which assistants a list shows; None shows all."""

    scope: Scope | None = None
    role: Role | None = None
    organization_id: str | None = None
    course_id: str | None = None
    active: bool | None = None


@dataclass(frozen=True, slots=True)
class Changes:
    """What to change; None keeps it."""

    name: str | None = None
    active: bool | None = None
    instructions: str | None = None
    settings: Mapping[str, object] | None = None
    """The settings that are to be different, by name."""


@dataclass(frozen=True, slots=True)
class AssistantCard:
    """An assistant with the version that answers."""

    assistant: Assistant
    version: AssistantVersion
    managed: bool
    """Whether the person who asked may change it, and so may know what it is told."""


def _check(instructions: str) -> None:
    from famulus.assistants.template import check_instructions  # lazy: not needed at rest

    check_instructions(instructions)


async def create_assistant(session: AsyncSession, principal: Principal, draft: Draft) -> AssistantCard:
    """A new assistant in its first version. Raises Forbidden, NotFound, Invalid or AssistantExists."""
    _check(draft.instructions)
    if draft.settings.tool_rules:
        principal.no_tool()
    organization_id = await _organization_of(session, principal, draft)
    now = utc_now()
    assistant = Assistant(
        id=new_id("ast"),
        scope=draft.scope,
        organization_id=organization_id,
        course_id=draft.course_id,
        role=draft.role,
        name=draft.name,
        active=True,
        version=1,
        created_at=now,
        updated_at=now,
    )
    await require_manage(session, principal, assistant, "create")
    session.add(assistant)
    with duplicates_are(AssistantExists(RULES[draft.scope])):
        await session.flush()
    version = _version(assistant, principal.user_id, draft.instructions, draft.settings)
    session.add(version)
    await session.flush()
    audit.record(session, principal, "assistant.create", _thing(assistant), after=_facts(assistant, version))
    return AssistantCard(assistant, version, managed=True)


async def _organization_of(session: AsyncSession, principal: Principal, draft: Draft) -> str | None:
    """Where a new assistant belongs; raises NotFound for a place that the person does not see."""
    if draft.course_id is not None:
        return (await course_card(session, principal, draft.course_id)).organization_id
    if draft.scope != "organization":
        return None
    organization_id = draft.organization_id or principal.organization_id
    if organization_id is None:
        raise Invalid(fields=(FieldProblem("organization_id", "Say in which organization."),))
    return (await get_organization(session, principal, organization_id)).id


def _version(
    assistant: Assistant, created_by: str | None, instructions: str, settings: AssistantSettings
) -> AssistantVersion:
    return AssistantVersion(
        assistant_id=assistant.id,
        version=assistant.version,
        instructions=instructions,
        settings=msgspec.to_builtins(settings),
        created_by=created_by,
        created_at=utc_now(),
    )


async def list_assistants(
    session: AsyncSession, principal: Principal, filters: Filters, paging: Paging
) -> Page[AssistantCard]:
    """The assistants that this person may see, by id, each with the version that answers."""
    query = visible_assistants(principal)
    for column, wanted in (
        (Assistant.scope, filters.scope),
        (Assistant.role, filters.role),
        (Assistant.organization_id, filters.organization_id),
        (Assistant.course_id, filters.course_id),
        (Assistant.active, filters.active),
    ):
        if wanted is not None:
            query = query.where(column == wanted)
    query = query.add_columns(manages(principal).label("managed"), Assistant.id)
    found = await page(session, query, by=[Assistant.id], paging=paging)
    versions = await _current_versions(session, [row.id for row in found.items])
    return found.map(lambda row: AssistantCard(row[0], versions[row.id], bool(row.managed)))


async def _current_versions(session: AsyncSession, ids: Collection[str]) -> dict[str, AssistantVersion]:
    query = (
        select(AssistantVersion)
        .join(Assistant, Assistant.id == AssistantVersion.assistant_id)
        .where(Assistant.version == AssistantVersion.version, Assistant.id.in_(ids))
    )
    return {row.assistant_id: row for row in (await session.execute(query)).scalars()}


async def get_assistant(session: AsyncSession, principal: Principal, id: str) -> AssistantCard:
    """One assistant that this person may see; raises AssistantNotFound."""
    query = visible_assistants(principal).where(Assistant.id == id)
    row = (await session.execute(query.add_columns(manages(principal)))).one_or_none()
    if row is None:
        raise AssistantNotFound()
    return AssistantCard(row[0], (await _current_versions(session, [id]))[id], bool(row[1]))


async def change_assistant(
    session: AsyncSession, principal: Principal, id: str, changes: Changes
) -> AssistantCard:
    """Change an assistant; other instructions or settings become its next version.

    Raises AssistantNotFound, Forbidden, Invalid, AssistantExists, or NeedsPerson where a tool would say what tools may.
    """
    if {"tools", "tool_rules"} & (changes.settings or {}).keys():
        principal.no_tool()
    assistant = await find_assistant(session, principal, id, to_change=True)
    await require_manage(session, principal, assistant, "change")
    version = (await _current_versions(session, [id]))[id]
    before = _facts(assistant, version)
    if changes.instructions is not None:
        _check(changes.instructions)
    instructions = changes.instructions if changes.instructions is not None else version.instructions
    settings = changed_settings(read_settings(version.settings), changes.settings or {})
    if instructions != version.instructions or settings != read_settings(version.settings):
        assistant.version += 1
        version = _version(assistant, principal.user_id, instructions, settings)
        session.add(version)
    assistant.name = changes.name if changes.name is not None else assistant.name
    assistant.active = changes.active if changes.active is not None else assistant.active
    after = _facts(assistant, version)
    if after != before:
        assistant.updated_at = utc_now()
        with duplicates_are(AssistantExists(RULES["global"])):
            await session.flush()
        announce(session, AssistantChanged(id))
        audit.record(session, principal, "assistant.change", _thing(assistant), before=before, after=after)
    return AssistantCard(assistant, version, managed=True)


def _thing(assistant: Assistant) -> audit.Thing:
    return audit.Thing(assistant.id, assistant.name, assistant.organization_id)


def _facts(assistant: Assistant, version: AssistantVersion) -> dict[str, object]:
    """What the audit keeps of an assistant; every version's instructions are kept by the registry itself."""
    return {"name": assistant.name, "active": assistant.active, "version": version.version}


async def pin_course(
    session: AsyncSession, principal: Principal, course_id: str, assistant_id: str | None
) -> None:
    """Pin a course to an assistant that its organization may use: a global one, its own, or the course's."""
    if assistant_id is not None:
        course = await course_card(session, principal, course_id)
        assistant = await find_assistant(session, principal, assistant_id)
        if assistant.organization_id not in (None, course.organization_id):
            raise AssistantNotFound()
        if assistant.course_id not in (None, course_id):
            problem = FieldProblem(
                "assistant_id", "This is another course's; take a global or organization one."
            )
            raise Invalid(fields=(problem,))
        if not assistant.active:
            raise AssistantInactive("This assistant is switched off; switch it on before you pin it.")
    await pin_assistant(session, principal, course_id, assistant_id)


async def usable_assistants(
    session: AsyncSession, principal: Principal, course: CourseCard, name: str
) -> list[tuple[str, str]]:
    """Ids and names of those that a course may be pinned to and that this person sees, by id or by the whole name."""
    query = visible_assistants(principal).where(
        Assistant.active,
        or_(Assistant.organization_id.is_(None), Assistant.organization_id == course.organization_id),
        or_(Assistant.course_id.is_(None), Assistant.course_id == course.id),
    )
    columns = query.with_only_columns(Assistant.id, Assistant.name).order_by(Assistant.id)
    rows = [(row[0], row[1]) for row in await session.execute(columns)]
    return [(id, called) for id, called in rows if id == name or fold(called) == fold(name)]


async def list_versions(
    session: AsyncSession, principal: Principal, id: str, paging: Paging
) -> Page[AssistantVersion]:
    """Every version of an assistant, newest first; for those who may change it."""
    assistant = await find_assistant(session, principal, id)
    await require_manage(session, principal, assistant, "review")
    query = select(AssistantVersion).where(AssistantVersion.assistant_id == id)
    return await page(session, query, by=[AssistantVersion.version], paging=paging, descending=True)


async def load(session: AsyncSession, id: str) -> ResolvedAssistant:
    """An assistant as it answers in threads that it belongs to; raises AssistantNotFound, AssistantInactive."""
    assistant = await session.get(Assistant, id)
    if assistant is None:
        raise AssistantNotFound()
    if not assistant.active:
        raise AssistantInactive()
    return await load_row(session, assistant)


async def load_row(session: AsyncSession, assistant: Assistant) -> ResolvedAssistant:
    """The version of an assistant that answers."""
    version = await session.get_one(AssistantVersion, (assistant.id, assistant.version))
    settings = read_settings(version.settings)
    return ResolvedAssistant(assistant.id, assistant.name, version.version, version.instructions, settings)


async def assistant_names(session: AsyncSession, ids: Collection[str]) -> dict[str, str]:
    """Names by id, for those who see the threads that they belong to."""
    if not ids:
        return {}
    rows = await session.execute(select(Assistant.id, Assistant.name).where(Assistant.id.in_(ids)))
    return {row[0]: row[1] for row in rows}


async def ensure_default(session: AsyncSession) -> None:
    """See to it that somebody answers everywhere: a global assistant for everybody, if there is none at all."""
    query = select(Assistant.id).where(Assistant.scope == "global", Assistant.role.is_(None)).limit(1)
    if (await session.execute(query)).first() is not None:
        return
    await plant_global(session, DEFAULT_NAME, given_instructions("default"))


async def plant_global(
    session: AsyncSession, name: str, instructions: str, *, role: Role | None = None
) -> None:
    """A global assistant that nobody has made; nothing happens when there is one of this name."""
    now = utc_now()
    assistant = Assistant(
        id=new_id("ast"),
        scope="global",
        role=role,
        name=name,
        active=True,
        version=1,
        created_at=now,
        updated_at=now,
    )
    try:
        async with session.begin_nested():
            session.add(assistant)
            await session.flush()
            session.add(_version(assistant, None, instructions, AssistantSettings()))
    except IntegrityError:
        pass  # the name is taken, perhaps by another instance that starts at this moment
