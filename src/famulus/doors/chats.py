"""`/assistant/chats`: threads and runs under the names that existing front ends use."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from famulus.conversations import threads
from famulus.conversations.beginning import Beginning, begin_thread
from famulus.conversations.schemas import MessagePage, RenameThread
from famulus.doors.answers import json_answer
from famulus.doors.chat_schemas import ChatOut, ChatPage, NewChat, SendToChat, SentOut
from famulus.doors.following import (
    STREAMED,
    After,
    ExchangesDep,
    IdempotencyKey,
    LastEventId,
    RunsDep,
    headers_of,
    page_of,
    stream_of,
)
from famulus.doors.problems import request_id_of
from famulus.doors.telling import told_sse, tool_calls
from famulus.doors.watch import make_room
from famulus.identity.deps import CurrentPrincipal, DatabaseDep, IdPath, PagingDep, ReadSession, WriteSession
from famulus.identity.principal import Principal
from famulus.kernel.paging import MAX_LIMIT
from famulus.kernel.text import Id
from famulus.runs.ask import Ask, Started
from famulus.runs.events import parse_id
from famulus.runs.exchanges import Exchanges

router = APIRouter(prefix="/assistant/chats", tags=["chats"])
MAX_PAGE = 100
"""The last page that is asked for by its number; further ones are reached by their key."""


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_chat(body: NewChat, principal: CurrentPrincipal, database: DatabaseDep) -> ChatOut:
    """A new chat, maybe in a course that the person learns in, teaches or administers."""
    how = Beginning(course_id=body.course_id, title=body.title)
    return ChatOut.of(await begin_thread(database, principal, how))


@router.get("")
async def list_chats(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    *,
    course_id: Annotated[Id | None, Query(description="Only chats of this course.")] = None,
    archived: Annotated[bool, Query(description="Those that were put away.")] = False,
    page: Annotated[
        int | None, Query(ge=1, le=MAX_PAGE, description="By number, instead of `after`.")
    ] = None,
    size: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Chats on a numbered page.")] = 20,
) -> ChatPage:
    """The person's chats, the one with the newest message first; by key, or by `page` and `size`."""
    if page is not None:
        cards, total = await threads.numbered_threads(
            session, principal, page, size, course_id=course_id, archived=archived
        )
        return ChatPage(
            items=[ChatOut.of(card) for card in cards], next=None, page=page, size=size, total=total
        )
    found = await threads.list_threads(session, principal, paging, course_id=course_id, archived=archived)
    return ChatPage(items=[ChatOut.of(card) for card in found.items], next=found.next)


@router.get("/{thread_id}")
async def get_chat(thread_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> ChatOut:
    """One chat."""
    return ChatOut.of(await threads.get_thread(session, principal, thread_id))


@router.patch("/{thread_id}")
async def rename_chat(
    thread_id: IdPath, body: RenameThread, principal: CurrentPrincipal, session: WriteSession
) -> ChatOut:
    """Give a chat a title of the person's own."""
    return ChatOut.of(await threads.rename_thread(session, principal, thread_id, body.title))


@router.delete("/{thread_id}")
async def archive_chat(thread_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> ChatOut:
    """Put a chat away. Nothing is lost: it can be read and restored, but takes no message."""
    return ChatOut.of(await threads.archive_thread(session, principal, thread_id))


@router.post("/{thread_id}/restore")
async def restore_chat(thread_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> ChatOut:
    """Take a chat out again."""
    return ChatOut.of(await threads.archive_thread(session, principal, thread_id, away=False))


@router.get("/{thread_id}/messages", response_model=MessagePage)
async def list_chat_messages(
    thread_id: IdPath, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> Response:
    """What was said, oldest first."""
    found = await threads.list_messages(session, principal, thread_id, paging)
    return json_answer({"items": found.items, "next": found.next})


@router.post("/send", response_model=SentOut)
async def send_to_chat(
    body: SendToChat,
    request: Request,
    principal: CurrentPrincipal,
    exchanges: ExchangesDep,
    *,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send a message and get the whole answer; it comes about even if nobody waits for it."""
    started = await _say(body, request, principal, exchanges, idempotency_key)
    run = (await exchanges.ended(principal, started.run.id)).run
    answer = {
        "thread_id": run.thread_id,
        "run_id": run.id,
        "status": run.status,
        "response": run.answer.text if run.answer else "",
        "tool_calls": tool_calls(run.answer),
        "answer": run.answer,
        "error": run.error,
    }
    return json_answer(answer, headers=headers_of(started))


@router.post("/send/stream", response_class=Response, responses=STREAMED)
async def send_and_stream(
    body: SendToChat,
    request: Request,
    principal: CurrentPrincipal,
    exchanges: ExchangesDep,
    runs: RunsDep,
    *,
    idempotency_key: IdempotencyKey = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Send a message and follow its answer. Sent again with its key and the last event id, it goes on after that."""
    place = parse_id(last_event_id)
    make_room(request, principal)
    started = await _say(body, request, principal, exchanges, idempotency_key)
    headers = {**headers_of(started), "x-thread-id": started.run.thread_id}
    return await stream_of(request, runs, principal, started.run.id, place, encode=told_sse, headers=headers)


@router.get("/stream/{run_id}", response_class=Response, responses=STREAMED)
async def resume_stream(
    run_id: IdPath,
    request: Request,
    principal: CurrentPrincipal,
    runs: RunsDep,
    *,
    after: After = None,
    last_event_id: LastEventId = None,
) -> Response:
    """Follow the answer of a run, or go on after an id."""
    place = parse_id(after or last_event_id)
    return await stream_of(request, runs, principal, run_id, place, encode=told_sse)


async def _say(
    body: SendToChat, request: Request, principal: Principal, exchanges: Exchanges, key: str | None
) -> Started:
    ask = Ask(body.thread_id or "", body.message, page_of(body.context), key, request_id_of(request))
    return await exchanges.say(principal, ask, course_id=body.course_id)
