"""`/api/chat`: a question and its answer in one request, for front ends that need no more.

    POST /api/chat            the answer with what tools did for it; with `?stream=true` as server-sent events
    POST /api/chat/message    the answer's text as it comes; where the operator allows it, for guests as well

A body that cannot be accepted is a 400 here, as such front ends expect.
"""

from collections.abc import Callable, Coroutine
from dataclasses import replace
from typing import Annotated, Any, cast

from fastapi import APIRouter, Query, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute

from famulus.campus.guests import Guests
from famulus.doors.answers import json_answer
from famulus.doors.chat_schemas import ChatAnswer, ChatMessage, OpenMessage
from famulus.doors.following import STREAMED, ExchangesDep, IdempotencyKey, RunsDep, headers_of, stream_of
from famulus.doors.problems import fault_of, request_id_of
from famulus.doors.sse import EventStream, Pipe
from famulus.doors.telling import told_sse, tool_calls
from famulus.doors.watch import Watched, make_room
from famulus.identity.deps import AnyPrincipal, CurrentPrincipal
from famulus.kernel.errors import BadRequest, FamulusError, Unauthenticated
from famulus.runs.ask import Ask
from famulus.runs.events import AnswerRestarted, Entry, RunFailed, TextDelta
from famulus.runs.exchanges import Ended


class AnswerFailed(FamulusError):
    """The answer did not come about; ask again."""

    code, title, retry = "answer_failed", "No answer", True


class _Forgiving(APIRoute):
    """A route on which whatever is wrong with a request is a 400."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        handle = super().get_route_handler()

        async def answer(request: Request) -> Response:
            try:
                return await handle(request)
            except RequestValidationError as error:
                fault = fault_of(error.errors())
                raise BadRequest(fault.detail, fields=fault.fields) from error

        return answer


router = APIRouter(prefix="/api/chat", tags=["simple chat"], route_class=_Forgiving)
TEXT = "text/plain; charset=utf-8"
SPOKEN: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The answer's text, live.",
        "content": {"text/plain": {"schema": {"type": "string"}}},
    }
}


@router.post("", response_model=ChatAnswer, responses=STREAMED)
async def chat(
    body: ChatMessage,
    request: Request,
    principal: CurrentPrincipal,
    exchanges: ExchangesDep,
    runs: RunsDep,
    *,
    stream: Annotated[bool, Query(description="As server-sent events.")] = False,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask something, in a conversation or in a new one, and get the whole answer."""
    if stream:
        make_room(request, principal)
    ask = Ask(body.conversation_id or "", body.message, None, idempotency_key, request_id_of(request))
    started = await exchanges.say(principal, ask)
    run, headers = started.run, {**headers_of(started), "x-conversation-id": started.run.thread_id}
    if stream:
        return await stream_of(request, runs, principal, run.id, encode=told_sse, headers=headers)
    ended = await exchanges.ended(principal, run.id)
    answer = {
        "conversation_id": run.thread_id,
        "response": _words(ended),
        "tool_calls": tool_calls(ended.run.answer),
    }
    return json_answer(answer, headers=headers)


@router.post("/message", response_class=Response, responses=SPOKEN)
async def chat_message(
    body: OpenMessage,
    request: Request,
    somebody: AnyPrincipal,
    exchanges: ExchangesDep,
    runs: RunsDep,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Ask something and read the answer's text as it comes. The conversation is named in `X-Conversation-Id`."""
    guests = cast(Guests, request.app.state.guests)
    ask = Ask(body.conversation_id or "", body.message, None, idempotency_key, request_id_of(request))
    if somebody is None:
        if "authorization" in request.headers or "x-api-key" in request.headers:
            raise Unauthenticated()
        principal = await guests.admit(body.message)
        # A key is a person's own, and guests are many.
        ask = replace(ask, thread_id=ask.thread_id and guests.unseal(ask.thread_id), key=None)
    else:
        principal = somebody
        make_room(request, principal)
    started = await exchanges.say(principal, ask)
    thread = started.run.thread_id
    name = guests.seal(thread) if somebody is None else thread
    pipe = Pipe(_text)
    events = await runs.follow(principal, started.run.id, pipe=pipe)
    text = EventStream(events, pipe, {**headers_of(started), "x-conversation-id": name})
    text.headers["content-type"] = TEXT
    if somebody is None:
        return text
    return Watched(text, request, principal, started.run.id, last_words=_last_words)


def _words(ended: Ended) -> str:
    """What there is to read of a run; raises AnswerFailed where that is nothing."""
    run = ended.run
    if run.error is not None:
        raise AnswerFailed(run.error.detail)
    said = [run.answer.text] if run.answer else []
    return "\n\n".join([*said, *(f"Waits for your confirmation: {card.title}" for card in ended.waiting)])


def _text(batch: list[Entry]) -> bytes:
    """The text in some events. What another attempt begins with stands in a paragraph of its own: text is not taken
    back."""
    said: list[str] = []
    for event in (entry.event for entry in batch):
        match event:
            case TextDelta(text=text):
                said.append(text)
            case AnswerRestarted(text=text):
                said.append(f"\n\n{text}")
            case RunFailed(error=error):
                said.append(f"\n\n{error.detail}")
            case _:
                pass
    return "".join(said).encode()


def _last_words(why: FamulusError, _request_id: str | None) -> bytes:
    return f"\n\n{why.detail}".encode()
