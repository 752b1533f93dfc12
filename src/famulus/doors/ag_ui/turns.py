"""The two requests of an AG-UI client: run, which asks or brings answers, and connect, which shows a thread."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from famulus.conversations.threads import ThreadCard
from famulus.doors.ag_ui.messages import Item, answer_messages, messages_of
from famulus.doors.ag_ui.run_input import (
    ResumeEntry,
    RunInput,
    application_of,
    page_of,
    props_of,
    said_in,
    seat_of,
)
from famulus.doors.ag_ui.writer import AgUiWriter, Names, frame
from famulus.doors.bodies import fault
from famulus.doors.following import Batch, until_it_rests
from famulus.doors.problems import request_id_of
from famulus.doors.programs import Name, Rooms, ask_in, newest_messages, require_named, results_in
from famulus.doors.questions import Reply, answer_all
from famulus.doors.settled import journalled, last_of, parts_so_far, settled
from famulus.doors.sse import EventStream, Pipe
from famulus.doors.watch import Watched
from famulus.identity.principal import Principal
from famulus.kernel.errors import FamulusError
from famulus.runs.ask import Ask
from famulus.runs.events import START, TERMINAL, Entry, EventId

MOST_SHOWN = 500
"""Messages that a client is shown when it connects: the newest."""


@dataclass(frozen=True, slots=True)
class Turns:
    """The requests of one person."""

    rooms: Rooms
    principal: Principal
    request: Request
    wanted: RunInput

    @property
    def _name(self) -> Name:
        return Name.of(self.wanted.thread_id, "threadId")

    async def run(self) -> Response:
        """Ask, or answer for what waits, and show what comes of it."""
        self.principal.needs("chat")
        if self.wanted.resume:
            return await self._resume(self.wanted.resume)
        ask = await self._ask()
        started = await ask_in(self.rooms, self.principal, self._name, seat_of(props_of(self.wanted)), ask)
        writer = self._writer(started.run.id, started.run.thread_id)
        writer.begin()
        if not started.replayed:
            return await self._follow(writer, started.run.id, START)
        entries = await journalled(self.rooms.runs, self.principal, started.run.id)
        return await self._follow(writer, started.run.id, last_of(entries), settled(entries))

    async def connect(self) -> Response:
        """Everything that was said in a thread, and what is being said."""
        self.principal.needs("chat")
        card = await require_named(self.rooms, self.principal, self._name)
        told = await self._history(card)
        run_id = card.live_run_id
        if run_id is None:
            return self._once(card, told)
        entries = await journalled(self.rooms.runs, self.principal, run_id)
        kept = settled(entries)
        told += answer_messages(run_id, parts_so_far(kept), self.rooms.settings.base_url)
        if entries and isinstance(entries[-1].event, TERMINAL):
            return self._once(card, told)  # it has ended in the meantime
        writer = self._writer(run_id, card.thread.id)
        writer.take_up(kept)
        writer.begin(told)
        return await self._follow(writer, run_id, last_of(entries))

    # Asking

    async def _ask(self) -> Ask:
        wanted, said = self.wanted, said_in(self.wanted)
        props = props_of(wanted)
        results = await results_in(self.rooms, self.principal, self._name, said.results)
        if not said.words and not said.files and not results:
            raise fault("messages", "Nothing here is new: send words of the person after the last answer.")
        return Ask(
            thread_id="",
            text=said.words,
            page=page_of(wanted, props),
            key=wanted.run_id,
            request_id=request_id_of(self.request),
            attachments=await self.rooms.attachments.chosen(self.principal, said.files),
            client=props.client,
            application=application_of(wanted),
            results=results,
        )

    # Answering for what waits

    async def _resume(self, entries: list[ResumeEntry]) -> Response:
        card = await require_named(self.rooms, self.principal, self._name)
        replies = [
            Reply(each.interrupt_id, each.payload, f"resume[{n}]", dropped=each.status == "cancelled")
            for n, each in enumerate(entries)
        ]
        taken = await answer_all(self.rooms, self.principal, card.thread.id, replies, "resume")
        writer = self._writer(taken.run_id, card.thread.id)
        writer.take_up(taken.before)
        writer.begin()
        return await self._follow(writer, taken.run_id, taken.after)

    # Showing

    def _writer(self, run_id: str, thread_id: str) -> AgUiWriter:
        wanted = self.wanted
        return AgUiWriter(
            Names(wanted.thread_id, wanted.run_id, thread_id, run_id, self.rooms.settings.base_url)
        )

    async def _follow(
        self, writer: AgUiWriter, run_id: str, after: EventId, first: Sequence[Entry] = ()
    ) -> Response:
        pipe = Pipe[Batch](writer.frames)
        source = await self.rooms.runs.follow(self.principal, run_id, after, pipe)
        headers = {"x-run-id": run_id}
        stream = EventStream(until_it_rests(source, first), pipe, headers)
        return Watched(stream, self.request, self.principal, run_id, last_words=farewell)

    def _once(self, card: ThreadCard, told: list[Item]) -> Response:
        """A thread in which nothing is going on."""
        names = {"threadId": self.wanted.thread_id, "runId": self.wanted.run_id}
        writer = self._writer("", card.thread.id)
        writer.begin(told)
        body = writer.frames([]) + frame("RUN_FINISHED", **names, outcome={"type": "success"})
        return Response(body, media_type="text/event-stream", headers={"cache-control": "no-store"})

    async def _history(self, card: ThreadCard) -> list[Item]:
        said, _ = await newest_messages(self.rooms, self.principal, card, MOST_SHOWN)
        return messages_of(said, self.rooms.settings.base_url)


def farewell(why: FamulusError, _request_id: str | None) -> bytes:
    """The last event of a stream whose reader's rights have ended."""
    return frame("RUN_ERROR", message=why.detail, code=why.code)
