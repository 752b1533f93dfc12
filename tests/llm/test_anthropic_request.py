"""How a request is written for a Messages server."""

import json
from typing import Any

import pytest

from famulus.llm.anthropic_request import DEFAULT_MAX_TOKENS, OPENING, encode_request
from famulus.llm.protocol import ChatMessage, ModelSettings, Request, ToolCall, ToolSpec


def written(*messages: ChatMessage, **fields: Any) -> dict[str, Any]:
    return json.loads(encode_request(Request(messages, **fields), model="claude-x"))


def turns(*messages: ChatMessage) -> list[tuple[str, list[dict[str, Any]]]]:
    return [(turn["role"], turn["content"]) for turn in written(*messages)["messages"]]


def text(said: str) -> dict[str, Any]:
    return {"type": "text", "text": said}


def call(id: str, **arguments: object) -> ToolCall:
    return ToolCall(id, "look", json.dumps(arguments))


def use(id: str, **arguments: object) -> dict[str, Any]:
    return {"type": "tool_use", "id": id, "name": "look", "input": arguments}


def result(id: str, **fields: str) -> dict[str, Any]:
    return {"type": "tool_result", "tool_use_id": id, **fields}


HI = ChatMessage("user", "Hi")


def test_a_plain_question():
    assert written(ChatMessage("system", "Be kind."), HI) == {
        "model": "claude-x",
        "max_tokens": DEFAULT_MAX_TOKENS,
        "system": "Be kind.",
        "messages": [{"role": "user", "content": [text("Hi")]}],
        "stream": True,
    }


def test_everything_that_can_be_set():
    body = written(
        ChatMessage("system", "Be kind."),
        ChatMessage("system", " "),
        HI,
        ChatMessage("system", "Be short."),
        tools=(
            ToolSpec("look", "Looks.", b'{"type":"object"}'),
            ToolSpec("see", "Sees.", b'{"type":"object"}'),
        ),
        model_settings=ModelSettings(temperature=0.2, max_output_tokens=99),
        user_key="u-1",
    )
    assert body["system"] == "Be kind.\n\nBe short."
    assert body["tools"] == [
        {"name": "look", "description": "Looks.", "input_schema": {"type": "object"}},
        {"name": "see", "description": "Sees.", "input_schema": {"type": "object"}},
    ]
    assert (body["temperature"], body["max_tokens"]) == (0.2, 99)
    assert body["metadata"] == {"user_id": "u-1"}


@pytest.mark.parametrize(("asked", "sent"), [(0.0, 0.0), (1.0, 1.0), (1.7, 1.0), (-1.0, 0.0)])
def test_temperature_stays_within_what_the_wire_takes(asked: float, sent: float):
    assert written(HI, model_settings=ModelSettings(temperature=asked))["temperature"] == sent


def test_calls_and_their_results():
    assert turns(
        HI,
        ChatMessage("assistant", "Let me see.", (call("a", q="ä"), call("b"))),
        ChatMessage("tool", "seen", tool_call_id="a"),
        ChatMessage("tool", "", tool_call_id="b"),
        ChatMessage("assistant", "", (call("c"),)),
        ChatMessage("tool", "gone", tool_call_id="c"),
        ChatMessage("user", "And?"),
    ) == [
        ("user", [text("Hi")]),
        ("assistant", [text("Let me see."), use("a", q="ä"), use("b")]),
        ("user", [result("a", content="seen"), result("b")]),
        ("assistant", [use("c")]),
        ("user", [result("c", content="gone"), text("And?")]),
    ]


@pytest.mark.parametrize("arguments", ["", "[1]", "7", '"x"', "null", '{"a": ', "{" * 100_000])
def test_arguments_that_are_no_object_become_an_empty_one(arguments: str):
    said = ChatMessage("assistant", "", (ToolCall("a", "look", arguments),))
    assert turns(HI, said)[1] == ("assistant", [use("a")])


def test_neighbours_of_one_side_are_put_together_and_blank_ones_left_out():
    assert turns(
        HI,
        ChatMessage("assistant", " \n"),
        ChatMessage("user", "Are you there?"),
        ChatMessage("assistant", "Yes"),
        ChatMessage("system", "Be kind."),
        ChatMessage("assistant", "indeed."),
        ChatMessage("user", ""),
    ) == [
        ("user", [text("Hi"), text("Are you there?")]),
        ("assistant", [text("Yes"), text("indeed.")]),
    ]


def test_the_user_begins():
    assert turns(ChatMessage("assistant", "Welcome."), HI) == [
        ("user", [text(OPENING)]),
        ("assistant", [text("Welcome.")]),
        ("user", [text("Hi")]),
    ]
