"""What every door over HTTP shares that starts runs and streams them: its parameters, and the stream itself."""

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import aclosing
from typing import Annotated, cast

from fastapi import Depends, Header, Query, Request, Response

from famulus.conversations.parts import Page
from famulus.doors.schemas import PageContext
from famulus.doors.sse import EventStream, Pipe, frames
from famulus.doors.watch import Watched
from famulus.identity.principal import Principal
from famulus.runs.ask import Started
from famulus.runs.events import START, Entry, EventId
from famulus.runs.exchanges import Exchanges
from famulus.runs.service import Runs

EVENT_STREAM = "text/event-stream"
Batch = list[Entry] | None
"""Some events; None when the stream ends before the run, which waits for a person."""


async def _runs(request: Request) -> Runs:
    return cast(Runs, request.app.state.runs)


async def _exchanges(request: Request) -> Exchanges:
    return cast(Exchanges, request.app.state.exchanges)


RunsDep = Annotated[Runs, Depends(_runs)]
ExchangesDep = Annotated[Exchanges, Depends(_exchanges)]
IdempotencyKey = Annotated[
    str | None,
    Header(min_length=1, max_length=255, pattern=r"^[\x21-\x7e]+$", description="One key for one message."),
]
LastEventId = Annotated[str | None, Header(max_length=40, description="The last event id received.")]
After = Annotated[str | None, Query(max_length=40, description="The last event id received, such as 1.7.")]
STREAMED: dict[int | str, dict[str, object]] = {
    200: {
        "description": "The run's events, live.",
        "content": {EVENT_STREAM: {"schema": {"title": "Events"}}},
    }
}


def page_of(context: PageContext | None) -> Page | None:
    """The page that somebody looks at, as a message keeps it."""
    if context is None:
        return None
    return Page(context.url, context.title, context.path, tuple(context.headings), context.description)


def headers_of(started: Started) -> dict[str, str]:
    """What an answer's headers say of the run that was started, or found again."""
    replayed = {"idempotent-replay": "true"} if started.replayed else {}
    return {"x-run-id": started.run.id, **replayed}


async def stream_of(
    request: Request,
    runs: Runs,
    principal: Principal,
    run_id: str,
    after: EventId = START,
    *,
    encode: Callable[[list[Entry]], bytes] = frames,
    headers: dict[str, str] | None = None,
) -> Response:
    """The events of a run after an id as a watched stream; raises RunNotFound or BadEventId."""
    pipe = Pipe(encode)
    stream = EventStream(await runs.follow(principal, run_id, after, pipe), pipe, headers)
    return Watched(stream, request, principal, run_id)


async def until_it_rests(
    source: AsyncGenerator[list[Entry], None], first: Sequence[Entry] = ()
) -> AsyncGenerator[Batch, None]:
    """The batches of a source, perhaps after some events that come first; then None, for a writer to end with."""
    async with aclosing(source) as batches:
        if first:
            yield list(first)
        async for batch in batches:
            yield batch
    yield None
