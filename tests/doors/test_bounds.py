"""L01 to L05, L07: many streams, readers who read slowly or vanish, bodies without end or depth, at every door."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from structlog.testing import capture_logs

from tests.support import sockets
from tests.support.academy import new_thread, plant, threads_of
from tests.support.asking import OVER_HTTP, Asked, Told, body_of, told_by
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for
from tests.support.streaming import FOLLOWED, STREAMS, following, opening, shown_at_last
from tests.support.waiting import seen_soon

MOST = 12
WORDS = 8_000
LONG = " ".join(f"w{n}" for n in range(WORDS))
SCRIPT = (
    f"@rate 25\n{'word ' * 400}\n--- message\n@when long\n@rate 20000\n{LONG}\n--- message\n@when short\nYes."
)


@pytest.fixture(scope="module")
def bounded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server at which one person may have few streams, and which does not wait long for a body."""
    folder = tmp_path_factory.mktemp("bounded")
    script = folder / "words.md"
    script.write_text(SCRIPT, encoding="utf-8")
    with migrated_database("sqlite", folder, request) as url:
        academy = wait_for(plant(url))
        given: dict[str, object] = {"max_streams": MOST, "body_timeout": 2, "max_sockets": MOST}
        with serving(settings_for(url, folder, model=f"scripted:{script}", **given), academy) as served:
            yield served


def unread(served: Served, way: str, thread: str | None) -> socket.socket:
    """A stream at a door of which only the first bytes are read."""
    connection = socket.create_connection(("127.0.0.1", served.port), 20)
    connection.sendall(opening(way, Asked("Go slowly.", thread)).raw(served.academy.people["student"].token))
    assert connection.recv(64).startswith(b"HTTP/1.1 200"), way
    return connection


def at_rest(served: Served) -> bool:
    return served.app.state.watch.open_streams == 0


def test_L01_one_person_has_so_many_streams_over_all_doors(bounded: Served) -> None:
    """What is above is refused in each door's words, and nothing of it is kept; others are not held up."""
    with bounded.client("student") as client, bounded.client("classmate") as other, ExitStack() as open_ones:
        for n in range(MOST):
            way = STREAMS[n % len(STREAMS)]
            thread = new_thread(client) if way == "native" else None
            open_ones.enter_context(unread(bounded, way, thread))
        thread, before = new_thread(client), threads_of(client)
        refused: dict[str, Told] = {}
        for way in STREAMS:
            one = opening(way, Asked("More.", thread if way == "native" else None))
            headers = {"Accept": "text/event-stream"}
            refused[way] = told_by(client.post(one.path, json=one.body, headers=headers))
        assert refused.pop("chatkit").code == "in the stream"
        assert set(refused.values()) == {Told("", 429, "too_many_streams")}
        assert threads_of(client) == before
        began = time.monotonic()
        assert other.get("/api/v1/threads").status_code == 200
        one = opening("native", Asked("Mine.", new_thread(other)))
        with other.stream("POST", one.path, json=one.body, headers={"Accept": "text/event-stream"}) as mine:
            assert mine.status_code == 200
        assert time.monotonic() - began < 15
    seen_soon(lambda: at_rest(bounded))


def test_L02_open_streams_hold_no_connection_to_the_database(server: Served) -> None:
    with server.client("student") as client, ExitStack() as open_ones:
        for way in STREAMS * 3:
            open_ones.enter_context(unread(server, way, new_thread(client) if way == "native" else None))
        pool = server.app.state.database.engine.pool
        seen_soon(lambda: pool.checkedout() == 0)
        assert server.app.state.watch.open_streams >= len(STREAMS) * 3
        assert client.get("/api/v1/threads").status_code == 200


@pytest.mark.parametrize("way", FOLLOWED)
def test_L03_a_reader_who_does_not_read_holds_nobody_up_and_misses_nothing(bounded: Served, way: str) -> None:
    with bounded.client("student") as client:
        thread = new_thread(client)
        run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "long"}).json()["run"]["id"]
        with socket.socket() as slow:
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            slow.connect(("127.0.0.1", bounded.port))
            slow.sendall(following(way, thread, run).raw(bounded.academy.people["student"].token))
            seen_soon(lambda: client.get(f"/api/v1/runs/{run}").json()["status"] == "completed", 20)
            # From here on it is read: through the small buffer, the kernel would send a piece every fifth of a second.
            slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
            assert shown_at_last(way, run, read_all(slow)).split() == LONG.split()


def read_all(connection: socket.socket) -> list[str]:
    """The data of the events of a chunked answer."""
    with connection.makefile("rb") as file:
        assert b" 200 " in file.readline()
        while file.readline().strip():
            pass
        body = bytearray()
        while size := int(file.readline(), 16):
            body += file.read(size)
            file.readline()
    return [line[6:] for line in body.decode().split("\n") if line.startswith("data: ")]


@pytest.mark.slow
@pytest.mark.parametrize("way", STREAMS)
def test_L04_who_vanishes_leaves_nothing(bounded: Served, way: str) -> None:
    with bounded.client("student") as client:
        for _ in range(MOST):
            unread(bounded, way, new_thread(client) if way == "native" else None).close()
            seen_soon(lambda: bounded.app.state.watch.open_streams < MOST)
        with capture_logs() as logged:
            for _ in range(5):  # and in the middle of saying what is wanted
                asked = opening(way, Asked("Go.", new_thread(client) if way == "native" else None))
                with socket.create_connection(("127.0.0.1", bounded.port)) as connection:
                    connection.sendall(asked.raw(bounded.academy.people["student"].token)[:-5])
            seen_soon(lambda: sum(entry.get("status") == 400 for entry in logged) == 5)
        assert "request_crashed" not in {entry["event"] for entry in logged}, (
            "which is no fault of the server"
        )
        seen_soon(lambda: at_rest(bounded))


@pytest.mark.slow
@pytest.mark.parametrize("way", OVER_HTTP)
def test_L05_a_body_is_neither_endless_nor_awaited_for_ever(bounded: Served, way: str) -> None:
    with bounded.client("student") as client:
        path, body = body_of(way, Asked("short", new_thread(client) if way == "native" else None))
        huge = b'{"x":"' + b"x" * (9_000_000 if way == "chatkit" else 1_100_000) + b'"}'
        for content in (huge, iter([huge[:900_000], huge[900_000:]])):
            answer = client.post(path, content=content, headers={"Content-Type": "application/json"})
            assert told_by(answer) == Told("", 413, "too_large")
        began = time.monotonic()
        head = opening(way, Asked("Go.", None)).raw(bounded.academy.people["student"].token)
        with socket.create_connection(("127.0.0.1", bounded.port), 20) as connection:
            connection.sendall(head.replace(b"/None/", b"/thr_1/")[:-3])
            answer = connection.recv(65_536)
            assert answer.startswith(b"HTTP/1.1 408"), answer[:200]
            while b'"too_slow"' not in answer:
                piece = connection.recv(65_536)
                assert piece, answer
                answer += piece
        assert time.monotonic() - began < 30
        assert client.post(path, json=body).status_code in (200, 202), "and the next is answered"


NASTY = {
    "deep": b"[" * 900 + b"]" * 900,
    "deeper": b"[" * 100_000 + b"]" * 100_000,
    "many keys": b"{" + b",".join(b'"k%d":1' % n for n in range(60_000)) + b"}",
    "a long number": b"9" * 100_000,
    "no number": b"NaN",
    "a surrogate": b'"\\ud800"',
    "a zero": b'"a\\u0000b"',
}
FIELDS = {
    "native": "message", "chats": "message", "simple chat": "message", "plain text": "message", "chatkit": "params",
    "responses": "input", "chat completions": "messages",
}  # fmt: skip


@pytest.mark.parametrize("way", OVER_HTTP)
def test_L07_json_that_no_client_means_is_refused(embedded: Served, way: str) -> None:
    with embedded.client("student") as client:
        path, good = body_of(way, Asked("Go.", new_thread(client) if way == "native" else None))
        for name, value in NASTY.items():
            for field in (FIELDS[way], "metadata" if way in ("chatkit", "responses") else FIELDS[way]):
                written = b",".join(
                    b'"%b":%b' % (key.encode(), value if key == field else json.dumps(good.get(key)).encode())
                    for key in dict.fromkeys((*good, field))
                )
                answer = client.post(
                    path, content=b"{%b}" % written, headers={"Content-Type": "application/json"}
                )
                told = told_by(answer)
                if told.status < 400:  # in what a protocol leaves to its clients
                    assert (way, field) == ("chatkit", "metadata"), (name, answer.text[:300])
                else:
                    assert told.status in (400, 413, 422), (name, answer.text[:300])
        twice = json.dumps(good).encode()[:-1] + b"," + json.dumps(good).encode()[1:]
        doubled = client.post(path, content=twice, headers={"Content-Type": "application/json"})
        assert doubled.status_code in (200, 202, 400, 409, 422)


def test_L07_a_frame_that_no_client_means_is_refused(embedded: Served) -> None:
    with sockets.opened(embedded, "student") as frames:
        for value in (value for value in NASTY.values() if len(value) < 60_000):
            for field in ("content", "context", "type"):
                frames.send(b'{"type":"user_message","%b":%b}' % (field.encode(), value), text=True)
                told = sockets.until(frames, lambda frame: frame["type"] == "error")[-1]
                assert told["status"] in (400, 422)
                sockets.say(frames, "ping")
                assert sockets.until(frames, lambda frame: frame["type"] in ("pong", "error"))[-1]
