"""Jobs: work that outlives the request and the process that asked for it, done by whichever instance is free.

A job is enqueued in the transaction that makes it necessary. A worker holds what it runs by a lease; when the worker
dies, the lease runs out and another begins the job again. So a job happens at least once, and a handler must bear that.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel import jobs_lease
from famulus.kernel.clock import clock
from famulus.kernel.database import Database, announce
from famulus.kernel.errors import FamulusError
from famulus.kernel.ids import new_id
from famulus.kernel.jobs_lease import Held
from famulus.kernel.jobs_schedule import Schedule, any_due, register, take_ticks
from famulus.kernel.jobs_table import Job, Payload
from famulus.kernel.lane import Value
from famulus.kernel.tables import utc_now

INSERT_JOB = (
    "INSERT INTO jobs (id, kind, payload, unique_key, status, run_at, attempts, lease_until, created_at)"
    " VALUES ($1, $2, $3, $4, 'pending', COALESCE($5, {now}), 0, 0, $6) ON CONFLICT DO NOTHING"
)
"""For scripts of the fast lane, with the values of `job_values`; a worker finds it within a second."""
MAX_ATTEMPTS = 6
MAX_WAIT = 3600.0
"""Seconds; the longest pause between two attempts."""
LEASE = 30.0
POLL = 1.0
TIME_LIMIT = 600.0
PURGE = Schedule("jobs.purge", "17 4 * * *", "jobs.purge")

Handler = Callable[[Payload], Awaitable[None]]
log = structlog.get_logger(__name__)


class Later(Exception):
    """Raised by a handler to be called again after some seconds; that does not count as a failed attempt."""

    def __init__(self, seconds: float) -> None:
        self.seconds = max(0.0, seconds)
        super().__init__(f"again in {self.seconds:g} s")


@dataclass(frozen=True, slots=True)
class JobQueued:
    """There is a new job; published after the commit."""

    kind: str


def job_values(
    kind: str,
    payload: Mapping[str, str | int | bool | None],
    *,
    run_at: datetime | None = None,
    unique: str | None = None,
) -> tuple[Value, ...]:
    """The values of `INSERT_JOB`."""
    body = json.dumps(payload, ensure_ascii=False, separators=(",", ":"))
    return new_id("job"), kind, body, unique, run_at.timestamp() if run_at else None, utc_now()


async def enqueue(
    session: AsyncSession,
    kind: str,
    payload: Mapping[str, str | int | bool | None],
    *,
    run_at: datetime | None = None,
    unique: str | None = None,
) -> None:
    """Ask for work, once the caller's transaction has committed; nothing when `unique` is waiting already."""
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    due = run_at.timestamp() if run_at else (await session.scalars(select(clock()))).one()
    values = {
        "id": new_id("job"),
        "kind": kind,
        "payload": dict(payload),
        "unique_key": unique,
        "status": "pending",
        "run_at": due,
        "attempts": 0,
        "lease_until": 0.0,
        "created_at": utc_now(),
    }
    await session.execute(insert(Job).values(values).on_conflict_do_nothing())
    announce(session, JobQueued(kind))


class Worker:
    """Does the jobs of this process, a few at a time, and asks for those that are scheduled."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        owner: str,
        *,
        schedules: Sequence[Schedule] = (),
        concurrency: int = 2,
    ) -> None:
        self._database = database
        self._handlers = {**handlers, PURGE.kind: self._purge}
        self._owner = owner
        self._schedules = (PURGE, *schedules)
        self._concurrency = concurrency
        self._claims = 0
        self._news = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        database.bus.subscribe(JobQueued, lambda _: self._news.set())

    async def start(self) -> None:
        """Begin to work."""
        await register(self._database, self._schedules)
        loops = [self._work() for _ in range(self._concurrency)]
        self._tasks = [asyncio.create_task(loop) for loop in (*loops, self._keep_time())]

    async def stop(self) -> None:
        """Stop; jobs that are being done are put back for another worker, or the next start."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _work(self) -> None:
        while True:
            try:
                job = await jobs_lease.claim(self._database, tuple(self._handlers), self._holder(), LEASE)
                if job is not None:
                    await self._do(job)
                    continue
            except FamulusError as error:
                log.warning("worker_delayed", error=error.detail)
            await self._rest()

    def _holder(self) -> str:
        self._claims += 1
        return f"{self._owner}:{self._claims}"

    async def _rest(self) -> None:
        self._news.clear()
        try:
            await asyncio.wait_for(self._news.wait(), POLL)
        except TimeoutError:
            return

    async def _do(self, job: Held) -> None:
        renewing = asyncio.create_task(self._renew(job))
        try:
            async with asyncio.timeout(TIME_LIMIT):
                await self._handlers[job.kind](job.payload)
        except Later as later:
            await jobs_lease.put_back(self._database, job, delay=later.seconds, counts=False)
        except asyncio.CancelledError:
            await asyncio.shield(jobs_lease.put_back(self._database, job, counts=False))
            raise
        except Exception as error:  # a handler may fail in any way; the job keeps the reason, the log the details
            log.exception("job_failed", kind=job.kind, attempts=job.attempts)
            await self._failed(job, f"{type(error).__name__}: {error}")
        else:
            await jobs_lease.done(self._database, job)
        finally:
            renewing.cancel()

    async def _failed(self, job: Held, error: str) -> None:
        if job.attempts >= MAX_ATTEMPTS:
            await jobs_lease.give_up(self._database, job, error)
        else:
            await jobs_lease.put_back(self._database, job, delay=min(MAX_WAIT, 2.0**job.attempts), error=error)

    async def _renew(self, job: Held) -> None:
        while True:
            await asyncio.sleep(LEASE / 3)
            if not await jobs_lease.renew(self._database, job, LEASE):
                return

    async def _keep_time(self) -> None:
        while True:
            try:
                if await any_due(self._database, self._schedules):
                    async with self._database.write() as session:
                        for schedule in await take_ticks(session, self._schedules):
                            await enqueue(session, schedule.kind, {}, unique=schedule.name)
            except FamulusError as error:
                log.warning("schedule_delayed", error=error.detail)
            await asyncio.sleep(POLL)

    async def _purge(self, _payload: Payload) -> None:
        await jobs_lease.purge(self._database)
