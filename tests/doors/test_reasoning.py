"""What a model thinks aloud, as each door that has a word for it tells it: while it streams, and as it is kept."""

from typing import Any
from uuid import uuid4

from famulus.conversations.parts import MessageView, Reasoning, Text, Tool
from famulus.doors.chatkit_stream import Scribe
from famulus.runs.events import (
    AnswerRestarted,
    AssistantCard,
    Entry,
    Event,
    EventId,
    MessageCompleted,
    ReasoningDelta,
    RunCompleted,
    RunStarted,
    TextDelta,
    ToolCalled,
    ToolFinished,
    Usage,
)
from famulus.runs.work import past_of
from tests.support import ag_ui, ai_sdk, sockets
from tests.support.chatkit import ChatKit, done
from tests.support.openai_client import client_of
from tests.support.serving import Served
from tests.support.sse import events_of

ASKED = "Please think first."
THOUGHT = "Which courses are there? I look."
ANSWER = "You have some courses."
RUN = RunStarted("run_1", "thr_1", "msg_0", AssistantCard("ast_1", "Ada", 1), "offline")


def test_the_native_door_and_those_beside_it(embedded: Served) -> None:
    with embedded.client("student") as client:
        thread = client.post("/api/v1/threads", json={}).json()["id"]
        for path, body in (
            (f"/api/v1/threads/{thread}/runs", {"message": ASKED}),
            ("/assistant/chats/send/stream", {"thread_id": thread, "message": ASKED}),
        ):
            with client.stream("POST", path, json=body, headers={"accept": "text/event-stream"}) as response:
                events = list(events_of(response))
            thought = [
                each.data
                for each in events
                if "reasoning" in (each.data.get("stage"), (each.name or "").partition(".")[0])
            ]
            assert "".join(each["text"] for each in thought) == THOUGHT
            assert len(thought) > 2
        with sockets.opened(embedded, "student") as socket:
            frames = sockets.asked(socket, ASKED, thread_id=thread)
        assert "".join(each["text"] for each in frames if each.get("stage") == "reasoning") == THOUGHT
        assert sockets.text_of(frames) == ANSWER


def test_chatkit(embedded: Served) -> None:
    """A workflow of one thought, the same while it streams and after a reload."""
    with embedded.client("student") as client:
        kit = ChatKit(client)
        thread, events = kit.create(ASKED)
        _, thought, calls, words = kit.items(thread)
    assert thought["workflow"]["type"] == "reasoning"
    [task] = thought["workflow"]["tasks"]
    assert (task["type"], task["content"], task["status_indicator"]) == ("thought", THOUGHT, "complete")
    assert [each["workflow"] for each in done(events, "workflow")] == [thought["workflow"], calls["workflow"]]
    assert words["content"][0]["text"] == ANSWER
    added = next(each for each in events if each["type"] == "thread.item.added")
    assert added["item"]["id"] == thought["id"]


def test_responses(embedded: Served) -> None:
    with client_of(embedded) as openai:
        with openai.responses.stream(model="famulus", input=ASKED) as stream:
            events = list(stream)
            final = stream.get_final_response()
        kept = openai.responses.retrieve(final.id)
        said = openai.chat.completions.create(model="famulus", messages=[{"role": "user", "content": ASKED}])
    assert (
        [item.type for item in final.output]
        == ["reasoning", "mcp_call", "message"]
        == [item.type for item in kept.output]
    )
    thoughts: Any = final.output[0]
    assert [part.text for part in thoughts.summary] == [THOUGHT]
    deltas = [each.delta for each in events if each.type == "response.reasoning_summary_text.delta"]
    assert "".join(deltas) == THOUGHT
    assert kept.output[0] == final.output[0]
    assert said.choices[0].message.content == ANSWER


def test_ag_ui(embedded: Served) -> None:
    with embedded.client("student") as client:
        door, thread = ag_ui.AgUi(client), uuid4().hex
        events = door.say(thread, ASKED)
        shown = ag_ui.snapshot(door.connect(thread))
    pieces = [each["delta"] for each in events if each["type"] == "REASONING_MESSAGE_CONTENT"]
    assert "".join(pieces) == THOUGHT
    kinds = ag_ui.kinds(events)
    assert kinds.index("REASONING_END") < kinds.index("TOOL_CALL_START")
    assert [each["role"] for each in shown] == ["user", "reasoning", "assistant", "tool", "assistant"]
    assert shown[1]["content"] == THOUGHT
    begun = {
        each["messageId"] for each in events if each["type"] in ("REASONING_START", "TEXT_MESSAGE_START")
    }
    assert begun <= {each["id"] for each in shown}


def test_the_ai_sdk(embedded: Served) -> None:
    with embedded.client("student") as client:
        chat, name = ai_sdk.AiSdk(client), uuid4().hex
        chunks = chat.say(name, ASKED)
        kept = chat.messages(name)[1]["parts"]
    assert "".join(each["delta"] for each in chunks if each["type"] == "reasoning-delta") == THOUGHT
    assert [part["type"] for part in kept] == [
        "step-start",
        "reasoning",
        "dynamic-tool",
        "step-start",
        "text",
    ]
    assert kept[1] == {"type": "reasoning", "text": THOUGHT, "state": "done"}


def test_an_assistant_may_keep_it_to_itself(embedded: Served) -> None:
    with embedded.client("site") as client:
        body = {
            "scope": "global",
            "name": "Quiet",
            "instructions": "Answer.",
            "settings": {"show_reasoning": False},
        }
        made = client.post("/api/v1/assistants", json=body).json()["id"]
        thread = client.post("/api/v1/threads", json={"assistant_id": made}).json()["id"]
        run = client.post(f"/api/v1/threads/{thread}/runs", json={"message": ASKED}).json()
        events = client.get(f"/api/v1/runs/{run['run']['id']}/events")
        kept = client.get(f"/api/v1/threads/{thread}/messages").json()["items"][-1]["parts"]
    assert "reasoning" not in events.text
    assert [part["type"] for part in kept] == ["tool", "text"]


def test_another_instance_finds_what_was_thought_for_finished_steps() -> None:
    called, finished = ToolCalled("c", "look", "{}"), ToolFinished("c", "look", "ok", "{}")
    first = (ReasoningDelta("H"), ReasoningDelta("m."), TextDelta("I look."), called, finished)
    past = past_of(entries(RUN, *first, ReasoningDelta("And"), TextDelta("Ye")))
    assert [type(part) for part in past.parts] == [Reasoning, Text, Tool]
    assert past.parts[0] == Reasoning("Hm.")
    assert past.begun == "Ye"
    again = past_of(entries(RUN, *first, ReasoningDelta("And"), AnswerRestarted("I look."), TextDelta("No.")))
    assert (again.parts, again.begun) == (past.parts, "No.")


def entries(*events: Event) -> list[Entry]:
    return [Entry(EventId(1, n), event) for n, event in enumerate(events, 1)]


def test_what_a_broken_attempt_has_thought_is_taken_back() -> None:
    """Of finished steps it stays, on ChatKit's screen as in the answer."""
    parts = (Reasoning("a", 2.4), Text("Yes."))
    whole = MessageView("msg_1", "thr_1", 2, None, "assistant", "complete", "Yes.", parts, "run_1", "")
    scribe = Scribe({"id": "thr_1"}, "run_1", "2026-01-01T00:00:00Z", "")
    begun = scribe.encode(entries(ReasoningDelta("a"), ReasoningDelta("b")))
    assert b"thread.item.done" not in begun
    assert b"thread.item.removed" in scribe.encode(entries(AnswerRestarted("")))
    assert scribe.items == {}
    scribe.encode(entries(ReasoningDelta("a"), TextDelta("Yes.")))
    end = scribe.encode(entries(MessageCompleted(whole), RunCompleted("run_1", Usage())))
    assert b'"summary":{"duration":2}' in end
    assert list(scribe.items) == ["run_1.0", "run_1.1"]
