"""The database: sessions for ordinary work, the fast lane for a turn. SQLite when embedded, PostgreSQL in production.

One request or job is one transaction: `read()` and `write()` are the only places that begin and end one. SQLite has
one writer, so a write session waits at the gate that the fast lane passes as well, rather than in a busy handler.
No session may be open while a model, a tool or a password hash is awaited.
"""

import asyncio
import socket
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager, nullcontext
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import Dialect, Select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker
from sqlalchemy.sql.compiler import SQLCompiler

from famulus.kernel import engine_sqlite
from famulus.kernel.bus import Bus
from famulus.kernel.duplicates import Vanished, is_orphan
from famulus.kernel.engine_sqlite import WRITES
from famulus.kernel.errors import Unavailable
from famulus.kernel.lane import Driver, Lane, Script, Statement, just
from famulus.kernel.lane_sqlite import SqliteDriver
from famulus.kernel.tables import Base

AFTER_COMMIT = "after_commit"
AT_END = "at_end"
LOST = (OperationalError, InterfaceError, PoolTimeout, ConnectionError, TimeoutError, socket.gaierror)
BUSY = ("08", "28", "3D", "40", "53", "55P03", "57")
"""Beginnings of the SQLSTATEs for: lost, not let in, no such database, deadlocked, full or too many, lock not had, shut
down or cancelled."""


def announce(session: AsyncSession, *events: object) -> None:
    """Publish events on the bus once this session's transaction has committed."""
    session.info.setdefault(AFTER_COMMIT, []).extend(events)


def statement_of(query: Select[*tuple[Any, ...]], dialect: str) -> Statement:
    """A query as a statement of the fast lane, with plain values. Keep it: to make it takes longer than to run it."""
    made = query.compile(dialect=_dialect(dialect), compile_kwargs={"render_postcompile": True})
    assert isinstance(made, SQLCompiler)
    values = made.construct_params()
    return str(made), tuple(values[name] for name in made.positiontup or ())


@lru_cache
def _dialect(name: str) -> Dialect:
    driver = "sqlite+aiosqlite" if name == "sqlite" else "postgresql+asyncpg"
    return make_url(f"{driver}://").get_dialect()()


def at_end(session: AsyncSession, statement: Statement) -> None:
    """Have a statement of the fast lane run with this session's next script, at the latest before its commit."""
    session.info.setdefault(AT_END, []).append(statement)


async def run_in(session: AsyncSession, script: Script) -> Any:
    """Run a script of the fast lane within an ordinary session's transaction; returns what the script returns."""
    adapted = await _adapted(session)
    return await adapted.run(_after(session.info.pop(AT_END, ()), script))


async def run_last(session: AsyncSession, script: Script) -> Any:
    """The same at a transaction's end, with its commit where that saves a way: after it nothing may be done."""
    if session.new or session.dirty or session.deleted:
        await session.flush()
    adapted = await _adapted(session)
    return await adapted.run_last(_after(session.info.pop(AT_END, ()), script))


async def _adapted(session: AsyncSession) -> Any:
    connection = (await session.connection()).sync_connection
    assert connection is not None
    return connection.connection.dbapi_connection


def put(session: AsyncSession, row: Base) -> None:
    """Insert one row `at_end`: the session's unit of work takes many times what a statement of the fast lane does.

    Its columns have the names of its attributes, and what was not given is null.
    """
    values = {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}
    at_end(session, (_insert(row.__tablename__, tuple(values)), tuple(values.values())))


@lru_cache(maxsize=128)
def _insert(table: str, names: tuple[str, ...]) -> str:
    places = ", ".join(f"${n}" for n in range(1, len(names) + 1))
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({places})"  # noqa: S608 – names of ours


def _after(statements: Sequence[Statement], script: Script) -> Script:
    yield from just(*statements)
    return (yield from script)


class Database:
    """One database for the life of the application. Build it inside a running event loop; `close` it at the end."""

    def __init__(self, url: str, bus: Bus | None = None) -> None:
        self.url = make_url(url)
        self.bus = bus or Bus()
        self.dialect: Literal["sqlite", "postgresql"] = (
            "sqlite" if self.url.get_backend_name() == "sqlite" else "postgresql"
        )
        self.engine = self._engine()
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

    def _engine(self) -> AsyncEngine:
        if self.dialect == "sqlite":
            return engine_sqlite.engine_of(self.url)
        # lazy: asyncpg, which SQLite does without
        from famulus.kernel import engine_postgres

        return engine_postgres.engine_of(self.url)

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
            async with self._one_writer or nullcontext(), self._writing() as session, session.begin():
                yield session
                if AT_END in session.info:
                    await run_last(session, just())
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
    """A lost, busy or full database is `Unavailable`, a reference to what has just gone `Vanished`; all else stays."""

    def __enter__(self) -> None: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if is_orphan(error):
            raise Vanished() from error
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
