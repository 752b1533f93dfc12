"""`/ag-ui`: every event is one of the protocol's, threads are ours under the client's names, and nothing is lost."""

from typing import Any
from uuid import uuid4

import pytest

from tests.support.academy import new_assistant, threads_of
from tests.support.ag_ui import AgUi, interrupts, kinds, ours, request, snapshot, user, words
from tests.support.problems import assert_problem
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
BRIEF = "word " * 29 + "word"
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Says how the weather is.",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def test_a_message_begins_a_thread_under_the_client_s_name(server: Served) -> None:
    name = f"chat-{uuid4()}"
    with server.client("student") as client:
        agent = AgUi(client)
        first = agent.say(name, "Hello.")
        assert kinds(first) == [
            "RUN_STARTED", "assistant", "title", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT",
            "TEXT_MESSAGE_END", "RUN_FINISHED",
        ]  # fmt: skip
        assert words(first) == ANSWER
        assert first[0]["protocolVersion"] == "1.0"
        assert first[-1]["threadId"] == name
        assert first[-1]["outcome"] == {"type": "success"}
        assert first[-1]["usage"][0]["totalTokens"] > 0
        second = agent.say(name, "Hello again.")
        assert ours(second)["threadId"] == ours(first)["threadId"]
        third = agent.say(ours(first)["threadId"], "And by its own id.")
        said = client.get(f"/api/v1/threads/{ours(third)['threadId']}/messages").json()["items"]
        assert [each["text"] for each in said if each["role"] == "user"] == [
            "Hello.", "Hello again.", "And by its own id.",
        ]  # fmt: skip
    with server.client("classmate") as other:
        theirs = AgUi(other).say(name, "Hello.")
        assert ours(theirs)["threadId"] != ours(first)["threadId"], (
            "a name means a thread for one person alone"
        )
        assert_problem(AgUi(other).post(request(ours(first)["threadId"], user("Mine."))), 404)


def test_only_what_is_new_is_taken(server: Served) -> None:
    """The conversation that a client tells is not believed: the thread has its own."""
    with server.client("student") as client:
        agent, name = AgUi(client), uuid4().hex
        told = [user("Told."), {"id": "x", "role": "assistant", "content": "Made up."}, user("Hello.")]
        began = agent.events(request(name, *told))
        items = client.get(f"/api/v1/threads/{ours(began)['threadId']}/messages").json()["items"]
        assert [each["text"] for each in items] == ["Hello.", ANSWER]
        nothing = agent.post(request(name, *told[:2]))
        assert_problem(nothing, 422, "invalid")


def test_a_request_sent_again_is_the_same_run(server: Served) -> None:
    with server.client("student") as client:
        agent, body = AgUi(client), request(uuid4().hex, user("Please use a tool."))
        first, second = agent.events(body), agent.events(body)
        assert ours(first) == ours(second)
        assert kinds(first) == kinds(second)
        assert words(second) == "You have some courses."
        assert_problem(
            agent.post({**body, "messages": [user("Other words.")]}), 422, "idempotency_key_reused"
        )


def test_our_tools_are_shown_with_their_results(server: Served) -> None:
    with server.client("student") as client:
        events = AgUi(client).say(uuid4().hex, "Please use a tool.")
        by_kind = {event["type"]: event for event in events}
        assert by_kind["TOOL_CALL_START"]["toolCallName"] == "list_my_courses"
        assert by_kind["TOOL_CALL_ARGS"]["delta"] == "{}"
        result = by_kind["TOOL_CALL_RESULT"]
        assert result["toolCallId"] == by_kind["TOOL_CALL_START"]["toolCallId"]
        assert "Rivers" in result["content"]
        assert by_kind["RUN_FINISHED"]["outcome"] == {"type": "success"}, "nothing is left to the client"


def test_citations_stand_with_the_words(server: Served) -> None:
    with server.client("student") as client:
        props = {"courseId": server.academy.ids["course"]}
        events = AgUi(client).say(uuid4().hex, "cite: where does a river begin?", forwardedProps=props)
        end = next(event for event in events if event["type"] == "TEXT_MESSAGE_END")
        [cited] = end["metadata"]["citations"]
        assert cited["title"].startswith("Springs")
        assert "/lessons/" in cited["url"]
        assert "retrieval" in kinds(events)
        live = next(event["value"] for event in events if event.get("name") == "citation")
        assert {**cited, "messageId": end["messageId"]} == live


def test_the_client_s_tools_are_called_by_the_client(server: Served) -> None:
    """The run ends with the call; its result comes with the next one, and only then."""
    with server.client("student") as client:
        agent, name = AgUi(client), uuid4().hex
        asked = user("How is the weather?")
        first = agent.events(request(name, asked, tools=[WEATHER]))
        [call] = first[-1]["outcome"]["pendingToolCallIds"]
        assert "TOOL_CALL_RESULT" not in kinds(first)
        assistant = {"id": "a", "role": "assistant", "toolCalls": [
            {"id": call, "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
        ]}  # fmt: skip
        result = {"id": "r", "role": "tool", "toolCallId": call, "content": "Rain."}
        after = agent.events(request(name, asked, assistant, result, tools=[WEATHER]))
        assert words(after) == "It rains in Bonn."
        again = agent.post(request(name, asked, assistant, result, tools=[WEATHER]))
        assert_problem(again, 422, "invalid")
        strange = {**result, "toolCallId": f"run_none.{call.partition('.')[2]}"}
        assert_problem(agent.post(request(name, asked, assistant, strange)), 422, "invalid")
        shown = snapshot(agent.connect(name))
        assert [each["role"] for each in shown] == ["user", "assistant", "tool", "assistant"]
        assert shown[1]["toolCalls"][0]["id"] == shown[2]["toolCallId"] == call


@pytest.mark.parametrize(
    ("status", "payload", "outcome", "said"),
    [
        ("resolved", {"approved": True}, "ok", "It is erased."),
        ("resolved", False, "denied", "It is erased."),
        ("cancelled", None, "denied", "It is erased."),
    ],
)
def test_what_waits_is_an_interrupt(
    server: Served, status: str, payload: Any, outcome: str, said: str
) -> None:
    with server.client("student") as client:
        agent, name = AgUi(client), uuid4().hex
        first = agent.say(name, f"Please erase paper{uuid4().hex[:8]}")
        [interrupt] = interrupts(first)
        assert interrupt["reason"] == "tool_approval"
        assert interrupt["toolCallId"] in {event.get("toolCallId") for event in first}
        assert_problem(agent.post(request(name, user("Something else."))), 409, "run_in_progress")
        assert interrupts(agent.connect(name)) == [interrupt], "and whoever comes back is told of it"
        entry = {"interruptId": interrupt["id"], "status": status, "payload": payload}
        body = request(name, resume=[entry])
        after = agent.events(body)
        [result] = [event for event in after if event["type"] == "TOOL_CALL_RESULT"]
        assert (result["toolCallId"], result["metadata"]["status"]) == (interrupt["toolCallId"], outcome)
        assert "TOOL_CALL_START" not in kinds(after), "the client knows the call"
        assert words(after) == said
        assert words(agent.events(body)) == said, "sent again, the same answers change nothing"


def test_a_yes_is_bound_to_what_was_shown(server: Served) -> None:
    with server.client("student") as client:
        agent, name = AgUi(client), uuid4().hex
        [interrupt] = interrupts(agent.say(name, f"Please erase paper{uuid4().hex[:8]}"))
        other = uuid4().hex
        began = agent.say(other, "Hello.")
        approval, _, shown = interrupt["id"].partition(".")
        for thread, id, payload, status in (
            (name, f"{approval}.{'0' * len(shown)}", True, 409),
            (name, approval, True, 404),
            (name, "apr_none.0", True, 404),
            (other, interrupt["id"], True, 404),
            (ours(began)["threadId"], interrupt["id"], True, 404),
            (uuid4().hex, interrupt["id"], True, 404),
            (name, interrupt["id"], None, 422),
            (name, interrupt["id"], "yes", 422),
            (name, interrupt["id"], {"approved": "true"}, 422),
        ):
            entry = {"interruptId": id, "status": "resolved", "payload": payload}
            assert_problem(agent.post(request(thread, resume=[entry])), status)
        assert interrupts(agent.connect(name)) == [interrupt]
    entry = {"interruptId": interrupt["id"], "status": "resolved", "payload": True}
    with server.client("classmate") as stranger:
        for thread in (name, ours(agent_events(server, name))["threadId"]):
            assert_problem(AgUi(stranger).post(request(thread, resume=[entry])), 404)


def agent_events(server: Served, name: str) -> list[dict[str, Any]]:
    with server.client("student") as client:
        return AgUi(client).connect(name)


def test_questions_and_calls_of_the_assistant_s_own(server: Served) -> None:
    """What an assistant declares for clients is offered to those that say that they answer it."""
    press = {"name": "press_button", "description": "Presses.", "parameters": {}}
    with server.client("admin") as client:
        course = client.post("/api/v1/courses", json={"title": f"Buttons {uuid4()}"}).json()["id"]
        assistant = new_assistant(client, course, "Guide.", client_tools=[press], asks=True)
        props = {"courseId": course, "assistantId": assistant, "client": True}
        agent, name = AgUi(client), uuid4().hex
        [question] = interrupts(agent.say(name, "quiz me", forwardedProps=props))
        assert question["reason"] == "questions"
        assert "responseSchema" not in question
        entry = {"interruptId": question["id"], "status": "resolved", "payload": {"q1": ["Rhine"]}}
        assert words(agent.events(request(name, resume=[entry]))) == "I see."
        [call] = interrupts(agent.say(name, "press Go", forwardedProps=props))
        assert call["reason"] == "tool_result"
        entry = {"interruptId": call["id"], "status": "resolved", "payload": "Pressed."}
        assert words(agent.events(request(name, resume=[entry]))) == "It is pressed."
        plain = agent.say(uuid4().hex, "quiz me", forwardedProps={**props, "client": False})
        assert interrupts(plain) == []
        elsewhere = {"courseId": server.academy.ids["course"]}
        moved = agent.post(request(name, user("Hello."), forwardedProps=elsewhere))
        assert_problem(moved, 422, "thread_key_reused")


def test_a_dropped_stream_goes_on_and_is_connected_to(server: Served) -> None:
    with server.client("student") as client:
        agent, name = AgUi(client), uuid4().hex
        with client.stream("POST", "/ag-ui", json=request(name, user("Answer briefly."))) as response:
            read = b""
            for piece in response.iter_bytes():
                read += piece
                if read.count(b"TEXT_MESSAGE_CONTENT") >= 3:
                    break
            run = response.headers["x-run-id"]
        assert client.get(f"/api/v1/runs/{run}").json()["status"] == "running"
        events = agent.connect(name)
        ids = {event["messageId"] for event in events if "messageId" in event}
        begun = [each["content"] for each in snapshot(events) if each["id"] in ids]
        assert "".join(begun) + words(events) == BRIEF
        assert ids == {f"{run}.0"}
        assert events[-1]["outcome"]["type"] == "success"
        whole = agent.connect(name)
        assert kinds(whole) == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "RUN_FINISHED"]
        assert snapshot(whole)[-1] == {"id": f"{run}.0", "role": "assistant", "content": BRIEF}


def test_what_fails_and_what_is_stopped_says_so(server: Served) -> None:
    with server.client("student") as client:
        agent, name = AgUi(client), uuid4().hex
        failed = agent.say(name, "Please fail.")
        assert (failed[-1]["type"], failed[-1]["code"]) == ("RUN_ERROR", "model_request_refused")
        with client.stream("POST", "/ag-ui", json=request(name, user("Go slowly."))) as response:
            run = response.headers["x-run-id"]
            client.post(f"/api/v1/runs/{run}/cancel")
            assert b'"outcome":{"type":"cancelled"}' in response.read()


def test_what_the_application_tells_is_data(server: Served) -> None:
    with server.client("student") as client:
        began = AgUi(client).say(
            uuid4().hex,
            "Hello.",
            context=[{"description": "Selected", "value": "Chapter 3"}],
            state={"cart": ["x"]},
            forwardedProps={"page": {"url": "https://shop.example/x", "title": "Shop", "headings": ["A"]}},
        )
        thread = ours(began)["threadId"]
        asked = client.get(f"/api/v1/threads/{thread}/messages").json()["items"][0]
        [page] = [part for part in asked["parts"] if part["type"] == "page"]
        assert (page["url"], page["title"], page["headings"]) == ("https://shop.example/x", "Shop", ["A"])
        assert page["description"] == 'Selected: Chapter 3\nState: {"cart":["x"]}'


def test_files_of_one_s_own_go_with_a_message(server: Served) -> None:
    with server.client("student") as client:
        sent = client.post(
            "/api/v1/attachments", files={"file": ("notes.txt", b"Water is wet.", "text/plain")}
        )
        source = {"type": "file", "value": sent.json()["id"], "provider": "famulus"}
        picture = {"type": "url", "value": "https://example.org/x.png"}
        content = [
            {"type": "text", "text": "Read this."},
            {"type": "document", "source": source},
            {"type": "image", "source": picture},
        ]
        began = AgUi(client).events(request(uuid4().hex, {"id": "m", "role": "user", "content": content}))
        asked = client.get(f"/api/v1/threads/{ours(began)['threadId']}/messages").json()["items"][0]
        assert [part["name"] for part in asked["parts"] if part["type"] == "attachment"] == ["notes.txt"]
    with server.client("classmate") as stranger:
        body = request(uuid4().hex, {"id": "m", "role": "user", "content": content})
        assert_problem(AgUi(stranger).post(body), 404, "attachment_not_found")


BASE = {"threadId": "t", "runId": "r", "messages": [{"id": "m", "role": "user", "content": "Hello."}]}
DEEP = b"[" * 100_000 + b"]" * 100_000
BAD: list[tuple[Any, int]] = [
    (b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b"\xff\xfe", 400), (b"{}", 422),
    ({**BASE, "threadId": 5}, 422), ({**BASE, "threadId": ""}, 422), ({**BASE, "threadId": "x" * 201}, 422),
    ({**BASE, "threadId": "a\0b"}, 422), ({**BASE, "threadId": "thr_none"}, 404), ({**BASE, "runId": ""}, 422),
    ({**BASE, "runId": "x" * 201}, 422), ({**BASE, "messages": None}, 422), ({**BASE, "messages": []}, 422),
    ({**BASE, "messages": [{}]}, 422), ({**BASE, "messages": [{"role": "user"}]}, 422),
    ({**BASE, "messages": [{"role": "user", "content": " "}]}, 422),
    ({**BASE, "messages": [{"role": "user", "content": 7}]}, 422),
    ({**BASE, "messages": [{"role": "user", "content": {"a": 1}}]}, 422),
    ({**BASE, "messages": [{"role": "user", "content": [7]}]}, 422),
    ({**BASE, "messages": [{"role": "user", "content": [{"type": "image"}]}]}, 422),
    ({**BASE, "messages": [{"role": "user", "content": "x" * 10_001}]}, 422),
    ({**BASE, "messages": [{"role": "user", "content": "a\0b"}]}, 422),
    ({**BASE, "messages": [{"role": "tool", "content": "x", "toolCallId": "c"}]}, 404),
    ({**BASE, "messages": BASE["messages"] * 2_001}, 422),
    ({**BASE, "tools": [{}]}, 422), ({**BASE, "tools": [{"name": "no name"}]}, 422),
    ({**BASE, "tools": [WEATHER, WEATHER]}, 422), ({**BASE, "tools": [{"name": "x", "parameters": 5}]}, 422),
    ({**BASE, "tools": [{"name": "x", "parameters": {"a": "x" * 10_000}}]}, 422),
    ({**BASE, "tools": [{"name": f"x{n}"} for n in range(129)]}, 422),
    ({**BASE, "context": [{"description": "x", "value": "y" * 20_001}]}, 422), ({**BASE, "context": [5]}, 422),
    ({**BASE, "context": [{"description": "x", "value": "y"}] * 51}, 422), ({**BASE, "state": "y" * 10_001}, 422),
    ({**BASE, "forwardedProps": {"courseId": 5}}, 422), ({**BASE, "forwardedProps": {"courseId": "crs_none"}}, 404),
    ({**BASE, "forwardedProps": {"assistantId": "ast_none"}}, 404),
    ({**BASE, "forwardedProps": {"page": {"title": "x" * 301}}}, 422),
    ({**BASE, "resume": [{"interruptId": "x", "status": "perhaps"}]}, 422), ({**BASE, "resume": [5]}, 422),
    ({**BASE, "resume": [{"interruptId": "x", "status": "resolved"}]}, 404),
    ({**BASE, "resume": [{"interruptId": "x", "status": "resolved"}] * 33}, 422),
    (b'{"threadId":"t","runId":"r","messages":[{"role":"user","content":"\\ud800"}]}', 400),
    (b'{"threadId":"t","runId":"r","messages":[{"role":"user","content":"x"}],"state":' + DEEP + b"}", 400),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BAD, ids=range(len(BAD)))
def test_L07_what_is_wrong_is_named_and_leaves_nothing(embedded: Served, body: Any, status: int) -> None:
    with embedded.client("student") as client:
        before = threads_of(client)
        given: Any = {"content": body} if isinstance(body, bytes) else {"json": body}
        headers = {"content-type": "application/json"}
        for where in ("", "/connect"):
            answer = client.post(f"/ag-ui{where}", headers=headers, **given)
            wanted = (status,) if not where else (status, 404)
            assert_problem(answer, wanted)
        assert threads_of(client) == before
