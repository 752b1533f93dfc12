"""Outbound HTTP against real servers: where it may go, how far it follows, and when it has had enough."""

import asyncio
import gzip
import tracemalloc
import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from famulus.kernel.http import Outbound
from famulus.kernel.http_answers import OutboundFailed, OutboundRefused, OutboundTooLarge
from famulus.kernel.http_client import is_public
from tests.support.waiting import all_accepted
from tests.support.web_server import Answer, Names, WebServer, redirect

LOCAL = [["127.0.0.1"]]
NOWHERE = "2d00::1"
"""A public address that nobody has been given."""


@pytest.fixture
async def server() -> AsyncIterator[WebServer]:
    """A server to be asked."""
    async with WebServer() as server:
        yield server


@asynccontextmanager
async def client(*allowed: str, names: Names | None = None, timeout: float = 10) -> AsyncGenerator[Outbound]:
    """A client that may go to the hosts that are named although they are private."""
    outbound = Outbound(allowed, resolver=names, timeout=timeout)
    try:
        yield outbound
    finally:
        await outbound.close()


def body(content: bytes, **headers: str) -> Answer:
    """Answer with these bytes as they are."""

    async def answer(_: web.Request) -> web.StreamResponse:
        return web.Response(body=content, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return answer


# --- an ordinary exchange -------------------------------------------------------------------------


async def test_a_response_has_status_headers_body_and_where_it_came_from(server: WebServer) -> None:
    server.routes["/a"] = body(b"hello", X_Sign="one")

    async with client("127.0.0.1") as outbound:
        response = await outbound.fetch(f"{server.url}/a?q=1")

    assert (response.status, response.body, response.url) == (200, b"hello", f"{server.url}/a?q=1")
    assert response.headers["x-sign"] == "one"


async def test_method_headers_and_body_are_sent(server: WebServer) -> None:
    async with client("127.0.0.1") as outbound:
        await outbound.fetch(server.url, method="put", headers={"X-Sign": "one"}, body=b"hello")

    assert server.requests[0].method == "PUT"
    assert server.requests[0].headers["x-sign"] == "one"
    assert server.requests[0].headers["user-agent"] == "Famulus"
    assert server.bodies == [b"hello"]


async def test_an_error_status_is_a_response(server: WebServer) -> None:
    async def refuse(_: web.Request) -> web.StreamResponse:
        return web.Response(status=503, text="later")

    server.routes["/"] = refuse
    async with client("127.0.0.1") as outbound:
        response = await outbound.fetch(server.url)

    assert (response.status, response.body) == (503, b"later")


async def test_cookies_are_not_kept(server: WebServer) -> None:
    server.routes["/in"] = body(b"", Set_Cookie="session=1; Path=/")

    async with client("site.lan", names=Names(site_lan=LOCAL)) as outbound:
        await outbound.fetch(f"http://site.lan:{server.port}/in")
        await outbound.fetch(f"http://site.lan:{server.port}/again")

    assert "Cookie" not in server.requests[1].headers


async def test_proxies_of_the_environment_are_not_used(
    server: WebServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    async with client("127.0.0.1") as outbound:
        assert (await outbound.fetch(server.url)).status == 200


async def test_a_client_that_was_closed_opens_again_when_it_is_asked(server: WebServer) -> None:
    outbound = Outbound(["127.0.0.1"])
    await outbound.close()
    for _ in range(2):
        assert (await outbound.fetch(server.url)).status == 200
        await outbound.close()


# --- where it may go ------------------------------------------------------------------------------

PRIVATE = """
    127.0.0.1 127.255.255.254 0.0.0.0 0.1.2.3 10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 169.254.169.254
    100.64.0.1 100.127.255.255 192.0.0.8 192.0.0.9 192.0.2.1 192.88.99.1 198.18.0.1 198.51.100.1 203.0.113.1
    224.0.0.1 239.255.255.255 240.0.0.1 255.255.255.255
    :: ::1 ::ffff:127.0.0.1 ::ffff:8.8.8.8 ::127.0.0.1 ::8.8.8.8 64:ff9b::7f00:1 64:ff9b::808:808 64:ff9b:1::1
    100::1 2001::1 2001:db8::1 2002:7f00:1::1 3fff::1 fc00::1 fd12:3456::1 fe80::1 fe80::1%eth0 fec0::1 ff02::1 5f00::1
    localhost 127.1 0x7f000001 1e100.net
""".split()
PUBLIC = "8.8.8.8 1.1.1.1 93.184.216.34 100.63.255.255 172.32.0.1 2606:4700:4700::1111 2a00:1450::1".split()


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_of_special_use_is_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", PUBLIC)
def test_a_public_address_is(address: str) -> None:
    assert is_public(address)


SPELLINGS = """
    http://127.0.0.1:{port}/ http://127.0.0.1.:{port}/ http://127.1:{port}/ http://2130706433:{port}/
    http://0x7f000001:{port}/ http://0x7f.1:{port}/ http://0177.0.0.1:{port}/ http://017700000001:{port}/
    http://0:{port}/ http://0.0.0.0:{port}/ http://[::]:{port}/ http://[::1]:{port}/ http://[::ffff:127.0.0.1]:{port}/
    http://[::ffff:7f00:1]:{port}/ http://[::127.0.0.1]:{port}/ http://[64:ff9b::7f00:1]:{port}/
    http://[0:0:0:0:0:ffff:7f00:0001]:{port}/ http://①②⑦.⓪.⓪.①:{port}/ http://１２７.０.０.１:{port}/
    http://127。0。0。1:{port}/ http://%31%32%37.0.0.1:{port}/ http://localhost:{port}/ http://LOCALHOST.:{port}/
    http://ip6-localhost:{port}/ http://[fe80::1%25lo]:{port}/ http://[::1%25lo]:{port}/
    http://user@127.0.0.1:{port}/ http://user:word@example.com/ http://example.com@127.0.0.1:{port}/
    http://127.0.0.1:{port}\\@example.com/ http://example.com\\@127.0.0.1:{port}/ http:\\\\127.0.0.1:{port}/
    file:///etc/passwd ftp://127.0.0.1:{port}/ gopher://127.0.0.1:{port}/ ws://127.0.0.1:{port}/
    //127.0.0.1:{port}/ 127.0.0.1:{port} http:/127.0.0.1:{port}/ http:127.0.0.1:{port} http:// http:///x
    http://[127.0.0.1]:{port}/ http://[::1:{port}/ http://127.0.0.1:99999/ http://127.0.0.1:x/ javascript:alert(1)
""".split()
ODD_SPELLINGS = [
    "",
    "http://127.0.0.1\t:{port}/",
    "http://127.0.0\n.1:{port}/",
    " http://127.0.0.1:{port}/",
    "http://127.0.0.1:{port}/\0",
    "http://exam ple.com/",
    "http://example.com/" + "a" * 9000,
]


@pytest.mark.parametrize("spelling", SPELLINGS + ODD_SPELLINGS)
async def test_no_spelling_leads_inwards(server: WebServer, spelling: str) -> None:
    async with client(timeout=5) as outbound:
        with pytest.raises((OutboundRefused, OutboundFailed)):  # failed, where no system knows the name
            await outbound.fetch(spelling.replace("{port}", str(server.port)))

    assert server.requests == []


async def test_a_name_that_leads_inwards_is_refused(server: WebServer) -> None:
    for address in ("127.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254", "nonsense"):
        async with client(names=Names(inward_org=[[address]])) as outbound:
            with pytest.raises(OutboundRefused, match=r"inward\.org is not a public address"):
                await outbound.fetch(f"http://inward.org:{server.port}/")

    assert server.requests == []


async def test_one_inward_address_among_public_ones_is_enough_to_refuse(server: WebServer) -> None:
    async with client(names=Names(mixed_org=[[NOWHERE, "127.0.0.1"]])) as outbound:
        with pytest.raises(OutboundRefused):
            await outbound.fetch(f"http://mixed.org:{server.port}/")

    assert server.requests == []


async def test_a_name_that_changes_its_mind_is_connected_to_where_it_was_checked(server: WebServer) -> None:
    names = Names(rebinding_org=[[NOWHERE], ["127.0.0.1"]])

    async with client(names=names, timeout=2) as outbound:
        with pytest.raises(OutboundFailed):
            await outbound.fetch(f"http://rebinding.org:{server.port}/")
        assert names.asked == ["rebinding.org"]
        with pytest.raises(OutboundRefused):
            await outbound.fetch(f"http://rebinding.org:{server.port}/")

    assert server.requests == []


async def test_a_host_that_was_public_once_is_checked_again(server: WebServer) -> None:
    names = Names(site_lan=[["127.0.0.1"], ["127.0.0.1"]], evil_org=LOCAL)

    async with client("site.lan", names=names) as outbound:
        for _ in range(2):
            assert (await outbound.fetch(f"http://site.lan:{server.port}/")).status == 200
        with pytest.raises(OutboundRefused):
            await outbound.fetch(f"http://evil.org:{server.port}/")

    assert names.asked == ["site.lan", "site.lan", "evil.org"]


@pytest.mark.parametrize("allowed", ["wiki.lan", "WIKI.LAN", "wiki.lan."])
@pytest.mark.parametrize("host", ["wiki.lan", "Wiki.Lan", "wiki.lan."])
async def test_the_operator_may_allow_a_host_in_any_spelling(
    server: WebServer, allowed: str, host: str
) -> None:
    async with client(allowed, names=Names(wiki_lan=LOCAL)) as outbound:
        assert (await outbound.fetch(f"http://{host}:{server.port}/")).status == 200
        with pytest.raises(OutboundRefused):  # the name is allowed, not its address
            await outbound.fetch(server.url)


# --- redirects ------------------------------------------------------------------------------------


async def test_redirects_are_followed(server: WebServer) -> None:
    server.routes |= {"/a": redirect(302, "/b"), "/b": redirect(301, "c?x=1"), "/c": body(b"here")}

    async with client("127.0.0.1") as outbound:
        response = await outbound.fetch(f"{server.url}/a")

    assert (response.body, response.url) == (b"here", f"{server.url}/c?x=1")


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1:{port}/secret",
        "//127.0.0.1:{port}/secret",
        "http://inward.lan:{port}/secret",
        "http://[::ffff:127.0.0.1]:{port}/secret",
        "http://2130706433:{port}/secret",
        "file:///etc/passwd",
        "http://wiki.lan:{port}\\@127.0.0.1:{port}/secret",
        "http://a:b@wiki.lan:{port}/secret",
    ],
)
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_inwards_is_refused(server: WebServer, location: str, status: int) -> None:
    server.routes |= {"/a": redirect(302, "/b"), "/b": redirect(status, location)}
    names = Names(wiki_lan=LOCAL, inward_lan=LOCAL)

    async with client("wiki.lan", names=names) as outbound:
        with pytest.raises(OutboundRefused):
            await outbound.fetch(f"http://wiki.lan:{server.port}/a")

    assert server.paths == ["/a", "/b"]


async def test_too_many_redirects_are_an_error(server: WebServer) -> None:
    server.routes["/a"] = redirect(302, "/a")

    async with client("127.0.0.1") as outbound:
        with pytest.raises(OutboundFailed, match="more than 3 times"):
            await outbound.fetch(f"{server.url}/a")
        assert len(server.requests) == 4
        assert (await outbound.fetch(f"{server.url}/a", redirects=0)).status == 302


async def test_another_origin_gets_no_credentials(server: WebServer) -> None:
    server.routes["/a"] = redirect(307, "http://other.lan:{port}/b")
    server.routes["/same"] = redirect(307, "/b")
    headers = {"Authorization": "Bearer x", "Cookie": "s=1", "X-Api-Key": "k", "Accept": "text/plain"}

    async with client("wiki.lan", "other.lan", names=Names(wiki_lan=LOCAL, other_lan=LOCAL)) as outbound:
        await outbound.fetch(f"http://wiki.lan:{server.port}/a", headers=headers)
        await outbound.fetch(f"http://wiki.lan:{server.port}/same", headers=headers)

    other, same = server.requests[1].headers, server.requests[3].headers
    assert [name for name in headers if name in other] == ["Accept"]
    assert [name for name in headers if name in same] == list(headers)


@pytest.mark.parametrize(
    ("status", "method", "expected"),
    [
        (301, "POST", ("GET", b"")),
        (302, "POST", ("GET", b"")),
        (303, "POST", ("GET", b"")),
        (303, "PUT", ("GET", b"")),
        (302, "PUT", ("PUT", b"hello")),
        (307, "POST", ("POST", b"hello")),
        (308, "POST", ("POST", b"hello")),
    ],
)
async def test_what_is_sent_to_where_a_redirect_points(
    server: WebServer, status: int, method: str, expected: tuple[str, bytes]
) -> None:
    server.routes["/a"] = redirect(status, "/b")

    async with client("127.0.0.1") as outbound:
        await outbound.fetch(f"{server.url}/a", method=method, body=b"hello")

    assert (server.requests[1].method, server.bodies[1]) == expected


# --- when it has had enough -----------------------------------------------------------------------


async def test_a_body_of_exactly_the_limit_is_read_and_a_longer_one_is_not(server: WebServer) -> None:
    server.routes |= {"/fits": body(b"x" * 1000), "/long": body(b"x" * 1001)}

    async with client("127.0.0.1") as outbound:
        assert len((await outbound.fetch(f"{server.url}/fits", max_bytes=1000)).body) == 1000
        with pytest.raises(OutboundTooLarge):
            await outbound.fetch(f"{server.url}/long", max_bytes=1000)


async def test_the_length_that_a_head_request_is_told_is_no_body(server: WebServer) -> None:
    server.routes["/long"] = body(b"x" * 5000)

    async with client("127.0.0.1") as outbound:
        response = await outbound.fetch(f"{server.url}/long", method="HEAD", max_bytes=1000)

    assert (response.headers["Content-Length"], response.body) == ("5000", b"")


async def test_a_body_without_a_length_is_counted(server: WebServer) -> None:
    async def endless(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x" * 10_000)

    server.routes["/"] = endless
    async with client("127.0.0.1") as outbound:
        with pytest.raises(OutboundTooLarge):
            await outbound.fetch(server.url, max_bytes=100_000)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_compressed_body_is_decompressed_and_a_bomb_does_not_go_off(
    server: WebServer, encoding: str
) -> None:
    compress = gzip.compress if encoding == "gzip" else zlib.compress
    bomb = compress(bytes(100_000_000))
    server.routes |= {
        "/small": body(compress(b"hello"), Content_Encoding=encoding),
        "/bomb": body(bomb, Content_Encoding=encoding),
    }

    async with client("127.0.0.1") as outbound:
        assert (await outbound.fetch(f"{server.url}/small")).body == b"hello"
        tracemalloc.start()
        try:
            with pytest.raises(OutboundTooLarge):
                await outbound.fetch(f"{server.url}/bomb", max_bytes=1_000_000)
            assert tracemalloc.get_traced_memory()[1] < 15_000_000
        finally:
            tracemalloc.stop()


async def test_a_body_that_is_not_what_it_says_is_an_error(server: WebServer) -> None:
    server.routes["/"] = body(b"not compressed at all", Content_Encoding="gzip")

    async with client("127.0.0.1") as outbound:
        with pytest.raises(OutboundFailed):
            await outbound.fetch(server.url)


async def test_a_slow_body_ends_with_the_time_for_everything(server: WebServer) -> None:
    async def drip(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        while True:
            await response.write(b"x")
            await asyncio.sleep(0.02)

    server.routes["/"] = drip
    async with client("127.0.0.1") as outbound:
        with pytest.raises(OutboundFailed, match=r"127\.0\.0\.1 did not answer within 0\.3 seconds"):
            await outbound.fetch(server.url, timeout=0.3)


@asynccontextmanager
async def speaking(answer: bytes) -> AsyncGenerator[tuple[int, list[int]]]:
    """A server that says these bytes to whoever connects and hangs up: its port, and one entry per connection."""
    connections: list[int] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connections.append(len(await reader.readuntil(b"\r\n\r\n")))
        writer.write(answer)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1], connections
        await all_accepted()


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"hello\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 100_000 + b"\r\n\r\n",
    ],
)
async def test_what_is_not_http_is_an_error_and_nothing_is_sent_twice(answer: bytes) -> None:
    async with speaking(answer) as (port, connections), client("127.0.0.1") as outbound:
        with pytest.raises(OutboundFailed, match=r"^127\.0\.0\.1 broke off"):
            await outbound.fetch(f"http://127.0.0.1:{port}/?key=private", method="PUT", body=b"once")

    assert len(connections) == 1


async def test_a_server_without_a_certificate_is_an_error(server: WebServer) -> None:
    async with client("127.0.0.1") as outbound:
        with pytest.raises(OutboundFailed, match="certificate"):
            await outbound.fetch(f"https://127.0.0.1:{server.port}/")


async def test_nobody_there_and_no_such_name_are_errors_that_say_so() -> None:
    async with client("127.0.0.1", names=Names()) as outbound:
        with pytest.raises(OutboundFailed, match="could not be reached"):
            await outbound.fetch("http://127.0.0.1:1/?key=private")
        with pytest.raises(OutboundFailed, match=r"name missing\.org could not be resolved"):
            await outbound.fetch("http://missing.org/")


@pytest.mark.parametrize(
    ("method", "headers"),
    [("GET", {"X": "a\r\nY: b"}), ("GET", {"X\r\nY": "b"}), ("GE T", {}), ("GET\r\nX: y", {})],
)
async def test_what_would_break_out_of_its_line_is_refused(
    server: WebServer, method: str, headers: dict[str, str]
) -> None:
    async with client("127.0.0.1") as outbound:
        with pytest.raises(OutboundRefused, match="cannot be sent"):
            await outbound.fetch(server.url, method=method, headers=headers)

    assert server.requests == []
