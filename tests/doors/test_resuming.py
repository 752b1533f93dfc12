"""D09: resuming after an id that is none, not yet, another's or of what is gone, at every door that resumes."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from httpx2 import Client

from tests.support import sockets
from tests.support.academy import new_thread
from tests.support.asking import Told, told_by
from tests.support.serving import Served
from tests.support.streaming import following

SOON = 10.0
STREAM = {"Accept": "text/event-stream"}
NONSENSE = ("-1", "x", "1e3", "1.2.3", " ", "\u0661.\u0661", "9" * 30)


@dataclass(frozen=True)
class Resumed:
    """How a door answers who resumes: what it says, and the text that is shown."""

    told: Told
    text: str = ""


Resume = Callable[[Served, Client, str, str, str], Resumed]


def by_http(name: str, parameter: str) -> Resume:
    def resume(served: Served, client: Client, thread: str, run: str, after: str) -> Resumed:
        path, _, query = following(name, thread, run).path.partition("?")
        stream = {"stream": "true"} if query else {}
        answer = client.get(path, params={**stream, parameter: after}, headers=STREAM)
        return Resumed(told_by(answer) if answer.status_code != 200 else Told(), answer.text)

    return resume


def by_socket(served: Served, client: Client, thread: str, run: str, after: str) -> Resumed:
    headers = {"Authorization": client.headers["authorization"]}
    with sockets.opened(served, headers=headers) as socket:
        sockets.say(socket, "resume", run_id=run, after=after)
        if after and after.split(".")[-1].isdecimal() and len(after) < 9:
            sockets.say(socket, "ping")  # after the end there is nothing, and what comes next is this
        frames = sockets.until(socket, lambda frame: frame["type"] in ("done", "error", "pong"))
    last: Any = frames[-1]
    if last["type"] == "error":
        return Resumed(Told("", last["status"], last["code"]))
    return Resumed(Told(), sockets.text_of(frames))


WAYS: dict[str, Resume] = {
    "native": by_http("native", "after"),
    "chats": by_http("chats", "after"),
    "responses": by_http("responses", "starting_after"),
    "websocket": by_socket,
}


def ended(client: Client, message: str = "Hello.") -> tuple[str, str]:
    """A thread with a run that has ended."""
    thread = new_thread(client)
    run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": message}).json()["run"]["id"]
    while client.get(f"/api/v1/runs/{run}").json()["status"] == "running":
        time.sleep(0.02)
    return thread, run


@pytest.mark.parametrize("way", WAYS)
def test_D09_an_id_that_is_none_is_refused(embedded: Served, way: str) -> None:
    with embedded.client("student") as client:
        thread, run = ended(client)
        for after in NONSENSE:
            if after.strip():
                found = WAYS[way](embedded, client, thread, run, after).told
                assert found.status in (400, 422), (after, found)
                assert found.code in ("bad_event_id", "invalid_value", "invalid"), (after, found)


@pytest.mark.parametrize("way", WAYS)
def test_D09_another_s_run_and_one_that_is_gone_are_not_there(embedded: Served, way: str) -> None:
    after = "3" if way == "responses" else "1.3"
    with embedded.client("student") as client, embedded.client("classmate") as other:
        thread, run = ended(client)
        assert WAYS[way](embedded, other, thread, run, after).told == Told("", 404, "run_not_found")
        assert client.delete(f"/api/v1/threads/{thread}").status_code == 204
        assert WAYS[way](embedded, client, thread, run, after).told == Told("", 404, "run_not_found")


@pytest.mark.parametrize("way", WAYS)
def test_D09_an_id_of_the_future_or_of_another_run_shows_nothing_of_it(embedded: Served, way: str) -> None:
    """It is refused, or what there is after it is nothing; it is never another's, and never waited for."""
    with embedded.client("student") as client:
        thread, run = ended(client)
        _, longer = ended(client, "Please use a tool.")
        events = client.get(f"/api/v1/runs/{longer}/events", headers={"Accept": "application/json"}).json()
        places = ("5000",) if way == "responses" else (events["items"][-1]["id"], "1.5000", "7.1")
        for after in places:
            began = time.monotonic()
            found = WAYS[way](embedded, client, thread, run, after)
            assert time.monotonic() - began < SOON
            assert found.told == Told() or found.told.code == "bad_event_id"
            assert "courses" not in found.text
            assert "One" not in found.text
