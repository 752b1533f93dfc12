"""The journal: what a run does, written under its lease and then shown, with the text before it."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import Database, run_last
from famulus.kernel.lane import Statement, just
from famulus.kernel.live import Live
from famulus.runs.events import Event
from famulus.runs.sql.lease import journal
from famulus.runs.sql.rows import JournalRow, Steps
from famulus.runs.work import Work


def topic(run_id: str) -> str:
    """Where followers on other instances hear that a run has news."""
    return f"run:{run_id}"


class Journal:
    """Writes events of the runs that one instance holds. Everything raises LeaseLost where it does not hold them."""

    def __init__(self, database: Database, live: Live, owner: str) -> None:
        self._database = database
        self._live = live
        self.owner = owner

    async def write(self, work: Work, *events: Event, also: Sequence[Statement] = ()) -> None:
        """Write events now, with the text before them, then show them: all of it, though the task be cancelled."""
        await asyncio.shield(self._write(work, events, also))

    async def _write(self, work: Work, events: Sequence[Event], also: Sequence[Statement]) -> None:
        async with work.lock:
            count, rows = work.pending(*events)
            await self._database.lane.write(partial(_steps, work, self.owner, rows, also))
            self.show(work, count, events)

    async def announce(self, work: Work, event: Event) -> None:
        """Show an event now; it is written with whatever is written next, for a crash before that changes nothing."""
        async with work.lock:  # what is on its way to the journal has its number already
            work.channel.publish([event])

    async def write_last(
        self,
        session: AsyncSession,
        work: Work,
        event: Event,
        also: Sequence[Statement],
        written: Callable[[], None],
    ) -> int:
        """Write an event as the last of a transaction that does more, and then `show` with what this returns.

        The work's lock has to be held from here to there. `written` is called before the commit.
        """
        count, rows = work.pending(event)
        await run_last(session, _then(_steps(work, self.owner, rows, also), written))
        return count

    def show(self, work: Work, count: int, events: Sequence[Event]) -> None:
        """Show events that are written, `count` earlier ones with them."""
        work.confirm(count)
        work.show(events)
        self._live.tell(topic(work.run.id))


def _steps(work: Work, owner: str, rows: Sequence[JournalRow], also: Sequence[Statement]) -> Steps[None]:
    yield from journal(work.run, owner, rows, work.draft.spent)
    yield from just(*also)


def _then(steps: Steps[None], written: Callable[[], None]) -> Steps[None]:
    yield from steps
    written()
