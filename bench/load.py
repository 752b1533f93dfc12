"""The client: many streamed requests on raw keep-alive connections, counting the tokens that come back."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import cast


@dataclass
class Tally:
    """What came back."""

    turns: int = 0
    tokens: int = 0
    wrong: int = 0
    arrived: int = 0
    """Tokens so far, those of turns that have not ended included."""
    first_token: list[float] = field(default_factory=list[float])
    """Seconds from the request to the first token."""


class Stream(asyncio.Protocol):
    """One connection; `turn` sends a request and is done when its chunked answer has ended."""

    def __init__(self, tally: Tally, mark: bytes) -> None:
        self.tally, self.mark = tally, mark
        self.done: asyncio.Future[None] | None = None
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    async def turn(self, request: bytes, expected: int) -> None:
        loop = asyncio.get_running_loop()
        self.done, self.count, self.sent, self.tail = loop.create_future(), 0, loop.time(), b""
        self.transport.write(request)
        await self.done
        self.tally.turns += 1
        self.tally.tokens += self.count
        self.tally.wrong += self.count != expected

    def data_received(self, data: bytes) -> None:
        assert self.done is not None
        seen = data.count(self.mark)
        if seen and not self.count:
            self.tally.first_token.append(asyncio.get_running_loop().time() - self.sent)
        self.count += seen
        self.tally.arrived += seen
        if self.ended(data) and not self.done.done():
            self.done.set_result(None)

    def ended(self, data: bytes) -> bool:
        """Whether the answer has, with these bytes."""
        self.tail = (self.tail + data)[-7:]
        return self.tail.endswith(b"0\r\n\r\n")

    def connection_lost(self, exc: Exception | None) -> None:
        if self.done is not None and not self.done.done():
            self.done.set_exception(ConnectionError("the server closed the connection"))


def post(path: str, body: object, headers: dict[str, str]) -> bytes:
    """A request as bytes."""
    raw = json.dumps(body).encode()
    lines = [
        f"POST {path} HTTP/1.1",
        "host: 127.0.0.1",
        "content-type: application/json",
        f"content-length: {len(raw)}",
        *(f"{name}: {value}" for name, value in headers.items()),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + raw


async def drive(
    port: int,
    requests: list[bytes],
    tally: Tally,
    *,
    mark: bytes,
    turns: int,
    expected: int,
    ramp: float = 0.0,
    stream: type[Stream] = Stream,
) -> None:
    """`turns` turns on each of as many connections as there are requests, started over `ramp` seconds."""

    async def one(number: int, request: bytes) -> None:
        await asyncio.sleep(ramp * number / len(requests))
        loop = asyncio.get_running_loop()
        _, opened = await loop.create_connection(lambda: stream(tally, mark), "127.0.0.1", port)
        for _ in range(turns):
            await opened.turn(request, expected)
        opened.transport.close()

    await asyncio.gather(*[one(number, request) for number, request in enumerate(requests)])
