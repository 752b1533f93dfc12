"""Accepting a message: once per key, and what becomes of a second one while the first is being answered."""

import asyncio
from dataclasses import replace

import pytest

from famulus.conversations.errors import ThreadNotFound
from famulus.kernel.errors import FamulusError
from famulus.runs.ask import Ask, Started
from famulus.runs.errors import KeyReused, RunInProgress, ServerBusy, TooManyQueued
from famulus.runs.sql.accept import MAX_QUEUED
from tests.runs.conftest import Instance, Open, tags
from tests.support.fake_provider import HANG, FakeProvider, delta


async def test_a_key_sent_again_gives_the_same(instance: Instance) -> None:
    thread_id = await instance.thread()
    first = await instance.send(thread_id, "Hello", key="k")
    again = await instance.send(thread_id, "Hello", key="k")
    await instance.follow(first.run.id)
    after = await instance.send(thread_id, "Hello", key="k")

    assert [first.replayed, again.replayed, after.replayed] == [False, True, True]
    assert {(each.run.id, each.message) for each in (first, again, after)} == {(first.run.id, first.message)}
    assert after.run.status == "completed"
    assert [message.role for message in await instance.messages(thread_id)] == ["user", "assistant"]


async def test_a_key_for_another_message_is_refused(instance: Instance) -> None:
    thread_id = await instance.thread()
    await instance.send(thread_id, "Hello", key="k")

    with pytest.raises(KeyReused):
        await instance.send(thread_id, "Hullo", key="k")


async def test_a_key_counts_in_its_thread_only(instance: Instance) -> None:
    first = await instance.send(await instance.thread(), "Hello", key="k")
    other = await instance.send(await instance.thread(), "Hullo", key="k")

    assert not other.replayed
    assert first.run.id != other.run.id


async def test_a_hundred_at_once_make_one_message(instance: Instance) -> None:
    thread_id = await instance.thread()

    sent = await asyncio.gather(*(instance.send(thread_id, "Hello", key="k") for _ in range(100)))

    assert len({(each.run.id, each.message.id) for each in sent}) == 1
    assert sum(not each.replayed for each in sent) == 1
    await instance.follow(sent[0].run.id)
    assert [message.role for message in await instance.messages(thread_id)] == ["user", "assistant"]


async def test_a_race_between_instances_makes_one_message(instance: Instance, opened: Open) -> None:
    async with opened() as other:
        thread_id = await instance.thread()
        sent = await asyncio.gather(
            *(each.send(thread_id, "Hello", key="k") for _ in range(20) for each in (instance, other))
        )
        assert len({each.run.id for each in sent}) == 1
        await other.follow(sent[0].run.id)
        assert len(await instance.messages(thread_id)) == 2


async def test_somebody_elses_thread_is_not_there(instance: Instance) -> None:
    thread_id = await instance.thread()
    stranger = replace(instance.person, user_id="usr_stranger")

    with pytest.raises(ThreadNotFound):
        await instance.parts.runs.start(stranger, Ask(thread_id, "Hello"))


async def test_a_full_server_says_so(opened: Open, provider: FakeProvider) -> None:
    provider.raw(delta(content="Wait"), HANG)
    async with opened(max_live_runs=1) as instance:
        await instance.ask()
        with pytest.raises(ServerBusy) as raised:
            await instance.ask()
        assert raised.value.retry_after == 2


async def test_a_second_message_is_refused(instance: Instance, provider: FakeProvider) -> None:
    provider.raw(delta(content="Wait"), HANG)
    thread_id = await instance.thread()
    await instance.send(thread_id)

    with pytest.raises(RunInProgress):
        await instance.send(thread_id)
    assert len(await instance.messages(thread_id)) == 1


async def test_many_at_once_are_answered_one_after_the_other(
    instance: Instance, provider: FakeProvider
) -> None:
    texts = [f"question {n}" for n in range(5)]
    for _ in texts:
        provider.reply("An answer of some words.", pace=0.01)
    thread_id = await instance.thread(on_second_message="enqueue")

    sent = [await instance.send(thread_id, text) for text in texts]
    events = await asyncio.gather(*(instance.follow(each.run.id) for each in sent))

    assert [each.run.status for each in sent] == ["running", *["queued"] * 4]
    assert all(tags(each)[0] == "run.started" and tags(each)[-1] == "run.completed" for each in events)
    asked = [request.body["messages"] for request in provider.requests]
    answers = [
        messages for messages in asked if messages[-1]["content"] in texts
    ]  # and not the thread's title
    assert [messages[-1]["content"] for messages in answers] == texts
    assert [len(messages) for messages in answers] == [2, 4, 6, 8, 10]
    messages = await instance.messages(thread_id)
    assert [message.position for message in messages] == list(range(1, 11))


async def test_as_many_may_wait_and_no_more(instance: Instance, provider: FakeProvider) -> None:
    provider.raw(delta(content="Wait"), HANG)
    thread_id = await instance.thread(on_second_message="enqueue")
    for _ in range(MAX_QUEUED + 1):
        await instance.send(thread_id)

    with pytest.raises(TooManyQueued):
        await instance.send(thread_id)


async def test_an_interruption_ends_what_is_live(instance: Instance, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half"), HANG)
    provider.reply("The last answer.")
    thread_id = await instance.thread(on_second_message="interrupt")
    first = await instance.send(thread_id, "one")
    await instance.until(first.run.id, "text.delta")

    second = await instance.send(thread_id, "two")
    third = await instance.send(thread_id, "three")
    await instance.follow(third.run.id)

    runs = [await instance.parts.runs.get(instance.person, each.run.id) for each in (first, second, third)]
    assert [run.status for run in runs] == ["cancelled", "cancelled", "completed"]
    assert [run.answer and run.answer.text for run in runs] == ["Half", None, "The last answer."]


async def test_an_interruption_from_another_instance(
    instance: Instance, opened: Open, provider: FakeProvider
) -> None:
    provider.raw(delta(content="Half"), HANG)
    provider.reply("The last answer.")
    thread_id = await instance.thread(on_second_message="interrupt")
    first = await instance.send(thread_id, "one")
    await instance.until(first.run.id, "text.delta")
    async with opened() as other:
        second = await other.send(thread_id, "two")
        assert tags(await other.follow(second.run.id))[-1] == "run.completed"
        assert tags(await other.follow(first.run.id))[-2:] == ["message.completed", "run.cancelled"]


@pytest.mark.parametrize("policy", ["reject", "enqueue", "interrupt"])
async def test_many_at_once_agree_with_the_policy(
    instance: Instance, provider: FakeProvider, policy: str
) -> None:
    for _ in range(6):
        provider.reply("An answer that takes a little while.", pace=0.05)
    thread_id = await instance.thread(on_second_message=policy)

    sent = await asyncio.gather(
        *(instance.send(thread_id, f"q{n}") for n in range(6)), return_exceptions=True
    )
    started = [each for each in sent if isinstance(each, Started)]
    refused = [each for each in sent if isinstance(each, FamulusError)]
    started.sort(key=lambda each: each.message.position)
    assert len(started) + len(refused) == 6
    assert all(isinstance(each, RunInProgress) for each in refused)
    assert (len(refused) == 5) == (policy == "reject")
    ends = [tags(await instance.follow(each.run.id))[-1] for each in started]
    assert ends[-1] == "run.completed"
    assert set(ends[:-1]) <= (
        {"run.completed", "run.cancelled"} if policy == "interrupt" else {"run.completed"}
    )
    users = [message for message in await instance.messages(thread_id) if message.role == "user"]
    assert len(users) == len(started)


async def test_an_interruption_in_the_same_moment_ends_what_has_hardly_begun(instance: Instance) -> None:
    thread_id = await instance.thread(on_second_message="interrupt")
    async with instance.database.lane.gate:  # both are accepted by one commit
        sending = [asyncio.create_task(instance.send(thread_id, text)) for text in ("one", "two")]
        await asyncio.sleep(0.3)
    first, second = sorted(await asyncio.gather(*sending), key=lambda each: each.message.position)

    assert (first.run.status, second.run.status) == ("running", "queued")
    assert tags(await instance.follow(first.run.id))[-1] == "run.cancelled"
    assert tags(await instance.follow(second.run.id))[-1] == "run.completed"


async def test_a_start_that_is_broken_off_after_its_commit_is_answered(
    instance: Instance, provider: FakeProvider
) -> None:
    provider.raw(delta(content="Wait"), HANG)
    await instance.ask()  # a run that goes on keeps the leases renewed
    thread_id = await instance.thread()
    starting = asyncio.create_task(instance.send(thread_id, "Hello"))
    while not await instance.messages(thread_id):
        starting.cancel()
        await asyncio.sleep(0)
        if starting.done():
            starting = asyncio.create_task(instance.send(thread_id, "Hello", key="k"))
            await asyncio.sleep(0.002)

    await asyncio.gather(starting, return_exceptions=True)
    run_id = (await instance.messages(thread_id))[0].run_id
    assert run_id is not None
    assert tags(await instance.follow(run_id))[-1] == "run.completed"
