"""`/api/v1/threads` and `/api/v1/messages`: a person's own conversations."""

from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Response, status

from famulus.conversations import feedback, threads
from famulus.conversations.beginning import Beginning, begin_thread
from famulus.conversations.schemas import (
    GivenFeedback,
    MessagePage,
    NewFeedback,
    NewThread,
    RenameThread,
    ThreadOut,
    ThreadPage,
)
from famulus.identity.deps import CurrentPrincipal, DatabaseDep, IdPath, PagingDep, ReadSession, WriteSession
from famulus.kernel.text import Id

router = APIRouter(prefix="/api/v1", tags=["threads"])


@router.get("/threads")
async def list_threads(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    *,
    course_id: Annotated[Id | None, Query(description="Only threads of this course.")] = None,
    archived: Annotated[bool, Query(description="Those that were put away.")] = False,
) -> ThreadPage:
    """The person's threads, the one with the newest message first."""
    found = await threads.list_threads(session, principal, paging, course_id=course_id, archived=archived)
    return ThreadPage(items=[ThreadOut.of(card) for card in found.items], next=found.next)


@router.post("/threads", status_code=status.HTTP_201_CREATED)
async def create_thread(body: NewThread, principal: CurrentPrincipal, database: DatabaseDep) -> ThreadOut:
    """A new thread; without `assistant_id` the registry resolves who answers."""
    how = Beginning(body.course_id, body.assistant_id, body.title)
    return ThreadOut.of(await begin_thread(database, principal, how))


@router.get("/threads/{thread_id}")
async def get_thread(thread_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> ThreadOut:
    """One thread."""
    return ThreadOut.of(await threads.get_thread(session, principal, thread_id))


@router.patch("/threads/{thread_id}")
async def rename_thread(
    thread_id: IdPath, body: RenameThread, principal: CurrentPrincipal, session: WriteSession
) -> ThreadOut:
    """Rename a thread."""
    return ThreadOut.of(await threads.rename_thread(session, principal, thread_id, body.title))


@router.post("/threads/{thread_id}/archive")
async def archive_thread(thread_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> ThreadOut:
    """Put a thread away: it is in no list any more and takes no message; what was said is kept."""
    return ThreadOut.of(await threads.archive_thread(session, principal, thread_id))


@router.post("/threads/{thread_id}/restore")
async def restore_thread(thread_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> ThreadOut:
    """Take a thread out again."""
    return ThreadOut.of(await threads.archive_thread(session, principal, thread_id, away=False))


@router.delete("/threads/{thread_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_thread(thread_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Delete a thread with everything said in it."""
    await threads.delete_thread(session, principal, thread_id)


@router.get("/threads/{thread_id}/messages", response_model=MessagePage)
async def list_messages(
    thread_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    order: Annotated[Literal["asc", "desc"], Query(description="Oldest or newest first.")] = "asc",
) -> Response:
    """What was said, by position."""
    found = await threads.list_messages(session, principal, thread_id, paging, newest_first=order == "desc")
    page = {"items": found.items, "next": found.next}
    return Response(msgspec.json.encode(page), media_type="application/json")


@router.put("/messages/{message_id}/feedback")
async def give_feedback(
    message_id: IdPath, body: NewFeedback, principal: CurrentPrincipal, session: WriteSession
) -> GivenFeedback:
    """Say what one thinks of an answer in a thread of one's own; saying it anew replaces what was said before."""
    given = await feedback.give_feedback(session, principal, message_id, body.rating, body.comment)
    return GivenFeedback.model_validate(given, from_attributes=True)


@router.delete("/messages/{message_id}/feedback", status_code=status.HTTP_204_NO_CONTENT)
async def take_feedback_back(message_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Say nothing of an answer any more."""
    await feedback.take_feedback_back(session, principal, message_id)
