"""The requests of the AI SDK's transport: send, answer for what waits, answer anew, come back to a stream."""

from collections.abc import Sequence
from dataclasses import dataclass

from fastapi import Request, Response

from famulus.conversations.errors import MessageNotFound
from famulus.conversations.threads import ThreadCard
from famulus.doors.ai_sdk.request import (
    ChatRequest,
    Said,
    application_of,
    page_of,
    said_in,
    seat_of,
)
from famulus.doors.ai_sdk.writer import UiWriter, farewell
from famulus.doors.bodies import fault
from famulus.doors.following import Batch, until_it_rests
from famulus.doors.problems import request_id_of
from famulus.doors.programs import (
    Name,
    Rooms,
    ask_in,
    find_named,
    newest_messages,
    require_named,
    results_in,
)
from famulus.doors.questions import Reply, answer_all
from famulus.doors.settled import journalled, last_of, settled
from famulus.doors.sse import EventStream, Pipe
from famulus.doors.watch import Watched
from famulus.identity.principal import Principal
from famulus.runs.ask import Ask, Started
from famulus.runs.errors import KeyReused
from famulus.runs.events import START, Entry, EventId

LOOKED_AT = 100
"""Messages among which the last words of the person are looked for."""
HEADERS = {"x-vercel-ai-ui-message-stream": "v1"}


@dataclass(frozen=True, slots=True)
class Turns:
    """The requests of one person about one chat."""

    rooms: Rooms
    principal: Principal
    request: Request
    name: Name

    async def post(self, wanted: ChatRequest) -> Response:
        """Do what a request wants, and stream what comes of it."""
        self.principal.needs("chat")
        if wanted.trigger == "regenerate-message":
            return await self._show(await self._again(wanted))
        said = said_in(wanted)
        if said.decisions:
            return await self._resume(said)
        try:
            started = await self._changed(wanted, said) or await self._ask(wanted, said)
        except KeyReused as error:
            message = "This id is another message's; to change that one, name it in `messageId`."
            raise fault("messages.id", message) from error
        return await self._show(started, new=not said.results)

    async def come_back(self) -> Response:
        """The stream of the answer that is coming about, from its beginning; nothing where none is."""
        self.principal.needs("chat")
        card = await require_named(self.rooms, self.principal, self.name)
        if card.live_run_id is None:
            return Response(status_code=204)
        return await self._from_the_start(card.live_run_id, card.thread.id)

    async def _ask(self, wanted: ChatRequest, said: Said) -> Started:
        results = await results_in(self.rooms, self.principal, self.name, said.results)
        if not said.words and not said.files and not results:
            raise fault("messages", "Nothing here is new: send words of the person after the last answer.")
        ask = Ask(
            thread_id="",
            text=said.words,
            page=page_of(wanted),
            # An answer that goes on keeps its id, so that its results have another key each time.
            key=said.key if not results else None,
            request_id=request_id_of(self.request),
            attachments=await self.rooms.attachments.chosen(self.principal, await self._files(said)),
            application=application_of(wanted),
            results=results,
        )
        return await ask_in(self.rooms, self.principal, self.name, seat_of(wanted), ask)

    async def _changed(self, wanted: ChatRequest, said: Said) -> Started | None:
        """An answer to a message that was sent before and says something else now; None for one that is new."""
        id = wanted.message_id
        if id is None or wanted.messages[-1].role != "user":
            return None
        if id != said.key:
            raise fault("messageId", "Name the last of the messages: it is the one that is changed.")
        card = await find_named(self.rooms, self.principal, self.name)
        if card is None:
            return None
        ours = id.startswith("msg_")
        thread_id = card.thread.id
        sent = id if ours else await self.rooms.runs.message_with_key(self.principal, thread_id, id)
        if sent is None:
            return None  # it never came
        if not said.words:
            raise fault(
                "messages.parts", "Send words: the files of a message that was sent stay as they are."
            )
        if any(not isinstance(each, str) for each in said.files):
            message = "Leave the files out: those of a message that was sent stay as they are."
            raise fault("messages.parts", message)
        ask = Ask(
            thread_id=thread_id,
            text=said.words,
            page=page_of(wanted),
            key=None if ours else id,
            request_id=request_id_of(self.request),
            application=application_of(wanted),
        )
        return await self.rooms.runs.again(self.principal, ask, sent, changed=True)

    async def _files(self, said: Said) -> list[str]:
        """The attachments of a message; files that it brings become some."""
        attachments = self.rooms.attachments
        return [
            each if isinstance(each, str) else (await attachments.upload(self.principal, each)).id
            for each in said.files
        ]

    async def _again(self, wanted: ChatRequest) -> Started:
        """Another answer to the message that an answer of ours was given to, or to the person's last words."""
        card = await require_named(self.rooms, self.principal, self.name)
        asked = await self._message_of(card, wanted.message_id)
        ask = Ask(card.thread.id, "", request_id=request_id_of(self.request))
        return await self.rooms.runs.again(self.principal, ask, asked)

    async def _message_of(self, card: ThreadCard, id: str | None) -> str:
        if id is not None and id.startswith("run_"):
            run = await self.rooms.runs.get(self.principal, id)
            if run.thread_id != card.thread.id:
                raise MessageNotFound()
            return run.message_id
        if id is not None and id.startswith("msg_"):
            return id
        if id is not None:
            raise fault(
                "messageId", "Name an answer by the id that it has here, or leave this out for the last."
            )
        said, _ = await newest_messages(self.rooms, self.principal, card, LOOKED_AT)
        asked = next((each for each in reversed(said) if each.role == "user" and each.text), None)
        if asked is None:
            raise MessageNotFound()
        return asked.id

    async def _resume(self, said: Said) -> Response:
        card = await require_named(self.rooms, self.principal, self.name)
        replies = [
            Reply(each.id, {"approved": each.approved, "reason": each.reason}, "messages.parts.approval")
            for each in said.decisions
        ]
        taken = await answer_all(
            self.rooms, self.principal, card.thread.id, replies, "messages.parts.approval"
        )
        writer = self._writer(taken.run_id, card.thread.id)
        writer.take_up(taken.before)
        writer.begin()
        return await self._follow(writer, taken.run_id, taken.after)

    # Showing

    async def _show(self, started: Started, *, new: bool = True) -> Response:
        if started.replayed:
            return await self._from_the_start(started.run.id, started.run.thread_id)
        writer = self._writer(started.run.id, started.run.thread_id)
        writer.begin(new=new)
        return await self._follow(writer, started.run.id, START)

    async def _from_the_start(self, run_id: str, thread_id: str) -> Response:
        entries = await journalled(self.rooms.runs, self.principal, run_id)
        writer = self._writer(run_id, thread_id)
        writer.begin()
        return await self._follow(writer, run_id, last_of(entries), settled(entries))

    def _writer(self, run_id: str, thread_id: str) -> UiWriter:
        return UiWriter(run_id, thread_id, self.rooms.settings.base_url)

    async def _follow(
        self, writer: UiWriter, run_id: str, after: EventId, first: Sequence[Entry] = ()
    ) -> Response:
        pipe = Pipe[Batch](writer.frames)
        source = await self.rooms.runs.follow(self.principal, run_id, after, pipe)
        stream = EventStream(until_it_rests(source, first), pipe, {**HEADERS, "x-run-id": run_id})
        return Watched(stream, self.request, self.principal, run_id, last_words=farewell)
