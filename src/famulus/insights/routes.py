"""Analytics and activity over HTTP."""

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Query

from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession
from famulus.insights import activity, analytics
from famulus.insights.schemas import ActivityPage, Analytics

router = APIRouter(prefix="/api/v1", tags=["insights"])
From = Annotated[date | None, Query(alias="from", description="The first day; by default 30 in all.")]
To = Annotated[date | None, Query(alias="to", description="The last day; yesterday at the latest.")]


@router.get("/courses/{course_id}/analytics")
async def course_analytics(
    course_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    first: From = None,
    last: To = None,
) -> Analytics:
    """A course in numbers, day by day; for its teachers and admins. No figure speaks of fewer than five people."""
    days = analytics.days_between(first, last)
    return await analytics.course_analytics(session, principal, course_id, days)


@router.get("/organizations/{organization_id}/analytics")
async def organization_analytics(
    organization_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    first: From = None,
    last: To = None,
) -> Analytics:
    """An organization in numbers, day by day; for its admins. No figure speaks of fewer than five people."""
    days = analytics.days_between(first, last)
    return await analytics.organization_analytics(session, principal, organization_id, days)


@router.get("/activity")
async def own_activity(principal: CurrentPrincipal, session: ReadSession, paging: PagingDep) -> ActivityPage:
    """What the person did, the newest first: changes, questions asked, tasks done."""
    found = await activity.own_activity(session, principal, paging)
    return ActivityPage(items=found.items, next=found.next)


@router.get("/organizations/{organization_id}/members/{user_id}/activity")
async def member_activity(
    organization_id: IdPath,
    user_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
) -> ActivityPage:
    """What a member did in the organization; for its admins. Of questions only when, and in which course."""
    found = await activity.member_activity(session, principal, organization_id, user_id, paging)
    return ActivityPage(items=found.items, next=found.next)
