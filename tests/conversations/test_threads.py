"""Threads over HTTP: listed, named, read and deleted by their owner, on both databases."""

from datetime import UTC, datetime

import pytest
from httpx2 import Client
from sqlalchemy import update

from famulus.conversations.models import Thread
from tests.support.academy import MARKS, PASSWORD, new_assistant, new_thread
from tests.support.operations import filled
from tests.support.problems import assert_problem
from tests.support.serving import Served, change, wait_for


def somebody(server: Served) -> Client:
    """A new person, a member of nothing, with no threads yet."""
    email = filled("somebody{new}@famulus.local", {})
    with server.client() as client:
        body = {"email": email, "password": PASSWORD, "name": "Somebody", "session_mode": "api"}
        token = client.post("/api/auth/signup", json=body).json()["access_token"]
    person = server.client()
    person.headers["Authorization"] = f"Bearer {token}"
    return person


def say(client: Client, thread: str, message: str) -> None:
    """Send a message and wait for the end of its answer."""
    run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": message}).json()["run"]["id"]
    assert "event: run.completed" in client.get(f"/api/v1/runs/{run}/events").text


def test_somebody_new_has_no_threads(server: Served) -> None:
    with somebody(server) as client:
        assert client.get("/api/v1/threads").json() == {"items": [], "next": None}
        assert client.get("/api/v1/threads", params={"course_id": "crs_none"}).json() == {
            "items": [],
            "next": None,
        }


def test_the_newest_message_comes_first(server: Served) -> None:
    with somebody(server) as client:
        threads = [new_thread(client, title=f"Thread {n}") for n in range(3)]
        assert [each["id"] for each in client.get("/api/v1/threads").json()["items"]] == threads[::-1]
        say(client, threads[0], "Up with you.")
        listed = client.get("/api/v1/threads").json()["items"]
        assert [each["id"] for each in listed] == [threads[0], threads[2], threads[1]]
        assert listed[0]["preview"] == "One two three. *Grüße* 🚀 and **done**."
        assert listed[0]["live_run_id"] is None
        client.patch(f"/api/v1/threads/{threads[1]}", json={"title": "Renamed"})
        assert [each["id"] for each in client.get("/api/v1/threads").json()["items"]] == [
            threads[0],
            threads[2],
            threads[1],
        ], "a new name is no new message"


def test_threads_of_the_same_moment_are_listed_once_each(server: Served) -> None:
    """Whatever the size of the pages, at every door that lists them, and by number as well."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    with somebody(server) as client:
        threads = sorted(new_thread(client, title=f"Thread {n}") for n in range(7))
        same = update(Thread).where(Thread.id.in_(threads)).values(updated_at=moment)
        wait_for(change(server.settings.database, same))
        for path in ("/api/v1/threads", "/assistant/chats"):
            for size in (1, 2, 3):
                found: list[str] = []
                after: dict[str, str] = {}
                while len(found) <= len(threads):
                    page = client.get(path, params={"limit": str(size), **after}).json()
                    found += [each["id"] for each in page["items"]]
                    if page["next"] is None:
                        break
                    after = {"after": page["next"]}
                assert found == threads[::-1]
        pages = [client.get("/assistant/chats", params={"page": n, "size": 3}).json() for n in (1, 2, 3)]
        assert [each["id"] for page in pages for each in page["items"]] == threads[::-1]


def test_a_thread_takes_its_first_words_as_its_title(server: Served) -> None:
    with somebody(server) as client:
        thread = new_thread(client)
        assert client.get(f"/api/v1/threads/{thread}").json()["title"] is None
        say(client, thread, "What is a node and what is a topic and how do they differ?")
        assert client.get(f"/api/v1/threads/{thread}").json()["title"] == "What is a node and what is a…"
        named = new_thread(client, title="Mine")
        say(client, named, "Hello.")
        assert client.get(f"/api/v1/threads/{named}").json()["title"] == "Mine"
        renamed = client.patch(f"/api/v1/threads/{thread}", json={"title": "  Nodes  "})
        assert renamed.json()["title"] == "Nodes"


def test_messages_by_position(server: Served) -> None:
    with somebody(server) as client:
        thread = new_thread(client)
        for message in ("First.", "Second.", "Third."):
            say(client, thread, message)
        path = f"/api/v1/threads/{thread}/messages"
        messages = client.get(path).json()["items"]
        assert [each["position"] for each in messages] == [1, 2, 3, 4, 5, 6]
        assert [each["role"] for each in messages] == ["user", "assistant"] * 3
        assert [each["text"] for each in messages[::2]] == ["First.", "Second.", "Third."]
        assert [each["parent_id"] for each in messages] == [None, *(each["id"] for each in messages[:-1])]
        assert {each["status"] for each in messages} == {"complete"}
        assert client.get(path, params={"order": "desc"}).json()["items"] == messages[::-1]
        page = client.get(path, params={"order": "desc", "limit": "2"}).json()
        assert page["items"] == messages[:-3:-1]
        rest = client.get(path, params={"order": "desc", "after": page["next"]}).json()
        assert rest["items"] == messages[3::-1]
        assert_problem(client.get(path, params={"order": "sideways"}), 422)


def test_the_page_somebody_looks_at_stays_with_the_message(server: Served) -> None:
    page = {
        "url": "https://example.org/a",
        "title": "A",
        "path": "a.md",
        "headings": ["One", "Two"],
        "description": "D",
    }
    with somebody(server) as client:
        thread = new_thread(client)
        path = f"/api/v1/threads/{thread}/runs"
        message = client.post(path, json={"message": "What is this?", "context": page}).json()["message"]
        assert message["parts"] == [
            {"type": "text", "text": "What is this?"},
            {"type": "page", **page, "person": ""},
        ]
        assert message["text"] == "What is this?"


def test_what_somebody_writes_comes_back_as_it_was(server: Served) -> None:
    texts = [
        "é́ ﷽ 👩‍👩‍👧 \u202eabc",
        "a\tb\r\nc",
        "<script>alert(1)</script>",
        "{{ 7*7 }} {% raw %}",
        "%s %n '; DROP TABLE threads; --",
        "\\u0000 \\x00",
        "x" * 10_000,
        "[1] [2]",
        '{"type":"citation"}',
        "--- message",
    ]
    with somebody(server) as client:
        thread = new_thread(client)
        for text in texts:
            say(client, thread, text)
        messages = client.get(f"/api/v1/threads/{thread}/messages", params={"limit": "100"}).json()["items"]
        assert [each["text"] for each in messages[::2]] == texts
        assert_problem(client.post(f"/api/v1/threads/{thread}/runs", json={"message": "x" * 10_001}), 422)
        assert_problem(client.post(f"/api/v1/threads/{thread}/runs", json={"message": " \u200b\n"}), 422)


def test_deleting_takes_everything_along(server: Served) -> None:
    with somebody(server) as client:
        thread = new_thread(client)
        accepted = client.post(f"/api/v1/threads/{thread}/runs", json={"message": "Hello."}).json()
        run = accepted["run"]["id"]
        assert client.delete(f"/api/v1/threads/{thread}").status_code == 204
        for path in (f"threads/{thread}", f"threads/{thread}/messages", f"runs/{run}", f"runs/{run}/events"):
            assert_problem(client.get(f"/api/v1/{path}"), 404)
        assert_problem(client.delete(f"/api/v1/threads/{thread}"), 404, "thread_not_found")
        assert_problem(
            client.post(f"/api/v1/threads/{thread}/runs", json={"message": "x"}), 404, "thread_not_found"
        )


def test_who_answers_is_resolved_or_chosen(server: Served) -> None:
    course, guide = server.academy.ids["course"], server.academy.ids["assistant"]
    with server.client("student") as client:
        in_course = client.post("/api/v1/threads", json={"course_id": course}).json()
        assert in_course["assistant"]["id"] == guide
        assert in_course["course_id"] == course
        outside = client.post("/api/v1/threads", json={}).json()
        assert outside["assistant"]["name"] == "Famulus"
        chosen = client.post(
            "/api/v1/threads", json={"assistant_id": outside["assistant"]["id"], "course_id": course}
        )
        assert chosen.json()["assistant"] == outside["assistant"]
        listed = client.get("/api/v1/threads", params={"course_id": course}).json()["items"]
        assert in_course["id"] in [each["id"] for each in listed]
        assert outside["id"] not in [each["id"] for each in listed]
        for body in ({"assistant_id": server.academy.ids["their_assistant"]}, {"assistant_id": "ast_none"}):
            assert_problem(client.post("/api/v1/threads", json=body), 404, "assistant_not_found")
        assert_problem(client.post("/api/v1/threads", json={"course_id": "crs_none"}), 404)


def test_an_assistant_that_was_switched_off_answers_no_more(server: Served) -> None:
    with server.client("admin") as admin:
        title = filled("Off {new}", {})
        course = admin.post("/api/v1/courses", json={"title": title, "published": True}).json()["id"]
        assistant = new_assistant(admin, course, "Help.")
        thread = new_thread(admin, course_id=course)
        admin.patch(f"/api/v1/assistants/{assistant}", json={"active": False})
        refused = admin.post(f"/api/v1/threads/{thread}/runs", json={"message": "Are you there?"})
        assert_problem(refused, 409, "assistant_inactive")
        assert admin.get(f"/api/v1/threads/{thread}/messages").json()["items"] == []


@pytest.mark.parametrize("who", ["classmate", "teacher", "admin", "site"])
def test_a_conversation_is_its_owner_s(server: Served, who: str) -> None:
    """Not even those who administer everything read it."""
    ids = server.academy.ids
    with server.client(who) as client:
        for method, path in (
            ("GET", f"threads/{ids['thread']}"),
            ("GET", f"threads/{ids['thread']}/messages"),
            ("DELETE", f"threads/{ids['thread']}"),
            ("GET", f"runs/{ids['run']}"),
            ("POST", f"runs/{ids['run']}/cancel"),
        ):
            assert_problem(client.request(method, f"/api/v1/{path}"), 404)
        assert MARKS["thread"] not in client.get("/api/v1/threads", params={"limit": "100"}).text
