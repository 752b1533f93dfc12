"""The fast lane: a turn's own handful of statements, as prepared SQL gathered into group commits.

A *script* is a generator that yields statements and is sent their rows, so that one text of SQL and one piece of
logic serve SQLite (driven in a thread) and PostgreSQL (driven over asyncpg). Everything queued while one commit runs
shares the next. A script that raises takes nothing with it: the batch is rolled back and each is run alone.
"""

import asyncio
from collections.abc import Awaitable, Callable, Generator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Protocol

Value = str | int | float | bool | datetime | None
Statement = tuple[str, tuple[Value, ...]]
Row = Sequence[Any]
Script = Generator[Statement, list[Row], Any]
MakeScript = Callable[[], Script]

NOW = "{now}"
"""Stands in SQL for the database's own clock, in seconds since 1970: leases trust no instance's clock."""

BATCH = 64
"""At most so many scripts share a commit, which bounds how long one waits for the others."""


def just(*statements: Statement) -> Generator[Statement, list[Row], None]:
    """The script of statements whose rows nobody needs."""
    for statement in statements:  # noqa: UP028 – a sequence cannot be sent the rows
        yield statement


def rows_of(statement: Statement) -> Generator[Statement, list[Row], list[Row]]:
    """The script of one statement that is asked for its rows."""
    return (yield statement)


def as_time(value: datetime | str) -> datetime:
    """A time column's value as it comes from either driver, aware and in UTC."""
    return value if isinstance(value, datetime) else datetime.fromisoformat(value).replace(tzinfo=UTC)


@dataclass(slots=True)
class Outcome:
    """What became of one script."""

    value: Any = None
    error: BaseException | None = None


class Driver(Protocol):
    """One database's way to run scripts."""

    async def commit(self, scripts: list[MakeScript]) -> list[Outcome]:
        """Run all in one transaction; if one raises, roll back and run each in its own."""
        ...

    async def read(self, script: MakeScript) -> Any:
        """Run one that only reads."""
        ...

    async def close(self) -> None: ...


@dataclass(slots=True)
class Lane:
    """The queue before a driver: `write` returns once the commit that holds the script has succeeded."""

    driver: Driver
    gate: asyncio.Lock
    """Held during a commit; ordinary write sessions take it as well where the database allows one writer."""
    _queue: list[tuple[MakeScript, asyncio.Future[Any]]] = field(default_factory=list[Any])
    _pump: asyncio.Task[None] | None = None

    async def write(self, script: MakeScript) -> Any:
        """Commit one script and return its value; raises what the script raised."""
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._queue.append((script, future))
        if self._pump is None or self._pump.done():
            self._pump = asyncio.create_task(self._drain())
        return await future

    async def read(self, script: MakeScript) -> Any:
        """Run one script outside the queue, reading only."""
        return await self.driver.read(script)

    async def close(self) -> None:
        """Finish what is queued, then release the driver."""
        if self._pump is not None:
            await self._pump
        await self.driver.close()

    async def _drain(self) -> None:
        while self._queue:
            async with self.gate:
                batch, self._queue = self._queue[:BATCH], self._queue[BATCH:]
                outcomes = await _outcomes(self.driver.commit([script for script, _ in batch]), len(batch))
            for (_, future), outcome in zip(batch, outcomes, strict=True):
                if future.done():
                    continue
                if outcome.error is None:
                    future.set_result(outcome.value)
                else:
                    future.set_exception(outcome.error)


async def _outcomes(commit: Awaitable[list[Outcome]], count: int) -> list[Outcome]:
    """The batch's outcomes; a commit that failed as a whole failed for every script in it."""
    try:
        return await commit
    except BaseException as error:  # every waiter must hear of it, cancellation included
        return [Outcome(error=error)] * count
