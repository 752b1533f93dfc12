"""Who sees and who changes an assistant, in terms of what the campus says about organizations and courses."""

from sqlalchemy import Select, and_, false, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.errors import AssistantNotFound
from famulus.assistants.models import Assistant
from famulus.campus.access import may_teach, readable_courses
from famulus.identity.principal import Principal
from famulus.kernel.errors import Forbidden


def visible_assistants(principal: Principal) -> Select[Assistant]:
    """Global ones, those of the active organization, and those of courses that the person may read."""
    query = select(Assistant)
    if principal.is_site_admin:
        return query
    courses = readable_courses(principal).with_only_columns(readable_courses(principal).selected_columns[0])
    here = Assistant.organization_id == principal.organization_id if principal.organization_id else false()
    return query.where(
        or_(
            Assistant.scope == "global",
            and_(Assistant.scope == "organization", here),
            and_(Assistant.scope == "course", Assistant.course_id.in_(courses)),
        )
    )


async def find_assistant(session: AsyncSession, principal: Principal, id: str) -> Assistant:
    """One assistant that this person may see; raises AssistantNotFound."""
    query = visible_assistants(principal).where(Assistant.id == id)
    assistant = (await session.execute(query)).scalar_one_or_none()
    if assistant is None:
        raise AssistantNotFound()
    return assistant


async def require_manage(session: AsyncSession, principal: Principal, assistant: Assistant) -> None:
    """Raise Forbidden, naming the needed role, or AssistantNotFound for another organization's."""
    if principal.is_site_admin:
        return
    if assistant.scope == "global":
        raise Forbidden("Global assistants are managed by the role site_admin.")
    if assistant.organization_id != principal.organization_id:
        raise AssistantNotFound()
    if assistant.course_id is None:
        if not principal.is_organization_admin:
            raise Forbidden("Assistants of an organization are managed by its organization_admin.")
    elif not await may_teach(session, principal, assistant.course_id):
        raise Forbidden("The assistant of a course is managed by its teachers, or an organization_admin.")
