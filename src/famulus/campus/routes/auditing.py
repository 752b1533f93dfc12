"""The audit over HTTP."""

from datetime import UTC, datetime
from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import AwareDatetime

from famulus.campus import auditing
from famulus.campus.auditing import Wanted
from famulus.campus.schemas.audit import AuditPage
from famulus.identity.deps import CurrentPrincipal, PagingDep, ReadSession
from famulus.kernel.text import Id

router = APIRouter(tags=["audit"])


@router.get("/api/v1/audit")
async def list_entries(
    *,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    organization_id: Annotated[Id | None, Query(description="Affairs of this organization.")] = None,
    actor_id: Annotated[Id | None, Query(description="Done by this person.")] = None,
    action: Annotated[
        str | None,
        Query(max_length=64, pattern=r"^[a-z_.]+$", description="What the action begins with: `course.`."),
    ] = None,
    thing_id: Annotated[Id | None, Query(description="Done to this.")] = None,
    since: Annotated[AwareDatetime | None, Query(alias="from", description="At this time or later.")] = None,
    until: Annotated[AwareDatetime | None, Query(alias="to", description="Before this time.")] = None,
) -> AuditPage:
    """Who did what, the newest first; for site admins, and for an organization's admins what concerns it."""
    wanted = Wanted(organization_id, actor_id, action, thing_id, _utc(since), _utc(until))
    found = await auditing.list_entries(session, principal, paging, wanted)
    return AuditPage(items=found.items, next=found.next)


def _utc(time: datetime | None) -> datetime | None:
    return time and time.astimezone(UTC)
