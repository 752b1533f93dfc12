"""A run's events in the words of OpenAI's doors, where another instance has taken over, and in batches of any size."""

import json
from collections.abc import Sequence
from typing import Any

import pytest

from famulus.conversations.parts import Application, Cut, MessageView, Text
from famulus.doors.openai.chat_stream import ChatWriter
from famulus.doors.openai.response_object import Frame
from famulus.doors.openai.response_stream import EPOCH_BITS, ResponseWriter
from famulus.runs.events import (
    AnswerRestarted,
    AssistantCard,
    Entry,
    Event,
    EventId,
    MessageCompleted,
    RunCompleted,
    RunStarted,
    TextDelta,
    ToolCalled,
    ToolFinished,
    Usage,
)

FRAME = Frame("run_1", "thr_1", 0, Application())
STARTED = RunStarted("run_1", "thr_1", "msg_1", AssistantCard("ast_1", "Mira", 1), "m")
CALLED = ToolCalled("c1", "list_my_courses", "{}")
FINISHED = ToolFinished("c1", "list_my_courses", "ok", "[]")


def attempt(epoch: int, *events: Event) -> list[Entry]:
    return [Entry(EventId(epoch, n), event) for n, event in enumerate(events, 1)]


def end(text: str, *more: Cut) -> list[Event]:
    message = MessageView(
        "msg_2", "thr_1", 2, "msg_1", "assistant", "complete", text, (Text(text), *more), "run_1",
        "2026-01-01T00:00:00Z",
    )  # fmt: skip
    return [MessageCompleted(message), RunCompleted("run_1", Usage(1, 2))]


def told(writer: ResponseWriter | ChatWriter, batches: Sequence[list[Entry]]) -> list[Any]:
    """The data of everything that goes out."""
    raw = b"".join(writer.frames(batch) for batch in batches).decode()
    lines = [line.removeprefix("data: ") for line in raw.split("\n") if line.startswith("data: ")]
    return [json.loads(line) for line in lines if line != "[DONE]"]


PLAIN = attempt(1, STARTED, TextDelta("A"), CALLED, FINISHED, TextDelta("B"), TextDelta("é"), *end("ABé"))
LOST = [
    *attempt(1, STARTED, TextDelta("A"), CALLED, FINISHED, TextDelta("Half")),
    *attempt(2, AnswerRestarted("A"), TextDelta("Whole"), *end("AWhole")),
]
KEPT = [
    *attempt(1, STARTED, TextDelta("A"), CALLED, FINISHED),
    *attempt(2, AnswerRestarted("A"), TextDelta("B"), *end("AB")),
]


@pytest.mark.parametrize("entries", [PLAIN, LOST, KEPT])
@pytest.mark.parametrize("size", [1, 2, 3, 100])
def test_batches_make_no_difference(entries: list[Entry], size: int) -> None:
    batches = [entries[at : at + size] for at in range(0, len(entries), size)]
    assert told(ResponseWriter(FRAME), batches) == told(ResponseWriter(FRAME), [entries])
    first = ChatWriter("c", 0, "m", with_usage=True)
    assert told(first, batches) == told(ChatWriter("c", 0, "m", with_usage=True), [entries])


@pytest.mark.parametrize("entries", [PLAIN, LOST, KEPT])
def test_from_any_number_on_what_is_left_comes(entries: list[Entry]) -> None:
    whole = told(ResponseWriter(FRAME), [entries])
    numbers = [event["sequence_number"] for event in whole]
    assert numbers == sorted(set(numbers))
    for at, number in enumerate(numbers):
        assert told(ResponseWriter(FRAME, number), [entries]) == whole[at + 1 :]
        assert told(ResponseWriter(FRAME, number), [[entry] for entry in entries]) == whole[at + 1 :]


def test_words_that_were_lost_end_as_they_are() -> None:
    events = told(ResponseWriter(FRAME), [LOST])
    done = [event["item"] for event in events if event["type"] == "response.output_item.done"]
    said = [(item["status"], item["content"][0]["text"]) for item in done if item["type"] == "message"]
    assert said == [("completed", "A"), ("incomplete", "Half"), ("completed", "Whole")]
    assert [item["content"][0]["text"] for item in events[-1]["response"]["output"]] == ["AWhole"]
    second = [event["sequence_number"] for event in events if event["sequence_number"] >> EPOCH_BITS]
    assert second == list(range(1 << EPOCH_BITS, (1 << EPOCH_BITS) + len(second)))


def test_who_saw_more_than_was_journalled_misses_nothing() -> None:
    """The journal of the first attempt ends before what its reader saw; numbers of the second are all above."""
    seen = told(ResponseWriter(FRAME), [LOST[:5]])[-1]["sequence_number"]
    journalled = [*LOST[:4], *LOST[5:]]
    rest = told(ResponseWriter(FRAME, seen), [journalled])
    assert "".join(event["delta"] for event in rest if event["type"].endswith("text.delta")) == "Whole"
    assert rest[-1]["type"] == "response.completed"


def test_a_chat_goes_on_where_nothing_was_lost() -> None:
    chunks = told(ChatWriter("c", 0, "m", with_usage=False), [KEPT])
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == "AB"


def test_a_chat_ends_where_words_would_have_to_be_taken_back() -> None:
    chunks = told(ChatWriter("c", 0, "m", with_usage=False), [[entry] for entry in LOST])
    assert [chunk["error"]["code"] for chunk in chunks if "error" in chunk] == ["answer_restarted"]
    assert "error" in chunks[-1], "and nothing comes after it"


@pytest.mark.parametrize(
    ("cut", "reason"), [("length", "max_output_tokens"), ("content_filter", "content_filter")]
)
def test_why_an_answer_stops_before_its_end_is_told(cut: Any, reason: str) -> None:
    entries = attempt(1, STARTED, TextDelta("A"), *end("A", Cut(cut)))
    chunks = told(ChatWriter("c", 0, "m", with_usage=False), [entries])
    assert chunks[-1]["choices"][0]["finish_reason"] == cut
    last = told(ResponseWriter(FRAME), [entries])[-1]
    assert (last["type"], last["response"]["status"]) == ("response.incomplete", "incomplete")
    assert last["response"]["incomplete_details"] == {"reason": reason}
