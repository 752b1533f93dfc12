"""Recent activity: what a person did, newest first, merged from what the rooms below keep of it.

Ids sort by time, so what stands after an id's prefix is the place of a change or a question among all others. A task
has its place by when it was done: that moment, written as an id's, before the rest of its own id.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping, Select, and_, func, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, memberships
from famulus.campus.figures import done_tasks
from famulus.conversations.figures import thread_facts
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.insights.schemas import ActivityItem
from famulus.kernel.ids import ALPHABET, moment, time_of
from famulus.kernel.paging import BadCursor, Page, Paging, decode_key, encode_key
from famulus.runs.figures import turns

MOMENT, WHOLE = 10, 26
"""Characters of an id's tail: those that say when, and all."""


@dataclass(frozen=True, slots=True)
class _Found:
    place: str
    item: ActivityItem


async def own_activity(session: AsyncSession, principal: Principal, paging: Paging) -> Page[ActivityItem]:
    """What this person did: changes, questions asked, tasks done."""
    before = _before(paging)
    found = [
        *await _changes(session, principal.user_id, before, paging),
        *await _questions(session, principal.user_id, before, paging),
        *await _tasks(session, principal.user_id, before, paging),
    ]
    return _page(found, paging)


async def member_activity(
    session: AsyncSession, principal: Principal, organization_id: str, user_id: str, paging: Paging
) -> Page[ActivityItem]:
    """What a member did in an organization, for its admins: that they asked and where, and nothing of what.

    Raises NotFound or Forbidden.
    """
    await access.require_in(session, principal, "see", "activity", organization_id=organization_id)
    if await memberships.member_by(session, organization_id, user_id=user_id) is None:
        raise memberships.NoMember()
    before = _before(paging)
    found = [
        *await _changes(session, user_id, before, paging, organization_id),
        *await _questions(session, user_id, before, paging, organization_id),
    ]
    return _page(found, paging)


def _before(paging: Paging) -> str | None:
    if paging.after is None:
        return None
    [place] = decode_key(paging.after, 1)
    try:
        if not isinstance(place, str) or len(place) != WHOLE or set(place) - set(ALPHABET):
            raise ValueError("an id's tail")
        time_of(place[:MOMENT])
    except (ValueError, OverflowError) as error:
        raise BadCursor() from error
    return place


def _page(found: list[_Found], paging: Paging) -> Page[ActivityItem]:
    found.sort(key=lambda each: each.place, reverse=True)
    kept = found[: paging.limit]
    more = len(found) > paging.limit
    return Page([each.item for each in kept], encode_key([kept[-1].place]) if more else None)


async def _changes(
    session: AsyncSession,
    user_id: str,
    before: str | None,
    paging: Paging,
    organization_id: str | None = None,
) -> list[_Found]:
    """Tasks are told by themselves, and only to whose they are."""
    entry = audit.Entry
    query = audit.entries().where(entry.actor_id == user_id, not_(entry.action.startswith("task.")))
    if organization_id is not None:
        query = query.where(entry.organization_id == organization_id)
    if before is not None:
        query = query.where(entry.id < f"aud_{before}")
    rows = await session.scalars(query.order_by(entry.id.desc()).limit(paging.limit + 1))
    return [
        _Found(
            row.id[4:],
            ActivityItem(
                id=row.id,
                at=row.at,
                kind="change",
                action=row.action,
                thing_id=row.thing_id,
                title=row.thing_name,
                organization_id=row.organization_id,
                course_id=None,
            ),
        )
        for row in rows
    ]


async def _questions(
    session: AsyncSession,
    user_id: str,
    before: str | None,
    paging: Paging,
    organization_id: str | None = None,
) -> list[_Found]:
    """Of somebody else's questions only that there was one, when, and in which course."""
    runs, threads = turns().subquery(), thread_facts().subquery()
    query = (
        select(
            runs.c.id,
            runs.c.created_at,
            threads.c.id.label("thread_id"),
            threads.c.title,
            threads.c.organization_id,
            threads.c.course_id,
        )
        .join(threads, threads.c.id == runs.c.thread_id)
        .where(runs.c.user_id == user_id)
    )
    if organization_id is not None:
        query = query.where(threads.c.organization_id == organization_id)
    if before is not None:
        query = query.where(runs.c.id < f"run_{before}")
    rows = await session.execute(query.order_by(runs.c.id.desc()).limit(paging.limit + 1))
    own = organization_id is None
    return [_Found(row["id"][4:], _question(row, own=own)) for row in rows.mappings()]


def _question(row: RowMapping, *, own: bool) -> ActivityItem:
    return ActivityItem(
        id=row["id"],
        at=row["created_at"],
        kind="question",
        action=None,
        thing_id=row["thread_id"] if own else None,
        title=row["title"] if own else None,
        organization_id=row["organization_id"],
        course_id=row["course_id"],
    )


async def _tasks(session: AsyncSession, user_id: str, before: str | None, paging: Paging) -> list[_Found]:
    tasks = done_tasks(user_id).subquery()
    query: Select[str, str, datetime] = select(tasks.c.id, tasks.c.title, tasks.c.done_at)
    rest = func.substr(tasks.c.id, 5 + MOMENT)  # SQL counts from 1, and the prefix has four characters
    if before is not None:
        then = time_of(before[:MOMENT])
        same = and_(tasks.c.done_at < then + timedelta(milliseconds=1), rest < before[MOMENT:])
        query = query.where(or_(tasks.c.done_at < then, same))
    rows = await session.execute(query.order_by(tasks.c.done_at.desc(), rest.desc()).limit(paging.limit + 1))
    return [
        _Found(
            moment(done_at) + id[4 + MOMENT :],
            ActivityItem(
                id=id,
                at=done_at,
                kind="task",
                action=None,
                thing_id=id,
                title=title,
                organization_id=None,
                course_id=None,
            ),
        )
        for id, title, done_at in rows.all()
    ]
