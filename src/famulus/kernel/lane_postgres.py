"""The fast lane on PostgreSQL: one writing connection whose batches share a commit, and a few that read."""

import asyncio
import functools
from collections.abc import Awaitable
from typing import Any, TypeAlias, cast

import asyncpg

from famulus.kernel.clock import POSTGRES
from famulus.kernel.duplicates import Vanished, is_orphan
from famulus.kernel.errors import Unavailable
from famulus.kernel.lane import NOW, MakeScript, Outcome, Script

Connection: TypeAlias = Any
"""asyncpg declares no types for what its connection takes and gives."""
LOST = (
    OSError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # a connection cut in the middle of an answer
    asyncpg.PostgresConnectionError,
    asyncpg.CannotConnectNowError,
)
BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.OperatorInterventionError,  # cancelled or shut down
    asyncpg.InsufficientResourcesError,
    asyncpg.TransactionRollbackError,  # deadlocked
)
SETTINGS = {"statement_timeout": "10000", "lock_timeout": "5000", "timezone": "UTC", "jit": "off"}
READERS = 4


@functools.lru_cache(maxsize=512)
def _translate(sql: str) -> str:
    return sql.replace(NOW, POSTGRES)


async def run(connection: Connection, script: Script) -> Any:
    try:
        sql, values = next(script)
        while True:
            rows = await connection.fetch(_translate(sql), *values)
            sql, values = script.send(cast(list[Any], rows))
    except StopIteration as end:
        return end.value


async def connect(dsn: str) -> Connection:
    """A connection with this server's time-outs; connecting itself takes at most 10 s."""
    untyped: Any = asyncpg
    return await untyped.connect(dsn, timeout=10, command_timeout=15, server_settings=SETTINGS)


class PostgresDriver:
    """Scripts on one PostgreSQL database. `dsn` is a `postgresql://` address."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._writing: Connection = None
        self._idle: list[Connection] = []
        self._slots = asyncio.Semaphore(READERS)

    async def commit(self, scripts: list[MakeScript]) -> list[Outcome]:
        """Run all in one transaction; if one raises, roll back and run each in its own."""
        try:
            connection = await self._writer()
            async with connection.transaction():
                return [Outcome(await run(connection, script())) for script in scripts]
        except Exception as error:
            if isinstance(error, LOST):
                await self._forget()
            if len(scripts) == 1 or isinstance(error, LOST):
                return [Outcome(error=ours(error))] * len(scripts)
        return [(await self.commit([script]))[0] for script in scripts]

    async def _writer(self) -> Connection:
        if self._writing is None or self._writing.is_closed():
            self._writing = await connect(self._dsn)
        return self._writing

    async def read(self, script: MakeScript) -> Any:
        """Run one that only reads, on one of a few connections; a lost one is replaced once."""
        try:
            async with self._slots:
                return await self._read(script)
        except (*LOST, *BUSY) as error:
            raise ours(error) from error

    async def _read(self, script: MakeScript) -> Any:
        connection = self._idle.pop() if self._idle else await connect(self._dsn)
        try:
            return await run(connection, script())
        except LOST:
            connection.terminate()
            connection = await connect(self._dsn)
            return await run(connection, script())
        finally:
            if not connection.is_closed():
                self._idle.append(connection)

    async def close(self) -> None:
        """Close every connection."""
        closing: list[Awaitable[None]] = [connection.close(timeout=5) for connection in self._idle]
        if self._writing is not None:
            closing.append(self._writing.close(timeout=5))
        await asyncio.gather(*closing, return_exceptions=True)

    async def _forget(self) -> None:
        """Drop the writing connection, so that the next batch makes a new one."""
        lost, self._writing = self._writing, None
        if lost is not None:
            lost.terminate()


def ours(error: Exception) -> Exception:
    """A lost or locked database is a part that is not available, whoever asked; what refers to nothing, vanished."""
    if is_orphan(error):
        vanished = Vanished()
        vanished.__cause__ = error
        return vanished
    if isinstance(error, (*LOST, *BUSY)):
        unavailable = Unavailable(
            "The database did not answer; whether the change was made is not known. Try again."
        )
        unavailable.__cause__ = error
        return unavailable
    return error
