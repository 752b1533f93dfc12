"""Tools that the asker's client carries out: those of the message end the answer, and are offered with all others."""

from typing import Any

from famulus.conversations.parts import Application, ClientCall, ClientResult, ClientTool, Text, Tool
from famulus.runs.acting import AFTER_WAITING, MAX_CALLS
from famulus.runs.ask import Ask
from tests.runs.conftest import Instance, Open, tags
from tests.runs.test_acting import Notes, call, parts_of
from tests.runs.test_approvals import Wiper, cards, say
from tests.support.fake_provider import FakeProvider, answer_events

SHOW = ClientTool("show-map", "Shows a map.", {"type": "object", "properties": {"text": {"type": "string"}}})


async def ask(instance: Instance, *tools: ClientTool, thread: str | None = None, **more: Any) -> str:
    """A message that brings tools; returns its run."""
    asked = Ask(
        thread or await instance.thread(),
        more.pop("text", "Go."),
        application=Application(tools=tools),
        **more,
    )
    return (await instance.parts.runs.start(instance.person, asked)).run.id


def told(provider: FakeProvider, n: int) -> list[str]:
    """The tools that the model was told of in its n-th request."""
    return [tool["function"]["name"] for tool in provider.requests[n].body["tools"]]


async def test_the_answer_ends_with_the_call_and_goes_on_with_its_result(
    opened: Open, provider: FakeProvider
) -> None:
    notes = Notes()
    provider.raw(*call(("note", "milk"), ("show-map", "here")))
    provider.reply("There.")
    async with opened(notes.tool()) as instance:
        thread = await instance.thread()
        run = await ask(instance, SHOW, thread=thread)
        entries = await instance.follow(run)
        noted, shown = await parts_of(instance, run)
        result = ClientResult(shown.call_id, "seen")
        await instance.follow(await ask(instance, SHOW, thread=thread, text="", results=(result,)))

    assert tags(entries)[-2:] == ["message.completed", "run.completed"]
    assert isinstance(noted, Tool)
    assert shown == ClientCall(shown.call_id, "show-map", '{"text": "here"}')
    assert notes.done == ["milk"]
    assert told(provider, 0)[-1] == "show-map"
    assert provider.requests[1].body["messages"][-1]["content"] == "seen"


async def test_a_call_beside_one_that_waits_is_not_lost(opened: Open, provider: FakeProvider) -> None:
    """It is told that it was not made, and made anew once the person has answered."""
    provider.raw(*call(("show-map", "here"), ("wipe", "all")))
    provider.raw(*call(("show-map", "here")))
    async with opened(Wiper().wipe()) as instance:
        run = await ask(instance, SHOW)
        entries = await instance.follow(run)
        await say(instance, cards(entries)[-1])
        await instance.follow(run, entries[-1].id)
        parts = await parts_of(instance, run)

    assert [part.name for part in parts] == ["show-map", "wipe", "show-map"]
    assert (parts[0].status, parts[0].result) == ("denied", AFTER_WAITING)
    assert isinstance(parts[2], ClientCall)


async def test_arguments_that_are_none_are_mended_before_the_client_sees_them(
    opened: Open, provider: FakeProvider
) -> None:
    provider.raw(*answer_events("", tool_calls=[("show-map", ["no", "object"])]), b"data: [DONE]\n\n")  # pyright: ignore[reportArgumentType] – just what is not allowed
    provider.raw(*call(("show-map", "here")))
    async with opened() as instance:
        run = await ask(instance, SHOW)
        await instance.follow(run)
        failed, shown = await parts_of(instance, run)

    assert (failed.status, type(shown)) == ("failed", ClientCall)


async def test_a_tool_of_the_message_stands_in_for_one_of_ours(opened: Open, provider: FakeProvider) -> None:
    """And there is no bound on how many of its calls an answer may end with: the client asked for them."""
    notes = Notes()
    provider.raw(*call(*[("note", f"{n}") for n in range(MAX_CALLS + 2)]))
    async with opened(notes.tool()) as instance:
        run = await ask(instance, ClientTool("note", "Mine.", {"type": "object", "properties": {}}))
        await instance.follow(run)
        parts = await parts_of(instance, run)

    assert notes.done == []
    assert [type(part) for part in parts] == [ClientCall] * (MAX_CALLS + 2)
    assert told(provider, 0).count("note") == 1
    assert not [part for part in parts if isinstance(part, Text)]
