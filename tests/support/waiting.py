"""Waiting for what happens elsewhere: as short as possible, and with an end."""

import asyncio
import time
from collections.abc import Awaitable, Callable


async def until(condition: Callable[[], Awaitable[object]], *, within: float = 60.0) -> None:
    """Return once `await condition()` is true; raises TimeoutError after `within` seconds."""
    async with asyncio.timeout(within):
        while not await condition():
            await asyncio.sleep(0.01)


def seen_soon(condition: Callable[[], bool], within: float = 30.0) -> None:
    """Return once `condition()` is true; fails after `within` seconds. For tests that have no loop."""
    give_up = time.monotonic() + within
    while not condition():
        assert time.monotonic() < give_up, f"not so within {within} seconds"
        time.sleep(0.02)


async def all_accepted() -> None:
    """Let the servers of this loop take over whoever has just connected: a connection in between is never closed."""
    for _ in range(4):
        await asyncio.sleep(0)
