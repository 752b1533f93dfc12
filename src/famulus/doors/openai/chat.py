"""`/v1/chat/completions`: an answer to a conversation that the client keeps. Ours is gone after a day."""

from dataclasses import replace

from fastapi import APIRouter, Request, Response

from famulus.conversations.parts import ClientCall, cut_of, text_of
from famulus.conversations.views import seconds_of
from famulus.doors.answers import json_answer
from famulus.doors.following import IdempotencyKey
from famulus.doors.openai.answering import (
    Kitchen,
    KitchenDep,
    journalled,
    start_in_new_thread,
    streamed,
    wait_for_end,
)
from famulus.doors.openai.chat_request import ChatRequest, ask_of, read_chat
from famulus.doors.openai.chat_stream import ChatWriter, call_of, usage_of, waiting_note
from famulus.doors.openai.shapes import spoken, statuses
from famulus.doors.problems import request_id_of
from famulus.doors.watch import make_room
from famulus.identity.deps import CurrentPrincipal
from famulus.identity.principal import Principal
from famulus.runs.events import ApprovalRequested, TextDelta
from famulus.runs.views import RunView

router = APIRouter(prefix="/v1", include_in_schema=False)


@router.post("/chat/completions")
async def complete(
    request: Request, principal: CurrentPrincipal, kitchen: KitchenDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Answer the last message of a conversation, all at once or, with `stream`, as it is written."""
    wanted = read_chat(await request.body())
    if wanted.stream:
        make_room(request, principal)
    ask = replace(ask_of(wanted), request_id=request_id_of(request), key=idempotency_key)
    run = (await start_in_new_thread(kitchen, principal, wanted.model, ask, fleeting=True)).run
    if wanted.stream:
        writer = ChatWriter(_id(run), seconds_of(run.created_at), wanted.model, with_usage=wanted.with_usage)
        return await streamed(kitchen, request, principal, run.id, writer)
    ended = await wait_for_end(kitchen, request, principal, run.id)
    if ended.status == "failed" and ended.error is not None:
        status = statuses().get(ended.error.code, 500)
        return json_answer({"error": spoken(ended.error.code, ended.error.detail, status)}, status)
    return json_answer(await _completion(kitchen, principal, ended, wanted))


def _id(run: RunView) -> str:
    return f"chatcmpl-{run.id.partition('_')[2]}"


async def _completion(
    kitchen: Kitchen, principal: Principal, run: RunView, wanted: ChatRequest
) -> dict[str, object]:
    parts = run.answer.parts if run.answer else ()
    words = text_of(parts)
    if run.status == "awaiting_approval":
        words = await _waiting(kitchen, principal, run.id)
    message: dict[str, object] = {
        "role": "assistant",
        "content": words or None,
        "refusal": None,
        "annotations": [],
    }
    calls = [call_of(part) for part in parts if isinstance(part, ClientCall)]
    if calls:
        message["tool_calls"] = calls
    choice = {
        "index": 0,
        "message": message,
        "logprobs": None,
        "finish_reason": "tool_calls" if calls else cut_of(parts) or "stop",
    }
    return {
        "id": _id(run),
        "object": "chat.completion",
        "created": seconds_of(run.created_at),
        "model": wanted.model,
        "choices": [choice],
        "usage": usage_of(run.usage),
        "system_fingerprint": None,
    }


async def _waiting(kitchen: Kitchen, principal: Principal, run_id: str) -> str:
    """What was said up to the calls that wait, and what they would do."""
    said: list[str] = []
    for entry in await journalled(kitchen, principal, run_id):
        match entry.event:
            case TextDelta(text=text):
                said.append(text)
            case ApprovalRequested(approval=card):
                said.append(f"\n\n{waiting_note(card.title)}")
            case _:
                pass
    return "".join(said).strip()
