"""Keeping runs alive: the pulse that renews leases and journals text, and the sweep that takes over what died.

One commit a pulse for the whole instance, however many runs it has.
"""

import asyncio
import time
from collections.abc import Callable, Coroutine
from functools import partial
from typing import Any, TypeAlias

import structlog

from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.kernel.instance import is_gone
from famulus.kernel.live import Live
from famulus.runs.journal import topic
from famulus.runs.runner import Runner
from famulus.runs.sql.lease import Pulse, anything_to_claim, claim, holders, pulse, release
from famulus.runs.sql.rows import JournalRow
from famulus.runs.work import Work

Loop: TypeAlias = Callable[[], Coroutine[Any, Any, None]]
log = structlog.get_logger(__name__)
PULSE = 0.5
"""Seconds; text that a crash may lose from the journal, and the delay of followers on other instances."""
SWEEP = 1.0
HEARTBEAT = 10.0
"""Seconds between signs of life to quiet followers."""
CLAIMS = 50
"""Runs taken over at once; the next sweep takes the next."""


class Keeper:
    """The two background loops of an instance."""

    def __init__(
        self, database: Database, live: Live, runner: Runner, *, heartbeat: float = HEARTBEAT
    ) -> None:
        self._database = database
        self._live = live
        self._runner = runner
        self._heartbeat = heartbeat
        self._tasks: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._strays: frozenset[str] = frozenset()
        self._nudged = time.monotonic()

    def start(self) -> None:
        """Begin both loops; the first sweep is now."""
        self._begin(self._pulse_loop)
        self._begin(self._sweep_loop)

    def _begin(self, loop: Loop) -> None:
        if not self._stopping:
            task = asyncio.create_task(loop())
            self._tasks.add(task)
            task.add_done_callback(partial(self._begin_again, loop))

    def _begin_again(self, loop: Loop, task: asyncio.Task[None]) -> None:
        """A loop that broke goes on in a second: without it the instance would lose every run, or take none over."""
        self._tasks.discard(task)
        if not task.cancelled():
            log.error("keeper_broke", exc_info=task.exception())
            asyncio.get_running_loop().call_later(SWEEP, self._begin, loop)

    async def stop(self) -> None:
        """End both loops and let the instance's leases go, so that others need not wait for them to run out."""
        self._stopping = True
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._runner.stop()
        try:
            await self._database.lane.write(partial(release, self._runner.owner))
        except FamulusError:
            log.warning("leases_not_released")

    async def _pulse_loop(self) -> None:
        while True:
            await asyncio.sleep(min(PULSE, self._runner.lease / 4))
            try:
                if self._runner.works:
                    await self._pulse()
            except FamulusError as error:
                log.warning("pulse_failed", error=error.detail)

    async def _sweep_loop(self) -> None:
        await self._bury()
        while True:
            try:
                await self._sweep()
            except FamulusError as error:
                log.warning("sweep_failed", error=error.detail)
            await asyncio.sleep(min(SWEEP, self._runner.lease / 2))

    async def _pulse(self) -> None:
        works = [work for work in self._runner.works.values() if not work.lock.locked()]
        for work in works:
            await work.lock.acquire()  # free, so this does not wait
        try:
            taken = [(work, *work.pending()) for work in works]
            pending = [(work.run.id, work.run.epoch, rows) for work, count, rows in taken if count]
            self._runner.crash.reach("pulse.before")
            heard = await self._write(pending)
            self._runner.crash.reach("pulse.committed")
            for work, count, _ in taken:
                if count and heard.held.get(work.run.id) == work.run.epoch:
                    work.confirm(count)
                    self._live.tell(topic(work.run.id))
        finally:
            for work in works:
                work.lock.release()
        self._obey(works, heard)
        await self._disown(heard)
        self._nudge()

    async def _write(self, pending: list[tuple[str, int, list[JournalRow]]]) -> Pulse:
        runner = self._runner
        heard: Pulse = await self._database.lane.write(partial(pulse, runner.owner, runner.lease, pending))
        return heard

    def _obey(self, works: list[Work], heard: Pulse) -> None:
        """Stop what is no longer ours, or no longer wanted."""
        for work in works:
            if heard.held.get(work.run.id) != work.run.epoch and work.run.id in self._runner.works:
                if not work.lock.locked():
                    work.halt("lost")
            elif work.run.id in heard.cancelled:
                work.halt("cancelled")

    async def _disown(self, heard: Pulse) -> None:
        """Let go of runs that nobody works on: an acceptance broken off right after its commit, an ending given up.

        One that is seen only once may be between its commit and its task.
        """
        strays = frozenset(heard.held.keys() - self._runner.works.keys())
        for run_id in strays & self._strays:
            log.warning("run_disowned", run_id=run_id)
            await self._database.lane.write(partial(release, self._runner.owner, run_id))
        self._strays = strays

    def _nudge(self) -> None:
        now = time.monotonic()
        if now - self._nudged > self._heartbeat:
            self._nudged = now
            for work in self._runner.works.values():
                work.channel.nudge()

    async def _bury(self) -> None:
        """At the start, let the runs of processes of this machine go that are no more: a crash is over at once."""
        try:
            for owner in await self._database.lane.read(holders):
                if is_gone(owner):
                    await self._database.lane.write(partial(release, owner))
        except FamulusError as error:
            log.warning("dead_not_buried", error=error.detail)

    async def _sweep(self) -> None:
        if not await self._database.lane.read(anything_to_claim):
            return
        runner = self._runner
        rows = await self._database.lane.write(partial(claim, runner.owner, runner.lease, CLAIMS))
        runner.crash.reach("claim.committed")
        for run in rows:
            log.info("run_taken", run_id=run.id, epoch=run.epoch)
            runner.begin_claimed(run)
