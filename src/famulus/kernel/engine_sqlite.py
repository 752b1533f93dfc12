"""Ordinary sessions on SQLite: a statement, or a script of the fast lane, is one way to the connection's thread.

A way costs more than a small statement does. As SQLAlchemy adapts aiosqlite, a statement takes four of them (make a
cursor, execute, fetch, close), and beginning a transaction three more. Here a statement takes one, and a transaction
begins on the way of its first.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, event
from sqlalchemy.dialects.sqlite.aiosqlite import AsyncAdapt_aiosqlite_connection, AsyncAdapt_aiosqlite_cursor
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.util import await_

from famulus.kernel.errors import ConfigurationError
from famulus.kernel.lane import Script
from famulus.kernel.lane_sqlite import PRAGMAS, ours, run

WRITES = "famulus_writes"


def engine_of(url: URL) -> AsyncEngine:
    """The engine of a database file, whose folder is made if there is none. Raises ConfigurationError."""
    path = Path(url.database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder of the database, {path.parent}, cannot be made: {error.strerror}. Make a place for it that"
            " this user can write, or name another in FAMULUS_DATA_DIR or FAMULUS_DATABASE_URL."
        ) from error
    engine = create_async_engine(
        url,
        pool_size=4,
        max_overflow=4,
        pool_timeout=10,
        hide_parameters=True,
        connect_args={"check_same_thread": False},
    )
    event.listen(engine.sync_engine, "do_connect", _connect)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


class _Cursor(AsyncAdapt_aiosqlite_cursor):
    """The driver's own cursor, used in the connection's thread alone."""

    __slots__ = ()
    _awaitable_cursor_close = False
    _adapt_connection: Any

    def _make_new_cursor(self, connection: Any) -> Any:
        return connection._conn.cursor()

    def _aenter_cursor(self, cursor: Any) -> Any:
        return cursor

    def execute(self, operation: Any, parameters: Any = None) -> None:
        """Run a statement and take all its rows."""
        self._rows = self._adapt_connection.go(self._execute, operation, parameters or ())

    def executemany(self, operation: Any, seq_of_parameters: Any) -> None:
        """Run a statement once for each set of parameters."""
        self._adapt_connection.go(self._cursor.executemany, operation, seq_of_parameters)

    def _execute(self, operation: Any, parameters: Any) -> deque[Any]:
        cursor: Any = self._cursor
        return deque(cursor.execute(operation, parameters).fetchall())


class _Connection(AsyncAdapt_aiosqlite_connection):
    __slots__ = ("beginning", "open")
    _cursor_cls = _Cursor
    _connection: Any

    def __init__(self, dbapi: Any, connection: Any) -> None:
        super().__init__(dbapi, connection)
        self.beginning: str | None = None
        """The statement that begins the transaction; it goes with the transaction's first."""
        self.open = False
        """Whether anything was sent that has to be committed or rolled back."""

    def begin(self, statement: str) -> None:
        """Begin a transaction with the next statement."""
        self.beginning, self.open = statement, False

    def go(self, do: Callable[..., Any], *args: Any) -> Any:
        """Do it within the transaction, in the connection's thread; called from within SQLAlchemy."""
        try:
            return await_(self._go(do, *args))
        except (sqlite3.Error, ValueError) as error:  # the latter when the connection is closed
            self._handle_exception(error)

    async def run(self, script: Script) -> Any:
        """Run a whole script within the transaction, on one way."""
        try:
            return await self._go(run, self._connection._conn, script)
        except sqlite3.OperationalError as error:
            raise ours(error) from error

    async def run_last(self, script: Script) -> Any:
        """Run a whole script and commit, on one way."""
        try:
            kept = await self._go(_to_the_end, self._connection._conn, script)
        except sqlite3.OperationalError as error:
            raise ours(error) from error
        self.open = False
        return kept

    async def _go(self, do: Callable[..., Any], *args: Any) -> Any:
        first = None if self.open else self.beginning
        self.open = True
        return await self._connection._execute(self._there, first, do, *args)

    def _there(self, first: str | None, do: Callable[..., Any], *args: Any) -> Any:
        if first is not None:
            try:
                self._connection._conn.execute(first)
            except sqlite3.Error:
                self.open = False
                raise
        return do(*args)

    def commit(self) -> None:
        """Commit what was begun."""
        if self.open:
            super().commit()
            self.open = False

    def rollback(self) -> None:
        """Roll back what was begun; the pool does so with every connection that comes back."""
        if self.open:
            super().rollback()
            self.open = False


def _to_the_end(connection: sqlite3.Connection, script: Script) -> Any:
    kept = run(connection, script)
    connection.execute("COMMIT")
    return kept


def _connect(dialect: Any, _record: object, args: Any, options: Any) -> _Connection:
    usual = dialect.connect(*args, **options)
    return _Connection(usual.dbapi, usual._connection)


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    adapted: Any = connection.connection.dbapi_connection
    adapted.begin("BEGIN IMMEDIATE" if connection.get_execution_options().get(WRITES) else "BEGIN")
