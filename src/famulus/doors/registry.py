"""`/assistants` and `/courses`: the registry under the names that existing front ends use."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.assistants import registry
from famulus.assistants.registry import Filters, Scope
from famulus.assistants.resolve import resolve_for
from famulus.assistants.schemas import (
    AssistantChange,
    AssistantOut,
    AssistantPage,
    CourseAssistant,
    NewAssistant,
    ResolvedOut,
)
from famulus.campus import courses
from famulus.campus.schemas.courses import CourseFilters, CoursePage
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.identity.principal import Role
from famulus.kernel.text import Id

router = APIRouter(
    tags=["registry"],
    # The native operations have the plain names.
    generate_unique_id_function=lambda route: f"registry_{route.name}",
)


@router.get("/assistants")
async def list_assistants(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    *,
    scope: Annotated[Scope | None, Query()] = None,
    role: Annotated[Role | None, Query()] = None,
    org_id: Annotated[Id | None, Query()] = None,
    course_id: Annotated[Id | None, Query()] = None,
) -> AssistantPage:
    """The assistants that the person may see."""
    filters = Filters(scope, role, org_id, course_id)
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
    org_id: Annotated[Id | None, Query(description="Where; by default the active organization.")] = None,
    course_id: Annotated[Id | None, Query(description="In which course.")] = None,
) -> ResolvedOut:
    """Who answers in a place: course pin, course, organization by role, global by role."""
    return ResolvedOut.of(
        await resolve_for(session, principal, role=role, organization_id=org_id, course_id=course_id)
    )


@router.get("/assistants/{assistant_id}")
async def get_assistant(
    assistant_id: IdPath, principal: CurrentPrincipal, session: ReadSession
) -> AssistantOut:
    """One assistant."""
    return AssistantOut.of(await registry.get_assistant(session, principal, assistant_id))


@router.patch("/assistants/{assistant_id}")
async def change_assistant(
    assistant_id: IdPath, body: AssistantChange, principal: CurrentPrincipal, session: WriteSession
) -> AssistantOut:
    """Change an assistant; other instructions or settings make its next version."""
    return AssistantOut.of(await registry.change_assistant(session, principal, assistant_id, body.changes()))


@router.post("/courses/{course_id}/assistant", status_code=status.HTTP_201_CREATED)
async def create_course_assistant(
    course_id: IdPath, body: CourseAssistant, principal: CurrentPrincipal, session: WriteSession
) -> AssistantOut:
    """The assistant of a course, by its teachers and the admins of its organization."""
    return AssistantOut.of(await registry.create_assistant(session, principal, body.draft(course_id)))


@router.get("/courses/my")
async def list_my_courses(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[CourseFilters, Query()],
) -> CoursePage:
    """The courses that the person learns, teaches or administers in the active organization."""
    found = await courses.list_my_courses(session, principal, filters, paging)
    return CoursePage(items=found.items, next=found.next)
