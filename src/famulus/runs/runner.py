"""The runner: the only place where the loop meets the journal, the live channel and the lease.

Each run is a task of its own, which no client's disconnect can stop. A run's text is journalled by the pulse (see
`keeper`); what a run does to the world is journalled at once, before it happens.
Another instance, or the next start, takes over what stops being renewed.
"""

import asyncio
from collections.abc import Sequence
from contextlib import aclosing, suppress
from functools import partial

import structlog

from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError, Unavailable
from famulus.kernel.lane import MakeScript
from famulus.kernel.live import Live
from famulus.runs.acting import Suspended, unanswered
from famulus.runs.channel import Channel
from famulus.runs.ending import Close, Status, prepare, problem_of
from famulus.runs.errors import GaveUp, LeaseLost, RunTooLong
from famulus.runs.events import Event
from famulus.runs.journal import Journal, topic
from famulus.runs.loop import answer
from famulus.runs.preparation import Preparation
from famulus.runs.sql.finish import Finished, finish
from famulus.runs.sql.lease import claim_next
from famulus.runs.sql.rows import RunRow
from famulus.runs.work import Work, decode_asker

log = structlog.get_logger(__name__)
MAX_ATTEMPTS = 5
"""A run that took the server down with it so often is given up."""
PATIENCE = 30
"""Attempts, a second apart, to write an ending while the database is away."""


class Runner:
    """The runs in progress in this process."""

    def __init__(
        self,
        database: Database,
        live: Live,
        preparation: Preparation,
        journal: Journal,
        *,
        lease: float,
        run_timeout: float,
        crash: CrashPoints,
    ) -> None:
        self.works: dict[str, Work] = {}
        self.owner = journal.owner
        self.lease = lease
        self._database = database
        self._live = live
        self._preparation = preparation
        self._journal = journal
        self._timeout = run_timeout
        self.crash = crash
        self._loose: set[asyncio.Task[None]] = set()

    def begin(self, work: Work) -> None:
        """Start working on a run that this instance holds."""
        self.works[work.run.id] = work
        work.task = asyncio.create_task(self._work(work))

    def begin_claimed(self, run: RunRow) -> Work:
        """Start on a run taken from the queue, from an instance that died, or from this one when it had stood still."""
        if earlier := self.works.get(run.id):
            earlier.halt("lost")
        work = Work(run, decode_asker(run.asker), Channel(run.epoch))
        self.begin(work)
        return work

    async def stop(self) -> None:
        """End every task without ending its run, which is taken over elsewhere or at the next start."""
        tasks = [work.task for work in self.works.values() if work.task is not None]
        for work in list(self.works.values()):
            work.halt("shutdown")
        await asyncio.gather(*tasks, *self._loose, return_exceptions=True)

    async def _work(self, work: Work) -> None:
        structlog.contextvars.bind_contextvars(
            run_id=work.run.id, thread_id=work.run.thread_id, request_id=work.run.request_id
        )
        try:
            await self._open(work)
            await self._attempt(work)
        except asyncio.CancelledError:
            if work.stop == "cancelled":
                await self._end(work, "cancelled")
        except Suspended:
            log.info("run_waits_for_approval")
        except LeaseLost:
            log.warning("run_lost", epoch=work.run.epoch)
        except TimeoutError:
            await self._end(work, "failed", RunTooLong())
        except FamulusError as error:
            log.info("run_failed", code=error.code)
            await self._end(work, "failed", error)
        except (
            Exception
        ):  # the run's border: whatever happened, the person gets an end and the log the details
            log.exception("run_crashed")
            await self._end(work, "failed", FamulusError())
        finally:
            self._let_go(work)

    async def _attempt(self, work: Work) -> None:
        async with asyncio.timeout(self._timeout):
            prepared = await self._preparation.prepare(work)
            if prepared.news:
                work.channel.publish(prepared.news)
            self.crash.reach("context.built")
            await prepared.hand.resume()
            show = partial(self._show, work) if self.crash.armed else work.channel.publish
            batches = answer(
                prepared.model,
                prepared.request,
                work.draft,
                prepared.hand,
                show,
                limits=prepared.limits,
            )
            async with aclosing(batches):
                async for events in batches:
                    show(events)
        await self._end(work, "completed")

    def _show(self, work: Work, events: Sequence[Event]) -> None:
        work.channel.publish(events)
        self.crash.reach("text")

    async def _open(self, work: Work) -> None:
        """Begin an attempt that was not begun by accepting its message; one that is to end at once ends here.

        Nothing cancels the task meanwhile, so that readers hear of a takeover before they hear of an end.
        """
        run = work.run
        if run.cancel_requested and work.stop is None:
            work.stop = "cancelled"
        if work.channel.next_n == 1 and work.stop in (None, "cancelled"):
            last = work.stop == "cancelled" or run.epoch > MAX_ATTEMPTS
            try:
                await self._journal.write(work, *await self._preparation.opening(work, keep_unfinished=last))
            except Unavailable as error:
                raise LeaseLost() from error  # it is let go, and begins when the database is back
            self.crash.reach("attempt.opened")
        work.begun = True
        if work.stop is not None:
            raise asyncio.CancelledError
        if run.epoch > MAX_ATTEMPTS:
            raise GaveUp()

    async def _end(self, work: Work, status: Status, error: FamulusError | None = None) -> None:
        """Write the end, whatever it takes, and show it; a run that is no longer ours is left alone."""
        title_job = self._preparation.title_job(work) if status == "completed" else None
        unanswered(work)
        close = Close(work, self.owner, status, problem_of(error) if error else None, title_job)
        self.crash.reach("finish.before")
        async with work.lock:
            ending, now, answer_id = prepare(close)
            script = partial(finish, ending, partial(close.events, answer_id, now))
            try:
                finished = await self._insist(script)
            except LeaseLost:
                return log.warning("run_lost", epoch=work.run.epoch)
            self.crash.reach("finish.committed")
            count, _ = work.pending()
            work.confirm(count)
            work.show(finished.events, last=True)
            work.queue = finished.queue
        log.info("run_ended", status=status, model=work.run.model, output_tokens=work.draft.output_tokens)

    async def _insist(self, script: MakeScript) -> Finished:
        """Commit an ending, through an outage of the database too. Raises LeaseLost."""
        for attempt in range(PATIENCE):
            try:
                finished: Finished = await asyncio.shield(self._database.lane.write(script))
                return finished
            except Unavailable:
                log.warning("ending_delayed", attempt=attempt)
                await asyncio.sleep(1)
        raise LeaseLost()

    def _let_go(self, work: Work) -> None:
        if self.works.get(work.run.id) is work:
            del self.works[work.run.id]
        work.channel.end()
        self._live.tell(topic(work.run.id))
        if work.queue and work.stop != "shutdown":
            task = asyncio.create_task(self.next_in_thread(work.run.thread_id))
            self._loose.add(task)
            task.add_done_callback(self._loose.discard)

    async def next_in_thread(self, thread_id: str) -> None:
        """Start the message that waits in a thread which has become free; the sweep finds what this misses."""
        with suppress(FamulusError):
            rows = await self._database.lane.write(partial(claim_next, self.owner, self.lease, thread_id))
            for run in rows:
                self.begin_claimed(run)
