"""Answers that fail: the model's trouble ends in a shown error with our code, and what was written is kept."""

import pytest

from famulus.assistants.models import Assistant
from famulus.conversations.parts import Failure, Text
from famulus.runs.events import RunFailed
from famulus.runs.views import RunView
from tests.runs.conftest import Instance, Open, execute, tags
from tests.support.fake_provider import CUT, HANG, FakeProvider, answer_events, delta


async def failed(instance: Instance, run_id: str) -> RunView:
    """The run, once it has failed as it should: told in the stream, kept with the thread."""
    events = await instance.follow(run_id)
    run = await instance.parts.runs.get(instance.person, run_id)
    assert tags(events)[-2:] == ["message.completed", "run.failed"]
    assert run.status == "failed"
    assert run.error is not None
    assert events[-1].event == RunFailed(run_id, run.error)
    assert run.answer is not None
    assert run.answer.status == "failed"
    assert run.answer.parts[-1] == Failure(run.error.code, run.error.detail, run.error.retry)
    assert (await instance.messages(run.thread_id))[-1] == run.answer
    return run


@pytest.mark.parametrize(
    ("status", "code", "retry"),
    [
        (401, "model_key_refused", False),
        (404, "model_not_found", False),
        (400, "model_request_refused", False),
    ],
)
async def test_what_the_provider_refuses(
    instance: Instance, provider: FakeProvider, status: int, code: str, retry: bool
) -> None:
    provider.fail(status)
    run = await failed(instance, (await instance.ask()).run.id)

    assert run.error is not None
    assert (run.error.code, run.error.retry) == (code, retry)


async def test_a_stream_that_breaks_off_keeps_its_words(instance: Instance, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half "), delta(content="said"), CUT)
    run = await failed(instance, (await instance.ask()).run.id)

    assert run.error is not None
    assert (run.error.code, run.error.retry) == ("model_stream_cut", True)
    assert run.answer is not None
    assert run.answer.parts[0] == Text("Half said")
    assert run.answer.text == "Half said"


async def test_a_thread_goes_on_after_a_failure(instance: Instance, provider: FakeProvider) -> None:
    provider.fail(401)
    first = await instance.ask("one")
    await failed(instance, first.run.id)
    second = await instance.send(first.run.thread_id, "two")

    assert tags(await instance.follow(second.run.id))[-1] == "run.completed"
    said = [message["content"] for message in provider.requests[1].body["messages"][1:]]
    assert said == ["one", "two"]


async def test_an_answer_that_takes_too_long(opened: Open, provider: FakeProvider) -> None:
    provider.raw(delta(content="Half"), HANG)
    async with opened(run_timeout=0.5) as instance:
        run = await failed(instance, (await instance.ask()).run.id)

    assert run.error is not None
    assert run.error.code == "run_too_long"
    assert run.answer is not None
    assert run.answer.text == "Half"


async def test_a_model_that_uses_tools_for_ever(instance: Instance, provider: FakeProvider) -> None:
    for _ in range(12):
        provider.raw(*answer_events("", tool_calls=[("list_my_courses", {})]), b"data: [DONE]\n\n")
    run = await failed(instance, (await instance.ask()).run.id)

    assert run.error is not None
    assert run.error.code == "tool_limit"
    assert len(provider.requests) == 12


async def test_broken_instructions_are_named(instance: Instance, provider: FakeProvider) -> None:
    thread_id = await instance.thread(temperature=0.5)
    sql = "UPDATE assistant_versions SET instructions = '{{ nobody.name }}'"
    await execute(instance.database, sql)
    run = await failed(instance, (await instance.send(thread_id)).run.id)

    assert run.error is not None
    assert run.error.code == "instructions_broken"
    assert provider.requests == []


async def test_an_assistant_switched_off_while_a_message_waits(
    instance: Instance, provider: FakeProvider
) -> None:
    provider.raw(delta(content="Half"), HANG)
    thread_id = await instance.thread(on_second_message="enqueue")
    first = await instance.send(thread_id, "one")
    second = await instance.send(thread_id, "two")
    await execute(instance.database, f"UPDATE {Assistant.__tablename__} SET active = FALSE")
    instance.parts.runs._assistants._memory.forget()
    await instance.parts.runs.cancel(instance.person, first.run.id)
    run = await failed(instance, second.run.id)

    assert run.error is not None
    assert run.error.code == "assistant_inactive"
