"""The doors under the names that existing front ends use: chats, the registry, and the simple chat."""

import secrets
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from httpx2 import Client

from tests.support.academy import new_assistant, new_thread
from tests.support.problems import assert_problem
from tests.support.serving import Served, furnished
from tests.support.sse import Frame, events_of

ANSWER = "One two three. *Grüße* 🚀 and **done**."
CHATS = "/assistant/chats"


def streamed(client: Client, path: str, body: Any = None, **options: Any) -> tuple[Any, list[Frame]]:
    """The headers and the frames of a stream, to its end."""
    method = "GET" if body is None else "POST"
    given = {} if body is None else {"json": body}
    with client.stream(method, path, **given, **options) as response:
        assert response.status_code == 200, response.read()
        return response.headers, list(events_of(response))


def test_a_chat_has_its_life(server: Served) -> None:
    course = server.academy.ids["course"]
    with server.client("student") as client:
        chat = client.post(CHATS, json={"course_id": course}).json()
        assert chat["thread_id"] == chat["id"]
        sent = client.post(f"{CHATS}/send", json={"thread_id": chat["id"], "message": "Hello."})
        assert sent.status_code == 200, sent.text
        assert sent.json()["response"] == ANSWER
        assert (sent.json()["status"], sent.json()["tool_calls"]) == ("completed", [])
        said = client.get(f"{CHATS}/{chat['id']}/messages").json()["items"]
        assert [(each["role"], each["text"]) for each in said] == [("user", "Hello."), ("assistant", ANSWER)]
        assert client.patch(f"{CHATS}/{chat['id']}", json={"title": "Rivers"}).json()["title"] == "Rivers"
        away = client.delete(f"{CHATS}/{chat['id']}").json()
        assert away["archived_at"] == client.delete(f"{CHATS}/{chat['id']}").json()["archived_at"]

        def listed(**query: str) -> list[str]:
            found = client.get(CHATS, params={"course_id": course, "limit": "100", **query})
            return [each["id"] for each in found.json()["items"]]

        assert chat["id"] not in listed()
        assert chat["id"] in listed(archived="true")
        refused = client.post(f"{CHATS}/send", json={"thread_id": chat["id"], "message": "And?"})
        assert_problem(refused, 409, "thread_archived")
        assert len(client.get(f"{CHATS}/{chat['id']}/messages").json()["items"]) == 2
        assert client.post(f"{CHATS}/{chat['id']}/restore").json()["archived_at"] is None
        assert chat["id"] in listed()
        again = client.post(f"{CHATS}/send", json={"thread_id": chat["id"], "message": "And?"})
        assert again.json()["status"] == "completed"


def test_chats_of_a_course_are_for_those_who_are_in_it(server: Served) -> None:
    ids = server.academy.ids
    for who, course, fine in (
        ("student", "course", True),
        ("teacher", "course", True),
        ("admin", "course", True),
        ("admin", "hidden_course", True),
        ("peer", "course", False),
        ("student", "hidden_course", False),
        ("their_admin", "course", False),
    ):
        with server.client(who) as client:
            made = client.post(CHATS, json={"course_id": ids[course]})
            sent = client.post(f"{CHATS}/send", json={"course_id": ids[course], "message": "Hello."})
            if fine:
                assert (made.status_code, sent.status_code) == (201, 200), (who, course)
            else:
                assert_problem(made, 404, "not_found")
                assert_problem(sent, 404, "not_found")


def test_chats_by_number_and_by_key_are_the_same(server: Served) -> None:
    with server.client("colleague" if "colleague" in server.academy.people else "peer") as client:
        made = [new_thread(client, title=f"Chat {n}") for n in range(5)]
        by_key = client.get(CHATS, params={"limit": "4"}).json()
        one = client.get(CHATS, params={"page": "1", "size": "2"}).json()
        two = client.get(CHATS, params={"page": "2", "size": "2"}).json()
        assert [each["id"] for each in (*one["items"], *two["items"])] == [
            each["id"] for each in by_key["items"]
        ]
        assert (one["page"], one["size"]) == (1, 2)
        assert one["total"] >= len(made)
        beyond = client.get(CHATS, params={"page": "100", "size": "100"}).json()
        assert beyond["items"] == []


def test_a_message_that_is_refused_leaves_no_chat(server: Served) -> None:
    with server.client("student") as client:
        before = client.get(CHATS, params={"page": "1"}).json()["total"]
        bad = client.post(
            f"{CHATS}/send", json={"message": "x", "course_id": server.academy.ids["their_course"]}
        )
        assert_problem(bad, 404, "not_found")
        both = {"message": "x", "course_id": "crs_x", "thread_id": "thr_x"}
        assert_problem(client.post(f"{CHATS}/send", json=both), 422, "invalid")
        assert client.get(CHATS, params={"page": "1"}).json()["total"] == before


def test_the_same_key_begins_one_chat(server: Served) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}
    with server.client("student") as client:
        one, two = (
            client.post(f"{CHATS}/send", json={"message": "Hello."}, headers=headers) for _ in range(2)
        )
        assert one.json() == two.json()
        assert ("idempotent-replay" in one.headers, "idempotent-replay" in two.headers) == (False, True)
        other = client.post(f"{CHATS}/send", json={"message": "Goodbye."}, headers=headers)
        assert_problem(other, 422, "idempotency_key_reused")
        elsewhere = {"message": "Hello.", "course_id": server.academy.ids["course"]}
        reused = client.post(f"{CHATS}/send", json=elsewhere, headers=headers)
        assert_problem(reused, 422, "thread_key_reused")
        assert client.get(f"{CHATS}/{one.json()['thread_id']}").status_code == 200


def test_D06_one_key_at_the_same_moment_begins_one_chat(server: Served) -> None:
    headers = {"Idempotency-Key": secrets.token_hex(8)}

    def send(_: int) -> Any:
        with server.client("student") as client:
            return client.post(f"{CHATS}/send", json={"message": "Hello."}, headers=headers).json()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(send, range(16)))
    assert len({(each["thread_id"], each["run_id"]) for each in answers}) == 1


def test_a_chat_streams_and_resumes(server: Served) -> None:
    key = {"Idempotency-Key": secrets.token_hex(8)}
    with server.client("student") as client:
        body = {"message": "Please use a tool."}
        headers, frames = streamed(client, f"{CHATS}/send/stream", body, headers=key)
        names = [frame.name for frame in frames]
        assert names[0] == "thinking"
        assert {"thinking", "action_executed", "delta"} <= set(names)
        assert names[-2:] == ["response", "done"]
        assert [frame.id for frame in frames] == [f"1.{n}" for n in range(1, len(frames) + 1)]
        assert all(frame.data["id"] == frame.id and frame.data["type"] == frame.name for frame in frames)
        text = "".join(frame.data["text"] for frame in frames if frame.name == "delta")
        assert text == frames[-2].data["text"] == "You have some courses."
        [done] = [frame.data for frame in frames if frame.name == "action_executed"]
        assert (done["action"], done["status"]) == ("list_my_courses", "ok")
        for at in (1, len(frames) // 2, len(frames) - 1):
            rest = [frame.raw for frame in frames[at:]]
            last = {"Last-Event-ID": frames[at - 1].id or ""}
            _, again = streamed(client, f"{CHATS}/send/stream", body, headers={**key, **last})
            _, resumed = streamed(client, f"{CHATS}/stream/{headers['x-run-id']}", headers=last)
            assert [frame.raw for frame in again] == [frame.raw for frame in resumed] == rest
        assert client.get(f"{CHATS}/{headers['x-thread-id']}").json()["live_run_id"] is None


def test_a_call_that_waits_is_said(server: Served) -> None:
    with server.client("student") as client:
        sent = client.post(f"{CHATS}/send", json={"message": f"erase task{secrets.token_hex(4)}"}).json()
        assert sent["status"] == "awaiting_approval"
        asked = client.post("/api/chat", json={"message": f"erase task{secrets.token_hex(4)}"}).json()
        assert "Waits for your confirmation: " in asked["response"]


def test_the_assistant_of_a_course(server: Served) -> None:
    with server.client("admin") as admin, server.client("teacher") as teacher, server.client("peer") as peer:
        course = admin.post(
            "/api/v1/courses", json={"title": secrets.token_hex(4), "published": True}
        ).json()["id"]
        path, body = f"/courses/{course}/assistant", {"name": "Guide", "instructions": "Guide them."}
        assert_problem(peer.post(path, json=body), 404, "not_found")
        assert_problem(teacher.post(path, json=body), 404, "not_found")
        made = admin.post(path, json=body)
        assert made.status_code == 201, made.text
        assert_problem(admin.post(path, json=body), 409, "assistant_exists")
        found = admin.get("/assistants/resolve", params={"course_id": course, "role": "student"}).json()
        assert found["id"] == made.json()["id"]
        changed = admin.patch(f"/assistants/{found['id']}", json={"instructions": "Guide them well."})
        assert changed.json()["version"] == 2
        listed = admin.get("/assistants", params={"course_id": course}).json()["items"]
        assert [each["id"] for each in listed] == [found["id"]]
        mine = teacher.get("/courses/my").json()["items"]
        assert server.academy.ids["course"] in [each["id"] for each in mine]


def test_the_simple_chat(server: Served) -> None:
    with server.client("student") as client, server.client("classmate") as other, server.client() as nobody:
        first = client.post("/api/chat", json={"conversation_id": None, "message": "Please use a tool."})
        assert first.status_code == 200
        answer = first.json()
        assert answer.keys() == {"conversation_id", "response", "tool_calls"}
        [call] = answer["tool_calls"]
        assert (call["tool"], call["arguments"]) == ("list_my_courses", {})
        assert server.academy.ids["course"] in [each["id"] for each in call["result"]["data"]]
        more = {"conversation_id": answer["conversation_id"], "message": "Hello."}
        assert client.post("/api/chat", json=more).json()["response"] == ANSWER
        for bad in (
            {},
            {"message": ""},
            {"message": 5},
            {"message": "x", "conversation_id": 5},
            {"message": "x" * 10_001},
        ):
            assert_problem(client.post("/api/chat", json=bad), 400, "bad_request")
        assert_problem(client.post("/api/chat", content=b"{"), 400, "bad_request")
        assert_problem(nobody.post("/api/chat", json=more), 401, "unauthenticated")
        assert_problem(other.post("/api/chat", json=more), 404, "thread_not_found")
        assert_problem(client.post("/api/chat", json={"message": "Now fail."}), 500, "answer_failed")
        _, frames = streamed(client, "/api/chat?stream=true", more)
        assert frames[-1].name == "done"
        assert "".join(frame.data["text"] for frame in frames if frame.name == "delta") == ANSWER


def test_an_answer_as_text(server: Served) -> None:
    with server.client("student") as client, server.client() as nobody:
        answer = client.post("/api/chat/message", json={"message": "Hello."})
        assert (answer.text, answer.headers["content-type"]) == (ANSWER, "text/plain; charset=utf-8")
        thread = answer.headers["x-conversation-id"]
        again = client.post("/api/chat/message", json={"message": "Hello.", "conversation_id": thread})
        assert again.headers["x-conversation-id"] == thread
        failed = client.post("/api/chat/message", json={"message": "Now fail."}).text
        assert failed.strip()
        assert_problem(nobody.post("/api/chat/message", json={"message": "Hello."}), 401, "unauthenticated")


@pytest.fixture(scope="module")
def welcoming(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that answers guests."""
    folder = tmp_path_factory.mktemp("guests")
    with furnished("sqlite", folder, request, guest_chat=True) as served:
        yield served


def test_guests_talk_and_do_nothing_else(welcoming: Served) -> None:
    path = "/api/chat/message"
    with welcoming.client() as guest, welcoming.client("student") as student:
        one = guest.post(path, json={"message": "Hello."})
        assert one.text == ANSWER
        name = one.headers["x-conversation-id"]
        more = {"message": "And?", "conversation_id": name}
        assert guest.post(path, json=more).status_code == 200
        unknown = {**more, "conversation_id": welcoming.academy.ids["thread"]}
        assert_problem(guest.post(path, json=unknown), 404, "not_found")
        assert_problem(guest.post(path, json={**more, "conversation_id": name[:-2] + "AA"}), 404, "not_found")
        assert_problem(student.post(path, json=more), 404, "thread_not_found")
        assert_problem(guest.post(path, json={"message": "x" * 2001}), 422, "invalid")
        wrong = guest.post(path, json={"message": "Hello."}, headers={"Authorization": "Bearer fma_wrong"})
        assert_problem(wrong, 401, "unauthenticated")
        assert_problem(guest.post("/api/chat", json={"message": "Hello."}), 401, "unauthenticated")
        for listed in (CHATS, "/api/v1/threads", "/courses/my"):
            assert_problem(guest.get(listed), 401, "unauthenticated")
        noted = guest.post(path, json={"message": "note something"})
        assert noted.status_code == 200
        tasks = student.get("/api/v1/tasks").json()["items"]
        assert "something" not in [each["title"] for each in tasks]


def test_guests_have_a_limit_of_their_own(welcoming: Served) -> None:
    with welcoming.client() as guest, welcoming.client("student") as student:
        answers = [guest.post("/api/chat/message", json={"message": "Hello."}) for _ in range(22)]
        assert_problem(answers[-1], 429, "too_many_guest_messages")
        assert int(answers[-1].headers["retry-after"]) >= 1
        assert student.post("/api/chat/message", json={"message": "Hello."}).status_code == 200


def test_a_busy_chat_is_a_conflict(server: Served) -> None:
    with server.client("admin") as admin:
        course = admin.post("/api/v1/courses", json={"title": secrets.token_hex(4)}).json()["id"]
        new_assistant(admin, course, "x")
        thread = new_thread(admin, course_id=course)
        run = admin.post(f"/api/v1/threads/{thread}/runs", json={"message": "Go slowly."}).json()["run"]["id"]
        refused = admin.post("/api/chat", json={"conversation_id": thread, "message": "Hello."})
        assert_problem(refused, 409, "run_in_progress")
        admin.post(f"/api/v1/runs/{run}/cancel")
