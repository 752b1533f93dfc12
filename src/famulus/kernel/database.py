"""The database: sessions for ordinary work, the fast lane for a turn. SQLite when embedded, PostgreSQL in production.

One request or job is one transaction: `read()` and `write()` are the only places that begin and end one. SQLite has
one writer, so a write session waits at the gate that the fast lane passes as well, rather than in a busy handler.
No session may be open while a model, a tool or a password hash is awaited.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Connection, event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine

from famulus.kernel.bus import Bus
from famulus.kernel.clock import POSTGRES
from famulus.kernel.errors import ConfigurationError, Unavailable
from famulus.kernel.lane import NOW, Driver, Lane, Script
from famulus.kernel.lane_sqlite import PRAGMAS, SqliteDriver, to_sqlite

WRITES = "famulus_writes"
AFTER_COMMIT = "after_commit"
PLANNING = {"plan_cache_mode": "force_custom_plan"}
"""PostgreSQL plans a statement for the values in it each time. What it would plan once for all values, from the sixth
time on, knows neither how much lies between two ids nor how many names begin so. The fast lane's statements are simple,
and keep their plans."""
LOST = (OperationalError, InterfaceError, PoolTimeout, ConnectionError, TimeoutError, socket.gaierror)
BUSY = ("08", "28", "3D", "40", "53", "55P03", "57")
"""Beginnings of the SQLSTATEs for: lost, not let in, no such database, deadlocked, full or too many, lock not had, shut
down or cancelled."""


def announce(session: AsyncSession, *events: object) -> None:
    """Publish events on the bus once this session's transaction has committed."""
    session.info.setdefault(AFTER_COMMIT, []).extend(events)


async def run_in(session: AsyncSession, script: Script) -> Any:
    """Run a script of the fast lane within an ordinary session's transaction; returns what the script returns."""
    connection = await session.connection()
    sqlite = connection.dialect.name == "sqlite"
    try:
        sql, values = next(script)
        while True:
            written = to_sqlite(sql, values) if sqlite else (sql.replace(NOW, POSTGRES), values)
            result = await connection.exec_driver_sql(*written)
            rows: list[Any] = list(result.fetchall()) if result.returns_rows else []
            sql, values = script.send(rows)
    except StopIteration as end:
        return end.value


class Database:
    """One database for the life of the application. Build it inside a running event loop; `close` it at the end."""

    def __init__(self, url: str, bus: Bus | None = None) -> None:
        self.url = make_url(url)
        self.bus = bus or Bus()
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        self.engine = _sqlite(url) if self.dialect == "sqlite" else _postgres(url)
        self._reading = async_sessionmaker(self.engine, expire_on_commit=False)
        self._writing = async_sessionmaker(
            self.engine.execution_options(**{WRITES: True}), expire_on_commit=False
        )
        self._one_writer = asyncio.Lock() if self.dialect == "sqlite" else None
        self.lane = Lane(self._driver(), self._one_writer or asyncio.Lock())

    @property
    def dsn(self) -> str:
        """The address as drivers without SQLAlchemy want it; it contains the password."""
        return self.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def _driver(self) -> Driver:
        if self.dialect == "sqlite":
            return SqliteDriver(Path(self.url.database or ""))
        # lazy: asyncpg, which SQLite does without
        from famulus.kernel.lane_postgres import PostgresDriver

        return PostgresDriver(self.dsn)

    @asynccontextmanager
    async def read(self) -> AsyncGenerator[AsyncSession]:
        """A session that only reads; whatever it changes is rolled back."""
        with _translated():
            async with self._reading() as session:
                yield session

    @asynccontextmanager
    async def write(self) -> AsyncGenerator[AsyncSession]:
        """A session whose changes are committed when the block ends, or not at all; then its events are published."""
        with _translated():
            if self._one_writer is None:
                async with self._writing() as session, session.begin():
                    yield session
            else:
                async with self._one_writer, self._writing() as session, session.begin():
                    yield session
        await self.bus.publish(*session.info.get(AFTER_COMMIT, ()))

    async def ping(self) -> None:
        """Raise `Unavailable` unless the database answers within 5 s."""
        try:
            async with asyncio.timeout(5), self.read() as session:
                await session.execute(text("SELECT 1"))
        except TimeoutError as error:
            raise Unavailable("The database did not answer within 5 seconds.") from error

    async def close(self) -> None:
        """Finish what the fast lane holds and close every connection."""
        await self.lane.close()
        await self.engine.dispose()


class _translated:
    """A lost, busy or full database is `Unavailable`; anything else stays what it was."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if _is_lost(error):
            raise Unavailable(
                "The database did not answer or could not take the write. Try again shortly."
            ) from error


def _is_lost(error: BaseException | None) -> bool:
    """Whether it is the database that is away, busy or full, rather than the statement that is wrong."""
    if isinstance(error, DBAPIError):
        state = str(getattr(error.orig, "sqlstate", ""))
        return error.connection_invalidated or isinstance(error, LOST) or state.startswith(BUSY)
    # An error of PostgreSQL's that SQLAlchemy passes on as it is was raised while connecting.
    return isinstance(error, LOST) or getattr(error, "sqlstate", None) is not None


def _sqlite(url: str) -> AsyncEngine:
    path = Path(make_url(url).database or "")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ConfigurationError(
            f"The folder of the database, {path.parent}, cannot be made: {error.strerror}. Make a place for it that"
            " this user can write, or name another in FAMULUS_DATA_DIR or FAMULUS_DATABASE_URL."
        ) from error
    engine = create_async_engine(url, pool_size=4, max_overflow=4, pool_timeout=10, hide_parameters=True)
    event.listen(engine.sync_engine, "connect", _prepare)
    event.listen(engine.sync_engine, "begin", _begin)
    return engine


def _prepare(connection: Any, _record: object) -> None:
    connection.isolation_level = None  # the driver must not begin transactions behind our back
    cursor = connection.cursor()
    for pragma in PRAGMAS:
        cursor.execute(pragma)
    cursor.close()


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get(WRITES, False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _postgres(url: str) -> AsyncEngine:
    # lazy: asyncpg, which SQLite does without
    from famulus.kernel.lane_postgres import SETTINGS

    return create_async_engine(
        url,
        pool_size=8,
        max_overflow=8,
        pool_timeout=10,
        pool_pre_ping=True,
        pool_recycle=1800,
        hide_parameters=True,  # what people wrote does not belong into a traceback
        connect_args={"timeout": 10, "command_timeout": 15, "server_settings": {**SETTINGS, **PLANNING}},
    )
