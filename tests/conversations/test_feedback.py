"""Feedback: given on answers in one's own threads, shown beside them, and nobody else's to see."""

import pytest

from tests.support.academy import answer_of, new_thread
from tests.support.serving import Served


def answered(client, course_id: str | None = None) -> tuple[str, str, str]:
    """A thread with a question and its answer: the ids of all three."""
    thread = new_thread(client, **({"course_id": course_id} if course_id else {}))
    run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Hello."}).json()["run"]
    assert "run.completed" in client.get(f"/api/v1/runs/{run['id']}/events").text
    return thread, run["message_id"], answer_of(client, run["id"])


def shown(client, thread: str) -> list[object]:
    """The feedback that stands by the messages of a thread."""
    return [one["feedback"] for one in client.get(f"/api/v1/threads/{thread}/messages").json()["items"]]


def test_feedback_is_given_changed_and_taken_back(server: Served) -> None:
    with server.client("student") as client:
        thread, _, answer = answered(client)
        path = f"/api/v1/messages/{answer}/feedback"
        assert shown(client, thread) == [None, None]

        first = client.put(path, json={"rating": "down", "comment": "Too short."})
        second = client.put(path, json={"rating": "up"})

        assert (first.status_code, first.json()["comment"]) == (200, "Too short.")
        assert second.json()["comment"] == ""
        assert shown(client, thread) == [None, {"rating": "up", "comment": ""}]
        assert client.delete(path).status_code == client.delete(path).status_code == 204
        assert shown(client, thread) == [None, None]


def test_a_question_gets_none(server: Served) -> None:
    with server.client("student") as client:
        _, question, _ = answered(client)
        refused = client.put(f"/api/v1/messages/{question}/feedback", json={"rating": "up"})

    assert (refused.status_code, refused.json()["code"]) == (409, "not_an_answer")


@pytest.mark.parametrize("who", ["classmate", "teacher", "admin", "site", "their_admin"])
def test_answers_of_others_are_not_there(server: Served, who: str) -> None:
    path = f"/api/v1/messages/{server.academy.ids['message']}/feedback"
    with server.client(who) as client:
        given, taken = client.put(path, json={"rating": "down"}), client.delete(path)

    assert (given.status_code, taken.status_code) == (404, 404)
    assert given.json()["code"] == "message_not_found"


def test_it_goes_with_its_thread(server: Served) -> None:
    with server.client("student") as client:
        thread, _, answer = answered(client)
        client.put(f"/api/v1/messages/{answer}/feedback", json={"rating": "up"})

        assert client.delete(f"/api/v1/threads/{thread}").status_code == 204
        assert client.put(f"/api/v1/messages/{answer}/feedback", json={"rating": "up"}).status_code == 404


@pytest.mark.parametrize(
    "body", [{}, {"rating": "great"}, {"rating": "up", "comment": "x" * 2001}, {"comment": "x"}]
)
def test_what_feedback_cannot_be(server: Served, body: dict[str, str]) -> None:
    with server.client("student") as client:
        path = f"/api/v1/messages/{server.academy.ids['message']}/feedback"
        assert client.put(path, json=body).status_code == 422
