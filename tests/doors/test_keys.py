"""D05, D06, D07: a message is accepted once, whatever its sender heard of that, at every door that takes one."""

import secrets
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Client, HTTPError
from websockets.exceptions import WebSocketException

from tests.support.academy import new_thread
from tests.support.asking import BEGINNING, IN_THREADS, WAYS, Asked, Told
from tests.support.cutting import cutting
from tests.support.serving import Served

REFUSED = (409, 422, 400)


def messages(client: Client, thread: str) -> list[Any]:
    return client.get(f"/api/v1/threads/{thread}/messages").json()["items"]


def asked_in(client: Client, run: str) -> int:
    """How many messages of the person's own are in the thread of a run."""
    return [each["role"] for each in messages(client, thread_of(client, run))].count("user")


def thread_of(client: Client, run: str) -> str:
    return client.get(f"/api/v1/runs/{run}").json()["thread_id"]


@pytest.mark.parametrize("way", WAYS)
def test_D05_an_answer_that_was_lost_is_heard_by_asking_again(server: Served, way: str) -> None:
    """The message is stored, then the connection breaks: asked again it is the same message and the same run."""
    key = secrets.token_hex(8)
    with server.client("student") as direct, cutting(server) as (cutter, client):
        asked = Asked(thread=new_thread(direct) if way in IN_THREADS else None, key=key)
        cutter.limit = 200 if way == "websocket" else 1  # a handshake goes before a socket's first word
        with pytest.raises((HTTPError, WebSocketException, OSError, EOFError)):
            WAYS[way](server, client, asked)
        first, second = (WAYS[way](server, direct, asked) for _ in range(2))
        assert first.run == second.run != ""
        assert asked_in(direct, first.run) == 1


@pytest.mark.parametrize("way", BEGINNING)
def test_D06_one_key_at_the_same_moment_is_one_message_in_one_thread(embedded: Served, way: str) -> None:
    key, together = secrets.token_hex(8), threading.Barrier(6)

    def ask(_: int) -> Told:
        with embedded.client("student") as client:
            together.wait(20)
            return WAYS[way](embedded, client, Asked(key=key))

    with ThreadPoolExecutor(6) as pool, embedded.client("student") as client:
        found = {told.run for told in pool.map(ask, range(6))}
        assert len(found) == 1, found
        [run] = found
        assert asked_in(client, run) == 1
        other = WAYS[way](embedded, client, Asked("Something else.", key=key))
        assert (other.code, other.status in REFUSED) == ("idempotency_key_reused", True)
        assert asked_in(client, run) == 1


@pytest.mark.parametrize("way", WAYS)
def test_D07_a_key_is_its_sender_s_own_and_its_thread_s(embedded: Served, way: str) -> None:
    key = secrets.token_hex(8)
    runs: list[str] = []
    with embedded.client("student") as student, embedded.client("classmate") as classmate:
        for client in (student, classmate, *((student,) if way in IN_THREADS else ())):
            thread = new_thread(client) if way in IN_THREADS else None
            runs.append(WAYS[way](embedded, client, Asked(thread=thread, key=key)).run)
        assert len(set(runs)) == len(runs)
        assert classmate.get(f"/api/v1/runs/{runs[0]}").status_code == 404


def test_D05_going_on_from_a_response_is_done_once(server: Served) -> None:
    """In its own thread and in a copy alike, though each request would find another thread by then."""
    with server.client("student") as client:

        def ask(text: str, previous: str, key: str) -> str:
            body = {"input": text, "previous_response_id": previous}
            answer = client.post("/v1/responses", json=body, headers={"Idempotency-Key": key})
            assert answer.status_code == 200, answer.text
            return answer.json()["id"]

        first = client.post("/v1/responses", json={"input": "Hello."}).json()["id"]
        keys = [secrets.token_hex(8) for _ in range(2)]
        on, fork = ask("On.", first, keys[0]), ask("Fork.", first, keys[1])
        assert [ask("On.", first, keys[0]), ask("Fork.", first, keys[1])] == [on, fork]
        threads = [thread_of(client, each.replace("resp_", "run_")) for each in (first, on, fork)]
        assert threads[0] == threads[1] != threads[2]
        assert [len(messages(client, each)) for each in threads[1:]] == [4, 4]
