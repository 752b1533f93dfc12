"""The Responses wire: how it asks, and what it makes of what comes back."""

import json
from collections.abc import AsyncIterator

import pytest

from famulus.llm import errors
from famulus.llm.openai_responses import OpenAIResponsesModel
from famulus.llm.protocol import (
    ChatMessage,
    End,
    Item,
    ModelSettings,
    ReasoningDelta,
    Request,
    TextDelta,
    ToolCall,
    ToolCallReady,
    ToolSpec,
    Usage,
)
from famulus.llm.responses_stream import ResponseReader
from famulus.llm.retry import RetryPolicy
from tests.llm.streams import items_of, text_of
from tests.support import fake_responses as wire
from tests.support.fake_provider import CUT, FakeProvider

CALL = ToolCall("c1", "weather", '{"city":"Bonn"}')
TOOL = ToolSpec("weather", "Says how the weather is.", b'{"type":"object"}')
REQUEST = Request(
    messages=(
        ChatMessage("system", "Be kind."),
        ChatMessage("user", "How is the weather?"),
        ChatMessage("assistant", "I look.", tool_calls=(CALL,)),
        ChatMessage("tool", "Rain.", tool_call_id="c1"),
    ),
    tools=(TOOL,),
    model_settings=ModelSettings(0.5, 100),
    user_key="who",
)


@pytest.fixture
async def provider() -> AsyncIterator[FakeProvider]:
    async with FakeProvider() as running:
        yield running


@pytest.fixture
async def model(provider: FakeProvider) -> AsyncIterator[OpenAIResponsesModel]:
    opened = OpenAIResponsesModel(
        name="m", base_url=provider.base_url, api_key="sk-x", retry=RetryPolicy(attempts=1)
    )
    yield opened
    await opened.close()


def read(*events: bytes) -> list[Item]:
    """What a reader makes of events, each in a packet of its own."""
    reader = ResponseReader(model="m", secret=None)
    items = [item for each in events for item in reader.feed(each)]
    return [*items, *reader.finish()]


async def test_a_request_as_it_is_sent(provider: FakeProvider, model: OpenAIResponsesModel) -> None:
    await items_of(model, REQUEST)
    [sent] = provider.requests
    assert sent.path == "/v1/responses"
    assert sent.headers["Authorization"] == "Bearer sk-x"
    assert sent.body == {
        "model": "m",
        "instructions": "Be kind.",
        "input": [
            {"role": "user", "content": "How is the weather?"},
            {"role": "assistant", "content": "I look."},
            {"type": "function_call", "call_id": "c1", "name": "weather", "arguments": '{"city":"Bonn"}'},
            {"type": "function_call_output", "call_id": "c1", "output": "Rain."},
        ],
        "tools": [
            {
                "type": "function",
                "name": "weather",
                "description": "Says how the weather is.",
                "parameters": {"type": "object"},
                "strict": False,
            }
        ],
        "stream": True,
        "store": False,
        "temperature": 0.5,
        "max_output_tokens": 100,
        "safety_identifier": "who",
    }


async def test_calls_are_put_together(provider: FakeProvider, model: OpenAIResponsesModel) -> None:
    provider.reply("", tool_calls=[("weather", {"city": "Bonn"}), ("weather", {"city": "Köln"})])
    items = await items_of(model, REQUEST)
    calls = [item.call for item in items if isinstance(item, ToolCallReady)]
    assert [(call.id, json.loads(call.arguments)) for call in calls] == [
        ("call_1_weather", {"city": "Bonn"}),
        ("call_2_weather", {"city": "Köln"}),
    ]
    assert items[-2:] == [Usage(12, 34), End("tool_calls")]


def test_a_call_that_is_told_only_at_its_end() -> None:
    item = {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"}
    done = wire.event("response.output_item.done", output_index=0, item=item)
    assert read(wire.lifecycle("created"), done, wire.completed())[0] == ToolCallReady(
        ToolCall("c", "weather", "{}")
    )


def test_what_it_thinks_is_told_apart() -> None:
    thought = wire.event("response.reasoning_summary_text.delta", item_id="rs", delta="Hm.")
    assert read(thought, wire.text("Yes."), wire.completed(1, 2)) == [
        ReasoningDelta("Hm."), TextDelta("Yes."), Usage(1, 2), End("stop"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("said", "reason"), [("max_output_tokens", "length"), ("content_filter", "content_filter")]
)
def test_an_answer_that_was_cut_short(said: str, reason: str) -> None:
    end = wire.lifecycle("incomplete", incomplete_details={"reason": said})
    assert read(wire.text("Half"), end)[-1] == End(reason)  # type: ignore[arg-type]


def test_kinds_that_are_yet_to_come_are_passed_over() -> None:
    new = wire.event("response.something.new", delta={"x": 1}, item={"type": "thing"})
    assert text_of(read(new, wire.text("A"), new, wire.text("B"), wire.completed())) == "AB"


def test_a_refusal_is_what_is_said() -> None:
    refusal = wire.event("response.refusal.delta", item_id="msg_1", output_index=0, delta="No.")
    assert text_of(read(refusal, wire.completed())) == "No."


@pytest.mark.parametrize("size", [1, 2, 3, 7, 50, 10_000])
def test_packets_of_any_size(size: int) -> None:
    whole = b"".join(wire.answer_events(["Grüße", " 🚀"], tool_calls=[("weather", {"a": "ä"})]))
    items = read(*(whole[at : at + size] for at in range(0, len(whole), size)))
    assert text_of(items) == "Grüße 🚀"
    assert isinstance(items[-3], ToolCallReady)


def test_an_answer_as_one_body() -> None:
    content = [{"type": "output_text", "text": "Hello.", "annotations": []}]
    call = {"type": "function_call", "call_id": "c", "name": "weather", "arguments": "{}"}
    body = {
        "object": "response",
        "status": "completed",
        "output": [{"type": "message", "content": content}, call],
        "usage": {"input_tokens": 1, "output_tokens": 2},
    }
    assert read(json.dumps(body).encode()) == [
        TextDelta("Hello."), ToolCallReady(ToolCall("c", "weather", "{}")), Usage(1, 2), End("tool_calls"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("rate_limit_exceeded", errors.ModelRateLimited),
        ("context_length_exceeded", errors.ModelContextTooLong),
        ("server_error", errors.ModelUnavailable),
    ],
)
def test_failures_in_a_stream(code: str, wanted: type[errors.ModelError]) -> None:
    failed = wire.lifecycle("failed", error={"code": code, "message": "It failed."})
    alone = (
        b"event: error\ndata: "
        + json.dumps({"type": "error", "code": code, "message": "It failed.", "param": None}).encode()
        + b"\n\n"
    )
    for event in (failed, alone):
        with pytest.raises(wanted):
            read(wire.lifecycle("created"), event)


async def test_a_stream_that_breaks_off(provider: FakeProvider, model: OpenAIResponsesModel) -> None:
    provider.raw(wire.lifecycle("created"), wire.text("Half"), CUT)
    with pytest.raises(errors.ModelStreamCut):
        await items_of(model)


async def test_what_is_no_response(provider: FakeProvider, model: OpenAIResponsesModel) -> None:
    provider.body(b'{"hello": "there"}')
    with pytest.raises(errors.ModelNonsense):
        await items_of(model)
    provider.body(b"<html>", content_type="text/html")
    with pytest.raises(errors.ModelNonsense):
        await items_of(model)
