"""Server-sent events (WHATWG HTML §9.2): a run's events as frames, and a response that stops when its reader leaves."""

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Generic, TypeVar, get_args

import msgspec
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from famulus.runs.events import Entry, Event

DIRECT_SEND = "famulus.send"
"""Where the outermost layer leaves the server's own `send` in the scope."""
KEEP_ALIVE = b": keep-alive\n\n"
T = TypeVar("T")
_NAMES = {kind: str(kind.__struct_config__.tag).encode() for kind in get_args(Event)}
_encode = msgspec.json.Encoder().encode


def frame(entry: Entry) -> bytes:
    """One event as a frame: its id, its name, its fields as JSON."""
    (epoch, n), event = entry
    return b"id: %d.%d\nevent: %b\ndata: %b\n\n" % (epoch, n, _NAMES[type(event)], _encode(event))


def frames(batch: list[Entry]) -> bytes:
    """Some events as one chunk; a sign of life when there are none."""
    if len(batch) == 1:
        return frame(batch[0])
    return b"".join([frame(entry) for entry in batch]) or KEEP_ALIVE


class EventStream(Response, Generic[T]):
    """A streamed response fed by a generator, which is closed as soon as the reader is gone."""

    media_type = "text/event-stream"

    def __init__(
        self,
        source: AsyncGenerator[T, None],
        encode: Callable[[T], bytes],
        headers: dict[str, str] | None = None,
    ) -> None:
        self.status_code = 200
        self.background: BackgroundTask | None = None
        self.body = b""
        self._source = source
        self._frames = encode
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
            await self._stream(scope.get(DIRECT_SEND, send))
        except asyncio.CancelledError:
            if not watching.done() or streaming.uncancel():
                raise  # not the reader has gone, but the server stops
        finally:
            over = True
            watching.cancel()

    async def _stream(self, send: Send) -> None:
        encode = self._frames
        async with aclosing(self._source) as source:
            async for item in source:
                await send({"type": "http.response.body", "body": encode(item), "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
