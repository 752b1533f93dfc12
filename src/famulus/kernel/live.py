"""Live broadcast: wake whoever waits for a topic, with a small payload, here and on every other instance.

Delivery is best effort by design: truth is in the database, and every listener looks there again after a while.
"""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Protocol

PAYLOADS = 100
"""A listener that does not read keeps this many payloads and loses the oldest."""


class Relay(Protocol):
    """Carries topics to the other instances."""

    def send(self, topic: str, payload: str) -> None:
        """Pass on; never blocks, may lose."""
        ...

    async def start(self, receive: Callable[[str, str], None]) -> None: ...

    async def close(self) -> None: ...


class Listener:
    """Waits for one topic; use as a context manager."""

    def __init__(self, live: "Live", topic: str) -> None:
        self._live = live
        self._topic = topic
        self._payloads: deque[str] = deque(maxlen=PAYLOADS)
        self._waiter: asyncio.Future[None] | None = None

    def __enter__(self) -> "Listener":
        self._live.listeners.setdefault(self._topic, set()).add(self)
        return self

    def __exit__(self, *_: object) -> None:
        there = self._live.listeners.get(self._topic, set())
        there.discard(self)
        if not there:
            self._live.listeners.pop(self._topic, None)

    def hear(self, payload: str) -> None:
        """Called by `Live` when the topic is told."""
        self._payloads.append(payload)
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, timeout: float) -> list[str]:
        """The payloads told since the last call; empty when nothing came within `timeout` seconds."""
        if not self._payloads:
            self._waiter = asyncio.get_running_loop().create_future()
            await asyncio.wait([self._waiter], timeout=timeout)
            self._waiter = None
        heard = list(self._payloads)
        self._payloads.clear()
        return heard


class Live:
    """The topics of one instance, joined to those of others by a relay where there is one."""

    def __init__(self, relay: Relay | None = None) -> None:
        self.listeners: dict[str, set[Listener]] = {}
        self._relay = relay

    async def start(self) -> None:
        """Begin to hear other instances."""
        if self._relay is not None:
            await self._relay.start(self._receive)

    async def close(self) -> None:
        """Stop hearing other instances."""
        if self._relay is not None:
            await self._relay.close()

    def listen(self, topic: str) -> Listener:
        """A listener for one topic, active inside its `with` block."""
        return Listener(self, topic)

    def tell(self, topic: str, payload: str = "") -> None:
        """Wake every listener of the topic, on every instance."""
        self._receive(topic, payload)
        if self._relay is not None:
            self._relay.send(topic, payload)

    def _receive(self, topic: str, payload: str) -> None:
        for listener in self.listeners.get(topic, ()):
            listener.hear(payload)
