"""What tests of runs share: a person, a fake model provider, and instances of the application without its doors."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from famulus.app import Parts, open_parts
from famulus.assistants.registry import Draft, create_assistant
from famulus.assistants.settings import AssistantSettings
from famulus.conversations.beginning import Beginning, create_thread
from famulus.conversations.parts import MessageView
from famulus.conversations.threads import list_messages
from famulus.identity.accounts import create_account
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.lane import Script, Value
from famulus.kernel.paging import Paging
from famulus.kernel.settings import load_settings
from famulus.runs.ask import Ask, Started
from famulus.runs.events import START, Entry, EventId
from famulus.tools.contract import Tool
from tests.support.fake_provider import FakeProvider

PATIENCE = 60.0
Open = Callable[..., AbstractAsyncContextManager["Instance"]]


class Instance:
    """One instance with one person who asks."""

    def __init__(self, parts: Parts, person: Principal) -> None:
        self.parts = parts
        self.person = person

    @property
    def database(self) -> Database:
        return self.parts.database

    async def thread(self, **settings: object) -> str:
        """A new thread; with `settings`, of an assistant that has them."""
        async with self.database.write() as session:
            assistant_id = None
            if settings:
                draft = Draft("global", f"Special {settings}", "Answer.", AssistantSettings(**settings))
                assistant_id = (
                    await create_assistant(session, replace(self.person, role="site_admin"), draft)
                ).assistant.id
            return (await create_thread(session, self.person, Beginning(assistant_id=assistant_id))).thread.id

    async def send(self, thread_id: str, text: str = "What is a node?", key: str | None = None) -> Started:
        """Have a message accepted."""
        return await self.parts.runs.start(self.person, Ask(thread_id, text, key=key))

    async def ask(self, text: str = "What is a node?", **settings: object) -> Started:
        """The first message of a new thread."""
        return await self.send(await self.thread(**settings), text)

    async def follow(self, run_id: str, after: EventId = START) -> list[Entry]:
        """Every event after an id until the end."""
        async with asyncio.timeout(PATIENCE):
            batches = await self.parts.runs.follow(self.person, run_id, after)
            return [entry async for batch in batches for entry in batch]

    async def until(self, run_id: str, tag: str) -> list[Entry]:
        """The events up to the first of this kind."""
        found: list[Entry] = []
        async with asyncio.timeout(PATIENCE):
            async for batch in await self.parts.runs.follow(self.person, run_id):
                found += batch
                if tag in tags(found):
                    break
        return found

    async def messages(self, thread_id: str) -> list[MessageView]:
        """The messages of a thread."""
        async with self.database.read() as session:
            return list((await list_messages(session, self.person, thread_id, Paging(100, None))).items)

    async def journal(self, run_id: str) -> list[Any]:
        """The journal's rows as they are stored."""
        sql = "SELECT epoch, n, last, data FROM run_events WHERE run_id = $1 ORDER BY epoch, n"
        return [tuple(row) for row in await execute(self.database, sql, run_id)]


def tags(entries: list[Entry]) -> list[str]:
    """What kinds of events these are."""
    return [str(entry.event.__struct_config__.tag) for entry in entries]


def _one(sql: str, values: tuple[Value, ...]) -> Script:
    return (yield sql, values)


async def execute(database: Database, sql: str, *values: Value) -> list[Any]:
    """Run one statement in a transaction of its own."""
    rows: list[Any] = await database.lane.write(partial(_one, sql, values))
    return rows


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def person(database: Database) -> Principal:
    async with database.write() as session:
        account = await create_account(session, email="ada@famulus.local", name="Ada", password_hash=None)
    return Principal(user_id=account.id, name=account.name, email=account.email)


@pytest.fixture
def opened(provider: FakeProvider, person: Principal, database_url: str, tmp_path: Path) -> Open:
    """Starts one more instance on the test's database."""

    @asynccontextmanager
    async def open_one(*tools: Tool, **settings: object) -> AsyncIterator[Instance]:
        chosen = {
            "database_url": database_url,
            "data_dir": tmp_path,
            "model": "compatible:fake",
            "model_base_url": provider.base_url,
            "run_lease": 1.0,
            **settings,
        }
        async with open_parts(load_settings(**chosen), tools) as parts:
            yield Instance(parts, person)

    return open_one


@pytest.fixture
async def instance(opened: Open) -> AsyncIterator[Instance]:
    """An instance at work."""
    async with AsyncExitStack() as stack:
        yield await stack.enter_async_context(opened())
