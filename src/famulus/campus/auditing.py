"""Reading the audit: by site admins all of it, by an organization's admins what is its affair.

Every question that is allowed is answered by an index, so a page costs the same at any depth of a million entries. Ids
sort by time, so days are a range of ids. An action may be given by its beginning: the few actions that begin so are
looked up first, by jumps through the index, and then a page of each is merged.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, func, literal, select, union_all
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.schemas.audit import AuditEntryOut
from famulus.identity.audit import Entry, entries
from famulus.identity.directory import directory
from famulus.identity.principal import Principal
from famulus.kernel.errors import FieldProblem, Invalid
from famulus.kernel.ids import moment
from famulus.kernel.paging import LAST_CHARACTER, Page, Paging, begins_with, by_row, decode_key, page

ACTIONS = 100
"""Different actions that one beginning may stand for."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which entries are wanted; of actor, action and thing only one, for no index has two of them."""

    organization_id: str | None = None
    actor_id: str | None = None
    action: str | None = None
    """What the action begins with, such as `course.` or `course.create`."""
    thing_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


async def list_entries(
    session: AsyncSession, principal: Principal, paging: Paging, wanted: Wanted
) -> Page[AuditEntryOut]:
    """Entries, the newest first. Raises NotFound, Forbidden, or Invalid for what no index could answer."""
    given = [name for name in ("actor_id", "action", "thing_id") if getattr(wanted, name) is not None]
    if len(given) > 1:
        message = "Ask by one of actor_id, action and thing_id at a time."
        raise Invalid(fields=tuple(FieldProblem(name, message) for name in given))
    organization_id = wanted.organization_id
    if not principal.is_site_admin:
        organization_id = organization_id or principal.organization_id
    await access.require_in(session, principal, "see", "audit entry", organization_id=organization_id)
    where = _range(wanted, paging)
    if organization_id is not None:
        # What happened to one thing is one organization's affair: the index of things is to be used, not that of it.
        place = Entry.organization_id if wanted.thing_id is None else by_row(Entry.organization_id)
        where.append(place == organization_id)
    if wanted.actor_id is not None:
        where.append(Entry.actor_id == wanted.actor_id)
    if wanted.thing_id is not None:
        where.append(Entry.thing_id == wanted.thing_id)
    if wanted.action is not None:
        where = [await _by_action(session, wanted.action, where, organization_id, paging)]
    person = directory().subquery()
    query = entries().where(*where).add_columns(person.c.name.label("actor_name"), Entry.id)
    query = query.outerjoin(person, person.c.id == Entry.actor_id)
    found = await page(session, query, by=[Entry.id], paging=paging, descending=True)
    return found.map(lambda row: _out(row[0], row.actor_name))


def _range(wanted: Wanted, paging: Paging) -> list[ColumnElement[bool]]:
    # One upper bound: where a page goes on after a key, SQLite would begin at the range's end and walk down to it.
    end = Entry.id if paging.after is None else by_row(Entry.id)
    where: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        where.append(Entry.id >= f"aud_{moment(wanted.since)}")
    if wanted.until is not None:
        where.append(end < f"aud_{moment(wanted.until)}")
    return where


async def _by_action(
    session: AsyncSession,
    beginning: str,
    where: list[ColumnElement[bool]],
    organization_id: str | None,
    paging: Paging,
) -> ColumnElement[bool]:
    """Whether an entry is among the newest of each action that begins so."""
    if paging.after is not None:
        [before] = decode_key(paging.after, 1)
        where = [*where, Entry.id < str(before)]
    arms = [
        select(
            select(Entry.id)
            .where(*where, Entry.action == action)
            .order_by(Entry.id.desc())
            .limit(paging.limit + 1)
            .subquery()
        )
        for action in await _actions(session, beginning, organization_id)
    ]
    return Entry.id.in_(union_all(*arms)) if arms else literal(False)


async def _actions(session: AsyncSession, beginning: str, organization_id: str | None) -> list[str]:
    """The different actions that begin so: each step jumps to the next one in the index."""
    here = [] if organization_id is None else [Entry.organization_id == organization_id]
    first = select(func.min(Entry.action).label("action")).where(*here, begins_with(Entry.action, beginning))
    found = first.cte("found", recursive=True)
    # One lower bound: of two, SQLite would take the other one and walk through all between them.
    following = (
        select(func.min(Entry.action))
        .where(*here, Entry.action > found.c.action, Entry.action < beginning + LAST_CHARACTER)
        .correlate(found)
        .scalar_subquery()
    )
    found = found.union_all(select(following).where(found.c.action.is_not(None)))
    query = select(found.c.action).where(found.c.action.is_not(None)).limit(ACTIONS)
    return list((await session.execute(query)).scalars())


def _out(entry: Entry, actor_name: str | None) -> AuditEntryOut:
    return AuditEntryOut(
        id=entry.id,
        at=entry.at,
        actor_id=entry.actor_id,
        actor_name=actor_name,
        actor_role=entry.actor_role,
        organization_id=entry.organization_id,
        action=entry.action,
        thing_id=entry.thing_id,
        thing_name=entry.thing_name,
        before=entry.before,
        after=entry.after,
        address=entry.address,
        request_id=entry.request_id,
    )


async def lately_done(session: AsyncSession, principal: Principal, limit: int) -> list[str]:
    """What this person did last, newest first, as `track.create: Python`; what they did is theirs to know."""
    principal.needs("read")
    query = select(Entry.action, Entry.thing_name).where(
        Entry.actor_id == principal.user_id, Entry.action != "tool.call"
    )
    found = await session.execute(query.order_by(Entry.id.desc()).limit(limit))
    return [f"{action}: {name}" if name else action for action, name in found]
