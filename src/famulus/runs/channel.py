"""The live tail of one run that this process works on: what followers read before it is journalled, and after.

A follower who keeps up has events pushed into its pipe where they are made, without a turn of its task. Any other holds
only its place: the channel keeps the newest events and everything not journalled yet, and whoever has fallen behind its
oldest event reads the journal instead. So a slow client costs no memory.
"""

import asyncio
from collections.abc import Callable, Sequence
from typing import Protocol

from famulus.runs.events import Entry, Event, EventId

KEPT = 16
"""Journalled events that stay in memory for followers just behind."""


class Pipe(Protocol):
    """A follower's way out, as far as a channel needs it."""

    @property
    def encode(self) -> Callable[[list[Entry]], bytes]:
        """What is pushed for some entries, or for none as a sign of life. Pipes that share it share its work."""
        ...

    def push(self, piece: bytes) -> bool:
        """Pass a piece on now. False when the reader does not keep up: no more may follow until `drain` has ended."""
        ...

    async def drain(self) -> None:
        """Return when the last piece is out; at once if it is. Raises what pushing it raised."""
        ...


class Channel:
    """Entries of one attempt, numbered from 1."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.ended = False
        """Set with the terminal event, or when this process lets go of the run."""
        self._tail: list[Entry] = []
        self._next = 1
        self._waiters: list[asyncio.Future[None]] = []
        self._fed: dict[Pipe, asyncio.Future[EventId]] = {}

    @property
    def next_n(self) -> int:
        """The number that the next event will have."""
        return self._next

    def publish(self, events: Sequence[Event], *, last: bool = False) -> None:
        """Number events, push them to who keeps up and wake the other followers.

        What has the terminal event as its `last` is not pushed: it ends a follower's task, which has to wake for that.
        """
        if last:
            self._release_all()
        n = self._next
        self._next = n + len(events)
        if len(events) == 1:
            entries = [Entry(EventId(self.epoch, n), events[0])]
        else:
            entries = [Entry(EventId(self.epoch, n), event) for n, event in enumerate(events, n)]
        self._tail += entries
        if self._fed:
            self._push(entries)
        if self._waiters:
            self._wake()

    def events_from(self, n: int) -> list[Event]:
        """The events numbered `n` and above; all of them are here, if the journal has those before."""
        return [entry.event for entry in self._tail[n - self._next + len(self._tail) :]]

    def end(self) -> None:
        """No more events will come through here."""
        self.ended = True
        self._release_all()
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

    async def feed(self, pipe: Pipe, after: EventId) -> EventId:
        """Push what is published from now on, until the reader falls behind or the end is there.

        `after` is the newest event that the pipe has, and at least the newest published; returns what it has then.
        """
        if after > EventId(self.epoch, self._next - 1):
            await self.wait()  # the journal has shown it what is about to be published
            return after
        behind = self._fed[pipe] = asyncio.get_running_loop().create_future()
        try:
            last = await behind
        finally:
            self._fed.pop(pipe, None)
        await pipe.drain()
        return last

    def nudge(self) -> None:
        """Have every follower show that it is alive, though there may be nothing new.

        One call for all of them every few seconds, instead of a timer for each wait.
        """
        self._push([])
        self._wake()

    def _push(self, entries: list[Entry]) -> None:
        encode, piece = None, b""
        for pipe in list(self._fed):
            if pipe.encode is not encode:
                encode = pipe.encode
                piece = encode(entries)
            if not pipe.push(piece):
                self._release(pipe)

    def _release_all(self) -> None:
        for pipe in list(self._fed):
            self._release(pipe)

    def _release(self, pipe: Pipe) -> None:
        behind = self._fed.pop(pipe)
        if not behind.done():
            behind.set_result(EventId(self.epoch, self._next - 1))

    def _wake(self) -> None:
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)
