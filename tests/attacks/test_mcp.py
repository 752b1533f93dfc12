"""The door `/mcp` under attack: M08 (who may come in), M09 (who goes away in the middle), M10 (whose consent), M11 (code)."""

import asyncio
import json
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response

from famulus.doors.mcp import METADATA, McpDoor
from famulus.doors.mcp_calls import Caller
from famulus.kernel.http import BY_A_TOOL
from famulus.tools.arguments import Nothing
from famulus.tools.contract import Done, Tool, ToolContext
from famulus.tools.offer import Toolbox
from tests.support.academy import PASSWORD
from tests.support.mcp import ACCEPT, HELLO, call, connected, said, token
from tests.support.oidc_provider import OidcProvider
from tests.support.problems import assert_problem
from tests.support.serving import Served, furnished

EVIL = (
    "https://evil.example",
    "null",
    "{ours}.evil.example",
    "http://evil.example#{ours}",
    "{ours}:1",
    "http://famulus.local.evil.example",
)
VANISHING = 400
LIST = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}


def knock(served: Served, who: str | None = "student", message: object = HELLO, **headers: str) -> Response:
    """One message by hand."""
    with served.client(who) as client:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return client.post("/mcp", json=message, headers={**ACCEPT, **named})


# --- M08: who may come in ---------------------------------------------------------------------------


@pytest.mark.parametrize("origin", EVIL)
@pytest.mark.parametrize("site", [{}, {"Sec_Fetch_Site": "same-origin"}, {"Sec_Fetch_Site": "none"}])
def test_M08_foreign_origin_is_refused(embedded: Served, origin: str, site: dict[str, str]) -> None:
    """Even with a good token, and whatever else the browser is made to say."""
    answer = knock(embedded, Origin=origin.format(ours=embedded.url), **site)
    assert_problem(answer, 403, "cross_origin")
    assert not [name for name in answer.headers if name.startswith("access-control-")]


def test_M08_our_own_origin_and_none_at_all_are_let_in(embedded: Served) -> None:
    assert knock(embedded, Origin=embedded.url).status_code == 200
    assert knock(embedded).status_code == 200


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "x@y", "[::1"],
)
def test_M08_a_name_that_was_made_to_point_here_is_refused(embedded: Served, host: str) -> None:
    """DNS rebinding: Origin and Host agree, and neither is ours."""
    answer = knock(embedded, Host=host, Origin=f"http://{host}")
    assert answer.status_code in (400, 403)
    if answer.status_code == 403:
        assert_problem(answer, 403, "unknown_host")
    with embedded.client() as client:
        assert client.get(METADATA, headers={"Host": host}).status_code in (400, 403)


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "[::1]:8000", "192.0.2.1"])
def test_M08_numbers_and_this_machine_are_known(embedded: Served, host: str) -> None:
    assert knock(embedded, Host=host).status_code == 200


def test_M08_no_cookie_lets_in(embedded: Served) -> None:
    web = {"email": "peer@famulus.local", "password": PASSWORD, "session_mode": "web"}
    with embedded.client() as client:
        assert client.post("/api/auth/login", json=web).status_code == 200
        assert client.get("/api/auth/me").status_code == 200
        answer = client.post("/mcp", json=HELLO, headers={**ACCEPT, "Origin": embedded.url})
    assert_problem(answer, 401, "unauthenticated")
    assert answer.headers["www-authenticate"].startswith("Bearer resource_metadata=")


@pytest.mark.parametrize(
    "authorization",
    ["Bearer nonsense", "Bearer fmk_nonsense", "Bearer eyJhbGciOiJub25lIn0.e30.", "Basic YTpi", "Bearer"],
)
def test_M08_a_wrong_token_is_refused_and_told_where_to_get_one(embedded: Served, authorization: str) -> None:
    answer = knock(embedded, None, Authorization=authorization)
    assert_problem(answer, 401, "unauthenticated")
    header = answer.headers["www-authenticate"]
    assert f'resource_metadata="{embedded.url}{METADATA}/mcp"' in header
    assert 'error="invalid_token"' in header


@pytest.mark.parametrize("header", ["X-User-ID", "X-Forwarded-User", "Mcp-Session-Id"])
def test_M08_saying_who_one_is_lets_nobody_in(embedded: Served, header: str) -> None:
    student = embedded.academy.people["student"].id
    answer = knock(embedded, None, **{header.replace("-", "_"): student})
    assert_problem(answer, 401, "unauthenticated")


@pytest.fixture(scope="module")
def trusting(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[Served, OidcProvider]]:
    """A server that trusts an issuer, under a public name."""
    with OidcProvider() as provider:
        more = provider.settings(link_by_email=True, default_organization="Ours")
        folder: Path = tmp_path_factory.mktemp("trusting")
        with furnished("sqlite", folder, request, public_url="https://school.example", **more) as served:
            yield served, provider


def test_M08_a_token_for_somebody_else_is_refused(trusting: tuple[Served, OidcProvider]) -> None:
    """Of a trusted issuer, but made for another server; and one made for us, which is let in."""
    served, provider = trusting
    foreign = provider.mint(provider.claims(aud="https://other.example/mcp"))
    assert_problem(knock(served, None, Authorization=f"Bearer {foreign}"), 401, "unauthenticated")
    ended = provider.mint(provider.claims(exp=int(time.time()) - 600))
    assert_problem(knock(served, None, Authorization=f"Bearer {ended}"), 401, "unauthenticated")
    good = provider.mint(provider.claims(email_verified=True))
    assert knock(served, None, Authorization=f"Bearer {good}").status_code == 200


def test_M08_the_page_about_tokens_names_the_issuers(trusting: tuple[Served, OidcProvider]) -> None:
    """The public name stands in it, whatever Host is sent."""
    served, provider = trusting
    with served.client() as client:
        told = client.get(f"{METADATA}/mcp", headers={"Host": "school.example"}).json()
        assert told == client.get(METADATA, headers={"Host": "127.0.0.1"}).json()
        refused = client.post("/mcp", json=HELLO, headers=ACCEPT)
    assert told["resource"] == "https://school.example/mcp"
    assert told["authorization_servers"] == [provider.url]
    assert told["scopes_supported"] == ["openid", "email", "profile"]
    assert f'"https://school.example{METADATA}/mcp"' in refused.headers["www-authenticate"]


def test_M10_there_is_no_proxy_whose_consent_could_be_used_again(embedded: Served) -> None:
    """Tokens come from their issuers alone: nobody registers here, and nobody is sent on from here."""
    asked = {
        "client_id": "evil",
        "redirect_uri": "https://evil.example/",
        "response_type": "code",
        "state": "s",
    }
    with embedded.client() as client:
        for path in ("/authorize", "/register", "/token", "/oauth/authorize", "/oauth/token"):
            seen, sent = client.get(path, params=asked), client.post(path, json=asked)
            assert not {"location", "set-cookie"} & {*seen.headers, *sent.headers}
            assert "evil" not in seen.text
            assert sent.status_code in (404, 405)
        for name in ("oauth-authorization-server", "openid-configuration"):
            found = client.get(f"/.well-known/{name}")
            assert found.status_code == 404 or found.headers["content-type"].startswith("text/html")
        assert "authorization_servers" not in client.get(METADATA).json()


async def test_M08_nobody_has_a_handle_on_another_s(server: Served) -> None:
    """Nothing is kept between two messages, so no id that a client sends leads anywhere."""
    mine = knock(server, "student")
    assert "mcp-session-id" not in mine.headers
    for session in ("x", "0" * 32, server.academy.ids["session"]):
        answer = knock(server, "peer", call("list_my_courses"), Mcp_Session_Id=session)
        assert "Rivers" not in answer.text
    async with (
        connected(server, token(server, "student")) as one,
        connected(server, token(server, "their_student")) as other,
    ):
        ours = said(await one.call_tool("list_my_courses", {}))["data"]
        theirs = said(await other.call_tool("list_my_courses", {}))["data"]
        task = said(await one.call_tool("create_task", {"title": "Mine alone"}))["data"]["id"]
        foreign = await other.call_tool("update_task", {"task": task, "title": "Taken"})
    assert {each["id"] for each in ours}.isdisjoint(each["id"] for each in theirs)
    assert foreign.is_error is True
    assert "Mine alone" not in foreign.content[0].text


def test_M08_a_token_is_good_no_longer_than_its_session(server: Served) -> None:
    signed_in = {"email": "classmate@famulus.local", "password": PASSWORD, "session_mode": "api"}
    with server.client() as client:
        bearer = {
            "Authorization": "Bearer " + client.post("/api/auth/login", json=signed_in).json()["access_token"]
        }
        assert client.post("/mcp", json=LIST, headers={**ACCEPT, **bearer}).status_code == 200
        assert client.post("/api/auth/logout", headers=bearer).status_code == 204
        assert client.post("/mcp", json=LIST, headers={**ACCEPT, **bearer}).status_code == 401


def test_M08_our_own_tools_change_nothing_here(embedded: Served) -> None:
    """Whatever a tool of ours is made to call says that a tool calls it; it may look, and not write."""
    named = {BY_A_TOOL.replace("-", "_"): "1"}
    refused = knock(embedded, "peer", call("create_task", {"title": "By a tool"}), **named)
    assert refused.json()["result"]["isError"] is True
    assert knock(embedded, "peer", call("list_tasks"), **named).json()["result"]["isError"] is False
    with embedded.client("peer") as peer:
        assert "By a tool" not in peer.get("/api/v1/tasks").text


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"null", b"[]", b"[" * 50_000, b'{"jsonrpc": "2.0"}', b"\xff\xfe", b'"' + b"x" * 900_000 + b'"',
        b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":7}}',
        b'{"jsonrpc":"2.0","id":{},"method":"tools/list"}',
        b'{"jsonrpc":"2.0","id":1e400,"method":"tools/list"}',
        b'{"jsonrpc":"2.0","id":1,"method":"../../etc/passwd","params":{}}',
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["2025-06-18", "2026-07-28", "9999-99-99", "\x7f"])
def test_M08_nonsense_is_refused(embedded: Served, body: bytes, version: str) -> None:
    with embedded.client("student") as client:
        answer = client.post("/mcp", content=body, headers={**ACCEPT, "MCP-Protocol-Version": version})
    # What has no id that is one may be taken for a notification, which is not answered.
    assert (
        400 <= answer.status_code < 500
        or (answer.status_code == 202 and not answer.content)
        or "error" in answer.json()
    )
    assert "Traceback" not in answer.text


def test_M08_a_body_is_bounded(embedded: Served) -> None:
    limit = embedded.settings.max_body_bytes
    with embedded.client("student") as client:
        announced = client.post("/mcp", content=b"x" * (limit + 1), headers=ACCEPT)
        streamed = client.post(
            "/mcp", content=iter([b"x" * 100_000] * (limit // 100_000 + 2)), headers=ACCEPT
        )
    assert_problem(announced, 413, "too_large")
    assert streamed.status_code == 413


# --- M09: who goes away in the middle ---------------------------------------------------------------


class Slow:
    """A tool that takes its time; how many of its calls are going on is counted."""

    def __init__(self) -> None:
        self.begun = self.going = self.ended = 0

    async def act(self, _context: ToolContext, _given: Nothing) -> Done:
        self.begun += 1
        self.going += 1
        try:
            await asyncio.sleep(10)
            self.ended += 1
        finally:
            self.going -= 1
        return Done("Done.")


@pytest.fixture
def slow(embedded: Served) -> Iterator[Slow]:
    """The server with a slow tool beside one that writes."""
    state, slow = embedded.app.state, Slow()
    ours: McpDoor = state.mcp
    tools = (
        Tool("wait", "Wait.", Nothing, "reads", slow.act, place="server"),
        *state.mcp.caller.toolbox.own.values(),
    )
    state.mcp = McpDoor(
        state.settings,
        state.authenticator,
        Caller(state.database, Toolbox(tools), ours.caller.hands, state.vault),
        version="test",
    )
    yield slow
    state.mcp = ours


def raw(served: Served, message: object, *, whole: bool = True, version: str | None = None) -> bytes:
    """A request's bytes; without `whole` the end of the body is missing."""
    body = json.dumps(message).encode()
    lines = (
        "POST /mcp HTTP/1.1", f"Host: 127.0.0.1:{served.port}", f"Authorization: Bearer {token(served, 'peer')}",
        *(f"{name}: {value}" for name, value in ACCEPT.items()), f"Content-Length: {len(body)}",
        *([f"MCP-Protocol-Version: {version}"] if version else []),
    )  # fmt: skip
    return "\r\n".join((*lines, "", "")).encode() + (body if whole else body[:-5])


def modern(message: dict[str, Any]) -> dict[str, Any]:
    """The same as today's protocol wants it."""
    meta = {
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "test", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    }
    return {**message, "params": {**message["params"], "_meta": meta}}


def at_rest(served: Served) -> bool:
    """Whether nothing of the door is going on, and every connection of the database is back."""
    return served.app.state.database.engine.pool.checkedout() == 0


def until(condition: Any, seconds: float = 15.0) -> None:
    ends = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < ends, "it did not come to rest"
        time.sleep(0.02)


def vanish(served: Served, request: bytes, *, after: float = 0.0) -> None:
    with socket.create_connection(("127.0.0.1", served.port), 10) as connection:
        connection.sendall(request)
        if after:
            time.sleep(after)


@pytest.mark.parametrize("place", ["in the body", "at the beginning", "in a write"])
def test_M09_a_client_vanishes_many_times(embedded: Served, slow: Slow, place: str) -> None:
    match place:
        case "in the body":
            request = raw(embedded, HELLO, whole=False)
        case "at the beginning":
            request = raw(embedded, HELLO)
        case _:
            request = raw(embedded, call("update_task", {"task": "nothing like it", "done": True}))
    for _ in range(VANISHING):
        vanish(embedded, request)
    until(lambda: at_rest(embedded))
    assert knock(embedded, "peer", call("list_tasks")).json()["result"]["isError"] is False


@pytest.mark.parametrize("version", [None, "2026-07-28"])
def test_M09_whoever_goes_away_in_a_call_has_it_cancelled(
    embedded: Served, slow: Slow, version: str | None
) -> None:
    message = call("wait")
    request = raw(embedded, modern(message) if version else message, version=version)
    if version:
        request = request.replace(b"\r\nAccept:", b"\r\nMcp-Method: tools/call\r\nMcp-Name: wait\r\nAccept:")
    connections = [socket.create_connection(("127.0.0.1", embedded.port), 10) for _ in range(60)]
    for connection in connections:
        connection.sendall(request)
    until(lambda: slow.begun == 60)
    assert slow.going == 60
    for connection in connections:
        connection.close()
    until(lambda: slow.going == 0, 5.0)
    assert slow.ended == 0
    until(lambda: at_rest(embedded))


def test_M09_a_body_that_never_ends_is_given_up(embedded: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("famulus.doors.mcp.BODY_TIME", 0.3)
    with socket.create_connection(("127.0.0.1", embedded.port), 10) as connection:
        connection.sendall(raw(embedded, HELLO, whole=False))
        assert connection.recv(4096).startswith(b"HTTP/1.1 400")


# --- M11: what looks like code ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        '{"lc": 1, "type": "constructor", "id": ["os", "system"], "kwargs": {"command": "id"}}',
        "cos\nsystem\n(S'id'\ntR.",
        "!!python/object/apply:os.system ['id']",
        '{"__class__": "Popen", "__reduce__": ["id"]}',
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "\x1b[2J\u202e\U000e0041",
    ],
)
async def test_M11_what_looks_like_code_stays_text(server: Served, text: str) -> None:
    async with connected(server, token(server, "peer")) as client:
        made = said(await client.call_tool("create_task", {"title": "Plain", "description": text}))["data"]
    with server.client("peer") as peer:
        kept = peer.get(f"/api/v1/tasks/{made['id']}").json()["description"]
    assert kept in (text, text.strip())


@pytest.mark.parametrize(
    "arguments",
    [
        b'{"title": "\\ud800"}',
        b'{"title": "a\\u0000b"}',
        b'{"title": {"$gt": ""}}',
        b'{"__proto__": {"title": "x"}}',
    ],
)
def test_M11_what_no_text_can_hold_is_refused(server: Served, arguments: bytes) -> None:
    body = b'{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"create_task","arguments":%s}}'
    with server.client("peer") as client:
        answer = client.post("/mcp", content=body % arguments, headers=ACCEPT)
    assert answer.status_code in (200, 400)
    told = answer.json()
    assert "error" in told or told["result"]["isError"] is True
