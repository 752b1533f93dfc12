"""The WebSocket, by a real client: messages, runs that are followed and resumed, calls that are answered, bounds."""

import json
import secrets
import socket as sockets
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection

from tests.support.academy import new_thread, plant
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for
from tests.support.sockets import PATH, asked, heard, opened, say, text_of, to_the_end, until

ANSWER = "One two three. *Grüße* 🚀 and **done**."


def test_a_message_is_answered(server: Served) -> None:
    with opened(server, "student") as socket, server.client("student") as client:
        context = {"current_page": "/courses/rivers", "selected_project": "Delta", "user_role": "site_admin"}
        frames = asked(socket, "Hello.", context=context, user_id="usr_x", role="site_admin", client_id="one")
        assert [frame["type"] for frame in frames[:3]] == ["thinking"] * 3
        accepted = frames[0]
        assert (accepted["id"], accepted["stage"], accepted["client_id"]) == ("0.0", "accepted", "one")
        assert [frame["id"] for frame in frames[1:]] == [f"1.{n}" for n in range(1, len(frames))]
        assert [frame["type"] for frame in frames[-2:]] == ["response", "done"]
        assert text_of(frames) == frames[-2]["text"] == ANSWER
        said = client.get(f"/api/v1/threads/{accepted['thread_id']}/messages").json()["items"]
        assert [each["text"] for each in said] == ["Hello.", ANSWER]
        page = {"path": "/courses/rivers", "description": "Selected project: Delta"}
        assert page.items() <= said[0]["parts"][1].items()
        again = asked(socket, "Hello.", context=context, client_id="one")
        assert (again[0]["run_id"], again[0]["replayed"]) == (accepted["run_id"], True)
        assert again[1:] == frames[1:]
        more = asked(socket, "And now?", thread_id=accepted["thread_id"])
        assert more[0]["thread_id"] == accepted["thread_id"]
        say(socket, "ping")
        assert heard(socket) == {"type": "pong"}


def test_a_tool_that_waits_is_answered_here(server: Served) -> None:
    task = f"task{secrets.token_hex(4)}"
    with opened(server, "student") as socket:
        say(socket, "user_message", content=f"erase {task}")
        frames = until(socket, lambda frame: frame["type"] in ("action_pending", "error"))
        pending = frames[-1]
        card = pending["approval"]
        done = [frame for frame in frames if frame["type"] == "action_executed"]
        assert [frame["action"] for frame in done] == ["create_task"]
        say(socket, "approve", approval_id=card["id"], hash="0" * 64)
        assert heard(socket)["code"] == "approval_differs"
        say(socket, "approve", approval_id=card["id"], hash=card["hash"])
        rest = to_the_end(socket)
        assert all(frame["id"] > pending["id"] for frame in rest)
        [erased] = [frame for frame in rest if frame["type"] == "action_executed"]
        assert (erased["action"], erased["status"]) == ("delete_task", "ok")
        assert rest[-2]["text"].endswith("It is erased.")
        assert rest[-1]["status"] == "completed"
        say(socket, "approve", approval_id=card["id"], hash=card["hash"])
        assert heard(socket)["code"] == "approval_settled"


def test_resuming_at_every_event_gives_the_rest(server: Served) -> None:
    with opened(server, "student") as socket:
        frames = asked(socket, "Please use a tool.")
        run, whole = frames[0]["run_id"], frames[1:]
        for at, frame in enumerate(whole[:-1], 1):
            say(socket, "resume", run_id=run, after=frame["id"])
            assert to_the_end(socket) == whole[at:]
        say(socket, "resume", run_id=run)
        assert to_the_end(socket) == whole
        say(socket, "resume", run_id=run, after=whole[-1]["id"])
        say(socket, "ping")
        assert heard(socket) == {"type": "pong"}, "after the end there is nothing"


def test_many_tabs_follow_one_run_and_one_ends_it(server: Served) -> None:
    with opened(server, "student") as first:
        say(first, "user_message", content="Go slowly.")
        accepted = heard(first)

        def tab(_: int) -> list[Any]:
            with opened(server, "student") as socket:
                say(socket, "resume", run_id=accepted["run_id"])
                return to_the_end(socket)

        with ThreadPoolExecutor(4) as pool:
            tabs = [pool.submit(tab, n) for n in range(4)]
            until(first, lambda frame: frame["id"] == "1.20")
            with opened(server, "student") as other:
                say(other, "cancel", run_id=accepted["run_id"])
                assert heard(other)["status"] == "cancelled"
            seen = [each.result(30) for each in tabs]
        assert all(each == seen[0] for each in seen)
        assert seen[0][-1]["status"] == "cancelled"
        assert to_the_end(first)[-1] == seen[0][-1]


def test_several_runs_share_a_socket(server: Served) -> None:
    with opened(server, "student") as socket:
        for n in range(3):
            say(socket, "user_message", content="Hello.", client_id=secrets.token_hex(8), thread_id=None, n=n)
        runs: set[str] = set()
        ends = 0
        while ends < 3:
            frame = heard(socket)
            runs |= {frame["run_id"]} if frame.get("stage") == "accepted" else set()
            ends += frame["type"] == "done"
        assert len(runs) == 3


BAD = (
    "", "{", "null", "[]", "5", '"x"', "{}", '{"type": "nothing"}', '{"type": 5}', '{"type": "user_message"}',
    '{"type": "user_message", "content": ""}', '{"type": "user_message", "content": 5}',
    '{"type": "user_message", "content": "a\\u0000b"}', '{"type": "user_message", "content": "\\ud800"}',
    '{"type": "user_message", "content": "x", "thread_id": "no id"}',
    '{"type": "user_message", "content": "x", "client_id": ""}',
    '{"type": "user_message", "content": "x", "context": 5}',
    '{"type": "user_message", "content": "%s"}' % ("x" * 10_001),
    '{"type": "resume"}', '{"type": "resume", "run_id": "a b"}', '{"type": "cancel", "run_id": null}',
    '{"type": "approve", "approval_id": "apr_x", "hash": 5}', "[" * 20_000, '{"a":' * 5_000,
    '{"type": "approve", "approval_id": "apr_x", "hash": "x", "arguments": {"a": %s}}' % ("[" * 500 + "]" * 500),
    b"binary",
)  # fmt: skip


@pytest.mark.parametrize("number", range(len(BAD)))
def test_bad_frames_are_errors(embedded: Served, number: int) -> None:
    with opened(embedded, "student") as socket:
        socket.send(BAD[number])
        answer = heard(socket)
        assert answer["type"] == "error"
        assert answer["code"] in ("bad_request", "invalid", "approval_not_found")
        assert answer["detail"]
        assert "Traceback" not in json.dumps(answer)
        say(socket, "ping")
        assert heard(socket) == {"type": "pong"}


def closed(socket: ClientConnection) -> tuple[int, str]:
    """How the server closes a socket."""
    with pytest.raises(ConnectionClosed) as raised:
        while True:
            socket.recv(20)
    assert raised.value.rcvd is not None
    return raised.value.rcvd.code, raised.value.rcvd.reason


def test_no_end_of_bad_frames_is_an_end(embedded: Served) -> None:
    with opened(embedded, "student") as socket:
        for _ in range(20):
            socket.send("{")
        assert closed(socket) == (4400, "too_many_bad_frames")


def test_a_frame_too_large_is_an_end(embedded: Served) -> None:
    with opened(embedded, "student") as socket:
        socket.send(json.dumps({"type": "user_message", "content": "x" * 70_000}))
        assert closed(socket)[0] == 1009


def test_what_is_not_there_or_not_theirs(embedded: Served) -> None:
    ids = embedded.academy.ids
    with opened(embedded, "classmate") as socket:
        for kind, fields, code in (
            ("resume", {"run_id": ids["run"]}, "run_not_found"),
            ("resume", {"run_id": "run_none"}, "run_not_found"),
            ("cancel", {"run_id": ids["run"]}, "run_not_found"),
            ("approve", {"approval_id": ids["approval"], "hash": "x"}, "approval_not_found"),
            ("user_message", {"content": "x", "thread_id": ids["thread"]}, "thread_not_found"),
            ("user_message", {"content": "x", "course_id": ids["their_course"]}, "not_found"),
        ):
            say(socket, kind, **fields)
            answer = heard(socket)
            assert (answer["type"], answer["code"], answer["in_reply_to"]) == ("error", code, kind)
    with opened(embedded, "student") as socket:
        for after, code in (("x", "bad_event_id"), ("9.9", "bad_event_id"), ("-1.1", "bad_event_id")):
            say(socket, "resume", run_id=ids["run"], after=after)
            assert heard(socket)["code"] == code


@pytest.fixture(scope="module")
def hasty(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of little patience."""
    folder = tmp_path_factory.mktemp("hasty")
    with planted(folder, request, socket_idle_timeout=1) as served:
        yield served


def test_an_idle_socket_is_closed(hasty: Served) -> None:
    with opened(hasty, "student") as socket:
        began = time.monotonic()
        assert closed(socket) == (4408, "idle")
        assert 0.9 < time.monotonic() - began < 30


def test_a_socket_that_follows_is_not_idle(hasty: Served) -> None:
    with opened(hasty, "student") as socket:
        say(socket, "user_message", content="Go slowly.")
        frames = until(socket, lambda frame: frame["id"] == "1.45")
        say(socket, "cancel", run_id=frames[0]["run_id"])
        assert to_the_end(socket)[-1]["status"] == "cancelled"


@pytest.mark.slow
def test_a_reader_who_does_not_read_is_dropped_and_resumes(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    script = tmp_path / "long.md"
    script.write_text("@rate 20000\n" + " ".join(f"w{n}" for n in range(60_000)), encoding="utf-8")
    settings: dict[str, object] = {"model": f"scripted:{script}", "socket_patience": 0.5}
    with planted(tmp_path, request, **settings) as served, served.client("student") as client:
        thread = new_thread(client)
        with opened(served, "student", max_queue=1, sock=narrow(served)) as socket:
            say(socket, "user_message", content="Go on.", thread_id=thread)
            frames = [heard(socket) for _ in range(50)]
            wait_until_dropped(served)
            with pytest.raises(ConnectionClosed):
                while True:
                    frames.append(heard(socket))
        run = frames[0]["run_id"]
        with opened(served, "student") as socket:
            say(socket, "resume", run_id=run, after=frames[-1]["id"])
            rest = to_the_end(socket)
        answer = client.get(f"/api/v1/runs/{run}").json()["answer"]["text"]
        assert text_of(frames + rest) == answer
        assert len(rest) > 1000


@contextmanager
def planted(folder: Path, request: pytest.FixtureRequest, **overrides: object) -> Iterator[Served]:
    with migrated_database("sqlite", folder, request) as url:
        academy = wait_for(plant(url))
        with serving(settings_for(url, folder, **overrides), academy) as served:
            yield served


def narrow(served: Served) -> sockets.socket:
    """A connection of little room, which fills soon."""
    made = sockets.socket()
    made.setsockopt(sockets.SOL_SOCKET, sockets.SO_RCVBUF, 4096)
    made.connect(("127.0.0.1", served.port))
    return made


def wait_until_dropped(served: Served) -> None:
    """Wait until the server has no socket open any more."""
    give_up = time.monotonic() + 20
    while served.app.state.sockets.open_sockets and time.monotonic() < give_up:
        time.sleep(0.05)
    assert not served.app.state.sockets.open_sockets


def test_one_person_opens_so_many(embedded: Served) -> None:
    made: list[Any] = []
    try:
        for _ in range(32):
            made.append(opened(embedded, "peer"))
            made[-1].__enter__()
        with pytest.raises(InvalidStatus) as refused, opened(embedded, "peer"):
            pass
        assert refused.value.response.status_code == 429
        assert json.loads(refused.value.response.body or b"")["code"] == "too_many_sockets"
        with opened(embedded, "classmate") as socket:
            say(socket, "ping")
            assert heard(socket) == {"type": "pong"}
    finally:
        for each in made:
            each.__exit__(None, None, None)


def test_clients_that_vanish_leave_nothing(embedded: Served) -> None:
    """Without a word of goodbye, in the middle of a handshake, of a frame, of an answer."""
    token = embedded.academy.people["student"].token
    hello = (
        f"GET {PATH} HTTP/1.1\r\nHost: famulus\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\nAuthorization: Bearer {token}\r\n\r\n"
    ).encode()
    for cut in (20, len(hello) - 2, len(hello)):
        for more in (b"", b"\x81\xfe"):
            with sockets.create_connection(("127.0.0.1", embedded.port)) as raw:
                raw.sendall(hello[:cut] + more)
    with opened(embedded, "student") as socket:
        say(socket, "user_message", content="Go slowly.")
        run = heard(socket)["run_id"]
        socket.socket.shutdown(sockets.SHUT_RDWR)
    give_up = time.monotonic() + 5
    while embedded.app.state.sockets.open_sockets and time.monotonic() < give_up:
        time.sleep(0.05)
    assert embedded.app.state.sockets.open_sockets == 0
    with embedded.client("student") as client:
        assert client.get(f"/api/v1/runs/{run}").json()["status"] == "running"
        client.post(f"/api/v1/runs/{run}/cancel")


def test_nothing_is_compressed(embedded: Served) -> None:
    """A compressor for each connection would cost more memory than the connection."""
    with opened(embedded, "student", compression="deflate") as socket:
        assert socket.protocol.extensions == []


def test_a_server_that_stops_says_so(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with planted(tmp_path, request) as served:
        going = opened(served, "student")
        socket = going.__enter__()
        say(socket, "user_message", content="Go slowly.")
        heard(socket)
    assert closed(socket)[0] == 1012
    going.__exit__(None, None, None)
