"""A short memory: what was looked up a moment ago is not looked up again, and not by a hundred at once.

Whoever asks while a look-up is under way waits for the same answer. Forgetting also disowns what is under way, so that
nothing learned before a change is remembered after it.
"""

import asyncio
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Memory(Generic[K, V]):
    """Answers by key, each for `seconds`; the `size` newest are kept."""

    def __init__(self, *, seconds: float, size: int) -> None:
        self._seconds = seconds
        self._size = size
        self._known: OrderedDict[K, tuple[float, V]] = OrderedDict()
        self._asked: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, look: Callable[[], Awaitable[V]]) -> V:
        """The answer for `key`, by `look` unless it is known; raises what `look` raises, which is not remembered."""
        known = self._known.get(key)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        asked = self._asked.get(key)
        if asked is None:
            asked = self._asked[key] = asyncio.create_task(self._ask(key, look))
        return await asyncio.shield(asked)  # shielded, for others wait for it too

    def forget(self, key: K | None = None) -> None:
        """Ask anew for one key, or for all."""
        for memory in (self._known, self._asked):
            if key is None:
                memory.clear()
            else:
                memory.pop(key, None)

    async def _ask(self, key: K, look: Callable[[], Awaitable[V]]) -> V:
        me = asyncio.current_task()
        try:
            answer = await look()
        finally:
            ours = self._asked.get(key) is me
            if ours:
                del self._asked[key]
        if ours:
            self._known[key] = (time.monotonic() + self._seconds, answer)
            self._known.move_to_end(key)
            if len(self._known) > self._size:
                self._known.popitem(last=False)
        return answer
