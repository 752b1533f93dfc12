"""The fast lane on SQLite: one writing connection in a thread of its own, one reading connection on the loop's.

A commit waits for the disk, so it has a thread. A turn's reads are a few rows found by an index, which take less than
the way to a thread and back; a reader never waits for the writer (WAL).
"""

import asyncio
import functools
import sqlite3
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from famulus.kernel.clock import SQLITE
from famulus.kernel.duplicates import Vanished, is_orphan
from famulus.kernel.errors import Unavailable
from famulus.kernel.lane import NOW, MakeScript, Outcome, Script, Value

PRAGMAS = (
    "PRAGMA journal_mode=WAL",
    "PRAGMA synchronous=FULL",
    "PRAGMA busy_timeout=5000",
    "PRAGMA foreign_keys=ON",
    "PRAGMA temp_store=MEMORY",
)


def connect(path: Path, *, query_only: bool = False) -> sqlite3.Connection:
    """A connection in autocommit mode with this server's pragmas; usable from any one thread at a time."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=256)
    for pragma in PRAGMAS:
        connection.execute(pragma)
    if query_only:
        connection.execute("PRAGMA query_only=ON")
    return connection


@functools.lru_cache(maxsize=512)
def _translate(sql: str) -> str:
    return sql.replace("$", "?").replace(NOW, SQLITE)


def _plain(values: Iterable[Value]) -> list[str | int | float | None]:
    """Times as the text in which the rest of the application stores them."""
    return [
        value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if isinstance(value, datetime) else value
        for value in values
    ]


def run(connection: sqlite3.Connection, script: Script) -> Any:
    try:
        sql, values = next(script)
        while True:
            rows = connection.execute(_translate(sql), _plain(values)).fetchall()
            sql, values = script.send(rows)
    except StopIteration as end:
        return end.value


class SqliteDriver:
    """Scripts on one database file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="sqlite-write")
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None

    async def commit(self, scripts: list[MakeScript]) -> list[Outcome]:
        """Run all in one transaction; if one raises, roll back and run each in its own."""
        return await asyncio.get_running_loop().run_in_executor(self._writer, self._commit, scripts)

    async def read(self, script: MakeScript) -> Any:
        """Run one that only reads."""
        return self._read(script)

    async def close(self) -> None:
        """Close both connections, each in its own thread."""
        writing, self._writing = self._writing, None
        if writing is not None:
            await asyncio.get_running_loop().run_in_executor(self._writer, writing.close)
        self._writer.shutdown(wait=False)
        reading, self._reading = self._reading, None
        if reading is not None:
            reading.close()

    def _commit(self, scripts: list[MakeScript]) -> list[Outcome]:
        try:
            if self._writing is None:
                self._writing = connect(self._path)
            self._writing.execute("BEGIN IMMEDIATE")
        except sqlite3.Error as error:  # has waited long enough for all of them
            return [Outcome(error=ours(error))] * len(scripts)
        try:
            return self._transaction(self._writing, scripts)
        except Exception as error:
            if len(scripts) == 1:
                return [Outcome(error=ours(error))]
        return [self._commit([script])[0] for script in scripts]

    def _transaction(self, connection: sqlite3.Connection, scripts: list[MakeScript]) -> list[Outcome]:
        try:
            outcomes = [Outcome(run(connection, script())) for script in scripts]
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
        return outcomes

    def _read(self, script: MakeScript) -> Any:
        try:
            if self._reading is None:
                self._reading = connect(self._path, query_only=True)
            return run(self._reading, script())
        except sqlite3.OperationalError as error:
            raise ours(error) from error


def ours(error: Exception) -> Exception:
    """Busy, full or broken storage is a part that is not available, whoever asked; what refers to nothing, vanished."""
    if is_orphan(error):
        vanished = Vanished()
        vanished.__cause__ = error
        return vanished
    if isinstance(error, sqlite3.OperationalError):
        unavailable = Unavailable(f"The database could not do it ({error}); nothing was changed. Try again.")
        unavailable.__cause__ = error
        return unavailable
    return error
