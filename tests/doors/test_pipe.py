"""The way to one reader: pushed into from a run's task while the server takes all at once, and from the reader's else."""

import asyncio
import socket
from pathlib import Path

import pytest
from httpx2 import Client
from starlette.types import Message

from famulus.doors.sse import Pipe
from tests.support.academy import new_thread, plant
from tests.support.serving import migrated_database, serving, settings_for, wait_for

WORDS = 60_000


class Server:
    """A server's `send` that waits while its reader does not read."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.reads = asyncio.Event()
        self.reads.set()
        self.tasks: list[asyncio.Task[None] | None] = []

    async def send(self, message: Message) -> None:
        await self.reads.wait()
        self.tasks.append(asyncio.current_task())
        if message["body"] == b"bad":
            raise ConnectionError("gone")
        self.sent.append(message["body"])


def piped(server: Server) -> Pipe[bytes]:
    pipe = Pipe(bytes)
    pipe.to = server.send
    return pipe


async def test_what_the_server_takes_at_once_is_out() -> None:
    server = Server()
    pipe = piped(server)
    assert pipe.push(b"a")
    assert pipe.push(b"b")
    await pipe.drain()
    assert server.sent == [b"a", b"b"]


async def test_what_has_to_wait_goes_on_in_the_readers_task() -> None:
    server = Server()
    pipe = piped(server)
    server.reads.clear()
    assert not pipe.push(b"a")
    reader = asyncio.create_task(pipe.drain())
    await asyncio.sleep(0.01)
    assert server.sent == []
    assert not reader.done()
    server.reads.set()
    await reader
    await pipe.send(b"b")
    assert server.sent == [b"a", b"b"]
    assert server.tasks[0] is reader


async def test_a_reader_that_leaves_takes_its_piece_along() -> None:
    server = Server()
    pipe = piped(server)
    server.reads.clear()
    assert not pipe.push(b"a")
    reader = asyncio.create_task(pipe.drain())
    await asyncio.sleep(0.01)
    reader.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reader
    server.reads.set()
    await asyncio.sleep(0.01)
    assert server.sent == []


async def test_a_failure_is_the_readers_own() -> None:
    pipe = piped(Server())
    assert not pipe.push(b"bad")
    with pytest.raises(ConnectionError):
        await pipe.drain()


@pytest.mark.slow
def test_a_reader_who_does_not_read_misses_nothing_and_holds_nobody_up(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with migrated_database("sqlite", tmp_path, request) as url:
        academy, settings = wait_for(plant(url)), settings_for(url, tmp_path)
        (tmp_path / "replies.md").write_text("@rate 20000\n" + " ".join(f"w{n}" for n in range(WORDS)))
        with serving(settings, academy) as served, served.client("student") as client:
            thread = new_thread(client)
            run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Well?"}).json()["run"]["id"]
            path = f"/api/v1/runs/{run}/events"
            slow = ask_and_do_not_read(client, path)
            quick = client.get(path).content
            assert quick.count(b"event: text.delta") == WORDS
            assert events(read_all(slow)) == events(quick)


def ask_and_do_not_read(client: Client, path: str) -> socket.socket:
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    sock.connect((client.base_url.host, client.base_url.port))
    token = client.headers["Authorization"]
    sock.sendall(f"GET {path} HTTP/1.1\r\nHost: famulus\r\nAuthorization: {token}\r\n\r\n".encode())
    return sock


def read_all(sock: socket.socket) -> bytes:
    with sock, sock.makefile("rb") as file:
        body = bytearray()
        while file.readline().strip():
            pass
        while size := int(file.readline(), 16):
            body += file.read(size)
            file.readline()
        return bytes(body)


def events(body: bytes) -> list[bytes]:
    return [frame for frame in body.split(b"\n\n") if frame and not frame.startswith(b":")]
