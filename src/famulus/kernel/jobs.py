"""Jobs: work that outlives the request and the process that asked for it, done by whichever instance is free.

A job is enqueued in the transaction that makes it necessary. A worker holds what it runs by a lease; when the worker
dies, the lease runs out and another begins the job again. So a job happens at least once, and a handler must bear that.
"""

import asyncio
import itertools
import json
import re
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any

import structlog
from sqlalchemy import bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel import jobs_lease, jobs_schedule
from famulus.kernel.clock import clock_of
from famulus.kernel.database import Database, announce
from famulus.kernel.errors import Unavailable
from famulus.kernel.ids import new_id
from famulus.kernel.jobs_lease import Held, Told
from famulus.kernel.jobs_schedule import Schedule
from famulus.kernel.jobs_table import Payload
from famulus.kernel.lane import NOW, Value
from famulus.kernel.tables import UtcTime, utc_now

INSERT_JOB = (
    "INSERT INTO jobs (id, kind, payload, unique_key, status, run_at, attempts, lease_until, created_at)"
    " VALUES ($1, $2, $3, $4, 'pending', COALESCE($5, {now}), 0, 0, $6) ON CONFLICT DO NOTHING"
)
"""For scripts of the fast lane, with the values of `job_values`; `Worker.wake` after the commit saves the poll."""

MAX_PAUSE = 3600.0
"""Seconds; the longest pause between two attempts."""
GRACE_TO_END = 5.0
"""Seconds that a handler gets to clean up when the worker stops."""
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
    if run_at is not None and run_at.tzinfo is None:
        raise ValueError(f"a naive time {run_at!r} was given where an aware one is needed")
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
    """Have a job done after this transaction, not before `run_at` (aware; now if left out).

    While a job with the same `unique` key is pending, another is not added. One that runs already may be past seeing
    what has just changed, so it does not keep a new one from being added; that one runs when it is over.
    """
    now = clock_of(session.get_bind().dialect.name)
    sql = re.sub(r"\$(\d)", r":v\1", INSERT_JOB.replace(NOW, now))
    values = job_values(kind, payload, run_at=run_at, unique=unique)
    statement = text(sql).bindparams(bindparam("v6", type_=UtcTime()))
    await session.execute(statement, {f"v{n}": value for n, value in enumerate(values, 1)})
    announce(session, JobQueued(kind))


class Worker:
    """Runs the jobs of the kinds it has handlers for, and sees to the schedules. `owner` names this instance."""

    def __init__(
        self,
        database: Database,
        handlers: Mapping[str, Handler],
        owner: str,
        *,
        schedules: Sequence[Schedule] = (),
        told: Mapping[str, Told] | None = None,
        concurrency: int = 2,
        lease: float = 30.0,
        time_limit: float = 900.0,
        max_attempts: int = 8,
        backoff: float = 2.0,
        poll: float = 1.0,
    ) -> None:
        """Times are in seconds: the n-th failure is followed by a pause of `backoff` * 2ⁿ⁻¹, an hour at most.

        `told`: by kind, who hears of attempts that have failed.
        """
        self._database = database
        self._handlers = {**handlers, PURGE.kind: self._purge}
        self._claims = (f"{owner}/{n}" for n in itertools.count(1))
        self._schedules = (*schedules, PURGE)
        self._told = told or {}
        self._concurrency = concurrency
        self._lease = lease
        self._time_limit = time_limit
        self._max_attempts = max_attempts
        self._backoff = backoff
        self._poll = poll
        self._woken = asyncio.Event()
        self._stopping = False
        self._registered = False
        self._loop: asyncio.Task[None] | None = None
        self._working: set[asyncio.Task[None]] = set()
        self._doing: set[asyncio.Future[None]] = set()

    async def start(self) -> None:
        """Begin to take jobs, in the background."""
        self._database.bus.subscribe(JobQueued, self._heard)
        self._loop = asyncio.create_task(self._run())

    async def stop(self, grace: float = 3.0) -> None:
        """Take no more jobs; what is not done after `grace` seconds is put back for the next worker."""
        self._stopping = True
        self.wake()
        if self._loop is not None:
            await self._loop
        if self._working:
            await asyncio.wait(self._working, timeout=grace)
        for doing in self._doing:
            doing.cancel()
        if self._working:
            await asyncio.wait(self._working, timeout=GRACE_TO_END)

    def wake(self) -> None:
        """Look for jobs now rather than at the next poll."""
        self._woken.set()

    def _heard(self, _event: JobQueued) -> None:
        self.wake()

    async def _purge(self, _payload: Payload) -> None:
        await jobs_lease.purge(self._database)

    async def _run(self) -> None:
        well = True
        while not self._stopping:
            self._woken.clear()
            try:
                await self._look()
                well = True
            except Exception:
                if well:  # a database that is away for an hour is one line, not 3,600
                    log.exception("job_poll_failed")
                well = False
            with suppress(TimeoutError):
                async with asyncio.timeout(self._poll):
                    await self._woken.wait()

    async def _look(self) -> None:
        if not self._registered:
            await jobs_schedule.register(self._database, self._schedules)
            self._registered = True
        names = [schedule.name for schedule in self._schedules]
        if not await self._database.lane.read(partial(jobs_lease.anything_due, [*self._handlers], names)):
            return
        if await jobs_schedule.any_due(self._database, self._schedules):
            async with self._database.write() as session:
                for schedule in await jobs_schedule.take_ticks(session, self._schedules):
                    await enqueue(session, schedule.kind, {}, unique=f"schedule:{schedule.name}")
        while len(self._working) < self._concurrency and not self._stopping:
            job = await jobs_lease.claim(self._database, self._handlers, next(self._claims), self._lease)
            if job is None:
                return
            task = asyncio.create_task(self._work(job))
            self._working.add(task)
            task.add_done_callback(self._left)

    def _left(self, task: asyncio.Task[None]) -> None:
        self._working.discard(task)
        self.wake()

    async def _work(self, job: Held) -> None:
        with structlog.contextvars.bound_contextvars(job_id=job.id, job_kind=job.kind):
            try:
                if self._stopping:
                    await jobs_lease.put_back(self._database, job, counts=False)
                elif job.attempts > self._max_attempts:
                    log.error("job_failed", attempts=job.attempts - 1)
                    await self._give_up(job, "Its worker died every time.")
                else:
                    await self._attempt(job)
            except Exception:
                log.exception("job_outcome_not_stored")  # its lease runs out, and it is begun again

    async def _attempt(self, job: Held) -> None:
        began = time.monotonic()
        doing = asyncio.ensure_future(self._handlers[job.kind](job.payload))
        keeping = asyncio.create_task(self._keep(job))
        self._doing.add(doing)
        try:
            await asyncio.wait(
                {doing, keeping}, timeout=self._time_limit, return_when=asyncio.FIRST_COMPLETED
            )
            if keeping.done() and not doing.done():
                log.warning("job_lease_lost")
                return
        finally:
            self._doing.discard(doing)
            await _end(doing)
            await _end(keeping)
        if doing.cancelled() and self._stopping:
            await jobs_lease.put_back(self._database, job, counts=False)
            return
        await self._settle(job, _failure(doing), round((time.monotonic() - began) * 1000))

    async def _keep(self, job: Held) -> None:
        """Renew the lease; ends when it is lost, or may be."""
        held_until = time.monotonic() + self._lease
        while time.monotonic() < held_until:
            await asyncio.sleep(self._lease / 3)
            asked = time.monotonic()
            with suppress(Unavailable):
                if not await jobs_lease.renew(self._database, job, self._lease):
                    return
                held_until = asked + self._lease

    async def _settle(self, job: Held, error: BaseException | None, took_ms: int) -> None:
        if error is None:
            await jobs_lease.done(self._database, job)
            log.info("job_done", took_ms=took_ms, attempts=job.attempts)
        elif isinstance(error, Later):
            await jobs_lease.put_back(self._database, job, delay=error.seconds, counts=False)
            log.info("job_later", seconds=error.seconds)
        elif job.attempts < self._max_attempts:
            pause = min(self._backoff * 2 ** (job.attempts - 1), MAX_PAUSE)
            told = self._told.get(job.kind)
            await jobs_lease.put_back(self._database, job, delay=pause, error=_words(error), told=told)
            log.warning("job_will_be_retried", attempts=job.attempts, pause=pause, exc_info=error)
        else:
            await self._give_up(job, _words(error))
            log.error("job_failed", attempts=job.attempts, exc_info=error)

    async def _give_up(self, job: Held, error: str) -> None:
        await jobs_lease.give_up(self._database, job, error, self._told.get(job.kind))


def _failure(doing: "asyncio.Future[Any]") -> BaseException | None:
    """What the handler raised; one that had to be ended took too long."""
    if doing.cancelled():
        return TimeoutError("It took longer than a job may.")
    return doing.exception()


def _words(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}".replace("\0", "")


async def _end(task: "asyncio.Future[Any]") -> None:
    """Cancel and wait until it is over; what it raised then is nobody's any more."""
    if not task.done():
        task.cancel()
        await asyncio.wait({task})
    if not task.cancelled():
        task.exception()  # looked at, so that asyncio does not complain
