"""A run outlives its server: the next one goes on after the last finished step, and the old one writes nothing more."""

import asyncio
from functools import partial
from typing import Any

import asyncpg
import pytest

from famulus.conversations.parts import Failure, Text, Tool
from famulus.kernel.lane import MakeScript
from famulus.runs.ending import Close, prepare
from famulus.runs.errors import LeaseLost
from famulus.runs.events import AnswerRestarted, Entry, EventId, TextDelta, ToolCalled, ToolFinished
from famulus.runs.runner import MAX_ATTEMPTS
from famulus.runs.sql.finish import finish
from famulus.runs.sql.lease import journal, pulse
from famulus.runs.work import past_of
from tests.runs.conftest import Instance, Open, execute, tags
from tests.runs.test_acting import Notes
from tests.support.fake_provider import HANG, FakeProvider, answer_events, delta
from tests.support.postgres import Postgres
from tests.support.waiting import until

LOOK = answer_events("Let me look. ", tool_calls=[("list_my_courses", {})])


async def test_a_restart_goes_on_from_the_beginning(opened: Open, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half"), HANG)
    provider.reply("A whole answer.")
    async with opened() as first:
        started = await first.ask()
        seen = await first.until(started.run.id, "text.delta")
    async with opened() as second:
        events = await second.follow(started.run.id, seen[-1].id)
        run = await second.parts.runs.get(second.person, started.run.id)

    assert events[0] == Entry(EventId(2, 1), AnswerRestarted(""))
    assert [entry.id for entry in events] == [EventId(2, n) for n in range(1, len(events) + 1)]
    assert run.answer is not None
    assert run.answer.text == "A whole answer."


async def test_finished_steps_are_kept(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*LOOK, b"data: [DONE]\n\n")
    provider.raw(delta(content="You"), HANG)
    provider.reply("You have no course.")
    async with opened() as first:
        started = await first.ask("Which courses do I have?")
        seen = await first.until(started.run.id, "tool.finished")
        seen += await _until_text(first, started.run.id, seen[-1].id)
    async with opened() as second:
        events = await second.follow(started.run.id, seen[-1].id)
        run = await second.parts.runs.get(second.person, started.run.id)

    assert events[0].event == AnswerRestarted("Let me look. ")
    assert not any(isinstance(entry.event, (ToolCalled, ToolFinished)) for entry in events)
    assert run.answer is not None
    assert [type(part) for part in run.answer.parts] == [Text, Tool, Text]
    assert run.answer.text == "Let me look. You have no course."
    assert [message["role"] for message in provider.requests[2].body["messages"]] == [
        "system",
        "user",
        "assistant",
        "tool",
    ]


async def _until_text(instance: Instance, run_id: str, after: EventId) -> list[Entry]:
    found: list[Entry] = []
    async for batch in await instance.parts.runs.follow(instance.person, run_id, after):
        found += batch
        if "text.delta" in tags(found):
            break
    return found


def test_a_step_of_an_earlier_attempt_is_taken_once() -> None:
    said = [
        TextDelta("One. "),
        ToolCalled("c1", "look", "{}"),
        ToolFinished("c1", "look", "ok", "x"),
        TextDelta("lost"),
        AnswerRestarted("One. "),
        TextDelta("Two. "),
        ToolCalled("c2", "look", "{}"),
        ToolFinished("c2", "look", "failed", "y"),
        ToolCalled("c3", "look", "{}"),
        AnswerRestarted("One. Two. "),
        TextDelta("begun"),
    ]
    entries = [Entry(EventId(1, n), event) for n, event in enumerate(said, 1)]

    past = past_of(entries)

    assert past.parts == [
        Text("One. "),
        Tool("c1", "look", "{}", "ok", "x"),
        Text("Two. "),
        Tool("c2", "look", "{}", "failed", "y"),
    ]
    assert past.begun == "begun"
    assert past.unsettled == []


async def test_a_run_that_takes_every_server_down_is_given_up(opened: Open, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half"), HANG)
    async with opened() as first:
        started = await first.ask()
        run_id = started.run.id
        await until(lambda: _journalled(first, run_id, "Half"))
        await execute(first.database, "UPDATE runs SET epoch = $2 WHERE id = $1", run_id, MAX_ATTEMPTS)
        await until(lambda: _idle(first))
    async with opened() as second:
        events = await second.follow(run_id)
        run = await second.parts.runs.get(second.person, run_id)

    assert tags(events)[-3:] == ["answer.restarted", "message.completed", "run.failed"]
    assert run.error is not None
    assert (run.status, run.error.code, run.error.retry) == ("failed", "run_gave_up", True)
    assert run.answer is not None
    assert run.answer.parts == (Text("Half"), Failure(run.error.code, run.error.detail, True))
    assert len(provider.requests) == 1


async def _journalled(instance: Instance, run_id: str, text: str) -> bool:
    return any(text in row[3] for row in await instance.journal(run_id))


async def _idle(instance: Instance) -> bool:
    return not instance.parts.runner.works


async def test_an_instance_that_lost_the_lease_writes_nothing(
    instance: Instance, provider: FakeProvider
) -> None:
    provider.endless(pace=0.01)
    run_id = (await instance.ask()).run.id
    await instance.until(run_id, "text.delta")
    sql = "UPDATE runs SET epoch = 2, owner = 'another', lease_until = {now} + 60 WHERE id = $1"
    await execute(instance.database, sql, run_id)
    before = await instance.journal(run_id)

    await until(lambda: _idle(instance))

    assert await instance.journal(run_id) == before
    assert (await instance.parts.runs.get(instance.person, run_id)).status == "running"


@pytest.mark.parametrize("change", ["epoch = 2", "owner = 'another'", "status = 'completed'"])
async def test_no_script_writes_without_the_lease(
    instance: Instance, provider: FakeProvider, change: str
) -> None:
    provider.raw(delta(content="Half"), HANG)
    run_id = (await instance.ask()).run.id
    await instance.until(run_id, "text.delta")
    work, owner = instance.parts.runner.works[run_id], instance.parts.runner.owner
    async with work.lock:
        await execute(instance.database, f"UPDATE runs SET {change} WHERE id = $1", run_id)
        before = await instance.journal(run_id)
        ending, now, answer_id = prepare(close := Close(work, owner, "completed"))
        rows = [(99, [TextDelta("stale")])]
        scripts: list[MakeScript] = [
            partial(journal, work.run, owner, rows, work.draft.spent),
            partial(finish, ending, partial(close.events, answer_id, now)),
        ]
        for script in scripts:
            with pytest.raises(LeaseLost):
                await instance.database.lane.write(script)
        heard = await instance.database.lane.write(partial(pulse, owner, 1.0, [(run_id, 1, rows)]))

        assert heard.held.get(run_id) in (None, 2)
        assert await instance.journal(run_id) == before
        assert len(await instance.messages(work.run.thread_id)) == 1


async def test_a_claim_is_made_by_one(opened: Open, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half"), HANG)
    async with opened() as first:
        run_id = (await first.ask()).run.id
        await first.until(run_id, "text.delta")
    async with opened() as one, opened() as two, opened() as three:
        events = await asyncio.gather(*(each.follow(run_id) for each in (one, two, three)))

    assert events[0] == events[1] == events[2]
    assert max(entry.id.epoch for entry in events[0]) == 2
    asked = [request.body["messages"][-1]["content"] for request in provider.requests]
    assert asked.count("What is a node?") == 2  # a third request, if any, is for the title


async def test_a_waiting_message_is_answered_after_a_restart(opened: Open, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half"), HANG)
    async with opened() as first:
        thread_id = await first.thread(on_second_message="enqueue")
        sent = [await first.send(thread_id, f"q{n}") for n in range(3)]
        await first.until(sent[0].run.id, "text.delta")
    async with opened() as second:
        ends = [tags(await second.follow(each.run.id))[-1] for each in sent]

    assert ends == ["run.completed"] * 3


async def test_a_cancellation_while_a_call_is_journalled_leaves_the_journal_as_shown(
    opened: Open, provider: FakeProvider
) -> None:
    look = answer_events("Let me look. ", tool_calls=[("note", {"text": "milk"})])
    provider.raw(*look, b"data: [DONE]\n\n")
    async with opened(Notes("reads", "outside").tool()) as instance:
        started = await instance.ask()
        work = instance.parts.runner.works[started.run.id]
        async with instance.database.lane.gate:  # nothing can be committed now
            await until(lambda: _waiting_to_write(work))
            work.halt("cancelled")
            await asyncio.sleep(0.05)
        events = await instance.follow(started.run.id)
        journalled = await instance.parts.runs.events(instance.person, started.run.id, EventId(0, 0))

    assert tags(events)[-3:] == ["tool.called", "message.completed", "run.cancelled"]
    assert [entry.id.n for entry in events] == list(range(1, len(events) + 1))
    assert events == journalled


async def _waiting_to_write(work: Any) -> bool:
    return work.lock.locked() and bool(work.draft.parts)


async def _throw_out(postgres: Postgres, instance: Instance, *, seconds: float) -> None:
    """Nobody keeps a connection to the database for so long."""
    admin: Any = await asyncpg.connect(postgres.dsn())
    sql = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1"
    try:
        until_then = asyncio.get_running_loop().time() + seconds
        while asyncio.get_running_loop().time() < until_then:
            await admin.execute(sql, instance.database.url.database)
            await asyncio.sleep(0.03)
    finally:
        await admin.close()


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"])
@pytest.mark.parametrize("pause", [0.3, 0.7])
async def test_an_ending_outlives_an_outage(
    instance: Instance, provider: FakeProvider, postgres: Postgres, pause: float
) -> None:
    provider.raw(delta(content="Ha"), pause, delta(content="lf", finish="stop"), b"data: [DONE]\n\n")
    started = await instance.ask()
    await instance.until(started.run.id, "text.delta")
    await _throw_out(postgres, instance, seconds=1.5)

    events = await instance.follow(started.run.id)
    assert tags(events)[-1] == "run.completed"
    run = await instance.parts.runs.get(instance.person, started.run.id)
    assert run.answer is not None
    assert run.answer.text == "Half"


@pytest.mark.postgres
@pytest.mark.parametrize("dialect", ["postgresql"])
async def test_after_an_outage_leases_are_renewed_and_the_dead_replaced(
    instance: Instance, provider: FakeProvider, postgres: Postgres
) -> None:
    await _throw_out(postgres, instance, seconds=2.5)
    provider.reply(" ".join(["word"] * 30), pace=0.1)
    lasting = await instance.ask()
    provider.raw(delta(content="Half"), HANG)
    orphaned = await instance.ask()
    await instance.until(orphaned.run.id, "text.delta")
    sql = "UPDATE runs SET lease_until = 0, owner = 'dead' WHERE id = $1"
    await execute(instance.database, sql, orphaned.run.id)

    assert tags(await instance.follow(orphaned.run.id))[-1] == "run.completed"
    events = await instance.follow(lasting.run.id)
    assert tags(events)[-1] == "run.completed"
    assert {entry.id.epoch for entry in events} == {1}
