"""Cancelling: from anywhere, at any moment, any number of times; what was written is kept, and nothing comes after."""

import asyncio
import random
from dataclasses import replace

import pytest

from famulus.runs.errors import RunNotFound
from famulus.runs.events import EventId, RunCancelled, TextDelta
from tests.runs.conftest import Instance, Open, execute, tags
from tests.support.fake_provider import HANG, FakeProvider, delta


async def _half_said(instance: Instance, provider: FakeProvider, **settings: object) -> tuple[str, str]:
    """A thread and a run in it of whose answer one word has been said."""
    provider.raw(delta(content="Half"), HANG)
    started = await instance.ask(**settings)
    await instance.until(started.run.id, "text.delta")
    return started.run.thread_id, started.run.id


async def test_what_was_written_is_kept(instance: Instance, provider: FakeProvider) -> None:
    thread_id, run_id = await _half_said(instance, provider)

    run = await instance.parts.runs.cancel(instance.person, run_id)

    assert run.status == "cancelled"
    assert run.answer is not None
    assert (run.answer.status, run.answer.text) == ("partial", "Half")
    assert tags(await instance.follow(run_id))[-3:] == ["text.delta", "message.completed", "run.cancelled"]
    assert [message.text for message in await instance.messages(thread_id)][1:] == ["Half"]
    assert provider.requests[0].gone.is_set()


async def test_again_and_after_the_end_changes_nothing(instance: Instance, provider: FakeProvider) -> None:
    _, run_id = await _half_said(instance, provider)
    runs = instance.parts.runs
    first, at_once = await asyncio.gather(*(runs.cancel(instance.person, run_id) for _ in range(2)))
    journal = await instance.journal(run_id)

    assert first == at_once == await runs.cancel(instance.person, run_id)
    assert await instance.journal(run_id) == journal

    done = await instance.ask("Another")
    await instance.follow(done.run.id)
    assert (await runs.cancel(instance.person, done.run.id)).status == "completed"


async def test_before_the_first_word_nothing_is_kept(instance: Instance, provider: FakeProvider) -> None:
    provider.hang()
    started = await instance.ask()
    await asyncio.wait_for(provider.asked.wait(), 30)

    run = await instance.parts.runs.cancel(instance.person, started.run.id)

    assert (run.status, run.answer) == ("cancelled", None)
    assert len(await instance.messages(started.run.thread_id)) == 1


async def test_a_queued_one_never_starts(instance: Instance, provider: FakeProvider) -> None:
    thread_id, first = await _half_said(instance, provider, on_second_message="enqueue")
    second = await instance.send(thread_id, "two")

    run = await instance.parts.runs.cancel(instance.person, second.run.id)
    events = await instance.follow(second.run.id)

    assert run.status == "cancelled"
    assert [(entry.id, entry.event) for entry in events] == [(EventId(1, 1), RunCancelled(second.run.id))]
    await instance.parts.runs.cancel(instance.person, first)
    assert len(provider.requests) == 1


async def test_from_another_instance(instance: Instance, opened: Open, provider: FakeProvider) -> None:
    _, run_id = await _half_said(instance, provider)
    async with opened() as other:
        await other.parts.runs.cancel(other.person, run_id)
        async with asyncio.timeout(30):
            events = await other.follow(run_id)
        assert tags(events)[-1] == "run.cancelled"
        again = await other.parts.runs.cancel(other.person, run_id)
        assert again.answer is not None
        assert again.answer.text == "Half"


async def test_a_run_whose_server_died_is_cancelled_with_what_it_had_written(
    opened: Open, provider: FakeProvider
) -> None:
    async with opened() as first:
        _, run_id = await _half_said(first, provider)
        while not any("Half" in row[3] for row in await first.journal(run_id)):
            await asyncio.sleep(0.05)
    async with opened(run_lease=300.0) as waiting:
        await execute(waiting.database, "UPDATE runs SET cancel_requested = TRUE WHERE id = $1", run_id)
        events = await waiting.follow(run_id)

        assert tags(events)[-3:] == ["answer.restarted", "message.completed", "run.cancelled"]
        run = await waiting.parts.runs.get(waiting.person, run_id)
        assert run.answer is not None
        assert run.answer.text == "Half"


@pytest.mark.parametrize("turns", [0, 1, 3])
async def test_a_run_is_cancelled_while_another_server_takes_it_over(
    opened: Open, provider: FakeProvider, turns: int
) -> None:
    async with opened() as first:
        _, run_id = await _half_said(first, provider)
    async with opened() as second:
        while run_id not in second.parts.runner.works:
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        second.parts.runner.works[run_id].halt("cancelled")
        kinds = tags(await second.follow(run_id))

    assert kinds[kinds.index("answer.restarted") + 1 :] in (
        ["run.cancelled"],
        ["message.completed", "run.cancelled"],
    )


async def test_another_persons_run_is_not_there(instance: Instance, provider: FakeProvider) -> None:
    _, run_id = await _half_said(instance, provider)
    stranger = replace(instance.person, user_id="usr_stranger")

    with pytest.raises(RunNotFound):
        await instance.parts.runs.cancel(stranger, run_id)
    assert (await instance.parts.runs.get(instance.person, run_id)).status == "running"


async def test_at_any_moment_there_is_one_end_and_nothing_after_it(
    instance: Instance, provider: FakeProvider
) -> None:
    chance = random.Random(7)

    async def one(number: int) -> None:
        provider.reply("Some words to say", tool_calls=[("list_my_courses", {})] if number % 3 == 0 else ())
        started = await instance.ask(f"question {number}")
        await asyncio.sleep(chance.uniform(0, 0.03))
        run = await instance.parts.runs.cancel(instance.person, started.run.id)
        events = await instance.follow(started.run.id)
        journal = [row[:3] for row in await instance.journal(started.run.id)]

        kinds = tags(events)
        assert kinds[-1] == f"run.{run.status}"
        assert sum(kind in ("run.completed", "run.cancelled", "run.failed") for kind in kinds) == 1
        assert [entry.id for entry in events] == [EventId(1, n) for n in range(1, len(events) + 1)]
        assert [n for _, first, last in journal for n in range(first, last + 1)] == [e.id.n for e in events]
        said = "".join(entry.event.text for entry in events if isinstance(entry.event, TextDelta))
        assert said == (run.answer.text if run.answer else "")

    for number in range(24):
        await one(number)
