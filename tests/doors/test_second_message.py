"""One message at a time, one run for one key: what a second message, a retry, a race and a cancel come to over HTTP."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Client, Response

from tests.support.academy import new_assistant, new_thread
from tests.support.operations import filled
from tests.support.problems import assert_problem
from tests.support.serving import Served
from tests.support.sse import events_of


def send(client: Client, thread: str, message: str, key: str | None = None, **headers: str) -> Response:
    given = {"Idempotency-Key": key, **headers} if key else headers
    return client.post(f"/api/v1/threads/{thread}/runs", json={"message": message}, headers=given)


def finish(client: Client, run: str) -> str:
    """Wait for a run's end; the name of its last event."""
    with client.stream("GET", f"/api/v1/runs/{run}/events") as response:
        return [event.name or "" for event in events_of(response)][-1]


def said(client: Client, thread: str) -> list[tuple[str, str, str]]:
    messages = client.get(f"/api/v1/threads/{thread}/messages", params={"limit": "100"}).json()["items"]
    return [(each["role"], each["status"], each["text"]) for each in messages]


def thread_with(server: Served, client: Client, policy: str) -> str:
    """A thread of the student's whose assistant has this policy for a second message."""
    with server.client("admin") as admin:
        course = {"title": filled("Policy {new}", {}), "published": True}
        course_id = admin.post("/api/v1/courses", json=course).json()["id"]
        new_assistant(admin, course_id, "Answer.", on_second_message=policy)
        admin.post(f"/api/v1/courses/{course_id}/enrolments", json={"email": "student@famulus.local"})
    return new_thread(client, course_id=course_id)


def test_the_same_key_is_the_same_run(server: Served) -> None:
    with server.client("student") as client:
        thread = new_thread(client)
        first = send(client, thread, "Hello.", "key-1")
        assert "idempotent-replay" not in first.headers
        finish(client, first.json()["run"]["id"])
        again = send(client, thread, "Hello.", "key-1")
        assert again.status_code == 202
        assert again.headers["idempotent-replay"] == "true"
        assert again.json()["message"] == first.json()["message"]
        assert again.json()["run"]["id"] == first.json()["run"]["id"]
        assert again.json()["run"]["status"] == "completed"
        streamed = send(client, thread, "Hello.", "key-1", Accept="text/event-stream")
        assert streamed.headers["x-run-id"] == first.json()["run"]["id"]
        assert streamed.text.startswith("id: 1.1\nevent: run.started\n")
        assert "event: run.completed" in streamed.text
        assert len(said(client, thread)) == 2


def test_the_same_key_for_another_message_is_refused(server: Served) -> None:
    with server.client("student") as client:
        thread = new_thread(client)
        run = send(client, thread, "Hello.", "key-1").json()["run"]["id"]
        finish(client, run)
        assert_problem(send(client, thread, "Something else.", "key-1"), 422, "idempotency_key_reused")
        other = client.post(
            f"/api/v1/threads/{thread}/runs",
            json={"message": "Hello.", "context": {"title": "Elsewhere"}},
            headers={"Idempotency-Key": "key-1"},
        )
        assert_problem(other, 422, "idempotency_key_reused")
        assert len(said(client, thread)) == 2


def test_a_key_belongs_to_one_thread(server: Served) -> None:
    with server.client("student") as client:
        runs = {send(client, new_thread(client), "Hello.", "key-1").json()["run"]["id"] for _ in range(2)}
        assert len(runs) == 2


def test_what_was_refused_has_not_used_its_key(server: Served) -> None:
    with server.client("student") as client:
        thread = new_thread(client)
        run = send(client, thread, "Go slowly.").json()["run"]["id"]
        assert_problem(send(client, thread, "Hello.", "key-1"), 409, "run_in_progress")
        client.post(f"/api/v1/runs/{run}/cancel")
        assert finish(client, run) == "run.cancelled"
        assert send(client, thread, "Something else.", "key-1").status_code == 202


def test_a_hundred_at_once_are_one(server: Served) -> None:
    """A hundred requests with one key, from twenty connections: one message, one run, one answer."""
    with server.client("student") as client, ThreadPoolExecutor(20) as pool:
        thread = new_thread(client)
        answers = list(pool.map(lambda _: send(client, thread, "Hello.", "one-key"), range(100)))
        assert {answer.status_code for answer in answers} == {202}
        assert len({answer.json()["run"]["id"] for answer in answers}) == 1
        assert len({answer.json()["message"]["id"] for answer in answers}) == 1
        assert sum("idempotent-replay" not in answer.headers for answer in answers) == 1
        assert finish(client, answers[0].json()["run"]["id"]) == "run.completed"
        assert len(said(client, thread)) == 2


def test_of_many_different_messages_one_is_taken(server: Served) -> None:
    with server.client("student") as client, ThreadPoolExecutor(10) as pool:
        thread = new_thread(client)
        answers = list(pool.map(lambda n: send(client, thread, f"Go slowly, {n}."), range(20)))
        taken = [answer for answer in answers if answer.status_code == 202]
        assert len(taken) == 1
        for answer in answers:
            if answer.status_code != 202:
                assert_problem(answer, 409, "run_in_progress")
        client.post(f"/api/v1/runs/{taken[0].json()['run']['id']}/cancel")


def test_reject(server: Served) -> None:
    with server.client("student") as client:
        thread = new_thread(client)
        run = send(client, thread, "Go slowly.").json()["run"]
        assert run["status"] == "running"
        assert client.get(f"/api/v1/threads/{thread}").json()["live_run_id"] == run["id"]
        assert_problem(send(client, thread, "Hurry."), 409, "run_in_progress")
        assert_problem(send(client, thread, "Hurry.", Accept="text/event-stream"), 409, "run_in_progress")
        client.post(f"/api/v1/runs/{run['id']}/cancel")
        assert finish(client, run["id"]) == "run.cancelled"
        assert send(client, thread, "Now?").status_code == 202
        assert [each[2] for each in said(client, thread) if each[0] == "user"] == ["Go slowly.", "Now?"]


def test_enqueue(server: Served) -> None:
    """In the order in which they came, each after the one before."""
    with server.client("student") as client:
        thread = thread_with(server, client, "enqueue")
        runs = [send(client, thread, message).json()["run"] for message in ("Go slowly.", "Two.", "Three.")]
        assert [run["status"] for run in runs] == ["running", "queued", "queued"]
        assert client.post(f"/api/v1/runs/{runs[1]['id']}/cancel").json()["status"] == "cancelled"
        client.post(f"/api/v1/runs/{runs[0]['id']}/cancel")
        assert [finish(client, run["id"]) for run in runs] == [
            "run.cancelled",
            "run.cancelled",
            "run.completed",
        ]
        assert client.get(f"/api/v1/threads/{thread}").json()["live_run_id"] is None


def test_a_queue_has_an_end(server: Served) -> None:
    with server.client("student") as client:
        thread = thread_with(server, client, "enqueue")
        answers = [send(client, thread, f"Go slowly, {n}.") for n in range(22)]
        assert [answer.status_code for answer in answers[:21]] == [202] * 21
        assert_problem(answers[21], 429, "too_many_queued")
        for answer in answers[20::-1]:
            client.post(f"/api/v1/runs/{answer.json()['run']['id']}/cancel")


def test_interrupt(server: Served) -> None:
    """The first ends with what it had, the second is answered."""
    with server.client("student") as client:
        thread = thread_with(server, client, "interrupt")
        first = send(client, thread, "Go slowly.").json()["run"]["id"]
        with client.stream("GET", f"/api/v1/runs/{first}/events") as response:
            for event in events_of(response):
                if event.name == "text.delta":
                    break
        second = send(client, thread, "Rather this.").json()["run"]["id"]
        assert finish(client, first) == "run.cancelled"
        assert finish(client, second) == "run.completed"
        assert client.get(f"/api/v1/runs/{first}").json()["answer"]["status"] == "partial"


def test_cancelling(server: Served) -> None:
    """Ends it, keeps what was written, and asking again changes nothing."""
    with server.client("student") as client:
        thread = new_thread(client)
        run = send(client, thread, "Go slowly.").json()["run"]["id"]
        with client.stream("GET", f"/api/v1/runs/{run}/events") as response:
            for event in events_of(response):
                if event.id == "1.12":
                    break
        first = client.post(f"/api/v1/runs/{run}/cancel").json()
        assert first["status"] == "cancelled"
        assert first["answer"]["status"] == "partial"
        assert first["answer"]["text"].startswith("word word")
        assert first["finished_at"] is not None
        assert client.post(f"/api/v1/runs/{run}/cancel").json() == first
        assert client.get(f"/api/v1/runs/{run}").json() == first
        assert said(client, thread)[1][1] == "partial"
        done = send(client, thread, "Hello.").json()["run"]["id"]
        finish(client, done)
        kept = client.get(f"/api/v1/runs/{done}").json()
        assert client.post(f"/api/v1/runs/{done}/cancel").json() == kept
        assert kept["status"] == "completed"


def test_cancelling_from_everywhere_at_once(server: Served) -> None:
    with server.client("student") as client, ThreadPoolExecutor(10) as pool:
        run = send(client, new_thread(client), "Go slowly.").json()["run"]["id"]
        answers: list[Any] = [
            answer.json()
            for answer in pool.map(lambda _: client.post(f"/api/v1/runs/{run}/cancel"), range(10))
        ]
        assert all(answer == answers[0] for answer in answers)
        text = client.get(f"/api/v1/runs/{run}/events").text
        assert text.count("event: run.cancelled") == 1
        assert text.rstrip().rpartition("\n\n")[2].partition("\n")[2].startswith("event: run.cancelled")


@pytest.mark.parametrize("message", ["Hello.", "Please use a tool.", "Now fail."])
def test_what_ends_says_so_once(server: Served, message: str) -> None:
    with server.client("student") as client:
        run = send(client, new_thread(client), message).json()["run"]["id"]
        ends = [
            line
            for line in client.get(f"/api/v1/runs/{run}/events").text.splitlines()
            if line.startswith("event: run.")
        ]
        assert len(ends) == 2
        shown = client.get(f"/api/v1/runs/{run}").json()
        assert f"event: run.{shown['status']}" == ends[1]
