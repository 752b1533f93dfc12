"""Tools that tell what happened: figures of a course or an organization, and what a person did."""

from datetime import date
from typing import Annotated

from pydantic import Field

from famulus.insights import activity, analytics
from famulus.insights.schemas import ActivityItem, Analytics
from famulus.kernel.errors import Invalid
from famulus.kernel.paging import Paging
from famulus.kernel.text import Name
from famulus.tools.arguments import Arguments
from famulus.tools.builtin import finding
from famulus.tools.builtin.courses import Which as WhichCourse
from famulus.tools.builtin.organizations import Which as WhichOrganization
from famulus.tools.builtin.wording import SHOWN, quoted
from famulus.tools.contract import Done, Retry, Tool, ToolContext

MOST_DAYS_SHOWN = 31
"""Of a longer period only the sums are told."""


class GetAnalytics(Arguments):
    """Of what, and of which days."""

    course: WhichCourse | None = None
    """Without a course, the organization as a whole; for its admins."""
    organization: WhichOrganization | None = None
    """By default the one where the person is."""
    first: date | None = None
    """The first day; by default 30 in all."""
    last: date | None = None
    """The last day; yesterday at the latest."""


class RecentActivity(Arguments):
    """Whose, and how much."""

    member: Name | None = None
    """Another member of the organization, by e-mail address or name; only for its admins."""
    limit: Annotated[int, Field(ge=1, le=SHOWN)] = 20


async def _analytics(context: ToolContext, given: GetAnalytics) -> Done:
    try:
        days = analytics.days_between(given.first, given.last)
    except Invalid as error:
        raise Retry("; ".join(f"`first`: {each.message}" for each in error.fields)) from error
    if given.course is not None:
        course = await finding.course(context, given.course)
        found = await analytics.course_analytics(context.session, context.principal, course.id, days)
        return _told(found, quoted(course.title))
    where = await finding.organization_id(context, given.organization)
    found = await analytics.organization_analytics(context.session, context.principal, where, days)
    return _told(found, "the organization")


def _told(found: Analytics, where: str) -> Done:
    data = found.model_dump(mode="json", by_alias=True, exclude={"days"})
    if len(found.days) <= MOST_DAYS_SHOWN:
        data["days"] = [
            {"day": str(day.day), "questions": day.questions, "active_people": day.active_people}
            for day in found.days
            if day.questions != 0
        ]
    asked = found.total.questions
    questions = "too few people asked to tell a number of" if asked is None else f"there were {asked}"
    return Done(
        f"From {found.first} to {found.last} {questions} questions in {where}. Figures that would speak of fewer than "
        f"{found.smallest_group} people are left out.",
        data,
    )


async def _activity(context: ToolContext, given: RecentActivity) -> Done:
    session, principal, paging = context.session, context.principal, Paging(given.limit)
    if given.member is None:
        found = await activity.own_activity(session, principal, paging)
    else:
        where = await finding.organization_id(context, None)
        member = await finding.member(context, where, given.member)
        found = await activity.member_activity(session, principal, where, member.user_id, paging)
    rows = [_row(item) for item in found.items]
    more = " There is more before it." if found.next else ""
    return Done(f"This was done lately, the newest first.{more}" if rows else "Nothing was done yet.", rows)


def _row(item: ActivityItem) -> dict[str, object]:
    return {
        "at": item.at.isoformat(),
        "kind": item.kind,
        "action": item.action,
        "title": item.title,
        "thing_id": item.thing_id,
        "course_id": item.course_id,
    }


TOOLS = (
    Tool(
        name="get_analytics",
        description="Tell in numbers how a course or the organization is used: threads, questions, answers, ratings, "
        "by day and in all. For whoever teaches or administers it.",
        parameters=GetAnalytics,
        effect="reads",
        needs=("course", "analyse"),
        act=_analytics,
    ),
    Tool(
        name="recent_activity",
        description="List what the person did lately, the newest first: changes, questions asked, tasks done.",
        parameters=RecentActivity,
        effect="reads",
        needs=("activity", "see"),
        act=_activity,
    ),
)
