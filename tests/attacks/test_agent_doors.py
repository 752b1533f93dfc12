"""The doors for others' user interfaces, tried as attackers would: what is refused elsewhere is refused there.

A04 A05 A07 A09 A10 A11: things of others, no sign-in, keys, and rights that end · S06 S07: other sites · L05 L06: bodies
"""

import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from httpx2 import Client, Response

from tests.support import ag_ui, ai_sdk
from tests.support.academy import MARKS
from tests.support.problems import assert_problem
from tests.support.serving import Served

PRINTABLE = {"content-type": "application/json"}


@dataclass(frozen=True)
class Way:
    """How a door is asked."""

    path: str
    body: Callable[[str, str], dict[str, Any]]
    """Of a thread and a message."""
    shown: Callable[[Client, str], Response]
    """What shows a thread."""


WAYS = {
    "ag-ui": Way(
        "/ag-ui",
        lambda thread, words: ag_ui.request(thread, ag_ui.user(words)),
        lambda client, thread: client.post("/ag-ui/connect", json=ag_ui.request(thread)),
    ),
    "ai-sdk": Way(
        "/ai-sdk",
        lambda thread, words: ai_sdk.request(thread, ai_sdk.user(words)),
        lambda client, thread: client.get(f"/ai-sdk/{thread}/messages"),
    ),
}


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return WAYS[request.param]


@pytest.mark.parametrize("who", ["classmate", "teacher", "admin", "site", "their_admin"])
def test_a04_another_s_thread_is_not_there(embedded: Served, way: Way, who: str) -> None:
    """Neither to read, nor to follow, nor to write to; the same as one that there is not."""
    ids = embedded.academy.ids
    with embedded.client("student") as own:
        before = own.get(f"/api/v1/threads/{ids['thread']}/messages").json()
    with embedded.client(who) as client:
        for thread in (ids["thread"], "thr_none"):
            answers = [
                client.post(way.path, json=way.body(thread, "Mine.")),
                way.shown(client, thread),
                client.get(f"/ai-sdk/{thread}/stream"),
            ]
            for answer in answers:
                assert_problem(answer, 404, "thread_not_found")
                assert not [mark for mark in MARKS.values() if mark in answer.text]
    with embedded.client("student") as own:
        assert own.get(f"/api/v1/threads/{ids['thread']}/messages").json() == before


def test_a05_a_course_of_others_takes_no_thread(embedded: Served, way: Way) -> None:
    ids = embedded.academy.ids
    with embedded.client("their_student") as stranger:
        for course, assistant in ((ids["course"], None), (None, ids["assistant"])):
            named = {"courseId": course} if course else {"assistantId": assistant}
            body = way.body(uuid4().hex, "Hello.")
            body = {**body, "forwardedProps": named} if "runId" in body else {**body, **named}
            assert_problem(stranger.post(way.path, json=body), 404)


def test_a07_nobody_is_answered(embedded: Served, way: Way) -> None:
    with embedded.client() as nobody:
        name = uuid4().hex
        for answer in (
            nobody.post(way.path, json=way.body(name, "Hello.")),
            nobody.post(way.path, content=b"{"),
            way.shown(nobody, name),
            nobody.get(f"/ai-sdk/{name}/stream"),
        ):
            assert_problem(answer, 401, "unauthenticated")


def test_a09_a10_a_key_may_what_its_scopes_say(embedded: Served, way: Way) -> None:
    """Asking takes `chat`; a yes is a person's own, whatever a key may."""
    with embedded.client("student") as student:
        keys = [
            student.post("/api/v1/api-keys", json={"name": "x", "scopes": scopes}).json()["key"]
            for scopes in (["read"], ["read", "write", "chat"])
        ]
    name = uuid4().hex
    with embedded.client() as client:
        client.headers["x-api-key"] = keys[0]
        assert_problem(client.post(way.path, json=way.body(name, "Hello.")), 403, "scope_missing")
        assert_problem(way.shown(client, name), 403, "scope_missing")
        assert_problem(client.get(f"/ai-sdk/{name}/stream"), 403, "scope_missing")
        client.headers["x-api-key"] = keys[1]
        words = f"Please erase paper{uuid4().hex[:8]}"
        if way.path == "/ag-ui":
            [waiting] = ag_ui.interrupts(ag_ui.AgUi(client).say(name, words))
            entry = {"interruptId": waiting["id"], "status": "resolved", "payload": True}
            answered = ag_ui.request(name, resume=[entry])
        else:
            chunks = ai_sdk.AiSdk(client).say(name, words)
            said = {"id": ai_sdk.the(chunks, "tool-approval-request")["approvalId"], "approved": True}
            answered = ai_sdk.request(name, ai_sdk.called(chunks, "approval-responded", approval=said))
        assert_problem(client.post(way.path, json=answered), 403, "needs_person")


def test_a11_a_stream_ends_with_its_reader_s_rights(embedded: Served, way: Way) -> None:
    """And says so in the protocol."""
    with embedded.client() as client, embedded.client() as other:
        account = {"email": "peer@famulus.local", "password": "correct horse battery", "session_mode": "api"}
        token = client.post("/api/auth/login", json=account).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        with client.stream("POST", way.path, json=way.body(uuid4().hex, "Go slowly.")) as response:
            pieces = response.iter_bytes()
            read = next(pieces)
            other.post("/api/auth/logout", headers={"authorization": f"Bearer {token}"})
            read += b"".join(pieces)
    last = [each for each in read.split(b"\n\n") if each.startswith(b"data: {")][-1]
    assert b"Sign in again" in last
    assert b"RUN_ERROR" in last or b'"type":"error"' in last


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize(
    "origin", [{"origin": "https://evil.example"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}]
)
def test_s06_another_site_does_not_ask_with_somebody_s_cookie(
    embedded: Served, way: Way, kind: str, origin: dict[str, str]
) -> None:
    with embedded.client() as browser:
        account = {"email": "peer@famulus.local", "password": "correct horse battery", "session_mode": "web"}
        assert browser.post("/api/auth/login", json=account).status_code == 200
        body = Client().build_request("POST", "http://x", json=way.body(uuid4().hex, "Hello.")).content
        refused = browser.post(way.path, content=body, headers={"content-type": kind, **origin})
        assert_problem(refused, 403, "cross_origin")


def test_s07_no_page_that_is_not_named_reads_an_answer(embedded: Served, way: Way) -> None:
    with embedded.client("student") as client:
        for origin in ("https://evil.example", "null", f"{embedded.url}.evil.example"):
            answer = client.post(way.path, json=way.body(uuid4().hex, "Hello."), headers={"origin": origin})
            assert "access-control-allow-origin" not in answer.headers
            asks = {"origin": origin, "access-control-request-method": "POST"}
            assert "access-control-allow-origin" not in client.options(way.path, headers=asks).headers


def test_l05_bodies_that_are_too_much_are_refused(embedded: Served, way: Way) -> None:
    with embedded.client("student") as client:
        whole = way.body(uuid4().hex, "x" * 2_000_000)
        assert_problem(client.post(way.path, json=whole), 413, "too_large")

        def endless() -> Any:
            for _ in range(64):
                yield b"[" * 100_000

        assert_problem(client.post(way.path, content=endless(), headers=PRINTABLE), 413, "too_large")
        many = b"{" + b",".join(b'"k%d":1' % n for n in range(50_000)) + b"}"
        refused = client.post(way.path, content=many, headers=PRINTABLE)
        assert_problem(refused, 422)
        assert len(refused.content) < 2_000


def test_l06_multipart_is_no_way_in(embedded: Served, way: Way) -> None:
    """Neither a whole form, nor one with ten thousand fields, a preamble without end, or no boundary at all."""
    many = b"".join(
        b'--x\r\nContent-Disposition: form-data; name="k%d"\r\n\r\nv\r\n' % n for n in range(10_000)
    )
    with embedded.client("student") as client:
        assert_problem(client.post(way.path, files={"file": ("x", b"x")}), 400, "bad_request")
        for kind, body in (
            ("multipart/form-data; boundary=x", many + b"--x--\r\n"),
            ("multipart/form-data; boundary=x", b"a" * 900_000 + many[:200]),
            ("multipart/form-data; boundary=x", many[:5_000]),
            ("multipart/form-data", many[:200]),
            ("multipart/form-data; boundary=" + "y" * 5_000, many[:200]),
        ):
            before = time.monotonic()
            assert_problem(
                client.post(way.path, content=body, headers={"content-type": kind}), 400, "bad_request"
            )
            assert time.monotonic() - before < 30


def test_l05_a_body_that_does_not_come_keeps_nobody_waiting(embedded: Served, way: Way) -> None:
    """Others are answered meanwhile."""
    token = embedded.academy.people["student"].token
    with socket.create_connection(("127.0.0.1", embedded.port)) as slow:
        head = f"POST {way.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 500\r\n\r\n{{"
        slow.sendall(head.encode())
        with embedded.client("student") as client:
            assert client.get("/api/v1/threads").status_code == 200
