"""What a ChatKit server gets wrong easily: other people's things, bad requests, lost answers, restarts."""

import re
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from tests.support.academy import MARKS, furnish, new_assistant, plant
from tests.support.chatkit import ChatKit, done, events_of, kinds, paper, request, said, words
from tests.support.problems import assert_problem
from tests.support.serving import Served, migrated_database, serving, settings_for, wait_for

PRESS = {"name": "press_button", "description": "Presses.", "parameters": {}}


@pytest.fixture
def kit(embedded: Served) -> Iterator[ChatKit]:
    with embedded.client("student") as client:
        yield ChatKit(client)


def of_thread(thread: str, item: str) -> list[tuple[str, dict[str, Any]]]:
    """Every operation that names a thread, and perhaps an item of it."""
    action = {"type": "approval.answer", "payload": {"decision": "approve", "hash": "0" * 64}}
    return [
        ("threads.get_by_id", {"thread_id": thread}),
        ("items.list", {"thread_id": thread}),
        ("threads.update", {"thread_id": thread, "title": "Taken"}),
        ("items.feedback", {"thread_id": thread, "item_ids": [item], "kind": "positive"}),
        ("threads.sync_custom_action", {"thread_id": thread, "item_id": item, "action": action}),
        ("threads.add_user_message", {"thread_id": thread, "input": said("x")}),
        ("threads.add_client_tool_output", {"thread_id": thread, "result": 1}),
        ("threads.add_structured_input", {"thread_id": thread, "item_id": item, "input": {}}),
        ("threads.retry_after_item", {"thread_id": thread, "item_id": item}),
        ("threads.custom_action", {"thread_id": thread, "item_id": item, "action": action}),
        ("threads.custom_action", {"thread_id": thread, "action": {"type": "run.cancel"}}),
        ("threads.delete", {"thread_id": thread}),
    ]


def test_chatkit_A26_what_is_not_one_s_own_is_not_there(embedded: Served) -> None:
    """The same 404 for somebody else's thread as for none, on streams too, and nothing has changed."""
    ids = embedded.academy.ids
    with embedded.client("student") as own:
        before = own.get(f"/api/v1/threads/{ids['thread']}/messages").json()
    for who in ("classmate", "teacher", "admin", "site", "their_admin"):
        with embedded.client(who) as client:
            kit = ChatKit(client)
            answers: list[tuple[int, str]] = []
            for thread, item in (
                (ids["thread"], f"{ids['run']}.0"),
                ("thr_none", "run_none.0"),
                ("a b\0", "\0"),
            ):
                for op, params in of_thread(thread, item):
                    response = kit.post(op, **params)
                    assert_problem(response, 404)
                    assert MARKS["thread"] not in response.text
                    answers.append((response.status_code, response.json()["code"]))
            third = len(answers) // 3
            assert answers[:third] == answers[third : 2 * third]
    with embedded.client("student") as own:
        assert own.get(f"/api/v1/threads/{ids['thread']}/messages").json() == before


def test_chatkit_A26_items_of_other_threads_are_not_there(kit: ChatKit, embedded: Served) -> None:
    """Not even of one's own: a card is answered in its thread or not at all."""
    thread, _ = kit.create("hello")
    _, events = kit.create(f"erase {paper()}")
    [card] = done(events, "widget")
    with embedded.client("classmate") as client:
        _, theirs = ChatKit(client).create(f"erase {paper()}")
    strange = [
        card["id"],
        done(theirs, "widget")[0]["id"],
        f"{embedded.academy.ids['run']}.0",
        "msg_none",
        "x/../y",
    ]
    for op, params in of_thread(thread, "x"):
        if "item_id" in params or "item_ids" in params:
            for item in strange:
                named = {"item_ids": [item]} if "item_ids" in params else {"item_id": item}
                assert_problem(kit.post(op, **{**params, **named}), 404)
    after = kit.post("items.list", thread_id=thread, after=strange[2])
    assert_problem(after, 400, "bad_cursor")


BAD = [
    b"", b"{", b"[]", b"null", b"7", b'"x"', b"\xff\xfe", b"{}", b'{"type": "threads.list"}',
    b'{"type": "threads.explode", "params": {}}', b'{"type": null, "params": {}}',
    b'{"type": "threads.get_by_id", "params": {}}', b'{"type": "threads.get_by_id", "params": {"thread_id": 5}}',
    b'{"type": "threads.list", "params": {"order": "sideways"}}', b'{"type": "threads.list", "params": {"limit": "x"}}',
    b'{"type": "threads.list", "params": {"limit": 1e400}}', b'{"type": "threads.list", "params": {}, "metadata": 5}',
    b'{"type": "threads.create", "params": {"input": {}}}',
    b'{"type": "threads.get_by_id", "params": {"thread_id": "\\ud800"}}',
    b'{"type": "threads.create", "params": {"input": {"content": [{"type": "input_image"}], "attachments": [],'
    b' "inference_options": {}}}}',
    b'{"type": "threads.custom_action", "params": {"thread_id": "x", "action": {"payload": ' + b"[" * 5000 + b"]" * 5000
    + b"}}}",
]  # fmt: skip


@pytest.mark.parametrize("body", BAD, ids=range(len(BAD)))
def test_chatkit_A27_F2_bad_requests_are_named(kit: ChatKit, body: bytes) -> None:
    response = kit.client.post("/chatkit", content=body, headers={"content-type": "application/json"})
    assert_problem(response, 400, "bad_request")


@pytest.mark.parametrize(
    "given",
    [
        said(""), said("   "), said("\0"), said("x" * 10_001), said("x", content=[]),
        said("x", content=[{"type": "input_tag", "id": "1", "text": "t", "data": {"x": "y" * 30_000}}]),
    ],
    ids=range(6),
)  # fmt: skip
def test_chatkit_F2_what_is_not_accepted_leaves_nothing(kit: ChatKit, given: Any) -> None:
    def count() -> int:
        return len(kit.json("threads.list", limit=100)["data"])

    before = count()
    assert_problem(kit.post("threads.create", input=given), 422, "invalid")
    for metadata in ({"courseId": "crs_none"}, {"assistantId": "ast_none"}):
        assert_problem(kit.post("threads.create", metadata, input=said("x")), 404)
    assert_problem(kit.post("threads.create", {"courseId": 5}, input=said("x")), 422)
    assert count() == before


def test_chatkit_F3_F4_ids_are_unique_and_times_are_aware(kit: ChatKit) -> None:
    thread, events = kit.create("use a tool")
    for _ in range(2):
        events += kit.add(thread, "use a tool")
    items = kit.items(thread)
    ids = [item["id"] for item in items]
    assert len(set(ids)) == len(ids) == 9
    assert all(re.fullmatch(r"(msg|run)_[0-9a-z]{20,}(\.\d)?", id) for id in ids)
    for item in (*items, events[0]["thread"]):
        assert datetime.fromisoformat(item["created_at"]).utcoffset() is not None
    assert [item["created_at"] for item in items] == sorted(item["created_at"] for item in items)


def test_nobody_is_answered_and_a_key_only_where_it_may(embedded: Served) -> None:
    with embedded.client() as nobody:
        assert_problem(ChatKit(nobody).post("threads.list"), 401, "unauthenticated")
        assert_problem(nobody.post("/chatkit", content=b"{"), 401, "unauthenticated")
        assert_problem(nobody.get("/chatkit"), 405, "method_not_allowed")
    with embedded.client("student") as student:
        keys = [
            student.post("/api/v1/api-keys", json={"name": "x", "scopes": scopes}).json()["key"]
            for scopes in (["read"], ["read", "write", "chat"])
        ]
    with embedded.client() as client:
        client.headers["x-api-key"] = keys[0]
        for op, params in (("threads.list", {}), ("threads.create", {"input": said("x")})):
            assert_problem(ChatKit(client).post(op, **params), 403, "scope_missing")
        client.headers["x-api-key"] = keys[1]
        kit = ChatKit(client)
        thread, events = kit.create(f"erase {paper()}")
        [card] = done(events, "widget")
        action = {"type": "approval.answer", "payload": card["widget"]["confirm"]["action"]["payload"]}
        refused = kit.events("threads.custom_action", thread_id=thread, item_id=card["id"], action=action)
        assert kinds(refused) == ["stream_options", "error"], "a yes is a person's own"
        sync = kit.post("threads.sync_custom_action", thread_id=thread, item_id=card["id"], action=action)
        assert_problem(sync, 403, "needs_person")


def test_a_stream_ends_with_its_reader_s_rights(embedded: Served) -> None:
    """And says so in the protocol."""
    with embedded.client() as client:
        account = {"email": "peer@famulus.local", "password": "correct horse battery", "session_mode": "api"}
        token = client.post("/api/auth/login", json=account).json()["access_token"]
        client.headers["authorization"] = f"Bearer {token}"
        with client.stream(
            "POST", "/chatkit", json=request("threads.create", input=said("Go slowly."))
        ) as response:
            events = events_of(response)
            first = [next(events) for _ in range(8)]
            with embedded.client() as other:
                other.post("/api/auth/logout", headers={"authorization": f"Bearer {token}"})
            last = list(events)[-1]
    assert kinds(first)[0] == "thread.created"
    assert (last["type"], last["code"]) == ("error", "custom")
    assert "Sign in again" in last["message"]


@pytest.mark.slow
def test_chatkit_A32_what_waits_survives_a_restart(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    origin = "https://campus.example"
    with migrated_database("sqlite", tmp_path, request) as url:
        academy = wait_for(plant(url))
        settings = settings_for(url, tmp_path, allowed_origins=(origin,))
        with serving(settings, academy) as first:
            furnish(academy, first.client)
            with first.client("admin") as client:
                course = client.post("/api/v1/courses", json={"title": "Buttons"}).json()["id"]
                assistant = new_assistant(client, course, "Guide.", client_tools=[PRESS], asks=True)
                kit, place = ChatKit(client), {"courseId": course, "assistantId": assistant}
                pressed, _ = kit.create("press Go", place)
                asked, events = kit.create("quiz me", place)
                [questions] = done(events, "structured_input")
                said_before = kit.items(pressed)
            only_the_named_pages_may_ask(first, origin)
        with serving(settings, academy) as second, second.client("admin") as client:
            kit = ChatKit(client)
            assert kit.items(pressed) == said_before
            more = kit.events("threads.add_client_tool_output", thread_id=pressed, result="yes")
            assert words(more) == "It is pressed."
            given = {"status": "skipped"}
            more = kit.events(
                "threads.add_structured_input", thread_id=asked, item_id=questions["id"], input=given
            )
            assert words(more) == "I see."


def only_the_named_pages_may_ask(served: Served, origin: str) -> None:
    """And with a token, for no answer allows a cookie."""
    asks = {
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization, content-type, chatkit-frame-instance-id",
    }
    with served.client() as client:
        allowed = client.options("/chatkit", headers={"origin": origin, **asks})
        assert allowed.status_code == 204
        assert allowed.headers["access-control-allow-origin"] == origin
        listed = allowed.headers["access-control-allow-headers"]
        assert all(name in listed for name in ("authorization", "chatkit-frame-instance-id", "x-request-id"))
        for strange in ("https://evil.example", "null", f"{origin}.evil.example", origin.upper()):
            refused = client.options("/chatkit", headers={"origin": strange, **asks})
            assert "access-control-allow-origin" not in refused.headers
    with served.client("student") as client:
        headers: dict[str, str] = {"origin": origin}
        answer = post(client, headers)
        assert answer.status_code == 200
        assert answer.headers["access-control-allow-origin"] == origin
        assert "x-run-id" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        assert "access-control-allow-origin" not in post(client, {"origin": "https://evil.example"}).headers


def post(client: Client, headers: dict[str, str]) -> Any:
    return client.post("/chatkit", json=request("threads.list", limit=1), headers=headers)
