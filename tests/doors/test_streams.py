"""Server-sent events: frames exactly as promised, resumed at any point, by anybody who may, as often as they like."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from famulus.kernel.http import BY_A_TOOL
from tests.support.academy import new_assistant, new_thread, plant
from tests.support.problems import assert_problem
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for
from tests.support.sse import Frame, events_of, frames_of, text_of

STREAM = {"Accept": "text/event-stream"}
JSON = {"Accept": "application/json"}
ANSWER = "One two three. *Grüße* 🚀 and **done**."


def ask(client: Client, thread: str, message: str = "Hello.") -> tuple[str, list[Frame]]:
    """Send a message and read the answer to its end; the run's id and its events."""
    path, body = f"/api/v1/threads/{thread}/runs", {"message": message}
    with client.stream("POST", path, json=body, headers=STREAM) as response:
        assert response.status_code == 200, response.read()
        return response.headers["x-run-id"], list(events_of(response))


def follow(client: Client, run: str, **options: Any) -> list[Frame]:
    """The events of a run until the stream closes."""
    with client.stream("GET", f"/api/v1/runs/{run}/events", **options) as response:
        assert response.status_code == 200, response.read()
        return list(events_of(response))


def test_a_follow_up_question_is_searched_for_with_what_it_leans_on(server: Served) -> None:
    found: list[list[str]] = []
    with server.client("student") as client:
        thread = new_thread(client, course_id=server.academy.ids["course"])
        for question in ("Where does a river begin?", "Why does it do so?"):
            _, events = ask(client, thread, question)
            data = next(event.data for event in events if event.name == "retrieval.finished")
            found.append([passage["title"] for passage in data["passages"]])
        alone = new_thread(client, course_id=server.academy.ids["course"])
        _, events = ask(client, alone, "Why does it do so?")
        data = next(event.data for event in events if event.name == "retrieval.finished")

    assert found[0]
    assert found[1][:1] == found[0][:1]
    assert data["passages"] == [], "by itself it asks for nothing"


def test_an_answer_is_streamed_as_promised(server: Served) -> None:
    course = server.academy.ids["course"]
    with server.client("student") as client:
        thread = new_thread(client, course_id=course)
        run, events = ask(client, thread)
        names = [event.name for event in events]
        assert names[:3] == ["run.started", "thread.titled", "retrieval.finished"]
        assert set(names[3:-2]) == {"text.delta"}
        assert names[-2:] == ["message.completed", "run.completed"]
        assert [event.id for event in events] == [f"1.{n}" for n in range(1, len(events) + 1)]
        assert text_of(events) == ANSWER
        for event in events:
            lines = event.raw.split(b"\n")
            assert [line.partition(b":")[0] for line in lines] == [b"id", b"event", b"data"]
            assert event.data.pop("type") == event.name
        message = client.get(f"/api/v1/threads/{thread}/messages").json()["items"][1]
        assert events[0].data.keys() == {"run_id", "thread_id", "message_id", "assistant", "model"}
        assert events[1].data == {"thread_id": thread, "title": "Hello."}
        assert events[2].data.keys() == {"passages", "took_ms"}
        assert events[3].data.keys() == {"text"}
        assert events[-2].data == {"message": message}
        assert events[-1].data.keys() == {"run_id", "usage"}
        assert events[-1].data["run_id"] == run
        assert message["text"] == ANSWER


def test_tools_are_shown(server: Served) -> None:
    with server.client("student") as client:
        _, events = ask(client, new_thread(client), "Please use a tool.")
    called = next(event for event in events if event.name == "tool.called")
    finished = next(event for event in events if event.name == "tool.finished")
    assert called.data | {"call_id": ""} == {
        "type": "tool.called", "call_id": "", "name": "list_my_courses", "arguments": "{}", "effect": "reads",
        "outside": False, "repeatable": False, "asked": None,
    }  # fmt: skip
    assert finished.data["call_id"] == called.data["call_id"]
    assert finished.data["status"] == "ok"
    found = json.loads(finished.data["result"])["data"]
    assert server.academy.ids["course"] in [course["id"] for course in found]
    kept = events[-2].data["message"]["parts"]
    assert [part["type"] for part in kept] == ["tool", "text"]


def test_a_failure_is_an_end_as_well(server: Served) -> None:
    with server.client("student") as client:
        thread = new_thread(client)
        run, events = ask(client, thread, "Now fail.")
        assert events[-1].name == "run.failed"
        assert events[-1].data["error"].keys() == {"code", "detail", "retry"}
        shown = client.get(f"/api/v1/runs/{run}").json()
        assert shown["status"] == "failed"
        assert shown["error"] == events[-1].data["error"]
        assert ask(client, thread)[1][-1].name == "run.completed"


def test_resuming_at_every_event_gives_the_rest(server: Served) -> None:
    with server.client("student") as client:
        run, events = ask(client, new_thread(client), "Please use a tool.")
        whole = [event.raw for event in events]
        assert [event.raw for event in follow(client, run)] == whole
        for index, event in enumerate(events, 1):
            by_query = follow(client, run, params={"after": event.id})
            by_header = follow(client, run, headers={"Last-Event-ID": event.id or ""})
            assert [one.raw for one in by_query] == [one.raw for one in by_header] == whole[index:]
        both = follow(client, run, params={"after": events[2].id}, headers={"Last-Event-ID": "1.1"})
        assert [event.raw for event in both] == whole[3:]
        blank = follow(client, run, params={"after": ""}, headers={"Last-Event-ID": ""})
        assert [event.raw for event in blank] == whole


def test_the_journal_as_json_is_the_same(server: Served) -> None:
    with server.client("student") as client:
        run, events = ask(client, new_thread(client))
        pages: list[Any] = []
        after = ""
        while page := client.get(f"/api/v1/runs/{run}/events", params={"after": after}, headers=JSON).json():
            pages += page["items"]
            if page["next"] is None:
                break
            after = page["next"]
        assert pages == [{"id": event.id, "event": event.data} for event in events]


def test_ids_that_were_never_given_out(server: Served) -> None:
    with server.client("student") as client:
        run, events = ask(client, new_thread(client))
        path = f"/api/v1/runs/{run}/events"
        for after in ("x", "1", "1.", ".1", "1.2.3", "-1.2", "1.x", "1e1.1", "1.1 1.1"):
            assert_problem(client.get(path, params={"after": after}), 400, "bad_event_id")
        assert_problem(client.get(path, params={"after": "2.1"}), 400, "bad_event_id")
        assert_problem(client.get(path, params={"after": "999999999.1"}), 400, "bad_event_id")
        # After the end there is nothing, and the stream says so by closing.
        assert follow(client, run, params={"after": events[-1].id}) == []
        beyond = client.get(path, params={"after": f"1.{len(events) + 5}"})
        if beyond.status_code != 200:
            assert_problem(beyond, 400, "bad_event_id")
        else:
            assert beyond.content == b""


def test_a_live_run_refuses_ids_of_its_future(server: Served) -> None:
    with server.client("student") as client:
        thread = new_thread(client)
        run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Go slowly."}).json()["run"][
            "id"
        ]
        assert_problem(
            client.get(f"/api/v1/runs/{run}/events", params={"after": "1.9999"}), 400, "bad_event_id"
        )
        client.post(f"/api/v1/runs/{run}/cancel")


def test_followers_see_the_same_whenever_they_come(server: Served) -> None:
    """Some from the start, some in the middle of it, some again and again from where they broke off."""
    with server.client("student") as client:
        thread = new_thread(client)
        run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Go slowly."}).json()["run"][
            "id"
        ]

        def patient(_: int) -> list[bytes]:
            with server.client("student") as own:
                return [event.raw for event in follow(own, run)]

        def restless(pieces: int) -> list[bytes]:
            seen: list[Frame] = []
            with server.client("student") as own:
                while not seen or not (seen[-1].name or "").startswith("run.c"):
                    headers = {"Last-Event-ID": seen[-1].id or ""} if seen else {}
                    with own.stream("GET", f"/api/v1/runs/{run}/events", headers=headers) as response:
                        for count, event in enumerate(events_of(response), 1):
                            seen.append(event)
                            if count == pieces:
                                break
            return [event.raw for event in seen]

        with ThreadPoolExecutor(8) as pool:
            waiting = [pool.submit(patient, n) for n in range(3)] + [
                pool.submit(restless, n) for n in (1, 4, 7)
            ]
            read_some(client, run, 30)
            waiting.append(pool.submit(patient, 3))
            assert client.post(f"/api/v1/runs/{run}/cancel").status_code == 200
            seen = [each.result(30) for each in waiting]
        assert all(each == seen[0] for each in seen)
        assert b"event: run.cancelled" in seen[0][-1]
        ids = [raw.partition(b"\n")[0] for raw in seen[0]]
        assert ids == [b"id: 1.%d" % n for n in range(1, len(ids) + 1)]


def read_some(client: Client, run: str, count: int) -> list[Frame]:
    """The first events of a run; then the reader goes away."""
    seen: list[Frame] = []
    with client.stream("GET", f"/api/v1/runs/{run}/events") as response:
        for event in events_of(response):
            seen.append(event)
            if len(seen) == count:
                break
    return seen


def test_a_client_that_goes_away_stops_nothing(server: Served) -> None:
    """The run that a vanished client began goes on, and is there when it comes back."""
    with server.client("student") as client:
        thread = new_thread(client)
        path, body = f"/api/v1/threads/{thread}/runs", {"message": "Please use a tool."}
        with client.stream("POST", path, json=body, headers=STREAM) as response:
            run = response.headers["x-run-id"]
        assert follow(client, run)[-1].name == "run.completed"
        with client.stream("POST", path, json={"message": "Go slowly."}, headers=STREAM) as response:
            run = response.headers["x-run-id"]
            first = next(events_of(response))
        assert client.get(f"/api/v1/runs/{run}").json()["status"] == "running"
        more = read_some(client, run, 40)
        assert more[0] == first
        assert len(more) == 40
        client.post(f"/api/v1/runs/{run}/cancel")


def test_quiet_streams_show_signs_of_life(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A comment now and then while the model says nothing: a proxy would take silence for death."""
    with migrated_database("sqlite", tmp_path, request) as url:
        academy, settings = wait_for(plant(url)), settings_for(url, tmp_path, heartbeat=0.2)
        (tmp_path / "replies.md").write_text("@delay 60\nAt last.")
        with serving(settings, academy) as served, served.client("student") as client:
            run = client.post(f"/api/v1/threads/{new_thread(client)}/runs", json={"message": "Well?"}).json()[
                "run"
            ]
            wait_for_comments(client, f"/api/v1/runs/{run['id']}/events", 2)
            wait_for_comments(client, "/api/v1/events", 3)
            client.post(f"/api/v1/runs/{run['id']}/cancel")


def wait_for_comments(client: Client, path: str, count: int) -> None:
    with client.stream("GET", path) as response:
        comments = (frame for frame in frames_of(response) if frame.name is None)
        assert {next(comments).raw for _ in range(count)} == {b": keep-alive"}


def test_a_queued_run_is_followed_from_before_it_begins(server: Served) -> None:
    with server.client("admin") as admin, server.client("student") as client:
        course = admin.post(
            "/api/v1/courses", json={"title": f"Queue {new_thread(admin)}", "published": True}
        ).json()["id"]
        new_assistant(admin, course, "Wait your turn.", on_second_message="enqueue")
        admin.post(f"/api/v1/courses/{course}/enrolments", json={"email": "student@famulus.local"})
        path = f"/api/v1/threads/{new_thread(client, course_id=course)}/runs"
        first = client.post(path, json={"message": "Go slowly."}).json()["run"]
        second = client.post(path, json={"message": "And then?"}).json()["run"]
        assert (first["status"], second["status"]) == ("running", "queued")
        with ThreadPoolExecutor(1) as pool, server.client("student") as own:
            waiting = pool.submit(follow, own, second["id"])
            client.post(f"/api/v1/runs/{first['id']}/cancel")
            events = waiting.result(30)
        assert events[0].name == "run.started"
        assert events[-1].name == "run.completed"
        assert text_of(events) == ANSWER
        assert [event.raw for event in follow(client, second["id"])] == [event.raw for event in events]


@pytest.mark.parametrize("dialect", ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def test_after_a_restart_the_same_events_are_there(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with migrated_database(dialect, tmp_path, request) as url:
        academy, settings = wait_for(plant(url)), settings_for(url, tmp_path)
        with serving(settings, academy) as served, served.client("student") as client:
            run, events = ask(client, new_thread(client), "Please use a tool.")
            thread = new_thread(client)
            live = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Go slowly."}).json()[
                "run"
            ]["id"]
            seen = read_some(client, live, 10)
        with serving(settings, academy) as served, served.client("student") as client:
            assert [event.raw for event in follow(client, run)] == [event.raw for event in events]
            # What was interrupted is taken up again: the reader drops the half answer and misses nothing.
            again = iter_until(client, live, after=seen[-1].id or "", name="answer.restarted")
            assert again[-1].id is not None
            assert again[-1].id.startswith("2.")
            assert client.post(f"/api/v1/runs/{live}/cancel").json()["status"] == "cancelled"


def iter_until(client: Client, run: str, *, after: str, name: str) -> list[Frame]:
    seen: list[Frame] = []
    with client.stream("GET", f"/api/v1/runs/{run}/events", params={"after": after}) as response:
        for event in events_of(response):
            seen.append(event)
            if event.name == name:
                break
    return seen


def test_deleting_a_thread_ends_its_streams(server: Served) -> None:
    """Every stream ends soon, also the one whose run is no more."""
    with server.client("student") as client, ThreadPoolExecutor(1) as pool, server.client("student") as own:
        thread = new_thread(client)
        run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Go slowly."}).json()["run"][
            "id"
        ]
        read_some(client, run, 3)
        waiting = pool.submit(follow, own, run)
        assert client.delete(f"/api/v1/threads/{thread}").status_code == 204
        waiting.result(8)
        assert_problem(client.get(f"/api/v1/runs/{run}"), 404, "run_not_found")
        assert_problem(client.get(f"/api/v1/runs/{run}/events"), 404, "run_not_found")


def test_others_do_not_follow(server: Served) -> None:
    run = server.academy.ids["run"]
    for who in ("classmate", "teacher", "admin", "site", "their_admin"):
        with server.client(who) as client:
            for headers in (STREAM, JSON, {}):
                response = client.get(f"/api/v1/runs/{run}/events", headers=headers)
                assert_problem(response, 404, "run_not_found")


def test_the_content_type_is_what_was_asked_for(server: Served) -> None:
    with server.client("student") as client:
        run, _ = ask(client, new_thread(client))
        path = f"/api/v1/runs/{run}/events"
        for accept, kind in (
            ("text/event-stream", "text/event-stream"),
            ("*/*", "text/event-stream"),
            ("application/json", "application/json"),
            ("application/json, text/event-stream", "text/event-stream"),
        ):
            found = client.get(path, headers={"Accept": accept}).headers["content-type"]
            assert re.split(r";", found)[0] == kind, accept


def test_M04_no_tool_says_what_tools_may(embedded: Served) -> None:
    """A tool of ours that is turned against this server says itself that it is one, and is refused."""
    ids, tool = embedded.academy.ids, {BY_A_TOOL: "1"}
    rules = {"rules": [{"tools": "*", "decision": "allow"}]}
    settings = {"settings": {"tool_rules": rules["rules"]}}
    new = {"scope": "course", "name": "Lax", "instructions": "x", "course_id": ids["course"], **settings}
    with embedded.client("admin") as admin:
        for method, path, body in (
            ("PUT", f"/api/v1/organizations/{ids['organization']}/tool-rules", rules),
            ("PATCH", f"/api/v1/assistants/{ids['assistant']}", settings),
            ("POST", "/api/v1/assistants", new),
            (
                "POST",
                "/api/v1/connections",
                {"kind": "openapi", "name": "x", "url": "https://example.org/api.json"},
            ),
        ):
            answer = admin.request(method, path, json=body, headers=tool)
            assert (answer.status_code, answer.json()["code"]) == (403, "needs_person"), path
