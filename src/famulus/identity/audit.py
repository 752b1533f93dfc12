"""The audit: who did what, as what, to what, from where. Written in the transaction of the change, or not at all.

Whoever changes something says so here, with what it was before and what it is now. Secrets never come in: a field is
written down only by those who name it. Reading is the campus's to allow.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.accounts import Account
from famulus.identity.models import AuditEntry
from famulus.identity.principal import Principal
from famulus.kernel.database import at_end
from famulus.kernel.ids import new_id
from famulus.kernel.lane import Statement
from famulus.kernel.origin import origin
from famulus.kernel.tables import utc_now

Entry = AuditEntry
"""Its columns, for conditions of whoever may read."""
LONGEST = 500
"""Characters of one value that an entry keeps: it tells what was changed, and is no archive of it."""


@dataclass(frozen=True, slots=True)
class Thing:
    """What something was done to."""

    id: str
    name: str
    organization_id: str | None = None
    """Whose affair it is; None for the site's."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done, to what, and what it changed."""

    action: str
    thing: Thing | None = None
    before: Mapping[str, object] | None = None
    after: Mapping[str, object] | None = None
    id: str | None = None
    """The entry's own, where it was given out before, so that there cannot be two of it."""


def record(
    session: AsyncSession,
    actor: Principal | None,
    action: str,
    thing: Thing | None = None,
    *,
    before: Mapping[str, object] | None = None,
    after: Mapping[str, object] | None = None,
) -> None:
    """Write down that `actor` did `action` (`course.change`); None is the server itself, or its operator."""
    at_end(session, statement(actor, Done(action, thing, before, after)))


async def record_all(session: AsyncSession, actor: Principal | None, done: Sequence[Done]) -> None:
    """`record` for many at once, in one statement."""
    if done:
        await session.execute(insert(AuditEntry), [_entry(actor, each) for each in done])


async def record_once(session: AsyncSession, actor: Principal | None, done: Done) -> bool:
    """`record` what has an id of its own; False where that is written down already.

    Of two at the same moment one raises IntegrityError.
    """
    if (await session.execute(select(AuditEntry.id).where(AuditEntry.id == done.id))).first() is not None:
        return False
    await record_all(session, actor, [done])
    return True


def statement(actor: Principal | None, done: Done) -> Statement:
    """`record` as a statement of the fast lane, for what commits there."""
    entry = _entry(actor, done)
    for name in ("before", "after"):
        entry[name] = entry[name] and json.dumps(entry[name], ensure_ascii=False, separators=(",", ":"))
    return _INSERT, tuple(entry.values())


def change(row: Any, given: Mapping[str, object]) -> tuple[dict[str, object], dict[str, object]]:
    """Give a row's fields new values; returns those that differ, as they were and as they are.

    Where none does, nothing has happened: there is nothing to write down, to announce or to date.
    """
    before = {name: getattr(row, name) for name, value in given.items() if getattr(row, name) != value}
    after = {name: given[name] for name in before}
    for name, value in after.items():
        setattr(row, name, value)
    if after:
        row.updated_at = utc_now()
    return before, after


async def forget_things(session: AsyncSession, ids: Collection[str]) -> None:
    """Have the entries about these things keep their ids alone: what they were called and like is somebody's."""
    about = update(AuditEntry).where(AuditEntry.thing_id.in_(ids))
    await session.execute(about.values(thing_name=None, before=None, after=None))


async def forget_actor(session: AsyncSession, account: Account) -> None:
    """Have the entries about what somebody did keep the id alone: neither from where, nor the name of the account."""
    mine = update(AuditEntry).where(AuditEntry.actor_id == account.id)
    await session.execute(mine.values(address=None))
    await session.execute(mine.where(AuditEntry.thing_name == account.email).values(thing_name=None))


def oneself(account: Account) -> Principal:
    """Somebody who acts on their own account without being signed in yet."""
    return Principal(user_id=account.id, name=account.name, email=account.email)


def of_account(account: Account) -> Thing:
    """An account, as what something was done to."""
    return Thing(account.id, account.email)


def entries() -> Select[AuditEntry]:
    """Every entry; whose one may read is the campus's to add."""
    return select(AuditEntry)


_COLUMNS = (
    "id", "at", "actor_id", "actor_role", "organization_id", "action", "thing_id", "thing_name", "before", "after",
    "address", "request_id",
)  # fmt: skip
_INSERT = (
    f"INSERT INTO audit_entries ({', '.join(_COLUMNS)})"  # noqa: S608 – names of ours
    f" VALUES ({', '.join(f'${n}' for n in range(1, len(_COLUMNS) + 1))})"
)


def _entry(actor: Principal | None, done: Done) -> dict[str, Any]:
    place, thing = origin(), done.thing
    return {
        "id": done.id or new_id("aud"),
        "at": utc_now(),
        "actor_id": actor and actor.user_id,
        "actor_role": actor and actor.role,
        "organization_id": thing and thing.organization_id,
        "action": done.action,
        "thing_id": thing and thing.id,
        "thing_name": thing and thing.name,
        "before": _plain(done.before),
        "after": _plain(done.after),
        "address": place.address,
        "request_id": place.request_id,
    }


def _plain(values: Mapping[str, object] | None) -> dict[str, object] | None:
    return {name: _short(value) for name, value in values.items()} if values else None


def _short(value: object) -> object:
    match value:
        case datetime():
            return value.isoformat()
        case str() if len(value) > LONGEST:
            return f"{value[:LONGEST]}… ({len(value):,} characters)"
        case _:
            return value
