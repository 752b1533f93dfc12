"""Server-sent events (WHATWG HTML §9.2): a run's events as frames, and a response that stops when its reader leaves."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import msgspec
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from famulus.runs.events import Entry

DIRECT_SEND = "famulus.send"
"""Where the outermost layer leaves the server's own `send` in the scope."""
KEEP_ALIVE = b": keep-alive\n\n"
_encode = msgspec.json.Encoder().encode


def frame(entry: Entry) -> bytes:
    """One event as a frame: its id, its name, its fields as JSON."""
    (epoch, n), event = entry
    tag = event.__struct_config__.tag
    return b"id: %d.%d\nevent: %b\ndata: %b\n\n" % (epoch, n, str(tag).encode(), _encode(event))


class EventStream(Response):
    """A streamed response fed by a generator of chunks. The generator is closed as soon as the reader is gone."""

    media_type = "text/event-stream"

    def __init__(self, chunks: AsyncGenerator[bytes, None], headers: dict[str, str] | None = None) -> None:
        self.status_code = 200
        self.background: BackgroundTask | None = None
        self.body = b""
        self._chunks = chunks
        self.init_headers({"cache-control": "no-store", "x-accel-buffering": "no", **(headers or {})})
        del self.headers["content-length"]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        # Only the start of a response concerns the layers in between; pieces go past them, straight to the server.
        streaming = asyncio.ensure_future(self._stream(scope.get(DIRECT_SEND, send)))
        watching = asyncio.ensure_future(_gone(receive))
        try:
            await asyncio.wait({streaming, watching}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            watching.cancel()
            if not streaming.done():
                streaming.cancel()
            await asyncio.gather(streaming, watching, return_exceptions=True)
        if not streaming.cancelled():
            streaming.result()

    async def _stream(self, send: Send) -> None:
        async with aclosing(self._chunks):
            async for chunk in self._chunks:
                await send({"type": "http.response.body", "body": chunk, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def frames(entries: AsyncGenerator[list[Entry], None]) -> AsyncGenerator[bytes, None]:
    """A run's events as chunks of frames; a sign of life when there is nothing new."""
    async with aclosing(entries):
        async for batch in entries:
            yield b"".join([frame(entry) for entry in batch]) if batch else KEEP_ALIVE
