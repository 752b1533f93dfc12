"""Calls that only read are made side by side; what comes of them stands in the order of the calls, after a crash too."""

import asyncio
from dataclasses import dataclass, field

from famulus.conversations.parts import Text
from famulus.runs.acting import AT_ONCE
from famulus.runs.events import Entry, EventId, ToolCalled, ToolFinished
from famulus.runs.work import past_of
from famulus.tools.contract import Done, NeedsApproval, Tool, ToolContext
from tests.runs.conftest import Open
from tests.runs.test_acting import Notes, Say, call, parts_of
from tests.support.fake_provider import FakeProvider


@dataclass
class Look:
    """A tool that reads, the later called the sooner done."""

    now: int = 0
    most: int = 0
    begun: list[str] = field(default_factory=list[str])

    async def act(self, _context: ToolContext, given: Say) -> Done:
        self.begun.append(given.text)
        self.now += 1
        self.most = max(self.most, self.now)
        await asyncio.sleep(0.3 - int(given.text) / 50)
        self.now -= 1
        if given.text == "9":
            raise NeedsApproval("It is far away.")
        return Done(f"Saw {given.text}.")

    def tool(self) -> Tool:
        return Tool("look", "Looks.", Say, "reads", self.act, "server")


async def test_as_many_as_allowed_and_in_their_order(opened: Open, provider: FakeProvider) -> None:
    look = Look()
    provider.raw(*call(*[("look", str(n)) for n in range(6)]))
    provider.reply("Seen.")
    async with opened(look.tool()) as instance:
        started = await instance.ask()
        entries = await instance.follow(started.run.id)
        parts = await parts_of(instance, started.run.id)

    events = [entry.event for entry in entries if isinstance(entry.event, ToolCalled | ToolFinished)]
    finished = [event.call_id for event in events if isinstance(event, ToolFinished)]
    assert look.most == AT_ONCE
    assert [part.arguments for part in parts[:-1]] == [f'{{"text":"{n}"}}' for n in range(6)]
    assert finished != [part.call_id for part in parts[:-1]], "the later called came back sooner"
    for event in finished:
        kinds = [type(each) for each in events if each.call_id == event]
        assert kinds == [ToolCalled, ToolFinished]
    asked = provider.requests[1].body["messages"]
    assert [m["content"] for m in asked if m["role"] == "tool"] == [
        f'{{"said":"Saw {n}."}}' for n in range(6)
    ]


async def test_what_changes_something_waits_for_what_reads_before_it(
    opened: Open, provider: FakeProvider
) -> None:
    look, seen = Look(), list[tuple[int, list[str]]]()

    async def watch(_context: ToolContext) -> None:
        seen.append((look.now, list(look.begun)))

    provider.raw(*call(("look", "0"), ("look", "1"), ("note", "milk"), ("look", "2")))
    provider.reply("Done.")
    async with opened(look.tool(), Notes(before=watch).tool()) as instance:
        started = await instance.ask()
        await instance.follow(started.run.id)
        parts = await parts_of(instance, started.run.id)

    assert seen == [(0, ["0", "1"])]
    assert [part.name for part in parts[:-1]] == ["look", "look", "note", "look"]


async def test_one_that_needs_a_yes_leaves_the_others_done(opened: Open, provider: FakeProvider) -> None:
    provider.raw(*call(("look", "9"), ("look", "1"), ("note", "milk")))
    async with opened(Look().tool(), Notes().tool()) as instance:
        started = await instance.ask()
        entries = await instance.follow(started.run.id)
        run = await instance.parts.runs.get(instance.person, started.run.id)

    finished = [entry.event for entry in entries if isinstance(entry.event, ToolFinished)]
    assert [(event.name, event.status) for event in finished] == [("look", "ok"), ("note", "denied")]
    assert run.status == "awaiting_approval"


async def test_cancelling_keeps_what_has_come_back(opened: Open, provider: FakeProvider) -> None:
    came = asyncio.Event()

    async def wait(_context: ToolContext, given: Say) -> Done:
        if given.text != "1":
            await asyncio.sleep(60)
        came.set()
        return Done("Saw it.")

    provider.raw(*call(("look", "0"), ("look", "1"), ("look", "2")))
    async with opened(Tool("look", "Looks.", Say, "reads", wait, "server")) as instance:
        started = await instance.ask()
        await asyncio.wait_for(came.wait(), 30)
        await instance.until(started.run.id, "tool.finished")
        run = await instance.parts.runs.cancel(instance.person, started.run.id)

    assert run.status == "cancelled"
    assert run.answer is not None
    assert [(part.arguments, part.status) for part in run.answer.parts] == [('{"text":"1"}', "ok")]


def test_a_journal_of_calls_side_by_side_is_taken_up_in_their_order() -> None:
    events = [
        ToolCalled("a", "look", "{}"),
        ToolCalled("b", "look", "{}"),
        ToolCalled("c", "look", "{}"),
        ToolFinished("c", "look", "ok", "C"),
        ToolFinished("a", "look", "ok", "A"),
    ]
    past = past_of([Entry(EventId(1, n), event) for n, event in enumerate(events, 1)])

    assert [part.result for part in past.parts if not isinstance(part, Text)] == ["A", "C"]
