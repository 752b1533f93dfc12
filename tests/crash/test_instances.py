"""Two instances on one database: what one begins the other finishes, and one that stood still writes nothing."""

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.crash.checker import violations
from tests.crash.clients import Client
from tests.crash.history import History, Stored
from tests.crash.server import Server
from tests.support.databases import build_schema, schema_key
from tests.support.postgres import Postgres
from tests.support.streaming import FOLLOWED, Opening, following, shown_at_last
from tests.support.waiting import until

pytestmark = [pytest.mark.crash, pytest.mark.postgres, pytest.mark.slow]
LEASE = 2.0
GOAL = 6.0
PATIENCE = 90.0
"""Seconds that a slow machine may take; the goal is measured apart."""


@pytest.fixture
async def pair(postgres: Postgres, tmp_path: Path) -> AsyncIterator[tuple[Server, Server]]:
    """Two servers on one database."""
    template = await postgres.template(schema_key(), build_schema)
    async with postgres.database(template) as url, AsyncExitStack() as stack:
        first, second = Server(tmp_path, url, LEASE), Server(tmp_path, url, LEASE)
        for server in (first, second):
            await server.start()
            stack.push_async_callback(server.stop)
        await asyncio.gather(first.ready(), second.ready())
        yield first, second


class Conversation:
    """A person whose requests go to the one server or the other, and one run that is being answered."""

    def __init__(self, client: Client, history: History, at: list[Server]) -> None:
        self.client = client
        self.history = history
        self.at = at
        """The server in use is its last."""

    async def begin(self) -> asyncio.Task[object]:
        """Have a slow answer begun and followed until words come."""
        send = await self.client.send(await self.client.new_thread(), "slow")
        following: asyncio.Task[object] = asyncio.create_task(self.client.follow(send.run_id))

        async def speaks() -> bool:
            streams = self.history.streams
            return bool(streams) and any(event.name == "text.delta" for event in streams[0].seen)

        await until(speaks)
        return following

    async def verdict(self) -> list[str]:
        """What the checker says of it all."""
        stored = Stored()
        await self.client.collect(stored, {send.thread_id for send in self.history.sends})
        return violations(self.history, stored)


@asynccontextmanager
async def conversation(first: Server) -> AsyncIterator[Conversation]:
    """A person who begins at `first`."""
    history, at = History(), [first]
    async with Client(lambda: at[-1].url, history, random.Random(1)) as client:
        yield Conversation(client, history, at)


async def test_the_other_instance_takes_over(pair: tuple[Server, Server]) -> None:
    first, second = pair
    async with conversation(first) as talk:
        following = await talk.begin()
        await first.kill()
        killed = time.monotonic()
        talk.at.append(second)
        await asyncio.wait_for(following, PATIENCE)

        stream = talk.history.streams[0]
        resumed = next(event.at for event in stream.seen if event.id.epoch == 2) - killed
        assert resumed <= GOAL
        assert stream.seen[-1].name == "run.completed"
        assert await talk.verdict() == []


async def read_at(url: str, opened: Opening, headers: dict[str, str]) -> list[str]:
    """The data of a stream, read to its end."""
    wanted = {**headers, "Accept": "text/event-stream"}
    async with (
        aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as session,
        session.request(opened.method, url + opened.path, json=opened.body, headers=wanted) as answer,
    ):
        assert answer.status == 200, await answer.text()
        return [line[6:] for line in (await answer.text()).split("\n") if line.startswith("data: ")]


async def test_D04_D08_a_takeover_is_seen_through_at_every_door(pair: tuple[Server, Server]) -> None:
    """Whoever follows at the other instance is told of the new beginning in the door's own way, and has it whole."""
    first, second = pair
    async with conversation(first) as talk:
        following_here = await talk.begin()
        send, headers = talk.history.sends[0], talk.client.headers
        readers = {
            way: asyncio.create_task(
                read_at(second.url, following(way, send.thread_id, send.run_id), headers)
            )
            for way in FOLLOWED
        }
        await asyncio.sleep(1)
        await first.kill()
        talk.at.append(second)
        await asyncio.wait_for(following_here, PATIENCE)
        path = f"/api/v1/runs/{send.run_id}"
        answer = (await talk.client.ask("GET", path))["answer"]["text"]
        for way, reader in readers.items():
            shown = shown_at_last(way, send.run_id, await asyncio.wait_for(reader, PATIENCE))
            assert shown == answer, way


async def test_an_instance_that_stood_still_writes_nothing(pair: tuple[Server, Server]) -> None:
    first, second = pair
    async with conversation(first) as talk:
        following = await talk.begin()
        run_id = talk.history.sends[0].run_id
        first.freeze()
        try:
            talk.at.append(second)
            watching = asyncio.create_task(talk.client.follow(run_id))
            await asyncio.wait_for(watching, PATIENCE)
            before = await talk.client.journal(run_id)
        finally:
            first.thaw()
        await asyncio.wait_for(following, PATIENCE)
        await asyncio.sleep(LEASE)

        assert await talk.client.journal(run_id) == before
        assert [event.id for event in before if event.id.epoch > 2] == []
        assert await talk.verdict() == []
