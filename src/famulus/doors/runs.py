"""The native door of runs: start one, follow its events, look at it, cancel it; and the person's own live feed."""

from collections.abc import AsyncGenerator
from typing import Annotated, cast

from fastapi import APIRouter, Depends, Request, Response

from famulus.doors.answers import json_answer
from famulus.doors.attachments import AttachmentsDep
from famulus.doors.following import (
    EVENT_STREAM,
    STREAMED,
    After,
    IdempotencyKey,
    LastEventId,
    RunsDep,
    headers_of,
    page_of,
    stream_of,
)
from famulus.doors.problems import request_id_of
from famulus.doors.schemas import EventPage, RunAccepted, RunOut, SendMessage
from famulus.doors.sse import KEEP_ALIVE, EventStream, Pipe
from famulus.doors.watch import Watched, make_room
from famulus.identity.deps import CurrentPrincipal, IdPath, SettingsDep
from famulus.kernel.live import Live
from famulus.runs.ask import Ask
from famulus.runs.events import Entry, parse_id
from famulus.runs.title import feed

router = APIRouter(prefix="/api/v1", tags=["runs"])


async def _live(request: Request) -> Live:
    return cast(Live, request.app.state.live)


LiveDep = Annotated[Live, Depends(_live)]


@router.post("/threads/{thread_id}/runs", status_code=202, response_model=RunAccepted, responses=STREAMED)
async def start_run(
    thread_id: IdPath,
    *,
    body: SendMessage,
    request: Request,
    principal: CurrentPrincipal,
    runs: RunsDep,
    attachments: AttachmentsDep,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Send a message. With `Accept: text/event-stream` the answer follows as events; else ask for the run."""
    if _wants_stream(request):
        make_room(request, principal)
    ask = Ask(
        thread_id=thread_id,
        text=body.message,
        page=page_of(body.context),
        key=idempotency_key,
        request_id=request_id_of(request),
        attachments=await attachments.chosen(principal, body.attachments),
    )
    started = await runs.start(principal, ask)
    headers = headers_of(started)
    if _wants_stream(request):
        return await stream_of(request, runs, principal, started.run.id, headers=headers)
    return json_answer({"run": started.run, "message": started.message}, 202, headers)


@router.get("/runs/{run_id}", response_model=RunOut)
async def get_run(run_id: IdPath, principal: CurrentPrincipal, runs: RunsDep) -> Response:
    """A run with its answer or its error, once there is one."""
    return json_answer(await runs.get(principal, run_id))


@router.get("/runs/{run_id}/events", response_model=EventPage, responses=STREAMED)
async def follow_run(
    run_id: IdPath,
    *,
    request: Request,
    principal: CurrentPrincipal,
    runs: RunsDep,
    after: After = None,
    last_event_id: LastEventId = None,
) -> Response:
    """The events after an id: live until the run's end, or, when `Accept` asks for JSON, a page of those journalled."""
    place = parse_id(after or last_event_id)
    if "application/json" in request.headers.get("accept", "") and not _wants_stream(request):
        return _event_page(await runs.events(principal, run_id, place))
    return await stream_of(request, runs, principal, run_id, place)


@router.post("/runs/{run_id}/cancel", response_model=RunOut)
async def cancel_run(run_id: IdPath, principal: CurrentPrincipal, runs: RunsDep) -> Response:
    """End a run; what was written is kept. Asking again changes nothing."""
    return json_answer(await runs.cancel(principal, run_id))


@router.get("/events", response_class=Response, responses=STREAMED)
async def follow_feed(
    request: Request, principal: CurrentPrincipal, live: LiveDep, settings: SettingsDep
) -> Response:
    """What happens to the person's threads from now on, live: `thread.titled`."""
    principal.needs("chat")
    stream = EventStream(_feed(live, principal.user_id, settings.heartbeat), Pipe(bytes))
    return Watched(stream, request, principal)


async def _feed(live: Live, user_id: str, heartbeat: float) -> AsyncGenerator[bytes, None]:
    with live.listen(feed(user_id)) as listener:
        yield KEEP_ALIVE
        while True:
            heard = await listener.wait(heartbeat)
            yield (
                b"".join(b"event: thread.titled\ndata: %b\n\n" % text.encode() for text in heard)
                or KEEP_ALIVE
            )


def _wants_stream(request: Request) -> bool:
    return EVENT_STREAM in request.headers.get("accept", "")


def _event_page(entries: list[Entry]) -> Response:
    items = [{"id": str(entry.id), "event": entry.event} for entry in entries]
    return json_answer({"items": items, "next": str(entries[-1].id) if entries else None})
