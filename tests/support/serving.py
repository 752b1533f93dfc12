"""The whole server, really listening: in a thread of its own with a loop of its own, as `famulus serve` runs it.

server      one for all tests of a session, on each database, with an academy planted and a scripted model
embedded    the one of these that is on SQLite
serving()   one of a test's own
"""

import asyncio
import shutil
import socket
import threading
import time
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from httpx2 import Client
from sqlalchemy import Delete, Update, delete

from famulus.cli.serving import Server
from famulus.identity.models import Attempts
from famulus.kernel.database import Database
from famulus.kernel.settings import Settings, load_settings
from tests.support.academy import Academy, furnish, plant
from tests.support.databases import build_schema, schema_key, sqlite_template
from tests.support.postgres import Postgres

T = TypeVar("T")
PATIENCE = 30.0
ACTING = """\
@when erase (?P<task>\\w+)
@tool create_task {"title": "${task}"}
@tool delete_task {"task": "${task}"}
It is erased.
--- message
@when note (?P<task>\\w+)
@tool create_task {"title": "${task}"}
It is noted."""
"""What an academy needs of any scripted model: something that waits for a yes, and something that can be undone."""
SCRIPT = """\
One two three. *Grüße* 🚀 and **done**.
--- message
@when slowly
@rate 25
{slow}
--- message
@when think first
@think Which courses are there? I look.
@tool list_my_courses {{}}
You have some courses.
--- message
@when think twice
@think Is it so? It is.
Yes.
--- message
@when use a tool
@tool list_my_courses {{}}
You have some courses.
--- message
{acting}
--- message
@when briefly
@rate 30
{brief}
--- message
@when press (?P<label>\\w+)
@tool press_button {{"label": "${{label}}"}}
It is pressed.
--- message
@when quiz me
@tool ask_person {{"questions": [{{"question": "Which river?", "options": ["Rhine", "Elbe"]}}, {{"question": "Why?"}}]}}
I see.
--- message
@when cite
A river begins at a spring [1], and so on.
--- message
@when fail
@fail 400
--- message
@when weather
@tool get_weather {{"city": "Bonn"}}
It rains in Bonn.
--- message
@when search first
@tool search_knowledge {{"query": "rivers"}}
Rivers flow to the sea.
""".format(slow="word " * 400, brief="word " * 30, acting=ACTING)


@dataclass(frozen=True)
class Served:
    """A running server and who can sign in to it."""

    url: str
    port: int
    settings: Settings
    app: Any
    academy: Academy

    def client(self, who: str | None = None, **options: Any) -> Client:
        """A client that is signed in as somebody of the academy, or not at all."""
        headers = {"Authorization": f"Bearer {self.academy.people[who].token}"} if who else {}
        # Without certificates to read, which takes longer than most tests.
        return Client(base_url=self.url, headers=headers, timeout=PATIENCE, verify=False, **options)


class _Telling(Server):
    """Says when it listens."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.listening: Future[int] = Future()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set_result(self.port)


@contextmanager
def serving(
    settings: Settings, academy: Academy, *, prepare: Callable[[Any], None] | None = None
) -> Iterator[Served]:
    """The server of these settings; `prepare` may add routes to its application before it starts."""
    server = _Telling(settings.model_copy(update={"host": "127.0.0.1", "port": 0}))
    if prepare is not None:
        prepare(server.app)

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
                runner.run(server.serve())
        except BaseException as error:
            if server.listening.done():
                raise
            server.listening.set_exception(error)

    thread = threading.Thread(target=run, name="server", daemon=True)
    thread.start()
    try:
        port = server.listening.result(PATIENCE)
        yield Served(f"http://127.0.0.1:{port}", port, settings, server.app, academy)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
    assert not thread.is_alive(), "the server did not stop"


def wait_for(work: Coroutine[Any, Any, T]) -> T:
    """The result of a coroutine, for a fixture that has no loop, or must not use the test's."""
    with ThreadPoolExecutor(1) as elsewhere:
        return elsewhere.submit(asyncio.run, work).result()


async def change(url: str, statement: Update | Delete) -> None:
    """Change what stands in the database of a server."""
    database = Database(url)
    async with database.write() as session:
        await session.execute(statement)
    await database.close()


def forgetting(served: Served) -> Served:
    """The same server, with no failure of a sign-in counted."""
    wait_for(change(served.settings.database, delete(Attempts)))
    return served


@contextmanager
def migrated_database(dialect: str, folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a migrated, empty database, for fixtures that outlive a test."""
    if dialect == "sqlite":
        path = folder / "famulus.db"
        shutil.copy(wait_for(sqlite_template()), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    postgres: Postgres = request.getfixturevalue("postgres")
    template = wait_for(postgres.template(schema_key(), build_schema))
    name = wait_for(postgres.create(template))
    try:
        yield postgres.url(name)
    finally:
        wait_for(postgres.drop(name))


def settings_for(database_url: str, folder: Path, **overrides: object) -> Settings:
    """Settings of a server on this database, with the scripted model."""
    script = folder / "replies.md"
    script.write_text(SCRIPT, encoding="utf-8")
    given: dict[str, object] = {
        "model": f"scripted:{script}",
        "run_lease": 2,
        "log_level": "ERROR",
        "embedding": "none",
    }
    return load_settings(database_url=database_url, data_dir=folder / "var", **(given | overrides))


@pytest.fixture(scope="session")
def document(embedded: Served) -> Any:
    """The OpenAPI document, as the server gives it out."""
    with embedded.client() as client:
        return client.get("/openapi.json").json()


@contextmanager
def bare(
    dialect: str,
    folder: Path,
    request: pytest.FixtureRequest,
    *,
    prepare: Callable[[Any], None] | None = None,
    **overrides: object,
) -> Iterator[Served]:
    """A server on an empty database of its own."""
    with ExitStack() as stack:
        url = stack.enter_context(migrated_database(dialect, folder, request))
        settings = settings_for(url, folder, **overrides)
        yield stack.enter_context(serving(settings, Academy({}), prepare=prepare))


@contextmanager
def furnished(
    dialect: str, folder: Path, request: pytest.FixtureRequest, **overrides: object
) -> Iterator[Served]:
    """A server on a database of its own, with an academy."""
    with ExitStack() as stack:
        if dialect == "sqlite":
            url, academy = f"sqlite+aiosqlite:///{folder / 'famulus.db'}", _copied(folder, request)
        else:
            url = stack.enter_context(migrated_database(dialect, folder, request))
            academy = _made(url, folder)
        yield stack.enter_context(serving(settings_for(url, folder, **overrides), academy))


def _made(url: str, folder: Path) -> Academy:
    """Plant an academy and furnish it, through a server of the usual settings."""
    academy = wait_for(plant(url))
    with serving(settings_for(url, folder), academy) as served:
        furnish(academy, served.client)
    return academy


FRESH = 1200.0
"""Seconds for which a furnished academy is copied; a sign-in lasts an hour."""
_kept: list[tuple[float, Path, Academy]] = []
"""Until when this process copies the academy of a folder. To furnish one takes some 150 requests."""


def _copied(folder: Path, request: pytest.FixtureRequest) -> Academy:
    """A furnished academy on SQLite, with all that belongs to it, in `folder`."""
    if not _kept or _kept[-1][0] < time.monotonic():
        factory: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
        made = factory.mktemp("academy")
        with migrated_database("sqlite", made, request) as url:
            _kept.append((time.monotonic() + FRESH, made, _made(url, made)))
    _, made, academy = _kept[-1]
    shutil.copytree(made, folder, dirs_exist_ok=True)
    return Academy(academy.people, dict(academy.ids))


@pytest.fixture(scope="session")
def embedded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server on SQLite, for what does not depend on the database."""
    with furnished("sqlite", tmp_path_factory.mktemp("embedded"), request) as served:
        yield served


@pytest.fixture(scope="session")
def on_postgres(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The server on PostgreSQL."""
    with furnished("postgresql", tmp_path_factory.mktemp("postgres"), request) as served:
        yield served


@pytest.fixture(scope="session", params=["embedded", pytest.param("on_postgres", marks=pytest.mark.postgres)])
def server(request: pytest.FixtureRequest) -> Served:
    """A running server with an academy, on each database. Tests share it: each makes what it changes."""
    return request.getfixturevalue(str(request.param))
