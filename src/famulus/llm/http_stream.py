"""A small HTTP/1.1 client for answers that come in pieces: a request is sent, the body is read as packets bring it.

httptools takes the bytes apart. A packet costs one callback and one wake-up of whoever reads. On purpose there is
nothing else in it: no redirects, no proxies, no cookies, no compression. Time limits are its callers', but for that on
connecting.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable, Mapping
from functools import cache
from typing import cast
from urllib.parse import quote, urlsplit

import httptools
from aiohappyeyeballs import start_connection  # pyright: ignore[reportUnknownVariableType]

MAX_HEAD = 1 << 16
"""Bytes of a status line and headers."""
FULL = 1 << 18
"""Bytes of a body that wait for their reader before the server has to."""
KEPT = 60.0
"""Seconds that an unused connection is kept for the next request."""
HEAD_START = 0.25
"""Seconds that one address of a name gets before the next one is tried as well."""

_IN_A_PATH = "/%:@!$&'()*+,;=~"
"""Characters of a path that are sent as they are, beside letters and digits."""


class HttpError(Exception):
    """An exchange that came to nothing. Its message says nothing, for it may not repeat what was sent."""


class CannotConnect(HttpError):
    """No connection, so nothing was sent."""


class BrokenOff(HttpError):
    """The connection was lost before the answer's end."""


class NotHttp(HttpError):
    """What came is no HTTP."""


class Answer:
    """One answer: its head, and then its body piece by piece. `close` it in any case."""

    def __init__(self, connection: "_Connection") -> None:
        self.status = 0
        """Zero until the head is there."""
        self.headers: dict[str, str] = {}
        """By names in lower case; of repeated ones the last."""
        self.over = False
        """Whether the body has come to its end, though some of it may not have been read yet."""
        self.tap: Callable[[bytes], bool] | None = None
        """Takes what comes while a reader waits in `read`, and says whether the reader may go on waiting."""
        self._connection: _Connection | None = connection
        self._parser = httptools.HttpResponseParser(self)
        self._loop = asyncio.get_running_loop()
        self._head_bytes = 0
        self._pieces: list[bytes] = []
        self._waiting_bytes = 0
        self._waiter: asyncio.Future[None] | None = None
        self._failure: type[HttpError] | None = None
        self._reusable = False
        self._called = False

    async def read(self) -> bytes:
        """What has come since the last time, or the next that comes. Raises HttpError.

        Empty at the end, and when the tap has taken something and wants its reader.
        """
        while not (self._pieces or self.over or self._called):
            await self._news()
        self._called = False
        return self._take()

    def _take(self) -> bytes:
        pieces = self._pieces
        data = pieces[0] if len(pieces) == 1 else b"".join(pieces)
        pieces.clear()
        if self._waiting_bytes > FULL and self._connection is not None:
            self._connection.transport.resume_reading()
        self._waiting_bytes = 0
        return data

    async def head(self) -> None:
        """Wait until status and headers are there. Raises HttpError."""
        while not self.status:
            await self._news()

    def close(self) -> None:
        """Let go of the connection: for the next request when all is read, else by hanging up. Safe to call twice."""
        connection, self._connection = self._connection, None
        if connection is not None:
            self.fail(BrokenOff)
            del self._parser  # it knows us as we know it
            connection.release(reusable=self.over and self._reusable)

    def feed(self, data: bytes) -> None:
        """A packet of the connection."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._reusable = False
            return self.fail(NotHttp)
        if not self.status:
            self._head_bytes += len(data)
            if self._head_bytes > MAX_HEAD:
                return self.fail(NotHttp)
        waiter = self._waiter
        if waiter is None or waiter.done():
            return
        if self.tap is not None and self._pieces:
            if self.tap(self._take()) and not self.over:
                return
            self._called = True
        waiter.set_result(None)

    def lost(self) -> None:
        """The connection is gone; to a body of unknown length that is its end."""
        if self.status and not self.headers.keys() & {"content-length", "transfer-encoding"}:
            self.over = True
        self.fail(BrokenOff)

    def fail(self, failure: type[HttpError]) -> None:
        """Nothing more will come: whoever waits hears of it, after what has come before."""
        self._failure = self._failure or failure
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def _news(self) -> None:
        if self._failure is not None:
            raise self._failure
        self._waiter = self._loop.create_future()
        await self._waiter

    # What httptools calls

    def on_message_begin(self) -> None:
        if self.over:
            self._reusable = False  # it answers what nobody asked

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if status < 200:  # an interim answer; the real one follows
            self.headers.clear()
        elif not self.over:
            self.status = status
            self._reusable = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        if self.over or self._connection is None:
            return
        self._pieces.append(data)
        before, self._waiting_bytes = self._waiting_bytes, self._waiting_bytes + len(data)
        if before <= FULL < self._waiting_bytes:
            self._connection.transport.pause_reading()

    def on_message_complete(self) -> None:
        self.over = self.status != 0


class _Connection(asyncio.Protocol):
    """One connection, with one answer at a time."""

    transport: asyncio.Transport

    def __init__(self, client: "Client") -> None:
        self._client = client
        self._answer: Answer | None = None
        self._expiry: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self._client.connections.add(self)

    def data_received(self, data: bytes) -> None:
        if self._answer is not None:
            self._answer.feed(data)
        else:
            self.transport.abort()  # nobody has asked

    def connection_lost(self, exc: Exception | None) -> None:
        self._client.forget(self)
        if self._expiry is not None:
            self._expiry.cancel()
        if self._answer is not None:
            self._answer.lost()

    async def ask(self, request: bytes) -> Answer:
        """Send a request; the answer once its head is there. Raises HttpError."""
        if self._expiry is not None:
            self._expiry.cancel()
        answer = self._answer = Answer(self)
        self.transport.write(request)
        try:
            await answer.head()
        except BaseException:
            answer.close()
            raise
        return answer

    def release(self, *, reusable: bool) -> None:
        """The exchange is over."""
        self._answer = None
        if reusable and not self.transport.is_closing() and not self.transport.get_write_buffer_size():
            self.transport.resume_reading()
            self._expiry = asyncio.get_running_loop().call_later(KEPT, self.transport.abort)
            self._client.idle.append(self)
        else:
            self.transport.abort()


class Client:
    """The connections to one address, made as they are needed. A request goes out on an unused one, if there is one."""

    def __init__(self, url: str, headers: Mapping[str, str], *, connect_timeout: float) -> None:
        """`url` is an address without user, query or fragment; `headers` go with every request."""
        parts = urlsplit(url)
        self._host = parts.hostname or ""
        self._secure = parts.scheme == "https"
        self._port = parts.port or (443 if self._secure else 80)
        self._timeout = connect_timeout
        host = parts.netloc if parts.netloc.isascii() else parts.netloc.encode("idna").decode()
        lines = [f"POST {quote(parts.path or '/', safe=_IN_A_PATH)} HTTP/1.1", f"Host: {host}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self._head = "\r\n".join(lines).encode("latin-1")
        self.idle: list[_Connection] = []
        self.connections: set[_Connection] = set()

    async def post(self, body: bytes) -> Answer:
        """Send a body; the answer once its head is there. Raises HttpError."""
        connection = self._unused() or await self._connect()
        return await connection.ask(b"%b\r\nContent-Length: %d\r\n\r\n%b" % (self._head, len(body), body))

    async def close(self) -> None:
        """Hang up everywhere; safe to call twice, and a later request connects anew."""
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0)  # for the connections to hear of it

    def forget(self, connection: _Connection) -> None:
        """A connection is gone."""
        self.connections.discard(connection)
        if connection in self.idle:
            self.idle.remove(connection)

    def _unused(self) -> _Connection | None:
        while self.idle:
            connection = self.idle.pop()
            if not connection.transport.is_closing():
                return connection
        return None

    async def _connect(self) -> _Connection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._timeout):
                found = await loop.getaddrinfo(self._host, self._port, type=socket.SOCK_STREAM)
                sock = await start_connection(found, happy_eyeballs_delay=HEAD_START)
                _, connection = await loop.create_connection(
                    lambda: _Connection(self),
                    sock=sock,
                    ssl=certificates() if self._secure else None,
                    server_hostname=self._host if self._secure else None,
                )
        except (OSError, UnicodeError):  # a time-out is an OSError; so is a certificate that is not trusted
            raise CannotConnect() from None
        return connection


class Clients:
    """One client for each address and what is sent along: the models of one server share its connections."""

    def __init__(self) -> None:
        self._clients: dict[tuple[object, ...], Client] = {}

    def get(self, url: str, headers: Mapping[str, str], *, connect_timeout: float) -> Client:
        """The client for an address and headers."""
        key = (url, connect_timeout, *headers.items())
        if key not in self._clients:
            self._clients[key] = Client(url, headers, connect_timeout=connect_timeout)
        return self._clients[key]


@cache
def certificates() -> ssl.SSLContext:
    """Whom this system trusts, read once."""
    return ssl.create_default_context()
