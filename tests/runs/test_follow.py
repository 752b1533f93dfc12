"""Following a run: from any event, by any number of readers, on any instance, with the same events for all."""

import asyncio
import random
from dataclasses import replace

import pytest

from famulus.conversations.threads import delete_thread
from famulus.runs.errors import RunNotFound
from famulus.runs.events import (
    START,
    BadEventId,
    Entry,
    EventId,
    MessageCompleted,
    TextDelta,
    ThreadTitled,
)
from famulus.runs.journal import Journal
from tests.runs.conftest import Instance, Open, execute, tags
from tests.support.fake_provider import HANG, FakeProvider, delta

WORDS = " ".join(f"word{n}" for n in range(60))


def text_of(events: list[Entry]) -> str:
    return "".join(entry.event.text for entry in events if isinstance(entry.event, TextDelta))


async def test_from_every_place_the_rest_is_the_same(instance: Instance, provider: FakeProvider) -> None:
    provider.reply("A node computes, a topic carries.")
    started = await instance.ask()
    events = await instance.follow(started.run.id)

    assert tags(events)[:2] == ["run.started", "thread.titled"]
    assert tags(events)[-2:] == ["message.completed", "run.completed"]
    for n in range(len(events)):
        after = EventId(1, n)
        assert await instance.follow(started.run.id, after) == events[n:]
    completed = events[-2].event
    assert isinstance(completed, MessageCompleted)
    assert completed.message == (await instance.messages(started.run.thread_id))[1]
    assert completed.message.text == text_of(events)


async def test_after_the_end_there_is_nothing_at_once(instance: Instance) -> None:
    started = await instance.ask()
    last = (await instance.follow(started.run.id))[-1].id

    async with asyncio.timeout(30):
        assert await instance.follow(started.run.id, last) == []


@pytest.mark.parametrize("after", [EventId(1, 999), EventId(2, 1), EventId(9, 9)])
async def test_a_future_id_is_refused(instance: Instance, provider: FakeProvider, after: EventId) -> None:
    provider.raw(delta(content="Half"), HANG)
    live = await instance.ask()
    await instance.until(live.run.id, "text.delta")
    done = await instance.ask()
    await instance.follow(done.run.id)

    for run_id in (live.run.id, done.run.id):
        with pytest.raises(BadEventId):
            await instance.parts.runs.follow(instance.person, run_id, after)
        with pytest.raises(BadEventId):
            await instance.parts.runs.events(instance.person, run_id, after)


async def test_D11_what_the_journal_has_may_be_named_before_it_is_shown(
    instance: Instance, provider: FakeProvider
) -> None:
    """Whoever reads the journal just then goes on after its last event, and is shown the next one."""
    provider.raw(delta(content="Half"), HANG)
    run = (await instance.ask()).run
    await instance.until(run.id, "text.delta")
    work, runs = instance.parts.runner.works[run.id], instance.parts.runs
    journal = Journal(instance.database, instance.parts.live, instance.parts.runner.owner)
    first, second = ThreadTitled(run.thread_id, "First"), ThreadTitled(run.thread_id, "Second")
    async with work.lock:
        async with instance.database.write() as session:
            count = await journal.write_last(session, work, first, (), lambda: None)
        written = await runs.events(instance.person, run.id, START)
        assert written[-1].event == first
        assert await runs.events(instance.person, run.id, written[-1].id) == []
        following = await runs.follow(instance.person, run.id, written[-1].id)
        batch = asyncio.ensure_future(anext(following))
        await asyncio.sleep(0.05)
        journal.show(work, count, [first])
    await journal.write(work, second)
    async with asyncio.timeout(30):
        found = await batch or await anext(following)
    assert [entry.event for entry in found] == [second]
    await following.aclose()


async def test_another_persons_run_is_not_there(instance: Instance, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half"), HANG)
    live = await instance.ask()
    stranger = replace(instance.person, user_id="usr_stranger")

    for run_id in (live.run.id, "run_nothing"):
        with pytest.raises(RunNotFound):
            await instance.parts.runs.follow(stranger, run_id, START)
        with pytest.raises(RunNotFound):
            await instance.parts.runs.events(stranger, run_id, START)
        with pytest.raises(RunNotFound):
            await instance.parts.runs.get(stranger, run_id)


async def test_many_followers_see_the_same(instance: Instance, provider: FakeProvider) -> None:
    provider.reply(WORDS, pace=0.005)
    started = await instance.ask()

    async def late(seconds: float) -> list[Entry]:
        await asyncio.sleep(seconds)
        return await instance.follow(started.run.id)

    everybody = await asyncio.gather(*(late(n / 20) for n in range(8)))

    assert text_of(everybody[0]) == WORDS
    assert all(events == everybody[0] for events in everybody)


async def test_a_slow_reader_goes_on_from_the_journal(instance: Instance, provider: FakeProvider) -> None:
    provider.reply(WORDS, pace=0.02)
    started = await instance.ask()
    batches = await instance.parts.runs.follow(instance.person, started.run.id)
    slow = list(await anext(batches))
    work = instance.parts.runner.works[started.run.id]
    while work.channel.since(slow[-1].id) is not None and not work.channel.ended:
        await asyncio.sleep(0.05)

    assert work.journalled > slow[-1].id.n
    async for batch in batches:
        slow += batch
    assert slow == await instance.follow(started.run.id)


async def test_a_reader_that_leaves_stops_nothing(instance: Instance, provider: FakeProvider) -> None:
    provider.reply(WORDS, pace=0.005)
    started = await instance.ask()
    batches = await instance.parts.runs.follow(instance.person, started.run.id)
    await anext(batches)
    await batches.aclose()

    assert text_of(await instance.follow(started.run.id)) == WORDS


async def test_another_instance_shows_the_same(
    instance: Instance, opened: Open, provider: FakeProvider
) -> None:
    provider.reply(WORDS, pace=0.02)
    started = await instance.ask()
    async with opened() as other:
        elsewhere, here = await asyncio.gather(other.follow(started.run.id), instance.follow(started.run.id))

    assert elsewhere == here


async def test_D10_who_is_never_woken_comes_to_the_end_by_looking(
    instance: Instance, opened: Open, provider: FakeProvider
) -> None:
    """On an instance that hears no word of what others do, streams end all the same, within ten seconds."""
    provider.reply(WORDS, pace=0.005)
    started = await instance.ask()
    async with opened() as other:
        await other.parts.live.close()
        elsewhere = asyncio.create_task(other.follow(started.run.id))
        here = await instance.follow(started.run.id)
        async with asyncio.timeout(30):
            assert await elsewhere == here


async def test_D11_who_comes_at_the_first_or_the_last_moment_misses_nothing(
    instance: Instance, provider: FakeProvider
) -> None:
    chance = random.Random(11)

    async def at_some_moment(run_id: str, latest: float) -> list[Entry]:
        await asyncio.sleep(chance.uniform(0, latest))
        return await instance.follow(run_id)

    for _ in range(30):
        provider.reply("One two.")
        started = await instance.ask()
        everybody = await asyncio.gather(*(at_some_moment(started.run.id, n / 100) for n in range(8)))
        assert all(events == everybody[0] for events in everybody)
        assert (tags(everybody[0])[0], tags(everybody[0])[-1]) == ("run.started", "run.completed")


async def test_a_page_of_the_journal(instance: Instance) -> None:
    started = await instance.ask()
    events = await instance.follow(started.run.id)

    runs = instance.parts.runs
    assert await runs.events(instance.person, started.run.id, START) == events
    assert await runs.events(instance.person, started.run.id, events[-1].id) == []


async def test_a_deleted_thread_ends_its_streams(
    instance: Instance, opened: Open, provider: FakeProvider
) -> None:
    provider.raw(delta(content="Half"), HANG)
    started = await instance.ask()
    await instance.until(started.run.id, "text.delta")
    async with opened() as other:
        following = [asyncio.create_task(each.follow(started.run.id)) for each in (instance, other)]
        await asyncio.sleep(0.3)
        async with instance.database.write() as session:
            await delete_thread(session, instance.person, started.run.thread_id)
        async with asyncio.timeout(30):
            await asyncio.gather(*following)

    assert started.run.id not in instance.parts.runner.works


async def test_an_instance_that_lost_the_run_takes_ids_of_its_successor(
    instance: Instance, opened: Open, provider: FakeProvider
) -> None:
    provider.raw(delta(content="Half"), HANG)
    started = await instance.ask()
    await instance.until(started.run.id, "text.delta")
    work = instance.parts.runner.works[started.run.id]
    async with work.lock:  # as if it stood still: it cannot renew the lease of this run
        await execute(
            instance.database, "UPDATE runs SET lease_until = 0, owner = 'dead' WHERE id = $1", started.run.id
        )
        provider.reply("Whole.")
        async with opened() as other:
            events = await other.follow(started.run.id, EventId(1, 3))
            following = await instance.parts.runs.follow(instance.person, started.run.id, events[0].id)
            assert [entry async for batch in following for entry in batch] == events[1:]
