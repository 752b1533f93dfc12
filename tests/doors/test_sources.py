"""How a source gets on is told live, to whoever may see it, until it is over; and a search says what is to come."""

from typing import Any

from httpx2 import Client

from tests.support.problems import assert_problem
from tests.support.serving import Served
from tests.support.sse import Frame, events_of


def told(client: Client, id: str) -> list[Frame]:
    """What is told of a source until the stream ends."""
    with client.stream("GET", f"/api/v1/sources/{id}/events") as response:
        assert response.status_code == 200, response.read()
        return list(events_of(response))


def git_source(client: Client, server: Served, name: str) -> dict[str, Any]:
    new = {"kind": "git", "name": name, "location": f"https://127.0.0.1/{name}.git"}
    answer = client.post("/api/v1/sources", json=new | {"course_id": server.academy.ids["course"]})
    assert answer.status_code == 201, answer.text
    return answer.json()


def test_a_source_is_followed_to_its_end(server: Served) -> None:
    with server.client("teacher") as teacher, server.client("student") as student:
        source = git_source(teacher, server, "followed")
        events = told(student, source["id"])

        assert events[-1].name == "source.finished"
        assert {event.name for event in events[:-1]} <= {"source.progress"}
        last = events[-1].data
        assert (last["id"], last["state"], last["documents"]) == (source["id"], "failed", 0)
        assert "not on the public internet" in last["error"]
        assert [event.data for event in told(student, source["id"])] == [last]
        teacher.delete(f"/api/v1/sources/{source['id']}")
        assert_problem(teacher.get(f"/api/v1/sources/{source['id']}/events"), 404, "not_found")


def test_what_is_not_theirs_is_not_there(server: Served) -> None:
    with server.client("their_admin") as stranger:
        path = f"/api/v1/sources/{server.academy.ids['source']}/events"
        assert_problem(stranger.get(path), 404, "not_found")
