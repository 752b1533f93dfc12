"""Trying again: exponential backoff with full jitter, inside a budget, honouring what the provider asks.

Only errors that say so (`retry`) are tried again, and only by whoever has shown nothing to anybody yet: the
wire wraps the opening of a stream up to its first item, never what follows.
"""

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TypeVar

from famulus.llm.errors import ModelError

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class RetryPolicy:
    """How often and how long; all times in seconds."""

    attempts: int = 3
    """Attempts in all, the first one included."""
    first_wait: float = 0.5
    """Upper bound of the first wait; it doubles with every attempt."""
    longest_wait: float = 8.0
    longest_retry_after: float = 20.0
    """Asked to wait longer than this, we give up at once and pass the provider's wish on."""
    budget: float = 30.0
    """No attempt begins later than this after the first one."""

    def wait(self, error: ModelError, attempt: int, chance: float) -> float | None:
        """Seconds until the attempt after number `attempt` (from 1); None: give up. `chance` is in [0, 1)."""
        if not error.retry or attempt >= self.attempts:
            return None
        jittered = chance * min(self.longest_wait, self.first_wait * 2 ** (attempt - 1))
        if error.retry_after is None:
            return jittered
        if error.retry_after > self.longest_retry_after:
            return None
        # Everybody was told the same second: the jitter on top keeps them from coming back together.
        return error.retry_after + jittered


async def retrying(
    attempt: Callable[[], Awaitable[T]],
    policy: RetryPolicy,
    *,
    may: Callable[[ModelError], bool] = lambda _: True,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    chance: Callable[[], float] = random.random,
    clock: Callable[[], float] = time.monotonic,
) -> T:
    """What `attempt` returns, tried as often as `policy` and `may` allow. Raises the last attempt's `ModelError`.

    `may` is asked about each failure after which the policy would try again.
    """
    began = clock()
    number = 1
    while True:
        try:
            return await attempt()
        except ModelError as error:
            wait = policy.wait(error, number, chance())
            if wait is None or clock() - began + wait > policy.budget or not may(error):
                raise
        await sleep(wait)
        number += 1
