"""`/v1/conversations`: a conversation is a thread. What a program adds to it is told to the model as it stands."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

import msgspec
from fastapi import APIRouter, Query, Request, Response
from msgspec import Struct
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.beginning import Beginning, create_thread
from famulus.conversations.copying import add_messages, find_answer, mark_thread, marks_of
from famulus.conversations.errors import MessageNotFound, ThreadNotFound
from famulus.conversations.given import Given
from famulus.conversations.parts import MessageView
from famulus.conversations.threads import (
    delete_thread,
    find_message,
    find_thread,
    list_messages,
)
from famulus.doors.answers import json_answer
from famulus.doors.openai.items import Item, items_of, suffix_of
from famulus.doors.openai.places import place_of
from famulus.doors.openai.reading import Metadata, marks, read
from famulus.doors.openai.response_request import ItemIn, tell
from famulus.doors.openai.shapes import InvalidValue, at, listed, ours, shown
from famulus.doors.openai.talk import Talk
from famulus.identity.deps import CurrentPrincipal, ReadSession, WriteSession
from famulus.identity.principal import Principal
from famulus.kernel.errors import NotFound
from famulus.kernel.paging import Paging, encode_key

router = APIRouter(prefix="/v1", include_in_schema=False)
MOST_ITEMS = 20
"""That are given at once, as at OpenAI."""
MODEL = "model"
"""The mark that names who answers in a new conversation, for which the protocol has no parameter."""
Order = Literal["asc", "desc"]
Limit = Annotated[int, Query(ge=1, le=100)]


class NewConversation(Struct, forbid_unknown_fields=True):
    """A new conversation."""

    metadata: Metadata | None = None
    items: list[ItemIn] | None = None


class ChangeConversation(Struct, forbid_unknown_fields=True):
    """Other marks."""

    metadata: Metadata


class NewItems(Struct, forbid_unknown_fields=True):
    """What is added."""

    items: list[ItemIn]


_new = msgspec.json.Decoder(NewConversation)
_change = msgspec.json.Decoder(ChangeConversation)
_items = msgspec.json.Decoder(NewItems)


@router.post("/conversations")
async def create_conversation(
    request: Request, principal: CurrentPrincipal, session: WriteSession
) -> Response:
    """A new conversation, with what was said before."""
    wanted = read(await request.body() or b"{}", _new)
    marked, given = marks(wanted.metadata), _given(wanted.items or [])
    place = place_of(marked.get(MODEL, "famulus"))
    how = Beginning(place.course_id, place.assistant_id, at_home=True)
    card = await create_thread(session, principal, how)
    thread = await mark_thread(session, principal, card.thread.id, marked)
    await add_messages(session, principal, thread.id, given)
    return json_answer(_conversation(thread.id, thread.created_at, marked))


@router.get("/conversations/{conversation_id}")
async def get_conversation(
    conversation_id: str, principal: CurrentPrincipal, session: ReadSession
) -> Response:
    """One of the person's conversations."""
    thread = await find_thread(session, principal, ours(conversation_id, "thr", ThreadNotFound))
    return json_answer(_conversation(thread.id, thread.created_at, marks_of(thread)))


@router.post("/conversations/{conversation_id}")
async def change_conversation(
    conversation_id: str, request: Request, principal: CurrentPrincipal, session: WriteSession
) -> Response:
    """Give it other marks; who answers stays."""
    wanted = read(await request.body(), _change)
    thread_id = ours(conversation_id, "thr", ThreadNotFound)
    thread = await mark_thread(session, principal, thread_id, marks(wanted.metadata))
    return json_answer(_conversation(thread.id, thread.created_at, marks_of(thread)))


@router.delete("/conversations/{conversation_id}")
async def delete_conversation(
    conversation_id: str, principal: CurrentPrincipal, session: WriteSession
) -> Response:
    """Delete it with everything said in it."""
    await delete_thread(session, principal, ours(conversation_id, "thr", ThreadNotFound))
    return json_answer({"id": conversation_id, "object": "conversation.deleted", "deleted": True})


@router.get("/conversations/{conversation_id}/items")
async def list_items(
    conversation_id: str,
    *,
    principal: CurrentPrincipal,
    session: ReadSession,
    limit: Limit = 20,
    order: Order = "desc",
    after: Annotated[str | None, Query(max_length=100)] = None,
) -> Response:
    """What was said in it, the newest first unless asked otherwise; `after` is the id of the last item seen."""
    thread_id = ours(conversation_id, "thr", ThreadNotFound)
    newest_first = order == "desc"
    start = None if after is None else await _message_with(session, principal, thread_id, after)
    # The page begins with the message of the last item that was seen: some of its items may be still to come.
    key = start and encode_key([start.position + (1 if newest_first else -1)])
    page = await list_messages(
        session, principal, thread_id, Paging(limit + 1, key), newest_first=newest_first
    )
    items = [item for message in page.items for item in _ordered(message, newest_first=newest_first)]
    if after is not None:
        seen = next((n for n, item in enumerate(items) if item["id"] == after), -1)
        items = items[seen + 1 :]
    return json_answer(listed(items[:limit], more=len(items) > limit or page.next is not None))


@router.post("/conversations/{conversation_id}/items")
async def create_items(
    conversation_id: str, request: Request, principal: CurrentPrincipal, session: WriteSession
) -> Response:
    """Add to it what was said elsewhere; nobody answers it."""
    wanted = read(await request.body(), _items)
    thread_id = ours(conversation_id, "thr", ThreadNotFound)
    added = await add_messages(session, principal, thread_id, _given(wanted.items))
    return json_answer(listed([item for message in added for item in items_of(message)]))


@router.get("/conversations/{conversation_id}/items/{item_id}")
async def get_item(
    conversation_id: str, item_id: str, principal: CurrentPrincipal, session: ReadSession
) -> Response:
    """One item of it."""
    thread_id = ours(conversation_id, "thr", ThreadNotFound)
    message = await _message_with(session, principal, thread_id, item_id)
    return json_answer(next(item for item in items_of(message) if item["id"] == item_id))


def _given(items: Sequence[ItemIn]) -> list[Given]:
    """The messages that items make. Raises InvalidValue, or UnsupportedContent."""
    if len(items) > MOST_ITEMS:
        raise at(InvalidValue, "items", f"items: at most {MOST_ITEMS} are added at once.")
    talk = Talk("items")
    tell(talk, items)
    if talk.instructions:
        message = "items: instructions belong to a response; a conversation holds what was said."
        raise at(InvalidValue, "items", message)
    return talk.turns


def _ordered(message: MessageView, *, newest_first: bool) -> list[Item]:
    items = items_of(message)
    return items[::-1] if newest_first else items


async def _message_with(
    session: AsyncSession, principal: Principal, thread_id: str, item_id: str
) -> MessageView:
    """The message of a thread that an item stands in; raises MessageNotFound."""
    suffix = suffix_of(item_id).partition("_")[0][:60]
    try:
        message = await find_message(session, principal, f"msg_{suffix}")
    except NotFound:
        message = await find_answer(session, principal, f"run_{suffix}")
    if message is None or message.thread_id != thread_id:
        raise MessageNotFound()
    if all(item["id"] != item_id for item in items_of(message)):
        raise MessageNotFound()
    return message


def _conversation(thread_id: str, made: datetime, marked: dict[str, str]) -> dict[str, object]:
    return {
        "id": shown(thread_id),
        "object": "conversation",
        "created_at": int(made.timestamp()),
        "metadata": marked,
    }
