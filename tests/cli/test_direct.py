"""The short way for pieces of a stream, over real connections: what arrives is the same, whoever reads and however."""

import asyncio
import socket

import httptools
import uvicorn
from starlette.types import Receive, Scope, Send

from famulus.cli.direct import DirectHttp
from famulus.doors.sse import DIRECT_WRITE

HEAD = {"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]}


class Taken:
    """An application whose answer goes the short way wherever that is open, and what it was told there."""

    def __init__(self, pieces: list[bytes]) -> None:
        self.pieces = pieces
        self.told: list[bool] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        write = scope[DIRECT_WRITE]
        self.told.append(write(b"before the head"))
        await send(HEAD)
        for piece in self.pieces:
            taken = write(piece)
            self.told.append(taken)
            if not taken:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})
        self.told.append(write(b"after the end"))


class Read:
    """An answer taken apart."""

    def __init__(self) -> None:
        self.body = b""
        self.whole = False

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.whole = True


async def asked(app: Taken, *, slow: bool = False) -> Read:
    """What a client on a real connection reads of the answer."""
    server = uvicorn.Server(uvicorn.Config(app, http=DirectHttp, lifespan="off", log_config=None))
    with socket.create_server(("127.0.0.1", 0)) as listening:
        serving = asyncio.create_task(server.serve([listening]))
        reader, writer = await asyncio.open_connection(*listening.getsockname())
        writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        await asyncio.sleep(0.5 if slow else 0)
        read = Read()
        parser = httptools.HttpResponseParser(read)
        async with asyncio.timeout(30):
            while not read.whole and (data := await reader.read(1 << 16)):
                parser.feed_data(data)
        writer.close()
        server.should_exit = True
        await serving
    return read


async def test_pieces_go_the_short_way_between_head_and_end():
    app = Taken([b"one", "zwei…".encode(), b"\r\n0\r\n\r\n", b"four"])
    read = await asked(app)
    assert (read.body, read.whole) == (b"".join(app.pieces), True)
    assert app.told == [False, True, True, True, True, False]


async def test_an_empty_piece_does_not_end_the_answer():
    read = await asked(Taken([b"a", b"", b"b"]))
    assert read.body == b"ab"


async def test_a_reader_who_does_not_keep_up_is_waited_for():
    app = Taken([b"x" * 100_000] * 200)
    read = await asked(app, slow=True)
    assert len(read.body) == 20_000_000
    assert False in app.told[1:-1]
