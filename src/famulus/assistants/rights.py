"""Who sees and who changes an assistant, in terms of what the campus says about organizations and courses.

Whoever may change one also sees it switched off, and what it is told; everybody else sees that it is there.
"""

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.errors import AssistantNotFound
from famulus.assistants.models import Assistant
from famulus.campus.access import may_teach, readable_courses, taught_courses
from famulus.identity.principal import Principal
from famulus.kernel.errors import Forbidden


def visible_assistants(principal: Principal) -> Select[Assistant]:
    """Active ones that are global, of the active organization or of readable courses; and those one may change."""
    query = select(Assistant)
    if principal.is_site_admin:
        return query
    courses = readable_courses(principal).with_only_columns(readable_courses(principal).selected_columns[0])
    here = Assistant.organization_id == principal.organization_id if principal.organization_id else false()
    near = or_(
        Assistant.scope == "global",
        and_(Assistant.scope == "organization", here),
        and_(Assistant.scope == "course", Assistant.course_id.in_(courses)),
    )
    return query.where(or_(manages(principal), and_(Assistant.active, near)))


def manages(principal: Principal) -> ColumnElement[bool]:
    """Whether this person may change the assistant: what `require_manage` asks, for every row of a list."""
    if principal.is_site_admin:
        return true()
    own = false()
    if principal.is_organization_admin:
        own = and_(Assistant.scope == "organization", Assistant.organization_id == principal.organization_id)
    taught = and_(Assistant.scope == "course", Assistant.course_id.in_(taught_courses(principal)))
    return or_(own, taught)


async def find_assistant(
    session: AsyncSession, principal: Principal, id: str, *, to_change: bool = False
) -> Assistant:
    """One assistant that this person may see, locked when it is to be changed; raises AssistantNotFound."""
    query = visible_assistants(principal).where(Assistant.id == id)
    if to_change:
        query = query.with_for_update(of=Assistant)
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
