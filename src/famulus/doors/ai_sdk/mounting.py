"""Puts the door for the AI SDK's clients into the application."""

from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response

from famulus.doors.ai_sdk.messages import messages_of
from famulus.doors.ai_sdk.request import read_chat
from famulus.doors.ai_sdk.turns import Turns
from famulus.doors.answers import json_answer
from famulus.doors.bodies import body_of
from famulus.doors.programs import LONGEST_NAME, Name, RoomsDep, newest_messages, require_named
from famulus.identity.deps import CurrentPrincipal
from famulus.kernel.paging import MAX_LIMIT

router = APIRouter(prefix="/ai-sdk", include_in_schema=False)
Chat = Annotated[str, Path(min_length=1, max_length=LONGEST_NAME)]


@router.post("")
async def send(request: Request, principal: CurrentPrincipal, rooms: RoomsDep) -> Response:
    """Send a message, answers to what waits, or for another answer; and follow the run."""
    wanted = read_chat(await body_of(request))
    return await Turns(rooms, principal, request, Name.of(wanted.id, "id")).post(wanted)


@router.get("/{chat_id}/stream")
async def resume(chat_id: Chat, request: Request, principal: CurrentPrincipal, rooms: RoomsDep) -> Response:
    """Follow the answer that is coming about, from its beginning; 204 where none is."""
    return await Turns(rooms, principal, request, Name.of(chat_id, "id")).come_back()


@router.get("/{chat_id}/messages")
async def list_messages(
    chat_id: Chat,
    principal: CurrentPrincipal,
    rooms: RoomsDep,
    *,
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT)] = MAX_LIMIT,
    before: Annotated[str | None, Query(max_length=1000)] = None,
) -> Response:
    """The newest messages of a chat, oldest first, to begin a page with; `before` leads to those before them."""
    principal.needs("chat")
    card = await require_named(rooms, principal, Name.of(chat_id, "id"))
    said, earlier = await newest_messages(rooms, principal, card, limit, before)
    messages = messages_of(said, rooms.settings.base_url)
    return json_answer({"id": card.thread.id, "messages": messages, "before": earlier})


def mount(app: FastAPI) -> None:
    """Serve everything below `/ai-sdk`."""
    app.include_router(router)
