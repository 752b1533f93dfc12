"""The scripted model: cycling, triggers, steps of tools, pace, failures, a changing file."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.llm.errors import ModelKeyRefused, ModelRateLimited, ModelUnavailable
from famulus.llm.protocol import ChatMessage, End, Request, ToolCall, ToolCallReady, Usage
from famulus.llm.scripted import ScriptedModel
from tests.llm.streams import items_of, question, text_of

TOOLS = """Plain.
--- message
@when weather
@tool look {"city": "Bonn"}
@tool look {"city": "Rome"}
It rains in Bonn.
--- message
@tool count {"to": 3}
Counted.
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "replies.md"


def a_model(path: Path, script: str) -> ScriptedModel:
    path.write_text(script, "utf-8")
    return ScriptedModel(path)


async def ask(model: ScriptedModel, text: str = "Hi") -> str:
    return text_of(await items_of(model, question(text)))


async def step(model: ScriptedModel, messages: list[ChatMessage]) -> ToolCall | str:
    """One step of a turn; its call and a result are added to `messages`."""
    items = await items_of(model, Request(tuple(messages)))
    called = [item.call for item in items if isinstance(item, ToolCallReady)]
    if not called:
        return text_of(items)
    assert items[-1] == End("tool_calls")
    messages.append(ChatMessage("assistant", "", tuple(called)))
    messages += [ChatMessage("tool", "result", tool_call_id=call.id) for call in called]
    return called[0]


async def test_replies_cycle(path: Path):
    model = a_model(path, "One *fine* day.\n\nYes.\n--- message\nTwo")
    assert [await ask(model) for _ in range(3)] == [
        "One *fine* day.\n\nYes.",
        "Two",
        "One *fine* day.\n\nYes.",
    ]


async def test_each_object_has_a_cycle_of_its_own(path: Path):
    first = a_model(path, "One\n--- message\nTwo")
    second = ScriptedModel(path)
    assert [await ask(first), await ask(second), await ask(first)] == ["One", "One", "Two"]


async def test_words_usage_and_an_end(path: Path):
    items = await items_of(a_model(path, "One two  three"))
    assert [getattr(item, "text", "") for item in items[:3]] == ["One", " two", "  three"]
    assert items[3:] == [Usage(4, 4), End("stop")]


async def test_a_trigger_answers_out_of_turn(path: Path):
    model = a_model(
        path, "One\n--- message\n@when rain|snow\nWet.\n--- message\nTwo\n--- message\n@when .\nAny."
    )
    assert [await ask(model, said) for said in ("RAIN?", "", "snow", "")] == ["Wet.", "One", "Wet.", "Two"]


async def test_nothing_matches(path: Path):
    model = a_model(path, "@when x\nX.")
    assert await ask(model, "x") == "X."
    with pytest.raises(ConfigurationError, match="no `@when` in it matches"):
        await ask(model, "y")


@pytest.mark.parametrize("restart", [False, True], ids=["same process", "new process each step"])
async def test_a_turn_with_tools_goes_on_with_its_reply(path: Path, restart: bool):
    model = a_model(path, TOOLS)
    messages = [ChatMessage("user", "The weather?")]
    seen: list[ToolCall | str] = []
    for _ in range(3):
        seen.append(await step(model, messages))
        model = ScriptedModel(path) if restart else model
    first, second, text = seen
    assert isinstance(first, ToolCall)
    assert isinstance(second, ToolCall)
    assert (first.name, first.arguments, second.arguments) == ("look", '{"city": "Bonn"}', '{"city": "Rome"}')
    assert first.id != second.id
    assert text == "It rains in Bonn."


async def test_steps_do_not_advance_the_cycle(path: Path):
    model = a_model(path, TOOLS)
    assert await ask(model) == "Plain."
    messages = [ChatMessage("user", "Count.")]
    assert isinstance(await step(model, messages), ToolCall)
    assert await step(model, messages) == "Counted."
    assert await ask(model) == "Plain."


async def test_calls_under_other_ids_are_known_by_what_they_ask(path: Path):
    model = a_model(path, TOOLS)
    for said, name, arguments, answer in (
        ("anything", "count", '{"to":3}', "Counted."),
        ("weather", "look", '{ "city" : "Bonn" }', "call"),
    ):
        call = ToolCall("outside-1", name, arguments)
        messages = [
            ChatMessage("user", "weather"),
            ChatMessage("assistant", "Earlier.", (ToolCall("old", "gone", "{}"),)),
            ChatMessage("user", said),
            ChatMessage("assistant", "", (call,)),
            ChatMessage("tool", "3", tool_call_id=call.id),
        ]
        went_on = await step(model, messages)
        assert went_on == answer if isinstance(went_on, str) else went_on.arguments == '{"city": "Rome"}'


async def test_calls_that_no_reply_makes_any_more(path: Path):
    messages = (
        ChatMessage("user", "x"),
        ChatMessage("assistant", "", (ToolCall("call_r9s0_ab", "gone", "{"),)),
    )
    with pytest.raises(ConfigurationError, match="makes the tool calls of this turn"):
        await items_of(a_model(path, TOOLS), Request(messages))


async def test_rate_and_delay(path: Path):
    model = a_model(path, "@rate 50\n@delay 0.1\na b c d e f")
    began = time.perf_counter()
    assert await ask(model) == "a b c d e f"
    assert 0.19 <= time.perf_counter() - began < 10


@pytest.mark.parametrize(
    ("status", "error"), [(401, ModelKeyRefused), (429, ModelRateLimited), (500, ModelUnavailable)]
)
async def test_failures_are_those_of_the_wire(path: Path, status: int, error: type[Exception]):
    model = a_model(path, f"@fail {status}\nA note.\n--- message\nFine.")
    with pytest.raises(error):
        await ask(model)
    assert await ask(model) == "Fine."


async def test_a_changed_file_is_read_again(path: Path):
    model = a_model(path, "One\n--- message\nTwo")
    await ask(model)
    path.write_text("Three\n--- message\nFour", "utf-8")
    os.utime(path, ns=(1, 1))
    assert [await ask(model), await ask(model)] == ["Three", "Four"]
    path.write_text("@when (\nx", "utf-8")
    with pytest.raises(ConfigurationError, match=r"replies\.md, line 1"):
        await ask(model)
    path.unlink()
    with pytest.raises(ConfigurationError, match="no such file"):
        await ask(model)


def test_files_that_cannot_be_read(path: Path, tmp_path: Path):
    with pytest.raises(ConfigurationError, match="no such file"):
        ScriptedModel(path)
    with pytest.raises(ConfigurationError, match="cannot be read"):
        ScriptedModel(tmp_path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigurationError, match="UTF-8"):
        ScriptedModel(path)


async def test_a_long_reply_lets_others_work(path: Path):
    model = a_model(path, "word " * 20_000)
    turns = 0

    async def other() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(other())
    await ask(model)
    task.cancel()
    assert turns > 100
