"""`/v1/responses`: a response is a run. It is kept, followed again, gone on from, cancelled and forgotten."""

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from famulus.conversations.copying import find_answer, fork_thread
from famulus.conversations.errors import ThreadNotFound
from famulus.conversations.parts import MessageView, cut_of
from famulus.conversations.threads import delete_thread, find_message, find_thread
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
from famulus.doors.openai.items import CUT, DONE, Item, input_items, output_items
from famulus.doors.openai.places import Place, place_of, with_course
from famulus.doors.openai.response_object import STATUSES, Frame
from famulus.doors.openai.response_request import ResponseRequest, approvals_in, ask_of, read_response
from famulus.doors.openai.response_stream import ResponseWriter
from famulus.doors.openai.shapes import InvalidValue, at, listed, ours
from famulus.doors.problems import request_id_of
from famulus.doors.watch import make_room
from famulus.identity.deps import CurrentPrincipal
from famulus.identity.principal import Principal
from famulus.runs.approvals import Answer
from famulus.runs.ask import Ask, Started
from famulus.runs.errors import ApprovalNotFound, RunNotFound
from famulus.runs.views import RunView

router = APIRouter(prefix="/v1", include_in_schema=False)
FROM_THE_START = -1
StartingAfter = Annotated[int | None, Query(ge=0, le=2**53)]


@router.post("/responses")
async def create_response(
    request: Request, principal: CurrentPrincipal, kitchen: KitchenDep, idempotency_key: IdempotencyKey = None
) -> Response:
    """Ask: in a conversation, after an earlier response, or anew; wait for the answer, stream it, or neither."""
    wanted = read_response(await request.body())
    if wanted.stream:
        make_room(request, principal)
    asked: MessageView | None = None
    if approvals_in(wanted):
        run = await _answer_calls(kitchen, principal, wanted)
    else:
        previous = wanted.previous_response_id and ours(wanted.previous_response_id, "run", RunNotFound)
        ask = replace(
            ask_of(wanted, previous=previous), request_id=request_id_of(request), key=idempotency_key
        )
        started = await _start(kitchen, principal, wanted, ask)
        run, asked = started.run, started.message
    if wanted.stream:
        frame = Frame.of(run, asked) if asked else await _frame(kitchen, principal, run)
        return await _stream(kitchen, request, principal, frame, FROM_THE_START)
    if not wanted.background:
        run = await wait_for_end(kitchen, request, principal, run.id)
    return json_answer(await _response(kitchen, principal, run))


@router.get("/responses/{response_id}")
async def get_response(
    response_id: str,
    *,
    request: Request,
    principal: CurrentPrincipal,
    kitchen: KitchenDep,
    stream: bool = False,
    starting_after: StartingAfter = None,
) -> Response:
    """A response as it is now; with `stream`, its events after a number, live until its end."""
    run = await kitchen.runs.get(principal, ours(response_id, "run", RunNotFound))
    if stream:
        after = FROM_THE_START if starting_after is None else starting_after
        return await _stream(kitchen, request, principal, await _frame(kitchen, principal, run), after)
    return json_answer(await _response(kitchen, principal, run))


@router.post("/responses/{response_id}/cancel")
async def cancel_response(response_id: str, principal: CurrentPrincipal, kitchen: KitchenDep) -> Response:
    """End it; what was written is kept. Asking again changes nothing."""
    run = await kitchen.runs.cancel(principal, ours(response_id, "run", RunNotFound))
    return json_answer(await _response(kitchen, principal, run))


@router.delete("/responses/{response_id}")
async def delete_response(response_id: str, principal: CurrentPrincipal, kitchen: KitchenDep) -> Response:
    """Forget it. What was said goes with it, unless it stands in a conversation or something has gone on from it."""
    run = await kitchen.runs.get(principal, ours(response_id, "run", RunNotFound))
    frame = await _frame(kitchen, principal, run)
    alone = await kitchen.runs.forget(principal, run.id)
    if alone and not frame.application.conversation:
        async with kitchen.database.write() as session:
            await delete_thread(session, principal, run.thread_id)
    return json_answer({"id": response_id, "object": "response", "deleted": True})


@router.get("/responses/{response_id}/input_items")
async def list_input_items(response_id: str, principal: CurrentPrincipal, kitchen: KitchenDep) -> Response:
    """What a response answers: the items of its message."""
    run = await kitchen.runs.get(principal, ours(response_id, "run", RunNotFound))
    async with kitchen.database.read() as session:
        asked = await find_message(session, principal, run.message_id)
    return json_answer(listed(input_items(asked)))


async def _start(kitchen: Kitchen, principal: Principal, wanted: ResponseRequest, ask: Ask) -> Started:
    """Have the message accepted in the thread that it belongs to."""
    if wanted.conversation_id is not None:
        thread_id = ours(wanted.conversation_id, "thr", ThreadNotFound)
        await _require_place(kitchen, principal, wanted.model, thread_id)
        return await kitchen.runs.start(principal, replace(ask, thread_id=thread_id))
    previous = ask.application.previous if ask.application else None
    if previous is None:
        fleeting = wanted.store is False
        return await start_in_new_thread(kitchen, principal, wanted.model, ask, fleeting=fleeting)
    thread_id = await _going_on(kitchen, principal, previous, ask.key, fleeting=wanted.store is False)
    await _require_place(kitchen, principal, wanted.model, thread_id)
    return await kitchen.runs.start(principal, replace(ask, thread_id=thread_id))


async def _going_on(
    kitchen: Kitchen, principal: Principal, run_id: str, key: str | None, *, fleeting: bool
) -> str:
    """The thread in which a response is gone on from: its own where nothing follows it there, else a copy up to it.

    What follows it with this key is the same request, sent before.
    """
    run = await kitchen.runs.get(principal, run_id)
    if key is not None and await kitchen.runs.message_with_key(principal, run.thread_id, key):
        return run.thread_id
    async with kitchen.database.write() as session:
        thread = await find_thread(session, principal, run.thread_id)
        answer = run.answer or await find_answer(session, principal, run_id)
        last = answer.id if answer else run.message_id
        if thread.head_id == last and thread.fleeting == fleeting:
            return thread.id
        return (await fork_thread(session, principal, last, fleeting=fleeting, key=key)).id


async def _require_place(kitchen: Kitchen, principal: Principal, model: str, thread_id: str) -> None:
    """Raise InvalidValue where a model is named that is not the thread's: who answers in it never changes."""
    named = place_of(model)
    if named == Place():
        return
    async with kitchen.database.read() as session:
        thread = await find_thread(session, principal, thread_id)
        named = await with_course(session, principal, named)
    if named.assistant_id not in (None, thread.assistant_id) or named.course_id not in (
        None,
        thread.course_id,
    ):
        message = "This conversation is with another model, and stays with it."
        raise at(InvalidValue, "model", message)


async def _answer_calls(kitchen: Kitchen, principal: Principal, wanted: ResponseRequest) -> RunView:
    """Say a person's yes or no to the calls that wait in the response that is named; it goes on with them."""
    run_id = ours(wanted.previous_response_id or "", "run", RunNotFound)
    run = await kitchen.runs.get(principal, run_id)
    cards = {
        str(item["id"]): (str(item["approval_id"]), str(item["hash"]))
        for item in await _items_so_far(kitchen, principal, run)
        if item["type"] == "mcp_approval_request"
    }
    for said in approvals_in(wanted):
        if said.approval_request_id not in cards:
            raise ApprovalNotFound()
        approval_id, shown = cards[said.approval_request_id]
        answer = Answer("approve" if said.approve else "deny", shown, said.reason and said.reason[:1000])
        await kitchen.approvals.answer(principal, approval_id, answer)
    return await kitchen.runs.get(principal, run_id)


async def _frame(kitchen: Kitchen, principal: Principal, run: RunView) -> Frame:
    async with kitchen.database.read() as session:
        return Frame.of(run, await find_message(session, principal, run.message_id))


async def _stream(
    kitchen: Kitchen, request: Request, principal: Principal, frame: Frame, after: int
) -> Response:
    writer = ResponseWriter(frame, after)
    return await streamed(kitchen, request, principal, frame.run_id, writer)


async def _response(kitchen: Kitchen, principal: Principal, run: RunView) -> dict[str, object]:
    frame = await _frame(kitchen, principal, run)
    if run.answer is not None:
        output = output_items(run.id, run.answer.parts, DONE if run.answer.status == "complete" else CUT)
    else:
        output = await _items_so_far(kitchen, principal, run)
    ended = run.status in ("completed", "failed", "cancelled")
    return frame.response(
        STATUSES[run.status],
        output,
        usage=run.usage if ended else None,
        error=run.error,
        cut=cut_of(run.answer.parts) if run.answer else None,
    )


async def _items_so_far(kitchen: Kitchen, principal: Principal, run: RunView) -> list[Item]:
    """What a run that has no answer yet has come to."""
    if run.status != "awaiting_approval":
        return []
    writer = ResponseWriter(await _frame(kitchen, principal, run))
    writer.frames(await journalled(kitchen, principal, run.id))
    writer.frames(None)
    return writer.items
