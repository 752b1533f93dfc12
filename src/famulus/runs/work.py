"""One run in progress in this process: its lease, its live channel, its draft and what is not journalled yet."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

import msgspec

from famulus.conversations.parts import Text, Tool
from famulus.identity.principal import Principal
from famulus.runs.channel import Channel
from famulus.runs.events import AnswerRestarted, Entry, Event, TextDelta, ToolCalled, ToolFinished
from famulus.runs.loop import Draft
from famulus.runs.sql.rows import JournalRow, MessageRow, RunRow, journal_rows

Stop = Literal["cancelled", "lost", "shutdown"]


class Asker(msgspec.Struct, frozen=True):
    """For whom a run was accepted and who answers it: all that a restarted server needs to go on."""

    principal: Principal
    assistant_id: str
    course_id: str | None = None


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


def finished_steps(entries: list[Entry]) -> tuple[list[Text | Tool], str]:
    """What earlier attempts finished for good, and the text that they had only begun.

    Finished is each tool call with its result, and the text said before it. A call that has no result is left out:
    tools that only read are simply asked again.
    """
    parts: list[Text | Tool] = []
    said: list[str] = []
    called: ToolCalled | None = None
    for event in (entry.event for entry in entries):
        match event:
            case TextDelta(text=text):
                said.append(text)
            case ToolCalled():
                called = event
            case ToolFinished(call_id=id) if called is not None and called.call_id == id:
                if text := "".join(said):
                    parts.append(Text(text))
                said.clear()
                parts.append(Tool(id, called.name, called.arguments, event.status, event.result))
            case AnswerRestarted(text=text):
                said[:] = [text.removeprefix("".join(part.text for part in parts if isinstance(part, Text)))]
            case _:
                pass
    return parts, "".join(said)
