"""The live tail of one run that this process works on: what followers read before it is journalled, and after.

A follower holds only its place. The channel keeps the newest events and everything not journalled yet; a follower
that has fallen behind its oldest event reads the journal instead. So a slow client costs no memory.
"""

import asyncio

from famulus.runs.events import Entry, Event, EventId

KEPT = 16
"""Journalled events that stay in memory for followers just behind."""


class Channel:
    """Entries of one attempt, numbered from 1."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.ended = False
        """Set with the terminal event, or when this process lets go of the run."""
        self._tail: list[Entry] = []
        self._next = 1
        self._waiters: list[asyncio.Future[None]] = []

    @property
    def next_n(self) -> int:
        """The number that the next event will have."""
        return self._next

    def publish(self, event: Event) -> None:
        """Number an event and wake the followers."""
        self._tail.append(Entry(EventId(self.epoch, self._next), event))
        self._next += 1
        if self._waiters:
            self._wake()

    def end(self) -> None:
        """No more events will come through here."""
        self.ended = True
        self._wake()

    def trim(self, journalled: int) -> None:
        """Forget events up to number `journalled`, but for the newest few."""
        surplus = min(journalled, self._next - 1 - KEPT) - (self._next - 1 - len(self._tail))
        if surplus > 0:
            del self._tail[:surplus]

    def since(self, after: EventId) -> list[Entry] | None:
        """The entries after an id, maybe none yet; None when the journal has to be asked first."""
        if after.epoch != self.epoch and not (after.epoch < self.epoch and self.epoch == 1):
            return None
        seen = after.n if after.epoch == self.epoch else 0
        first = self._next - len(self._tail)
        return None if seen < first - 1 else self._tail[seen - first + 1 :]

    async def wait(self) -> None:
        """Return when something is published, or at the next nudge."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiters.append(waiter)
        await waiter

    def nudge(self) -> None:
        """Wake the followers with nothing new, so that they can show that they are alive.

        One call for all of them every few seconds, instead of a timer for each wait.
        """
        self._wake()

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
