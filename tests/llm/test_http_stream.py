"""The client for streamed answers against real servers, byte by byte."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from famulus.llm import http_stream
from famulus.llm.http_stream import FULL, MAX_HEAD, Answer, BrokenOff, CannotConnect, Client, NotHttp
from tests.support.waiting import all_accepted

Speak = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


class Served:
    """A server that says given bytes, one list of packets to a request, and keeps what it was asked."""

    def __init__(self, *answers: list[bytes], close: bool = False) -> None:
        self.answers = list(answers)
        self.asked: list[bytes] = []
        self.connections = 0
        self.close = close

    async def speak(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        with closing(writer):
            while self.answers:
                try:
                    head = await reader.readuntil(b"\r\n\r\n")
                except asyncio.IncompleteReadError:
                    return
                length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
                self.asked.append(head + await reader.readexactly(length))
                for packet in self.answers.pop(0):
                    writer.write(packet)
                    await writer.drain()
                    await asyncio.sleep(0.01)
                if self.close:
                    return
            await reader.read()


@asynccontextmanager
async def client_of(
    speak: Speak, *, tls: ssl.SSLContext | None = None, path: str = "/v1/chat"
) -> AsyncIterator[Client]:
    speaking: set[asyncio.Task[None]] = set()

    def accept(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        speaking.add(asyncio.ensure_future(speak(reader, writer)))

    async with await asyncio.start_server(accept, "127.0.0.1", 0, ssl=tls) as server:
        port = server.sockets[0].getsockname()[1]
        scheme = "https" if tls else "http"
        client = Client(f"{scheme}://127.0.0.1:{port}{path}", {"X-Kind": "test"}, connect_timeout=2)
        try:
            yield client
        finally:
            await client.close()
            await all_accepted()
            for task in speaking:
                task.cancel()  # a connection that outlives its loop would be complained of in some later test
            await asyncio.gather(*speaking, return_exceptions=True)
            await asyncio.sleep(0)


async def whole(answer: Answer) -> bytes:
    with closing(answer):
        return b"".join([piece async for piece in pieces(answer)])


async def pieces(answer: Answer) -> AsyncIterator[bytes]:
    while piece := await answer.read():
        yield piece


async def test_what_is_sent_and_what_comes_back() -> None:
    served = Served([b"HTTP/1.1 429 Slow\r\nRetry-After: 7\r\nContent-Length: 4\r\n\r\n", b"wait"])
    async with client_of(served.speak, path="/übung/v1") as client:
        answer = await client.post(b"{}")
        assert (answer.status, answer.headers["retry-after"]) == (429, "7")
        assert await whole(answer) == b"wait"
        answer.close()
    lines = served.asked[0].split(b"\r\n")
    assert lines[0] == b"POST /%C3%BCbung/v1 HTTP/1.1"
    assert lines[1].startswith(b"Host: 127.0.0.1:")
    assert lines[2:] == [b"X-Kind: test", b"Content-Length: 2", b"", b"{}"]


@pytest.mark.parametrize(
    ("packets", "reused"),
    [
        ([OK], True),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\no\r\n", b"1\r\nk\r\n0\r\n\r\n"], True),
        ([b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 Early\r\nLink: x\r\n\r\n" + OK], True),
        ([b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\nok"], False),
        ([b"HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok"], False),
        ([OK + b"HTTP/1.1 200 OK\r\n"], False),
    ],
)
async def test_a_connection_is_used_again_when_it_can_be(packets: list[bytes], reused: bool) -> None:
    served = Served(packets, [OK])
    async with client_of(served.speak) as client:
        for _ in range(2):
            assert await whole(await client.post(b"")) == b"ok"
    assert served.connections == (1 if reused else 2)


async def test_a_body_without_length_ends_with_its_connection() -> None:
    served = Served([b"HTTP/1.1 200 OK\r\n\r\n", b"o", b"k"], [OK], close=True)
    async with client_of(served.speak) as client:
        for _ in range(2):
            assert await whole(await client.post(b"")) == b"ok"


async def test_a_connection_that_was_closed_meanwhile_is_not_used() -> None:
    served = Served([OK], [OK], close=True)
    async with client_of(served.speak) as client:
        assert await whole(await client.post(b"")) == b"ok"
        while client.idle:
            await asyncio.sleep(0.01)
        assert await whole(await client.post(b"")) == b"ok"


async def test_an_unused_connection_is_given_up_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(http_stream, "KEPT", 0.05)
    served = Served([OK], [OK])
    async with client_of(served.speak) as client:
        await whole(await client.post(b""))
        while client.connections:
            await asyncio.sleep(0.01)
        assert client.idle == []


async def test_what_came_before_a_break_is_read_before_it() -> None:
    for sent in (
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
    ):
        async with client_of(Served([sent], close=True).speak) as client:
            answer = await client.post(b"")
            await asyncio.sleep(0.05)
            with closing(answer):
                assert await answer.read() == b"half"
                with pytest.raises(BrokenOff):
                    await answer.read()


@pytest.mark.parametrize(
    ("sent", "error"),
    [
        (b"", BrokenOff),
        (b"HTTP/1.1 200", BrokenOff),
        (b"SSH-2.0-OpenSSH_9.2\r\n", NotHttp),
        (b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n", NotHttp),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", NotHttp),
        (b"HTTP/1.1 200 OK\r\nX-Endless: " + b"x" * (MAX_HEAD + 1), NotHttp),
    ],
)
async def test_no_answer(sent: bytes, error: type[Exception]) -> None:
    async with client_of(Served([sent], close=True).speak) as client:
        with pytest.raises(error):
            await client.post(b"")


async def test_a_server_is_held_back_while_nobody_reads() -> None:
    body = b"x" * FULL * 64
    done = asyncio.Event()

    async def pour(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        done.set()
        await reader.read()
        writer.close()

    async with client_of(pour) as client:
        answer = await client.post(b"")
        await asyncio.sleep(0.3)
        assert not done.is_set()
        assert await whole(answer) == body
        assert len(client.idle) == 1


async def test_hanging_up_wakes_the_reader() -> None:
    served = Served([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"])
    async with client_of(served.speak) as client:
        answer = await client.post(b"")
        reading = asyncio.create_task(answer.read())
        await asyncio.sleep(0)
        answer.close()
        with pytest.raises(BrokenOff):
            await reading


async def test_tls_with_the_systems_certificates(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate(tmp_path / "server.pem"))
    for trusted in (False, True):
        http_stream.certificates.cache_clear()
        if trusted:
            monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "server.pem"))
        async with client_of(Served([OK]).speak, tls=context) as client:
            if trusted:
                assert await whole(await client.post(b"")) == b"ok"
            else:
                with pytest.raises(CannotConnect):
                    await client.post(b"")
    http_stream.certificates.cache_clear()


def certificate(path: Path) -> Path:
    """A certificate for 127.0.0.1 that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(private + made.public_bytes(Encoding.PEM))
    return path
