"""`/ai-sdk`: chats of the AI SDK's clients are threads, their streams are runs, and nothing is lost."""

import base64
from typing import Any
from uuid import uuid4

import pytest

from famulus.conversations.parts import ClientCall, MessageView, Text
from famulus.doors.ai_sdk.writer import UiWriter
from famulus.runs.events import (
    AnswerRestarted,
    Entry,
    Event,
    EventId,
    MessageCompleted,
    RunCompleted,
    TextDelta,
    ToolCalled,
    ToolFinished,
    Usage,
)
from tests.support.academy import threads_of
from tests.support.ai_sdk import AiSdk, called, chunks_of, kinds, ours, request, the, user, words
from tests.support.problems import assert_problem
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
BRIEF = "word " * 29 + "word"
WEATHER: dict[str, Any] = {
    "name": "get_weather",
    "description": "Says how the weather is.",
    "inputSchema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}


def test_a_message_begins_a_chat_under_the_client_s_name(server: Served) -> None:
    name = uuid4().hex
    with server.client("student") as client:
        chat = AiSdk(client)
        first = chat.say(name, "Hello.")
        assert kinds(first) == [
            "start", "message-metadata", "data-title", "start-step", "text-start", "text-delta", "text-end",
            "finish-step", "finish",
        ]  # fmt: skip
        assert words(first) == ANSWER
        assert first[-1]["finishReason"] == "stop"
        assert first[-1]["messageMetadata"]["usage"]["totalTokens"] > 0
        second = chat.say(name, "Hello again.")
        assert ours(second)["threadId"] == ours(first)["threadId"]
        chat.say(ours(first)["threadId"], "And by its own id.")
        told = chat.messages(name)
        assert [(each["role"], each["parts"][-1]["text"]) for each in told] == [
            ("user", "Hello."), ("assistant", ANSWER), ("user", "Hello again."), ("assistant", ANSWER),
            ("user", "And by its own id."), ("assistant", ANSWER),
        ]  # fmt: skip
        assert told[1]["id"] == first[0]["messageId"] == ours(first)["runId"]
        newest = client.get(f"/ai-sdk/{name}/messages", params={"limit": 2}).json()
        assert newest["messages"] == told[4:]
        earlier = client.get(
            f"/ai-sdk/{name}/messages", params={"limit": 4, "before": newest["before"]}
        ).json()
        assert (earlier["messages"], earlier["before"]) == (told[:4], None)
    with server.client("classmate") as other:
        assert_problem(other.get(f"/ai-sdk/{name}/messages"), 404, "thread_not_found")
        assert_problem(other.get(f"/ai-sdk/{name}/stream"), 404, "thread_not_found")
        theirs = AiSdk(other).say(name, "Hello.")
        assert ours(theirs)["threadId"] != ours(first)["threadId"], "a name means a chat for one person alone"
        assert_problem(AiSdk(other).post(request(ours(first)["threadId"], user("Mine."))), 404)


def test_only_the_last_message_is_taken(server: Served) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        made_up = {"id": "x", "role": "assistant", "parts": [{"type": "text", "text": "Made up."}]}
        chat.chunks(request(name, user("Told."), made_up, user("Hello.")))
        assert [each["parts"][-1]["text"] for each in chat.messages(name)] == ["Hello.", ANSWER]
        assert_problem(chat.post(request(name, user("Told."), made_up)), 422, "invalid")


def test_a_message_sent_again_is_the_same_run(server: Served) -> None:
    with server.client("student") as client:
        chat, said, name = AiSdk(client), user("Please use a tool."), uuid4().hex
        first, second = chat.chunks(request(name, said)), chat.chunks(request(name, said))
        assert (ours(first), kinds(first), words(first)) == (ours(second), kinds(second), words(second))
        changed = {**said, "parts": [{"type": "text", "text": "Other words."}]}
        assert_problem(chat.post(request(name, changed)), 422)


def test_our_tools_are_shown_with_their_results(server: Served) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        chunks = chat.say(name, "Please use a tool.")
        call, result = the(chunks, "tool-input-available"), the(chunks, "tool-output-available")
        assert (call["toolName"], call["input"], call["providerExecuted"]) == ("list_my_courses", {}, True)
        assert result["toolCallId"] == call["toolCallId"]
        assert "Rivers" in str(result["output"])
        assert kinds(chunks).count("start-step") == kinds(chunks).count("finish-step") == 2
        kept = chat.messages(name)[-1]["parts"]
        assert [each["type"] for each in kept] == ["step-start", "dynamic-tool", "step-start", "text"]
        assert (kept[1]["state"], kept[1]["output"]) == ("output-available", result["output"])


def test_citations_are_sources(server: Served) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        chunks = chat.say(name, "cite: where does a river begin?", courseId=server.academy.ids["course"])
        source = the(chunks, "source-url")
        assert source["title"].startswith("Springs")
        assert "/lessons/" in source["url"]
        assert source["providerMetadata"]["famulus"]["number"] == 1
        assert the(chunks, "data-retrieval")["data"][0]["number"] == 1
        assert source in chat.messages(name)[-1]["parts"]
        moved = request(name, user("Hello."), courseId=server.academy.ids["their_course"])
        assert_problem(chat.post(moved), 422, "thread_key_reused")


def test_the_client_s_tools_are_called_by_the_client(server: Served) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        asked = user("How is the weather?")
        first = chat.chunks(request(name, asked, tools=[WEATHER]))
        assert first[-1]["finishReason"] == "tool-calls"
        assert "providerExecuted" not in the(first, "tool-input-available")
        answered = called(first, "output-available", output={"sky": "Rain."})
        body = request(name, asked, answered, tools=[WEATHER], messageId=answered["id"])
        after = chat.chunks(body)
        assert "messageId" not in after[0], "the answer goes on"
        assert words(after) == "It rains in Bonn."
        assert_problem(chat.post(body), 422, "invalid")
        [said, whole] = chat.messages(name)
        assert said["parts"] == [{"type": "text", "text": "How is the weather?"}]
        assert [each["type"] for each in whole["parts"]] == [
            "step-start", "dynamic-tool", "step-start", "text"
        ]  # fmt: skip
        assert whole["parts"][1]["output"] == {"sky": "Rain."}


@pytest.mark.parametrize(
    ("approved", "chunk"), [(True, "tool-output-available"), (False, "tool-output-denied")]
)
def test_what_waits_is_an_approval(server: Served, approved: bool, chunk: str) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        first = chat.say(name, f"Please erase paper{uuid4().hex[:8]}")
        asked = the(first, "tool-approval-request")
        assert first[-1]["finishReason"] == "tool-calls"
        assert the(first, "data-approval")["data"]["title"] == asked["reason"]
        assert_problem(chat.post(request(name, user("Something else."))), 409, "run_in_progress")
        again = chat.come_back(name)
        assert again is not None
        assert the(again, "tool-approval-request") == asked, "whoever comes back is asked as well"
        assert [each["role"] for each in chat.messages(name)] == ["user"]
        said = {"id": asked["approvalId"], "approved": approved, "reason": "So."}
        body = request(name, called(first, "approval-responded", approval=said))
        after = chat.chunks(body)
        assert the(after, chunk)["toolCallId"] == asked["toolCallId"]
        assert after[0]["messageId"] == first[0]["messageId"]
        assert "tool-input-available" not in kinds(after)
        assert words(after) == "It is erased."
        assert words(chat.chunks(body)) == "It is erased.", "sent again, the same answer changes nothing"
        assert chat.come_back(name) is None


def test_a_yes_is_bound_to_what_was_shown(server: Served) -> None:
    with server.client("student") as client:
        chat, name, other = AiSdk(client), uuid4().hex, uuid4().hex
        first = chat.say(name, f"Please erase paper{uuid4().hex[:8]}")
        chat.say(other, "Hello.")
        asked = the(first, "tool-approval-request")
        approval, _, shown = asked["approvalId"].partition(".")
        for where, id, approved, status in (
            (name, f"{approval}.{'0' * len(shown)}", True, 409),
            (name, approval, True, 404),
            (name, asked["approvalId"], None, 422),
            (other, asked["approvalId"], True, 404),
            (uuid4().hex, asked["approvalId"], True, 404),
        ):
            said = {"id": id, "approved": approved}
            body = request(where, called(first, "approval-responded", approval=said))
            assert_problem(chat.post(body), status)
        body = request(
            name, called(first, "approval-responded", approval={"id": asked["approvalId"], "approved": True})
        )
        thread = ours(first)["threadId"]
    with server.client("classmate") as stranger:
        for where in (name, thread):
            assert_problem(AiSdk(stranger).post({**body, "id": where}), 404)


def test_a_dropped_stream_goes_on_and_is_come_back_to(server: Served) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        with client.stream("POST", "/ai-sdk", json=request(name, user("Answer briefly."))) as response:
            chunks = chunks_of(response)
            while next(chunks)["type"] != "text-delta":
                pass
            run = response.headers["x-run-id"]
        assert client.get(f"/api/v1/runs/{run}").json()["status"] == "running"
        rest = chat.come_back(name)
        assert rest is not None
        assert (rest[0]["messageId"], words(rest)) == (run, BRIEF)
        assert chat.come_back(name) is None
        assert chat.messages(name)[-1]["parts"][-1]["text"] == BRIEF


def test_a_message_that_was_sent_is_changed(server: Served) -> None:
    """Under the page's own id of it and, after a reload, under ours; what was said after it goes."""
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        mine = user("Hello.")
        chat.chunks(request(name, mine))
        chat.say(name, "Answer briefly.")
        new = user("Please use a tool.", id=mine["id"])
        first = chat.chunks(request(name, new, messageId=mine["id"]))
        assert words(first) == "You have some courses."
        kept = chat.messages(name)
        assert [each["parts"][-1]["text"] for each in kept] == [
            "Please use a tool.",
            "You have some courses.",
        ]
        again = chat.chunks(request(name, new))
        assert (words(again), again[0]["messageId"]) == (words(first), first[0]["messageId"])
        ours = user("Hello.", id=kept[0]["id"])
        assert words(chat.chunks(request(name, ours, messageId=ours["id"]))) == ANSWER
        assert chat.messages(name)[0]["id"] == kept[0]["id"]
        assert [each["parts"][-1]["text"] for each in chat.messages(name)] == ["Hello.", ANSWER]


def test_what_cannot_be_changed_is_refused(server: Served) -> None:
    refused: list[tuple[dict[str, Any], dict[str, Any], int]]
    with server.client("student") as client, server.client("peer") as peer:
        chat, name = AiSdk(client), uuid4().hex
        mine = user("Hello.")
        chat.chunks(request(name, mine))
        thread = chat.messages(name)
        file = {"type": "file", "mediaType": "text/plain", "url": "data:text/plain;base64,eA=="}
        refused = [
            (user("Other.", id=mine["id"]), {}, 422),
            (user("Other."), {"messageId": mine["id"]}, 422),
            (user("Other.", id="msg_none"), {"messageId": "msg_none"}, 404),
            (
                user("Other.", id=thread[1]["metadata"]["messageId"]),
                {"messageId": thread[1]["metadata"]["messageId"]},
                404,
            ),
            ({**user("Other.", id=mine["id"]), "parts": [file]}, {"messageId": mine["id"]}, 422),
        ]
        for changed, more, status in refused:
            assert_problem(chat.post(request(name, changed, **more)), status)
        theirs = user("Other.", id=thread[0]["id"])
        AiSdk(peer).say(name, "Hello.")
        assert_problem(AiSdk(peer).post(request(name, theirs, messageId=theirs["id"])), 404)
        assert chat.messages(name) == thread
        fresh = user("Hello.")
        assert words(chat.chunks(request(name, fresh, messageId=fresh["id"]))) == ANSWER


def test_another_answer(server: Served) -> None:
    """To the last words, or to what an answer was given to; what came after it goes."""
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        first = chat.say(name, "Hello.")
        last = chat.chunks(request(name, user("Please use a tool.")))
        anew = chat.chunks(request(name, trigger="regenerate-message"))
        assert words(anew) == "You have some courses."
        assert anew[0]["messageId"] != last[0]["messageId"]
        assert len(chat.messages(name)) == 4
        begun = chat.chunks(request(name, trigger="regenerate-message", messageId=first[0]["messageId"]))
        assert words(begun) == ANSWER
        assert [each["parts"][-1]["text"] for each in chat.messages(name)] == ["Hello.", ANSWER]
        other = chat.say(uuid4().hex, "Hello.")
        for id, status in (
            (other[0]["messageId"], 404),
            ("run_none", 404),
            ("msg_none", 404),
            ("made-up", 422),
        ):
            refused = chat.post(request(name, trigger="regenerate-message", messageId=id))
            assert_problem(refused, status)
        assert_problem(chat.post(request(uuid4().hex, trigger="regenerate-message")), 404)


def test_what_fails_and_what_is_stopped_says_so(server: Served) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        failed = chat.say(name, "Please fail.")
        assert failed[-1]["type"] == "error"
        kept = chat.messages(name)[-1]["parts"][-1]
        assert (kept["type"], kept["data"]["code"]) == ("data-error", "model_request_refused")
        with client.stream("POST", "/ai-sdk", json=request(name, user("Go slowly."))) as response:
            client.post(f"/api/v1/runs/{response.headers['x-run-id']}/cancel")
            assert list(chunks_of(response))[-1]["type"] == "abort"


def test_files_go_with_a_message(server: Served) -> None:
    with server.client("student") as client:
        chat, name = AiSdk(client), uuid4().hex
        data = base64.b64encode(b"Water is wet.").decode()
        file = {
            "type": "file",
            "mediaType": "text/plain",
            "filename": "notes.txt",
            "url": f"data:text/plain;base64,{data}",
        }
        said = user("Read this.")
        said["parts"].append(file)
        chat.chunks(request(name, said))
        shown = chat.messages(name)[0]["parts"][1]
        assert (shown["type"], shown["filename"], shown["mediaType"]) == ("file", "notes.txt", "text/plain")
        again = user("Once more.")
        again["parts"].append(shown)
        assert_problem(chat.post(request(name, again)), 404, "attachment_not_found")
        for url in ("https://example.org/x.png", "data:text/plain,x", "data:text/plain;base64,###", ""):
            again["parts"][1] = {**file, "url": url}
            assert_problem(chat.post(request(name, again)), 422, "invalid")
        sent = client.post("/api/v1/attachments", files={"file": ("more.txt", b"Wet indeed.", "text/plain")})
        again["parts"][1] = {**file, "url": f"{server.url}/api/v1/attachments/{sent.json()['id']}/content"}
        chat.chunks(request(name, again))
        assert chat.messages(name)[2]["parts"][1]["filename"] == "more.txt"


def numbered(*events: Event) -> list[Entry]:
    return [Entry(EventId(1, n), event) for n, event in enumerate(events, 1)]


def written(*events: Event) -> str:
    writer = UiWriter("run_1", "thr_1", "")
    return b"".join(writer.frames([each]) for each in numbered(*events)).decode()


def test_what_another_attempt_takes_back_is_taken_out() -> None:
    """A step that was not finished; what cannot be taken out ends the stream with a word why."""
    whole = MessageView("msg_1", "thr_1", 2, None, "assistant", "complete", "ac", (Text("ac"),), "run_1", "")
    end = (MessageCompleted(whole), RunCompleted("run_1", Usage()))
    called_one = (ToolCalled("c", "look", "{}"), ToolFinished("c", "look", "ok", "{}"))
    taken = written(TextDelta("a"), *called_one, TextDelta("b"), AnswerRestarted("a"), TextDelta("c"), *end)
    assert taken.count('"reset-step"') == 1
    assert taken.index('"delta":"b"') < taken.index('"reset-step"') < taken.index('"delta":"c"')
    assert taken.endswith("data: [DONE]\n\n")
    nothing = written(TextDelta("a"), AnswerRestarted("a"), TextDelta("c"), *end)
    assert "reset-step" not in nothing
    lost = written(TextDelta("a"), *called_one, AnswerRestarted(""), TextDelta("c"), *end)
    assert '"type":"error"' in lost
    assert '"delta":"c"' not in lost
    left = MessageView(
        "msg_1", "thr_1", 2, None, "assistant", "complete", "", (ClientCall("c", "look", "{}"),), "run_1", ""
    )
    theirs = written(MessageCompleted(left), RunCompleted("run_1", Usage()))
    assert '"finishReason":"tool-calls"' in theirs


BASE = {"id": "c", "messages": [{"id": "m", "role": "user", "parts": [{"type": "text", "text": "Hello."}]}]}
DEEP = b"[" * 100_000 + b"]" * 100_000


def asking(**message: Any) -> dict[str, Any]:
    return {"id": "c", "messages": [{**BASE["messages"][0], **message}]}


BAD: list[tuple[Any, int]] = [
    (b"", 400), (b"{", 400), (b"[]", 422), (b"null", 422), (b"\xff\xfe", 400), (b"{}", 422),
    (b'{"id":"c","messages":[],"unknown":' + DEEP + b"}", 400), (b'{"id":"\\ud800","messages":[]}', 400),
    ({**BASE, "id": 5}, 422), ({**BASE, "id": ""}, 422), ({**BASE, "id": "x" * 201}, 422), ({**BASE, "id": "a\0b"}, 422),
    ({**BASE, "id": "thr_none"}, 404), ({**BASE, "messages": []}, 422), ({**BASE, "messages": None}, 422),
    ({**BASE, "messages": BASE["messages"] * 2_001}, 422), ({**BASE, "trigger": "explode"}, 422),
    (asking(id=""), 422), (asking(id="x" * 201), 422), (asking(role="tool"), 422), (asking(role="system"), 422),
    (asking(parts=[]), 422), (asking(parts=[{"type": "text", "text": " "}]), 422), (asking(parts=[5]), 422),
    (asking(parts=[{"type": "text", "text": "x" * 10_001}]), 422), (asking(parts=[{"type": "text", "text": "a\0"}]), 422),
    (asking(parts=[{"type": "text", "text": "x"}] * 501), 422), (asking(role="assistant"), 422),
    (asking(role="assistant", parts=[{"type": "tool-x", "state": "output-available", "toolCallId": "x"}]), 404),
    (asking(role="assistant", parts=[{"type": "tool-x", "state": "approval-responded", "approval": {"id": "x"}}]), 404),
    ({**BASE, "courseId": "crs_none"}, 404), ({**BASE, "courseId": 5}, 422), ({**BASE, "assistantId": "ast_none"}, 404),
    ({**BASE, "courseId": "x" * 65}, 422), ({**BASE, "page": {"title": "x" * 301}}, 422), ({**BASE, "page": 5}, 422),
    ({**BASE, "tools": [{}]}, 422), ({**BASE, "tools": [{"name": "no name"}]}, 422),
    ({**BASE, "tools": [WEATHER, WEATHER]}, 422), ({**BASE, "tools": [{"name": f"x{n}"} for n in range(129)]}, 422),
    ({**BASE, "tools": [{"name": "x", "inputSchema": {"a": "x" * 10_000}}]}, 422),
]  # fmt: skip


@pytest.mark.parametrize(("body", "status"), BAD, ids=range(len(BAD)))
def test_L07_what_is_wrong_is_named_and_leaves_nothing(embedded: Served, body: Any, status: int) -> None:
    with embedded.client("student") as client:
        before = threads_of(client)
        given: Any = {"content": body} if isinstance(body, bytes) else {"json": body}
        answer = client.post("/ai-sdk", headers={"content-type": "application/json"}, **given)
        assert_problem(answer, status)
        assert threads_of(client) == before


def test_L07_odd_names_are_not_there(embedded: Served) -> None:
    with embedded.client("student") as client:
        for name in ("none", "thr_none", "%00", "a%00b", "%ff", "x" * 201, "..%2f..%2fetc", "%ed%a0%80"):
            for what in ("stream", "messages"):
                assert_problem(client.get(f"/ai-sdk/{name}/{what}"), (404, 422))
        began = AiSdk(client).say(uuid4().hex, "Hello.")
        path = f"/ai-sdk/{ours(began)['threadId']}/messages"
        for query in (
            {"limit": "0"},
            {"limit": "101"},
            {"limit": "x"},
            {"before": "x"},
            {"before": "x" * 1001},
        ):
            assert_problem(client.get(path, params=query), (400, 422))
