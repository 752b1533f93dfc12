"""Titles: the first words at once, a better one by the model, and a person's own before both."""

import asyncio

import pytest

from famulus.conversations.threads import find_thread, rename_thread
from famulus.runs.events import ThreadTitled
from famulus.runs.title import LENGTH, feed, first_words
from tests.runs.conftest import Instance, tags
from tests.support.fake_provider import DONE, FakeProvider, delta
from tests.support.waiting import until


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ("What is a node?", "What is a node?"),
        ("  What\n is\ta   node? ", "What is a node?"),
        ("one two three four five six seven eight", "one two three four five six seven eight"),
        ("one two three four five six seven, eight, nine", "one two three four five six seven, eight…"),
        ("x" * 100, "x" * LENGTH + "…"),
        ("word " + "y" * 100, "word…"),
    ],
)
def test_the_first_words(text: str, title: str) -> None:
    assert first_words(text) == title


async def title_of(instance: Instance, thread_id: str) -> str | None:
    async with instance.database.read() as session:
        return (await find_thread(session, instance.person, thread_id)).title


async def test_the_model_makes_a_better_one(instance: Instance, provider: FakeProvider) -> None:
    provider.reply("A node computes.")
    provider.reply('**"Nodes explained."**\nAnd more that nobody asked for.')
    with instance.parts.live.listen(feed(instance.person.user_id)) as listener:
        started = await instance.ask("What is a node?")
        events = await instance.follow(started.run.id)
        thread_id = started.run.thread_id

        assert events[1].event == ThreadTitled(thread_id, "What is a node?")
        heard = await listener.wait(10)
        assert "Nodes explained" in heard[0]
    assert await title_of(instance, thread_id) == "Nodes explained"
    asked = provider.requests[1].body["messages"]
    assert "A node computes." in asked[1]["content"]


async def test_only_the_first_exchange_makes_one(instance: Instance, provider: FakeProvider) -> None:
    provider.reply("A node computes.")
    provider.reply("Nodes")
    started = await instance.ask()
    await instance.follow(started.run.id)
    await until(lambda: _titled(instance, started.run.thread_id, "Nodes"))
    provider.reply("A topic carries.")
    again = await instance.send(started.run.thread_id, "And a topic?")

    assert "thread.titled" not in tags(await instance.follow(again.run.id))
    await asyncio.sleep(1.5)
    assert len(provider.requests) == 3


async def _titled(instance: Instance, thread_id: str, title: str) -> bool:
    return await title_of(instance, thread_id) == title


async def test_a_persons_title_wins(instance: Instance, provider: FakeProvider) -> None:
    provider.reply("A node computes.")
    provider.raw(delta(content="Nodes"), 0.5, delta(content="", finish="stop"), DONE)
    started = await instance.ask()
    await instance.follow(started.run.id)
    await until(lambda: _asked(provider, 2))
    async with instance.database.write() as session:
        await rename_thread(session, instance.person, started.run.thread_id, "Mine")
    await provider.requests[1].gone.wait()
    await asyncio.sleep(0.3)

    assert await title_of(instance, started.run.thread_id) == "Mine"


async def _asked(provider: FakeProvider, count: int) -> bool:
    return len(provider.requests) >= count


async def test_without_an_answer_the_first_words_stay(instance: Instance, provider: FakeProvider) -> None:
    provider.reply("A node computes.")
    provider.fail(401)
    started = await instance.ask("What is a node?")
    await instance.follow(started.run.id)
    await until(lambda: _asked(provider, 2))
    await provider.requests[1].gone.wait()
    await asyncio.sleep(0.1)

    assert await title_of(instance, started.run.thread_id) == "What is a node?"
