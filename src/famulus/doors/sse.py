"""Server-sent events (WHATWG HTML §9.2): a run's events as frames, and a response that stops when its reader leaves."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from contextlib import aclosing
from types import coroutine
from typing import Any, Generic, TypeVar, get_args

import msgspec
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from famulus.runs.events import Entry, Event

DIRECT_SEND = "famulus.send"
"""Where the outermost layer leaves the server's own `send` in the scope."""
DIRECT_WRITE = "famulus.write"
"""Where the server leaves its short way for a piece of a body, if it has one."""
KEEP_ALIVE = b": keep-alive\n\n"
T = TypeVar("T")
_NAMES = {kind: str(kind.__struct_config__.tag).encode() for kind in get_args(Event)}
_encode = msgspec.json.Encoder().encode


def frames(batch: list[Entry]) -> bytes:
    """Some events as one chunk, each a frame with its id, its name and its fields as JSON; else a sign of life."""
    if len(batch) == 1:
        return _frame(batch[0])
    return b"".join(map(_frame, batch)) or KEEP_ALIVE


def _frame(entry: Entry) -> bytes:
    id, event = entry.id, entry.event
    return b"id: %d.%d\nevent: %b\ndata: %b\n\n" % (id.epoch, id.n, _NAMES[type(event)], _encode(event))


class Pipe(Generic[T]):
    """The way to one reader. A run may push into it from its own task, for as long as the server takes all at once."""

    def __init__(self, encode: Callable[[T], bytes]) -> None:
        self.encode = encode
        self.to: Send
        """The server's way to send; set before anything is sent."""
        self.write: Callable[[bytes], bool] | None = None
        """The server's short way, which says whether it could be taken."""
        self._rest: Awaitable[None] | None = None
        self._error: Exception | None = None

    def message(self, piece: bytes) -> Message:
        """A piece as the server takes it."""
        return {"type": "http.response.body", "body": piece, "more_body": True}

    async def send(self, item: T) -> None:
        """Send one item from the reader's own task."""
        await self.to(self.message(self.encode(item)))

    def push(self, piece: bytes) -> bool:
        """Send a piece from whatever task this is. False when the server waits for its reader; then `drain` goes on."""
        if self.write is not None and self.write(piece):
            return True
        steps = self.to(self.message(piece)).__await__()
        try:
            self._rest = _finish(steps, next(steps))
        except StopIteration:
            return True
        except Exception as error:  # it is the reader's, not of whoever has something to say
            self._error = error
        return False

    async def drain(self) -> None:
        """See a piece out that could not be sent at once. Raises what sending it raised."""
        rest, self._rest = self._rest, None
        if rest is not None:
            await rest
        if self._error is not None:
            raise self._error


@coroutine
def _finish(steps: Generator[Any, Any, None], waits_for: object) -> Generator[Any, Any, None]:
    """Go on with what has taken its first step elsewhere, and waits for something since."""
    try:
        yield waits_for
    except BaseException:
        steps.close()
        raise
    yield from steps


class EventStream(Response, Generic[T]):
    """A streamed response fed by a generator, which is closed as soon as the reader is gone."""

    media_type = "text/event-stream"

    def __init__(
        self, source: AsyncGenerator[T, None], pipe: Pipe[T], headers: dict[str, str] | None = None
    ) -> None:
        self.status_code = 200
        self.background: BackgroundTask | None = None
        self.body = b""
        self._source = source
        self._pipe = pipe
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        streaming = asyncio.current_task()
        assert streaming is not None
        watching = asyncio.create_task(_gone(receive))
        watching.add_done_callback(lambda _: streaming.cancel() if not over else None)
        over = False
        try:
            # Only a response's start concerns the layers in between; pieces go past them, straight to the server.
            self._pipe.to = scope.get(DIRECT_SEND, send)
            self._pipe.write = scope.get(DIRECT_WRITE)
            await self._stream()
        except asyncio.CancelledError:
            if not watching.done() or streaming.uncancel():
                raise  # not the reader has gone, but the server stops
        finally:
            over = True
            watching.cancel()

    async def _stream(self) -> None:
        async with aclosing(self._source) as source:
            async for item in source:
                await self._pipe.send(item)
        await self._pipe.to({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
