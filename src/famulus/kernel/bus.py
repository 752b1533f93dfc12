"""The in-process bus: a lower room says what has happened, an upper room hears it, and neither imports the other.

Events are frozen values, told apart by their type, and are published after the commit that made them true. A listener
that must not be lost to a crash enqueues a job in the same transaction instead.
"""

import inspect
from collections import defaultdict
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import structlog

log = structlog.get_logger(__name__)
E = TypeVar("E")
Listener = Callable[[Any], Awaitable[None] | None]


class Bus:
    """Listeners by event type; a failing listener is logged and the others still hear."""

    def __init__(self) -> None:
        self._listeners: defaultdict[type, list[Listener]] = defaultdict(list)

    def subscribe(self, kind: type[E], listener: Callable[[E], Awaitable[None] | None]) -> None:
        """Call `listener` with every event of exactly this type from now on."""
        self._listeners[kind].append(listener)

    async def publish(self, *events: object) -> None:
        """Tell the listeners, in order of events and of subscription."""
        for event in events:
            for listener in self._listeners[type(event)]:
                try:
                    answer = listener(event)
                    if inspect.isawaitable(answer):
                        await answer
                except Exception:
                    log.exception("listener_failed", event_type=type(event).__name__)
