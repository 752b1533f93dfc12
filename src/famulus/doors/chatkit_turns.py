"""What ChatKit streams: a message, an answer to what waits, another try, an action; then the run's events.

Whatever is wrong with a request is said before a stream begins. What only the moment forbids (a second message while
the first is answered, a server that is full) is a stream with one error in it, for that is what the person reads.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chatkit.types import StructuredInputSubmission, UserMessageInput
from fastapi import Request, Response

from famulus.conversations.beginning import Beginning
from famulus.conversations.threads import ThreadCard
from famulus.doors.chatkit_frames import STREAM_OPTIONS, farewell, frame
from famulus.doors.chatkit_input import message_text, named, original_of, page_of
from famulus.doors.chatkit_items import items_of, question_ids
from famulus.doors.chatkit_reading import Reading, Rooms, thread_item
from famulus.doors.chatkit_stream import Scribe
from famulus.doors.chatkit_widgets import Item
from famulus.doors.problems import request_id_of
from famulus.doors.sse import EventStream, Pipe
from famulus.doors.watch import Watched
from famulus.identity.principal import Principal
from famulus.kernel.errors import Conflict, FamulusError
from famulus.runs.approvals import Answer, ApprovalView
from famulus.runs.ask import Ask, Started
from famulus.runs.events import START, EventId

HEADERS = {"cache-control": "no-store", "x-accel-buffering": "no"}


class NothingWaits(Conflict):
    """Nothing waits for this here; it was answered already, or has expired."""

    code = "nothing_waits"


@dataclass(frozen=True, slots=True)
class Turns:
    """The streams of one request."""

    rooms: Rooms
    principal: Principal
    request: Request
    metadata: Mapping[str, Any]
    key: str | None = None
    """The client's Idempotency-Key."""

    @property
    def reading(self) -> Reading:
        """The same person's way to what is there."""
        return Reading(self.rooms, self.principal)

    async def create(self, given: UserMessageInput) -> Response:
        """The first message of a new thread; if it is not accepted, there is no thread."""
        ask = await self._ask("", given)
        where = Beginning(named(self.metadata, "courseId"), named(self.metadata, "assistantId"))
        card, started = await self.rooms.exchanges.begin(self.principal, ask, where)
        created = {"type": "thread.created", "thread": thread_item(card)}
        return await self._answer(card, started, created, self._said(started))

    async def add(self, thread_id: str, given: UserMessageInput) -> Response:
        """A message to a thread."""
        card = await self.reading.card(thread_id)
        ask = await self._ask(thread_id, given)
        started = await self.rooms.runs.start(self.principal, ask)
        return await self._answer(card, started, self._said(started))

    async def again(self, thread_id: str, item_id: str) -> Response:
        """Another answer to a message; what came after it goes."""
        card = await self.reading.card(thread_id)
        ask = Ask(thread_id, "", request_id=request_id_of(self.request), client=True)
        return await self._answer(card, await self.rooms.runs.again(self.principal, ask, item_id))

    async def client_output(self, thread_id: str, result: object) -> Response:
        """What the client made of the call that waits for it longest."""
        card = await self.reading.card(thread_id)
        waiting = await self.reading.waiting(card.live_run_id) if card.live_run_id else []
        view = next((each for each in waiting if each.approval.wants == "result"), None)
        if view is None:
            raise NothingWaits()
        return await self._bring(card, view, None, {"value": result})

    async def answers(self, thread_id: str, item_id: str, given: StructuredInputSubmission) -> Response:
        """What the person answered, or that they did not want to."""
        card = await self.reading.card(thread_id)
        waiting = await self.reading.waiting(card.live_run_id) if card.live_run_id else []
        scribe, _ = await self.reading.scribe(card, waiting[0].run_id) if waiting else (None, START)
        asked = scribe.cards.get(item_id) if scribe else None
        view = next((each for each in waiting if asked and each.id == asked.id), None)
        if view is None or view.approval.wants != "answers":
            await self.reading.messages(thread_id, [item_id])
            raise NothingWaits()
        return await self._bring(card, view, item_id, _result(view.approval.arguments, given))

    async def follow(
        self, card: ThreadCard, scribe: Scribe, run_id: str, after: EventId, *events: Item
    ) -> Response:
        """These events, then a run's events after one of them."""
        scribe.begin_with(*events)
        pipe = Pipe(scribe.encode)
        source = await self.rooms.runs.follow(self.principal, run_id, after, pipe)
        headers = {"x-run-id": run_id, "x-thread-id": card.thread.id}
        stream = EventStream(source, pipe, headers)
        return Watched(stream, self.request, self.principal, run_id, last_words=farewell)

    async def _bring(
        self, card: ThreadCard, view: ApprovalView, item_id: str | None, result: Item
    ) -> Response:
        """Answer for what waits with what the client brings, and go on with the run."""
        scribe, last = await self.reading.scribe(card, view.run_id)
        answer = Answer("approve", view.approval.hash, result=result)
        done = await self.rooms.approvals.answer(self.principal, view.id, answer)
        shown: list[Item] = [STREAM_OPTIONS]
        if item_id is not None:
            scribe.settle(item_id, done.reason or "")
            shown.append({"type": "thread.item.replaced", "item": scribe.items[item_id]})
        return await self.follow(card, scribe, view.run_id, last, *shown)

    async def _answer(self, card: ThreadCard, started: Started, *events: Item) -> Response:
        scribe = Scribe(
            thread_item(card), started.run.id, started.run.created_at, self.rooms.settings.base_url
        )
        return await self.follow(card, scribe, started.run.id, START, *events, STREAM_OPTIONS)

    async def _ask(self, thread_id: str, given: UserMessageInput) -> Ask:
        content = [part.model_dump(exclude_none=True) for part in given.content]
        quoted = given.quoted_text or ""
        options = given.inference_options.model_dump(exclude_none=True)
        return Ask(
            thread_id=thread_id,
            text=message_text(content, quoted, files=bool(given.attachments)),
            attachments=await self.rooms.attachments.chosen(self.principal, given.attachments),
            page=page_of(self.metadata),
            key=self.key,
            request_id=request_id_of(self.request),
            original=original_of(content, quoted, options),
            client=True,
        )

    def _said(self, started: Started) -> Item:
        [item] = self.reading.with_files(items_of(started.message, self.rooms.settings.base_url))
        return {"type": "thread.item.done", "item": item}


def told(why: FamulusError) -> Response:
    """A stream that says why there is none."""
    body = frame(STREAM_OPTIONS) + farewell(why, None)
    return Response(body, media_type="text/event-stream", headers=HEADERS)


def shown(*events: Item) -> Response:
    """A stream of just these events."""
    body = b"".join(map(frame, (STREAM_OPTIONS, *events)))
    return Response(body, media_type="text/event-stream", headers=HEADERS)


def _result(arguments: str, given: StructuredInputSubmission) -> Item:
    """The answers to what was asked; what was not answered, or not as it was asked, counts as skipped."""
    answers: dict[str, Item] = {}
    for id, question in question_ids(arguments).items():
        answer = given.answers.get(id)
        options: list[str] = question.get("options") or []
        values = answer.values if answer and given.status == "answered" and not answer.skipped else []
        values = [each[:2000] for each in values if each.strip() and (not options or each in options)]
        if not (options and question.get("multiple")):
            values = values[:1]
        answers[id] = {
            "question": question.get("question"), "values": values, "skipped": not values,
        }  # fmt: skip
    answered = any(each["values"] for each in answers.values())
    return {"status": "answered" if answered else "skipped", "answers": answers}
