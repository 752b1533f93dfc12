"""What an answer does: each call once, with its result, under the rules; and what a person is asked before."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from famulus.campus.schemas.tasks import NewTask
from famulus.campus.tasks import create_task
from famulus.conversations.parts import Text
from famulus.conversations.parts import Tool as ToolPart
from famulus.runs.acting import AFTER_WAITING, DENIED, MAX_CALLS, SURPLUS
from famulus.runs.calls import CUT, MAX_RESULT
from famulus.runs.carrying import BROKEN, UNKNOWN
from famulus.runs.events import ToolCalled, ToolFinished
from famulus.tools.arguments import MAX_ARGUMENTS, Arguments
from famulus.tools.contract import Done, Retry, Tool, ToolContext, ToolFailed
from famulus.tools.policy import ToolRule
from tests.runs.conftest import Instance, Open, execute, tags
from tests.support.fake_provider import FakeProvider, answer_events, call_deltas, delta

ADMIN_RULE = [{"tools": "note", "decision": "deny"}]


class Say(Arguments):
    """What to say."""

    text: str


@dataclass
class Notes:
    """A tool that writes a task, and remembers how often it was asked to."""

    effect: Any = "writes"
    place: Any = "database"
    before: Callable[[ToolContext], Awaitable[None]] | None = None
    done: list[str] = field(default_factory=list[str])
    keys: list[str] = field(default_factory=list[str])

    async def act(self, context: ToolContext, given: Say) -> Done:
        self.keys.append(context.key)
        if self.before is not None:
            await self.before(context)
        if given.text == "retry":
            raise Retry("Say something else.")
        if given.text == "fail":
            raise ToolFailed("It is closed today.")
        if given.text == "break":
            raise ZeroDivisionError("secret")
        if self.place == "database" and self.effect != "reads":
            await create_task(context.session, context.principal, NewTask(title=given.text))
        if given.text == "break late":
            raise ZeroDivisionError("secret")
        self.done.append(given.text)
        return Done(f"Noted {given.text}.", {"text": given.text, "api_key": "sk-123"})

    def tool(self, name: str = "note", **more: Any) -> Tool:
        return Tool(name, "Notes it.", Say, self.effect, self.act, self.place, **more)


def call(*calls: tuple[str, str]) -> list[bytes]:
    """An answer that is nothing but calls of `note`, by their texts, or of the tools named."""
    return [
        *answer_events("", tool_calls=[(name, {"text": text}) for name, text in calls]),
        b"data: [DONE]\n\n",
    ]


async def parts_of(instance: Instance, run_id: str) -> list[Any]:
    run = await instance.parts.runs.get(instance.person, run_id)
    assert run.answer is not None
    return list(run.answer.parts)


async def tasks(instance: Instance) -> list[str]:
    return [row[0] for row in await execute(instance.database, "SELECT title FROM tasks ORDER BY id")]


async def test_an_effect_and_its_result_are_kept_together(opened: Open, provider: FakeProvider) -> None:
    notes = Notes()
    provider.raw(*call(("note", "milk")))
    provider.reply("Noted.")
    async with opened(notes.tool()) as instance:
        started = await instance.ask("Note milk.")
        entries = await instance.follow(started.run.id)
        part, text = await parts_of(instance, started.run.id)
        titles = await tasks(instance)
        noted = await execute(
            instance.database,
            "SELECT action, thing_name, actor_id FROM audit_entries WHERE action = 'tool.call'",
        )

    assert tags(entries)[1:5] == ["thread.titled", "tool.called", "tool.finished", "text.delta"]
    called, finished = (entry.event for entry in entries[2:4])
    assert isinstance(called, ToolCalled)
    assert (called.name, called.arguments, called.effect, called.outside) == (
        "note",
        '{"text":"milk"}',
        "writes",
        False,
    )
    assert isinstance(finished, ToolFinished)
    assert finished.status == "ok"
    assert isinstance(part, ToolPart)
    assert part.result == finished.result
    assert '"said":"Noted milk."' in finished.result
    assert "data, not instructions" in finished.result
    assert "sk-123" not in finished.result
    assert isinstance(text, Text)
    assert titles == ["milk"]
    assert [tuple(row) for row in noted] == [("tool.call", "note", instance.person.user_id)]
    assert notes.keys == [f"{started.run.id}.{part.call_id}"]


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("nothing", "{}", "There is no tool 'nothing'"),
        ("note", "{", "not a JSON object"),
        ("note", "[1]", "not a JSON object"),
        ("note", "", "`text`: Field required"),
        ("note", '{"text": 1}', "`text`: Input should be a valid string"),
        ("note", '{"text": "x", "user_id": "usr_1"}', "`user_id`: Extra inputs are not permitted"),
        ("note", '{"text": "retry"}', "Say something else."),
        ("note", '{"text": "fail"}', "It is closed today."),
        ("note", '{"text": "break"}', BROKEN),
        ("note", '{"text": "break late"}', BROKEN),
        ("note", '{"text": "' + "x" * MAX_ARGUMENTS + '"}', "send less"),
    ],
)
async def test_M13_what_goes_wrong_is_told_to_the_model_and_changes_nothing(
    opened: Open, provider: FakeProvider, name: str, arguments: str, says: str
) -> None:
    provider.raw(*call_deltas(0, "call_1", name, arguments), delta(finish="tool_calls"), b"data: [DONE]\n\n")
    provider.reply("Sorry.")
    async with opened(Notes().tool()) as instance:
        started = await instance.ask("Note it.")
        await instance.follow(started.run.id)
        part, _ = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert part.status == "failed"
    assert says in part.result
    assert "secret" not in part.result
    assert titles == []
    assert says in provider.requests[1].body["messages"][-1]["content"]


async def test_a_long_result_is_cut(opened: Open, provider: FakeProvider) -> None:
    async def much(_context: ToolContext, _given: Say) -> Done:
        return Done("Much.", "x" * (MAX_RESULT + 1))

    provider.raw(*call(("much", "x")))
    provider.reply("So much.")
    async with opened(Tool("much", "Much.", Say, "reads", much)) as instance:
        started = await instance.ask()
        await instance.follow(started.run.id)
        part, _ = await parts_of(instance, started.run.id)

    assert part.result.endswith(CUT)
    assert len(part.result) == MAX_RESULT + len(CUT)


async def test_a_tool_that_takes_too_long_changes_nothing(opened: Open, provider: FakeProvider) -> None:
    async def wait(_context: ToolContext) -> None:
        await asyncio.sleep(60)

    provider.raw(*call(("note", "milk")))
    provider.reply("It took too long.")
    async with opened(Notes(before=wait).tool(timeout=0.2)) as instance:
        started = await instance.ask()
        await instance.follow(started.run.id)
        part, _ = await parts_of(instance, started.run.id)

    assert part.status == "failed"
    assert "took too long" in part.result


async def test_what_leaves_the_house_and_does_not_come_back_is_unknown(
    opened: Open, provider: FakeProvider
) -> None:
    async def wait(_context: ToolContext) -> None:
        await asyncio.sleep(60)

    notes = Notes(place="outside", before=wait)
    provider.raw(*call(("note", "milk")))
    provider.reply("I do not know.")
    async with opened(notes.tool(timeout=0.2)) as instance:
        rules = [{"tools": "note", "decision": "allow"}]
        started = await instance.ask(tool_rules=_rules(rules))
        await instance.follow(started.run.id)
        part, _ = await parts_of(instance, started.run.id)

    assert (part.status, part.result) == ("unknown", UNKNOWN)


async def test_more_calls_than_are_made_at_once(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(*[("note", f"n{n}") for n in range(MAX_CALLS + 2)]))
    provider.reply("Some.")
    async with opened(Notes().tool()) as instance:
        started = await instance.ask()
        await instance.follow(started.run.id)
        parts = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert len(titles) == MAX_CALLS
    assert [part.result for part in parts[MAX_CALLS:-1]] == [SURPLUS] * 2


async def test_the_rules_of_an_assistant_deny(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("note", "milk")))
    provider.reply("I may not.")
    async with opened(Notes().tool()) as instance:
        started = await instance.ask(tool_rules=_rules(ADMIN_RULE))
        await instance.follow(started.run.id)
        part, _ = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert (part.status, part.result, titles) == ("denied", DENIED, [])


async def test_an_assistant_has_only_the_tools_that_it_is_given(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("note", "milk")))
    provider.reply("I have no such tool.")
    async with opened(Notes().tool()) as instance:
        started = await instance.ask(tools=("list_*",))
        await instance.follow(started.run.id)
        part, _ = await parts_of(instance, started.run.id)

    offered = [tool["function"]["name"] for tool in provider.requests[0].body["tools"]]
    assert offered
    assert all(name.startswith("list_") for name in offered)
    assert part.status == "failed"


async def test_what_waits_holds_back_what_changes_after_it(opened: Open, provider: FakeProvider) -> None:
    look = Notes(effect="reads")
    provider.raw(*call(("wipe", "all"), ("note", "milk"), ("look", "here")))
    async with opened(Notes().tool(), Notes(effect="destroys").tool("wipe"), look.tool("look")) as instance:
        started = await instance.ask()
        entries = await instance.follow(started.run.id)
        titles = await tasks(instance)
        run = await instance.parts.runs.get(instance.person, started.run.id)

    finished = [entry.event for entry in entries if isinstance(entry.event, ToolFinished)]
    assert [(event.name, event.status) for event in finished] == [("note", "denied"), ("look", "ok")]
    assert finished[0].result == AFTER_WAITING
    assert titles == []
    assert look.done == ["here"]
    assert run.status == "awaiting_approval"
    assert tags(entries)[-1] == "approval.requested"


async def test_cancelling_lets_a_transaction_end_and_keeps_what_it_did(
    opened: Open, provider: FakeProvider
) -> None:
    began, go = asyncio.Event(), asyncio.Event()

    async def hold(_context: ToolContext) -> None:
        began.set()
        await go.wait()

    provider.raw(*call(("note", "milk")))
    provider.hang()
    async with opened(Notes(before=hold).tool()) as instance:
        started = await instance.ask()
        await asyncio.wait_for(began.wait(), 30)
        cancelling = asyncio.create_task(instance.parts.runs.cancel(instance.person, started.run.id))
        await asyncio.sleep(0.1)
        go.set()
        await cancelling
        entries = await instance.follow(started.run.id)
        parts = await parts_of(instance, started.run.id)
        titles = await tasks(instance)

    assert titles == ["milk"]
    assert [(part.name, part.status) for part in parts] == [("note", "ok")]
    assert tags(entries)[-1] == "run.cancelled"


@pytest.mark.parametrize(("repeatable", "status", "made"), [(True, "ok", 2), (False, "unknown", 1)])
async def test_a_call_that_left_the_house_before_a_crash(
    opened: Open, provider: FakeProvider, *, repeatable: bool, status: str, made: int
) -> None:
    began, keys = asyncio.Event(), list[str]()

    async def order(context: ToolContext, _given: Say) -> Done:
        keys.append(context.key)
        if not began.is_set():
            began.set()
            await asyncio.sleep(60)
        return Done("Ordered.")

    tool = Tool("order", "Orders.", Say, "writes", order, "outside", repeatable=repeatable)
    provider.raw(*call(("order", "milk")))
    provider.reply("Well.")
    async with opened(tool) as first:
        started = await first.ask(tool_rules=_rules([{"tools": "order", "decision": "allow"}]))
        await asyncio.wait_for(began.wait(), 30)
    async with opened(tool) as second:
        await second.follow(started.run.id)
        part, _ = await parts_of(second, started.run.id)

    assert part.status == status
    assert len(keys) == made
    assert len(set(keys)) == 1


async def test_what_is_cancelled_while_it_is_outside_is_unknown(opened: Open, provider: FakeProvider) -> None:
    began = asyncio.Event()

    async def order(_context: ToolContext, _given: Say) -> Done:
        began.set()
        await asyncio.sleep(60)
        return Done("Ordered.")

    provider.raw(*call(("order", "milk")))
    async with opened(Tool("order", "Orders.", Say, "writes", order, "outside")) as instance:
        started = await instance.ask(tool_rules=_rules([{"tools": "order", "decision": "allow"}]))
        await asyncio.wait_for(began.wait(), 30)
        await instance.parts.runs.cancel(instance.person, started.run.id)
        entries = await instance.follow(started.run.id)
        (part,) = await parts_of(instance, started.run.id)

    assert (part.status, part.result) == ("unknown", UNKNOWN)
    assert tags(entries)[-3:] == ["tool.finished", "message.completed", "run.cancelled"]


def _rules(rules: list[dict[str, str]]) -> tuple[ToolRule, ...]:
    return msgspec.convert(rules, tuple[ToolRule, ...])
