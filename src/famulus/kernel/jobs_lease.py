"""What may happen to a job, each in one transaction that checks who holds it.

pending ── claim ─▶ running ── done ─▶ (gone)
   ▲                  │ │ └─── claim by another, once the lease has run out
   └── put_back ──────┘ └───── give_up ─▶ failed ── purge ─▶ (gone)
"""

import functools
from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import ColumnElement, CursorResult, Select, and_, delete, exists, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import aliased

from famulus.kernel.clock import clock
from famulus.kernel.database import Database
from famulus.kernel.jobs_table import Job, Payload
from famulus.kernel.lane import NOW, Script
from famulus.kernel.tables import utc_now

ERROR_LENGTH = 2000
FAILED_KEPT = timedelta(days=30)


Told = Callable[[AsyncSession, Payload, str], Awaitable[None]]
"""Hears that an attempt has failed and why, in the transaction that says so of the job."""


@dataclass(frozen=True, slots=True)
class Held:
    """A job that this holder runs, as long as its lease is renewed."""

    id: str
    kind: str
    payload: Payload
    attempts: int
    """How often it was begun, this time included."""
    holder: str


def anything_due(kinds: Sequence[str], schedules: Sequence[str]) -> Script:
    """Whether a job or a tick may be had: asked every second on the fast lane, so that an idle server idles."""
    places = [f"${n}" for n in range(1, len(kinds) + len(schedules) + 1)]
    jobs, ticks = ", ".join(places[: len(kinds)]), ", ".join(places[len(kinds) :])
    rows = yield (
        f"SELECT 1 WHERE EXISTS (SELECT 1 FROM jobs WHERE kind IN ({jobs})"  # noqa: S608 – only placeholders
        f" AND ((status = 'pending' AND run_at <= {NOW}) OR (status = 'running' AND lease_until < {NOW})))"
        f" OR EXISTS (SELECT 1 FROM schedules WHERE name IN ({ticks}) AND next_at <= {NOW})",
        (*kinds, *schedules),
    )
    return bool(rows)


async def claim(database: Database, kinds: Collection[str], holder: str, lease: float) -> Held | None:
    """Take the job that has been due longest, or one whose holder let `lease` seconds pass; None if there is none."""
    due = _due(tuple(kinds))
    async with database.read() as session:  # an idle poll must not ask for the one writer
        if await session.scalar(due) is None:
            return None
    query = (
        update(Job)
        .where(Job.id == due.with_for_update(skip_locked=True).scalar_subquery())
        .values(status="running", holder=holder, lease_until=clock() + lease, attempts=Job.attempts + 1)
        .returning(Job.id, Job.kind, Job.payload, Job.attempts)
        .execution_options(synchronize_session=False)
    )
    async with database.write() as session:
        row = (await session.execute(query)).one_or_none()
    return Held(row.id, row.kind, row.payload, row.attempts, holder) if row else None


async def renew(database: Database, job: Held, lease: float) -> bool:
    """Hold the job for `lease` seconds from now; False when it is no longer this holder's."""
    query = update(Job).where(_ours(job)).values(lease_until=clock() + lease)
    async with database.write() as session:
        return await _touched(session, query) > 0


async def done(database: Database, job: Held) -> None:
    """The job has succeeded."""
    async with database.write() as session:
        await session.execute(delete(Job).where(_ours(job)))


async def put_back(
    database: Database,
    job: Held,
    *,
    delay: float = 0.0,
    error: str | None = None,
    counts: bool = True,
    told: Told | None = None,
) -> None:
    """To be tried again after `delay` seconds; `counts` says whether the attempt was one.

    `told` hears of the error in the same transaction.
    """
    twin = aliased(Job)
    again = Job.unique_key.is_(None) | ~exists().where(
        twin.unique_key == Job.unique_key, twin.status == "pending"
    )
    values: dict[str, Any] = {
        "status": "pending",
        "holder": None,
        "run_at": clock() + delay,
        "error": error and error[:ERROR_LENGTH],
    }
    if not counts:
        values["attempts"] = Job.attempts - 1
    async with database.write() as session:
        if error is not None:
            await _tell(session, job, error, told)
        if not await _touched(session, update(Job).where(_ours(job), again).values(values)):
            # The same work was asked for again meanwhile, and that job is as good as this one.
            await session.execute(delete(Job).where(_ours(job)))


async def give_up(database: Database, job: Held, error: str, told: Told | None = None) -> None:
    """The job has failed for good; it is kept a while for somebody to read. `told` hears of it as of `put_back`."""
    values = {"status": "failed", "holder": None, "error": error[:ERROR_LENGTH], "finished_at": utc_now()}
    async with database.write() as session:
        await _tell(session, job, error, told)
        await session.execute(update(Job).where(_ours(job)).values(values))


async def _tell(session: AsyncSession, job: Held, error: str, told: Told | None) -> None:
    """Not of a job that somebody else holds by now."""
    if told is not None and await session.scalar(select(Job.id).where(_ours(job))) is not None:
        await told(session, job.payload, error)


async def purge(database: Database) -> None:
    """Forget jobs that failed long ago."""
    async with database.write() as session:
        old = Job.finished_at < utc_now() - FAILED_KEPT
        await session.execute(delete(Job).where(Job.status == "failed", old))


@functools.lru_cache(maxsize=8)
def _due(kinds: tuple[str, ...]) -> Select[str]:
    """Built once, for it is asked every second."""
    job, twin = aliased(Job), aliased(Job)
    running_twin = exists().where(
        twin.unique_key == job.unique_key, twin.status == "running", twin.id != job.id
    )
    waiting = and_(job.status == "pending", job.run_at <= clock(), ~running_twin)
    abandoned = and_(job.status == "running", job.lease_until < clock())
    due = select(job.id).where(job.kind.in_(kinds), or_(waiting, abandoned))
    return due.order_by(job.run_at, job.id).limit(1)


def _ours(job: Held) -> ColumnElement[bool]:
    return and_(Job.id == job.id, Job.holder == job.holder, Job.status == "running")


async def _touched(session: AsyncSession, query: Any) -> int:
    result = await session.execute(query.execution_options(synchronize_session=False))
    assert isinstance(result, CursorResult)
    return result.rowcount
