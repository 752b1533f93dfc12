"""Which assistant answers here, by precedence.

    course pin → course → organization by role → global by role → global for everybody

Only active ones count. One query finds all candidates, whatever is asked for.
"""

from sqlalchemy import and_, case, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.errors import AssistantNotFound
from famulus.assistants.models import Assistant
from famulus.assistants.registry import load_row
from famulus.assistants.settings import ResolvedAssistant
from famulus.campus.courses import course_card, pinned_assistant
from famulus.campus.organizations import get_organization
from famulus.identity.principal import Principal, Role
from famulus.kernel.errors import NotFound


async def resolve(
    session: AsyncSession, *, role: Role | None, organization_id: str | None, course_id: str | None
) -> ResolvedAssistant:
    """The assistant that answers a person of this role in this place; raises AssistantNotFound if there is none."""
    pinned = Assistant.id == pinned_assistant(course_id or "").scalar_subquery()
    of_course = and_(Assistant.scope == "course", Assistant.course_id == course_id)
    of_organization = and_(
        Assistant.scope == "organization",
        Assistant.organization_id == organization_id,
        Assistant.role == role,
    )
    of_role = and_(Assistant.scope == "global", Assistant.role == role)
    of_all = and_(Assistant.scope == "global", Assistant.role.is_(None))
    candidates = (pinned, of_course, of_organization, of_role, of_all)
    rank = case(*((condition, place) for place, condition in enumerate(candidates)), else_=len(candidates))
    query = select(Assistant).where(Assistant.active, or_(*candidates)).order_by(rank, Assistant.id).limit(1)
    found = (await session.execute(query)).scalar_one_or_none()
    if found is None:
        raise AssistantNotFound("No assistant answers here; a site administrator can create a global one.")
    return await load_row(session, found)


async def resolve_for(
    session: AsyncSession,
    principal: Principal,
    *,
    role: Role | None = None,
    organization_id: str | None = None,
    course_id: str | None = None,
) -> ResolvedAssistant:
    """Who answers somebody of a role in a place that this person sees; by default their own role and organization.

    Raises NotFound for a place of others, AssistantNotFound when nobody answers there.
    """
    principal.needs("read")
    place = principal.organization_id
    if course_id is not None:
        place = (await course_card(session, principal, course_id)).organization_id
        if organization_id not in (None, place):
            raise NotFound("There is no such course in this organization.")
    elif organization_id is not None:
        place = (await get_organization(session, principal, organization_id)).id
    return await resolve(session, role=role or principal.role, organization_id=place, course_id=course_id)
