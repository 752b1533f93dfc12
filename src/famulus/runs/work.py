"""One run in progress in this process: its lease, its live channel, its draft and what is not journalled yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Literal

import msgspec
from msgspec.structs import replace

from famulus.conversations.parts import Reasoning, Text, Tool, Wants
from famulus.identity.principal import Principal
from famulus.runs.channel import Channel
from famulus.runs.events import (
    AnswerRestarted,
    ApprovalAnswered,
    ApprovalCard,
    ApprovalRequested,
    Entry,
    Event,
    ReasoningDelta,
    TextDelta,
    ToolCalled,
    ToolFinished,
)
from famulus.runs.loop import Draft
from famulus.runs.sql.rows import JournalRow, MessageRow, RunRow, journal_rows

Stop = Literal["cancelled", "lost", "shutdown"]


class Asker(msgspec.Struct, frozen=True):
    """For whom a run was accepted and who answers it: all that a restarted server needs to go on."""

    principal: Principal
    assistant_id: str
    course_id: str | None = None
    client: bool = False
    """Whether the client carries out calls, and puts questions to the person."""


encode_asker = msgspec.json.Encoder().encode
decode_asker = msgspec.json.Decoder(Asker).decode


@dataclass(slots=True)
class Work:
    """A run that this process holds, until its channel ends."""

    run: RunRow
    asker: Asker
    channel: Channel
    asked: MessageRow | None = None
    """The message, when this process has just accepted it."""
    draft: Draft = field(default_factory=lambda: Draft({}))
    stop: Stop | None = None
    """Why its task was cancelled, if it was."""
    task: asyncio.Task[None] | None = None
    begun: bool = False
    """Whether the attempt's first event is out; a task that is cancelled before that would end without a word."""
    queue: bool = True
    """Whether another message may wait in the thread for the end of this run."""
    journalled: int = 0
    """The number of the newest event in the journal."""
    waiting: list[ApprovalCard] = field(default_factory=list[ApprovalCard])
    """Calls of earlier attempts that were put before a person."""
    answered: set[str] = field(default_factory=set[str])
    """Approvals whose answer is journalled."""
    repeat: list[ToolCalled] = field(default_factory=list[ToolCalled])
    """Calls whose outcome is not known, to tools that know a repeated call by its key."""
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    """Held while journal rows are on their way, so that they are written in order."""

    def show(self, events: Sequence[Event], *, last: bool = False) -> None:
        """Show events that the journal has already, with the terminal event as the `last`."""
        self.journalled += len(events)
        self.channel.publish(events, last=last)

    def pending(self, *more: Event) -> tuple[int, list[JournalRow]]:
        """How many published events wait for the journal, and the rows of those and of `more`."""
        waiting = self.channel.events_from(self.journalled + 1)
        return len(waiting), journal_rows(self.journalled + 1, [*waiting, *more])

    def confirm(self, count: int) -> None:
        """The first `count` pending events are journalled."""
        self.journalled += count
        self.channel.trim(self.journalled)

    def halt(self, why: Stop) -> None:
        """Have the task end for this reason; the first reason counts."""
        if self.stop is None and self.task is not None:
            self.stop = why
            if self.begun:
                self.task.cancel()


Kept = Text | Reasoning | Tool
Pieces = TextDelta | ReasoningDelta


@dataclass(slots=True)
class Past:
    """What earlier attempts have left in the journal."""

    parts: list[Kept] = field(default_factory=list[Kept])
    """What they finished for good: each tool call with its result, and what was thought and said before it."""
    begun: str = ""
    """The text that they had only begun."""
    waiting: list[ApprovalCard] = field(default_factory=list[ApprovalCard])
    """Calls that waited for a person and are not carried out yet."""
    answered: set[str] = field(default_factory=set[str])
    """Approvals whose answer is journalled."""
    unsettled: list[ToolCalled] = field(default_factory=list[ToolCalled])
    """Calls that left the house to change something there, and have no result."""


def past_of(entries: list[Entry]) -> Past:
    """What earlier attempts have left. A call of ours without a result is left out: it has had no effect."""
    past = Past()
    said: list[Pieces] = []
    calls: dict[str, ToolCalled] = {}
    order: dict[str, int] = {}
    wanted: dict[str, Wants] = {}
    for event in (entry.event for entry in entries):
        match event:
            case TextDelta() | ReasoningDelta():
                said.append(event)
            case ToolCalled():
                calls[event.call_id] = event
                order[event.call_id] = len(order)
            case ApprovalRequested(approval=card):
                _flush(past, said)
                calls[card.call_id] = ToolCalled(card.call_id, card.name, card.arguments, card.effect)
                wanted[card.call_id] = card.wants
                past.waiting.append(card)
            case ApprovalAnswered(approval_id=id):
                past.answered.add(id)
            case ToolFinished(call_id=id) if called := calls.pop(id, None):
                _flush(past, said)
                past.waiting = [card for card in past.waiting if card.call_id != id]
                done = replace(tool_part(called, event), wants=wanted.get(id, "yes"))
                _put(past, done, order)
            case AnswerRestarted(text=text):
                said[:] = [TextDelta(text.removeprefix(_text(past)))]
            case _:
                pass
    past.begun = "".join(each.text for each in said if isinstance(each, TextDelta))
    past.unsettled = [each for each in calls.values() if each.outside and each.effect != "reads"]
    gone = {each.call_id for each in past.unsettled}
    past.waiting = [card for card in past.waiting if card.call_id not in gone]
    return past


def tool_part(called: ToolCalled, finished: ToolFinished) -> Tool:
    """A call and what became of it, as the answer keeps it."""
    return Tool(
        called.call_id, called.name, called.arguments, finished.status, finished.result, called.effect, called.asked,
        finished.undo,
    )  # fmt: skip


def _put(past: Past, done: Tool, order: dict[str, int]) -> None:
    """Add what became of a call: of calls side by side the first may be the last to come back."""
    place = len(past.parts)
    while place and isinstance(before := past.parts[place - 1], Tool):
        if order.get(before.call_id, -1) < order.get(done.call_id, len(order)):
            break
        place -= 1
    past.parts.insert(place, done)


def _flush(past: Past, said: list[Pieces]) -> None:
    for kind, pieces in groupby(said, type):
        if text := "".join(piece.text for piece in pieces):
            past.parts.append(Text(text) if kind is TextDelta else Reasoning(text))
    said.clear()


def _text(past: Past) -> str:
    return "".join(part.text for part in past.parts if isinstance(part, Text))
