"""Who sees and who changes an assistant, in terms of what the campus says about organizations and courses.

Whoever may change one also sees it switched off, and what it is told; everybody else sees that it is there.
"""

from typing import Literal

from sqlalchemy import ColumnElement, Select, and_, false, or_, select, true
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.errors import AssistantNotFound
from famulus.assistants.models import Assistant
from famulus.campus import access
from famulus.identity.principal import Principal
from famulus.kernel.errors import NotFound


def visible_assistants(principal: Principal) -> Select[Assistant]:
    """Active ones that are global, of the active organization or of readable courses; and those one may change."""
    principal.needs("read")
    query = select(Assistant)
    if principal.is_site_admin:
        return query
    here = Assistant.organization_id == principal.organization_id if principal.organization_id else false()
    near = or_(
        Assistant.scope == "global",
        and_(Assistant.scope == "organization", here),
        and_(Assistant.scope == "course", access.in_course_where(principal, Assistant.course_id, "see")),
    )
    return query.where(or_(manages(principal), and_(Assistant.active, near)))


def manages(principal: Principal) -> ColumnElement[bool]:
    """Whether this person may change the assistant: what `require_manage` asks, for every row of a list."""
    if principal.is_site_admin:
        return true()
    ours = access.organizations_where(principal, "change", "organization assistant")
    taught = access.in_course_where(principal, Assistant.course_id, "change", "course assistant")
    return or_(
        and_(Assistant.scope == "organization", Assistant.organization_id.in_(ours)),
        and_(Assistant.scope == "course", taught),
    )


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


async def require_manage(
    session: AsyncSession,
    principal: Principal,
    assistant: Assistant,
    action: Literal["create", "change", "review"],
) -> None:
    """Raise Forbidden, naming the needed role, or AssistantNotFound for another organization's."""
    try:
        await access.require_in(
            session,
            principal,
            action,
            f"{assistant.scope} assistant",
            organization_id=assistant.organization_id,
            course_id=assistant.course_id,
        )
    except NotFound as error:
        raise AssistantNotFound() from error
