"""Events of a run as frames of the protocol: what a reader makes of the frames is what is kept."""

import json
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

from famulus.conversations.parts import Citation, MessageView, Part, Text, Tool
from famulus.doors.chatkit_frames import error_frame
from famulus.doors.chatkit_items import items_of
from famulus.doors.chatkit_stream import Scribe
from famulus.doors.sse import KEEP_ALIVE, frames
from famulus.runs.events import (
    AnswerRestarted,
    ApprovalAnswered,
    ApprovalCard,
    ApprovalRequested,
    CitationAdded,
    Entry,
    Event,
    EventId,
    MessageCompleted,
    Problem,
    ReasoningDelta,
    TextDelta,
    ToolCalled,
    ToolFinished,
)
from tests.support.chatkit import EVENTS

AT = "2026-11-20T17:46:21.809497Z"
THREAD = {
    "id": "thr_1",
    "created_at": AT,
    "status": {"type": "active"},
    "metadata": {},
    "items": {"data": []},
}
SPRINGS = Citation(1, "chk_1", "doc_1", "Springs", ("Rivers", "Springs"), "A spring.", "/passages/chk_1")


def message(*parts: Part) -> MessageView:
    return MessageView("msg_2", "thr_1", 2, "msg_1", "assistant", "complete", "", parts, "run_1", AT)


def card(id: str, call: str) -> ApprovalCard:
    return ApprovalCard(id, call, "wipe", "destroys", "Wipe", "{}", (), (), "0" * 64, AT)


def written(*events: Event) -> list[dict[str, Any]]:
    """The events of the protocol that these become."""
    scribe = Scribe(THREAD, "run_1", AT, "http://here")
    found: list[dict[str, Any]] = []
    for n, event in enumerate(events, 1):
        raws = scribe.encode([Entry(EventId(1, n), event)]).split(b"\n\n")
        found += [json.loads(raw.removeprefix(b"data: ")) for raw in raws if raw]
    for event in found:
        EVENTS.validate_python(event)
    return found


def shown(written: list[dict[str, Any]]) -> dict[str, Any]:
    """The items that a client has on the screen, as upstream's own rules of applying events say."""
    items: dict[str, Any] = {}
    for event in written:
        match event["type"]:
            case "thread.item.added" | "thread.item.done" | "thread.item.replaced":
                items[event["item"]["id"]] = json.loads(json.dumps(event["item"]))
            case "thread.item.removed":
                del items[event["item_id"]]
            case "thread.item.updated":
                apply(items[event["item_id"]], event["update"])
            case _:
                pass
    return items


def apply(item: Any, update: Any) -> None:
    match update["type"]:
        case "assistant_message.content_part.added" | "assistant_message.content_part.done":
            item["content"][update["content_index"] :] = [update["content"]]
        case "assistant_message.content_part.text_delta":
            item["content"][update["content_index"]]["text"] += update["delta"]
        case "assistant_message.content_part.annotation_added":
            there = item["content"][update["content_index"]]["annotations"]
            assert len(there) == update["annotation_index"]
            there.append(update["annotation"])
        case "workflow.task.added" | "workflow.task.updated":
            tasks = item["workflow"]["tasks"]
            tasks[update["task_index"] : update["task_index"] + 1] = [update["task"]]
        case other:
            raise AssertionError(other)


def test_chatkit_A01_A28_A29_what_is_shown_is_what_is_kept() -> None:
    events: list[Event] = [
        TextDelta("Let me "),
        TextDelta("look."),
        ToolCalled("c1", "search_knowledge", "{}"),
        ToolFinished("c1", "search_knowledge", "ok", '{"said":"Found 2."}'),
        ToolCalled("c2", "open_passage", "{}"),
        ToolFinished("c2", "open_passage", "failed", "Not there."),
        TextDelta("A spring [1"),
        TextDelta("]."),
        CitationAdded(SPRINGS),
        TextDelta(" Done."),
    ]
    kept = message(
        Text("Let me look."),
        Tool("c1", "search_knowledge", "{}", "ok", '{"said":"Found 2."}'),
        Tool("c2", "open_passage", "{}", "failed", "Not there."),
        Text("A spring [1]. Done."),
        SPRINGS,
    )
    before = shown(written(*events))
    after = shown(written(*events, MessageCompleted(kept)))
    assert [*after.values()] == items_of(kept, "http://here")
    assert {id: item["type"] for id, item in before.items()} == {
        "run_1.0": "assistant_message", "run_1.1": "workflow", "run_1.2": "assistant_message"
    }  # fmt: skip
    assert before["run_1.2"] == after["run_1.2"]
    assert [task["status_indicator"] for task in after["run_1.1"]["workflow"]["tasks"]] == [
        "complete",
        "none",
    ]


def test_chatkit_F1_another_attempt_takes_back_what_was_not_finished() -> None:
    begun: list[Event] = [
        TextDelta("First."),
        ToolCalled("c1", "look", "{}"),
        ToolFinished("c1", "look", "ok", "{}"),
        ToolCalled("c2", "look", "{}"),
    ]
    half: list[Event] = [ToolFinished("c2", "look", "ok", "{}"), TextDelta("Half an ans")]
    restarted = shown(written(*begun, *half, AnswerRestarted("First.")))
    assert list(restarted) == ["run_1.0", "run_1.1"]
    assert len(restarted["run_1.1"]["workflow"]["tasks"]) == 2
    between = shown(written(*begun, AnswerRestarted("First.")))
    assert len(between["run_1.1"]["workflow"]["tasks"]) == 1, (
        "a call without a result is made anew or not at all"
    )
    nothing = shown(written(TextDelta("Half"), AnswerRestarted("")))
    assert nothing == {}
    kept = message(Text("First."), Tool("c1", "look", "{}", "ok", "{}"), Text("Whole."))
    whole = shown(written(*begun, AnswerRestarted("First."), TextDelta("Whole."), MessageCompleted(kept)))
    assert [*whole.values()] == items_of(kept, "http://here")


def test_what_was_asked_goes_once_it_is_answered() -> None:
    asked: list[Event] = [
        ApprovalRequested(card("apr_1", "c1")),
        ApprovalRequested(card("apr_2", "c2")),
    ]
    assert list(shown(written(*asked))) == ["apr_1", "apr_2"]
    answered: list[Event] = [
        AnswerRestarted("", "resumed"),
        ApprovalAnswered("apr_1", "c1", "approved"),
        ToolCalled("c1", "wipe", "{}", "destroys"),
        ToolFinished("c1", "wipe", "ok", "{}"),
        ApprovalAnswered("apr_2", "c2", "denied"),
        ToolFinished("c2", "wipe", "denied", "The person said no."),
    ]
    told = written(*asked, *answered)
    assert list(shown(told)) == ["run_1.0"]
    effects = [event["data"] for event in told if event["type"] == "client_effect"]
    assert effects == [{"call_id": "c1", "tool": "wipe"}], "what was done is told, not what it was done with"


def test_chatkit_A20_A21_errors_say_what_is_for_the_person() -> None:
    def read(code: str) -> Any:
        return json.loads(error_frame(Problem(code, "In words.", True)).removeprefix(b"data: "))

    assert read("model_key_refused") == {"type": "error", "code": "stream.error", "allow_retry": True}
    assert read("internal") == {"type": "error", "code": "stream.error", "allow_retry": True}
    said = {"type": "error", "code": "custom", "message": "In words.", "allow_retry": True}
    assert read("token_limit") == read("too_many") == said


def test_chatkit_A30_silence_is_broken_by_a_sign_of_life() -> None:
    scribe = Scribe(THREAD, "run_1", AT, "http://here")
    scribe.begin_with({"type": "notice", "level": "info", "message": "x"})
    assert scribe.encode([]).startswith(b'data: {"type":"notice"')
    assert scribe.encode([]) == KEEP_ALIVE


def test_pieces_of_any_text_are_json() -> None:
    for text in ('"', "\\", "\n\n", "\u2028", "🚀", "\x00", "data: x\n\n", "</script>"):
        told = written(TextDelta("a"), TextDelta(text))
        assert [event["update"]["delta"] for event in told if "delta" in event.get("update", {})] == [
            "a",
            text,
        ]


def test_a_piece_costs_no_more_than_twice_that_of_our_own_stream() -> None:
    pieces = [[Entry(EventId(1, n), TextDelta(" word"))] for n in range(5_000)]

    def ours() -> None:
        for batch in pieces:
            frames(batch)

    def theirs() -> None:
        scribe = Scribe(THREAD, "run_01m8ex8mrcemxstytrsxjza0zn", AT, "http://here")
        for batch in pieces:
            scribe.encode(batch)

    def least(work: Callable[[], None]) -> float:
        times: list[float] = []
        for _ in range(7):
            begun = time.process_time()
            work()
            times.append(time.process_time() - begun)
        return min(times)

    assert least(theirs) <= 2 * least(ours)


def test_a_thought_shows_while_it_is_thought_and_not_at_each_token() -> None:
    """It grows on the screen, in few frames whose bytes are a multiple of its own; of a batch there is one at most."""
    pieces = [f"word{n} " for n in range(10_000)]
    shown = written(*map(ReasoningDelta, pieces), TextDelta("Yes."))
    kinds = [event.get("update", event)["type"] for event in shown]
    told = [event["update"]["task"] for event in shown if "task" in event.get("update", {})]
    assert kinds[:2] == ["thread.item.added", "workflow.task.added"]
    assert kinds.index("thread.item.done") == len(told) + 1
    assert all(b["content"].startswith(a["content"]) for a, b in pairwise(told))
    assert {task["status_indicator"] for task in told} == {"loading"}
    assert [len(task["content"]) // 100 for task in told[:5]] == [0, 0, 1, 1, 2]
    assert len(told) < 400
    whole = "".join(pieces)
    assert sum(len(task["content"]) for task in told) < 40 * len(whole)
    assert len(whole) - len(told[-1]["content"]) < len(whole) // 30

    scribe = Scribe(THREAD, "run_1", AT, "")
    batch = [Entry(EventId(1, n), ReasoningDelta(piece)) for n, piece in enumerate(pieces, 1)]
    assert scribe.encode(batch).count(b"workflow.task.updated") == 1
