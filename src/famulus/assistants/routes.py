"""`/api/v1/assistants`: the registry over HTTP, and which assistant a course is pinned to."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.assistants import registry
from famulus.assistants.registry import Filters, Scope
from famulus.assistants.resolve import resolve_for
from famulus.assistants.schemas import (
    AssistantChange,
    AssistantOut,
    AssistantPage,
    NewAssistant,
    PinAssistant,
    ResolvedOut,
    VersionOut,
    VersionPage,
)
from famulus.identity.deps import CurrentPrincipal, PagingDep, ReadSession, WriteSession
from famulus.identity.principal import Role
from famulus.kernel.text import Id

router = APIRouter(prefix="/api/v1", tags=["assistants"])


@router.get("/assistants")
async def list_assistants(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    *,
    scope: Annotated[Scope | None, Query()] = None,
    role: Annotated[Role | None, Query()] = None,
    organization_id: Annotated[Id | None, Query()] = None,
    course_id: Annotated[Id | None, Query()] = None,
    active: Annotated[bool | None, Query()] = None,
) -> AssistantPage:
    """The assistants that the person may see."""
    filters = Filters(scope, role, organization_id, course_id, active)
    found = await registry.list_assistants(session, principal, filters, paging)
    return AssistantPage(items=[AssistantOut.of(card) for card in found.items], next=found.next)


@router.post("/assistants", status_code=status.HTTP_201_CREATED)
async def create_assistant(
    body: NewAssistant, principal: CurrentPrincipal, session: WriteSession
) -> AssistantOut:
    """A new assistant: global by site admins, of an organization by its admins, of a course by its teachers too."""
    return AssistantOut.of(await registry.create_assistant(session, principal, body.draft()))


@router.get("/assistants/resolve")
async def resolve_assistant(
    principal: CurrentPrincipal,
    session: ReadSession,
    *,
    role: Annotated[Role | None, Query(description="As which role; by default one's own.")] = None,
    organization_id: Annotated[Id | None, Query(description="Where; by default the active one.")] = None,
    course_id: Annotated[Id | None, Query(description="In which course.")] = None,
) -> ResolvedOut:
    """Who answers in a place: course pin, course, organization by role, global by role."""
    found = await resolve_for(
        session, principal, role=role, organization_id=organization_id, course_id=course_id
    )
    return ResolvedOut.of(found)


@router.get("/assistants/{assistant_id}")
async def get_assistant(assistant_id: Id, principal: CurrentPrincipal, session: ReadSession) -> AssistantOut:
    """One assistant."""
    return AssistantOut.of(await registry.get_assistant(session, principal, assistant_id))


@router.patch("/assistants/{assistant_id}")
async def change_assistant(
    assistant_id: Id, body: AssistantChange, principal: CurrentPrincipal, session: WriteSession
) -> AssistantOut:
    """Change an assistant; other instructions or settings make its next version."""
    return AssistantOut.of(await registry.change_assistant(session, principal, assistant_id, body.changes()))


@router.get("/assistants/{assistant_id}/versions")
async def list_versions(
    assistant_id: Id, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> VersionPage:
    """Every version of an assistant, newest first; for those who manage it."""
    found = await registry.list_versions(session, principal, assistant_id, paging)
    return VersionPage(items=[VersionOut.of(version) for version in found.items], next=found.next)


@router.put("/courses/{course_id}/assistant", status_code=status.HTTP_204_NO_CONTENT)
async def pin_assistant(
    course_id: Id, body: PinAssistant, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """Pin a course to an assistant that its organization may use, or take the pin away."""
    await registry.pin_course(session, principal, course_id, body.assistant_id)
