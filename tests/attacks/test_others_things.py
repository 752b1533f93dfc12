"""Things of others, reached for by name: A04 (their streams), A05 (their things in one's own), A06 (retrieval).

The matrix in tests/test_rights.py tries every field that carries an id; these go where an attacker would begin.
"""

import time

import pytest
from httpx2 import Client

from tests.support.academy import MARKS, new_thread
from tests.support.serving import Served

INJECTIONS = (
    '{"$or": [{}]}', '{"$ne": null}', "' OR 1=1 --", "*", "%", "crs_%", "..", "[]", "\x00", "crs_\u202e", "$eq",
)  # fmt: skip


def test_a04_another_s_stream_is_not_there(embedded: Served) -> None:
    """Refused at once, while the run is live as after its end, and by every way of asking."""
    with embedded.client("student") as student, embedded.client("their_admin") as stranger:
        thread = new_thread(student)
        run = student.post(f"/api/v1/threads/{thread}/runs", json={"message": "slowly, please"}).json()[
            "run"
        ]["id"]
        for headers in (
            {"Accept": "text/event-stream"},
            {"Accept": "application/json"},
            {"Last-Event-ID": "1.1"},
        ):
            began = time.monotonic()
            refused = stranger.get(f"/api/v1/runs/{run}/events", headers=headers)
            assert refused.status_code == 404
            assert "run.started" not in refused.text
            assert time.monotonic() - began < 10
        assert stranger.post(f"/api/v1/runs/{run}/cancel").status_code == 404
        assert student.get(f"/api/v1/runs/{run}").json()["status"] == "running", "and it goes on"
        student.post(f"/api/v1/runs/{run}/cancel")
        assert stranger.get(f"/api/v1/runs/{run}/events").status_code == 404


def test_a05_another_s_things_do_not_go_into_one_s_own(embedded: Served) -> None:
    """Refused when they are put in; so there is nothing to be refused later."""
    ids = embedded.academy.ids
    with embedded.client("their_admin") as stranger:
        own = ids["their_course"]
        puts = (
            stranger.put(f"/api/v1/courses/{own}/assistant", json={"assistant_id": ids["assistant"]}),
            stranger.post("/api/v1/threads", json={"assistant_id": ids["assistant"]}),
            stranger.post("/api/v1/threads", json={"course_id": ids["course"]}),
            stranger.post(
                f"/api/v1/courses/{own}/enrolments", json={"user_id": embedded.academy.people["student"].id}
            ),
        )
        assert [answer.status_code for answer in puts] == [404] * len(puts)
        assert not [mark for mark in MARKS.values() if any(mark in answer.text for answer in puts)]


@pytest.mark.parametrize("name", ["course_id", "organization_id"])
@pytest.mark.parametrize("value", INJECTIONS)
def test_a06_filters_are_no_language(embedded: Served, name: str, value: str) -> None:
    """What is no id is refused before any database sees it."""
    paths = {"course_id": ("search", "sources", "threads"), "organization_id": ("courses", "assistants")}
    with embedded.client("their_student") as client:
        for path in paths[name]:
            answer = client.get(f"/api/v1/{path}", params={"q": "floods", name: value})
            assert answer.status_code == 422, (path, answer.text)


def test_a06_search_gives_nothing_of_others(embedded: Served) -> None:
    """Neither by their course, nor by their words, nor by asking for more than there is."""
    ids, marks = embedded.academy.ids, [mark for name, mark in MARKS.items() if not name.startswith("their_")]

    def asked(client: Client, **parameters: str) -> str:
        answer = client.get("/api/v1/search", params={"q": "floods weir spring river", **parameters})
        assert answer.status_code in (200, 404, 422), answer.text
        return answer.text

    with embedded.client("their_student") as client:
        texts = [
            asked(client, course_id=ids["course"]),
            asked(client, limit="10000"),
            *(asked(client, q=query, limit="20") for query in (*marks, " OR ".join(marks), "a*", '"" OR ""')),
        ]
    assert not [mark for mark in marks if any(mark in text for text in texts)]
