"""What the model is told of earlier turns: words, calls and results, within bounds, on every wire."""

import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest

from famulus.conversations.parts import Citation, ClientCall, ClientResult, Part, Text, Tool
from famulus.llm.protocol import ChatMessage, ToolCall
from famulus.runs.history import (
    ARGUMENTS,
    CUT,
    MOST_CALLS,
    RESULT,
    TAKEN_BACK,
    Said,
    Turn,
    turns_of,
    within_budget,
)
from tests.runs.conftest import Instance, Open
from tests.runs.test_acting import Notes
from tests.support.fake_provider import FakeProvider

CITED = Citation(1, "psg_1", "doc_1", "Nodes", (), "a node", "/nodes")
ASKED: Said = ("user", (Text("How is the weather?"),))
CALLED: Said = ("assistant", (Text("I look."), ClientCall("c1", "weather", '{"city":"Bonn"}')))
TOLD: Said = ("user", (ClientResult("c1", "Rain."),))


def turn_of(role: str, parts: list[Part], ids: Iterator[int] | None) -> Turn:
    return turns_of([(role, tuple(parts))], ids)[0]


def tool(number: int = 1, result: str = "Noted.", arguments: str = "{}", **more: Any) -> Tool:
    return Tool(f"call_{number}", "note", arguments, "ok", result, **more)


def test_what_was_said_called_and_got_in_its_order() -> None:
    turn = turn_of("assistant", [Text("Look. "), tool(1), tool(2, "Again."), Text("Done."), CITED], count(7))

    assert turn == [
        ChatMessage("assistant", "Look. ", (ToolCall("past00007", "note", "{}"),)),
        ChatMessage("tool", "Noted.", tool_call_id="past00007"),
        ChatMessage("assistant", "", (ToolCall("past00008", "note", "{}"),)),
        ChatMessage("tool", "Again.", tool_call_id="past00008"),
        ChatMessage("assistant", "Done."),
    ]


def test_words_alone_where_there_are_no_tools() -> None:
    assert turn_of("assistant", [Text("A"), tool(), Text("B")], None) == [ChatMessage("assistant", "AB")]
    assert turn_of("user", [Text("A")], None) == [ChatMessage("user", "A")]
    assert turn_of("assistant", [tool()], None) == []


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("{", "{}"),
        ("[1]", "{}"),
        ('{"text": "x"}', '{"text": "x"}'),
        ("x" * (ARGUMENTS + 1), json.dumps({"cut": "x" * ARGUMENTS}, separators=(",", ":"))),
    ],
)
def test_arguments_are_an_object_and_short(given: str, told: str) -> None:
    assert turn_of("assistant", [tool(arguments=given)], count())[0].tool_calls[0].arguments == told


def test_a_long_result_is_cut_and_what_was_taken_back_is_said() -> None:
    _, long = turn_of("assistant", [tool(result="x" * (RESULT + 1))], count())
    _, undone = turn_of("assistant", [tool(undone=True)], count())

    assert long.text == "x" * RESULT + CUT
    assert undone.text == f"{TAKEN_BACK}Noted."


def test_of_many_calls_the_last_are_told() -> None:
    turn = turn_of("assistant", [tool(n, str(n)) for n in range(MOST_CALLS + 5)], count())

    assert [m.text for m in turn if m.role == "tool"] == [str(n) for n in range(5, MOST_CALLS + 5)]


@pytest.mark.parametrize(("tokens", "kept"), [(1, 1), (10, 1), (20, 2), (29, 2), (30, 3), (1000, 3)])
def test_the_newest_turns_that_fit(tokens: int, kept: int) -> None:
    said = [ChatMessage("user", str(n) * 40) for n in range(3)]

    assert within_budget([[each] for each in said], tokens) == said[-kept:]


def test_no_turns_fit_any_budget() -> None:
    assert within_budget([], 1) == []


def test_a_turn_that_does_not_fit_with_its_calls_is_told_in_words() -> None:
    acted = turn_of("assistant", [tool(result="r" * 400), Text("Done.")], count())
    asked = [ChatMessage("user", "And now?")]

    assert within_budget([acted, asked], 1000) == [*acted, *asked]
    assert within_budget([acted, asked], 20) == [ChatMessage("assistant", "Done."), *asked]


def test_a_program_s_call_and_its_result() -> None:
    assert turns_of([ASKED, CALLED, TOLD], None) == [
        [ChatMessage("user", "How is the weather?")],
        [ChatMessage("assistant", "I look.", tool_calls=(ToolCall("c1", "weather", '{"city":"Bonn"}'),))],
        [ChatMessage("tool", "Rain.", tool_call_id="c1")],
    ]


def test_results_come_before_the_words_of_their_turn() -> None:
    told = turns_of([ASKED, CALLED, ("user", (ClientResult("c1", "Rain."), Text("And now?")))], None)

    assert [message.role for message in told[2]] == ["tool", "user"]


def test_a_program_s_call_that_was_never_answered_is_left_out() -> None:
    assert turns_of([ASKED, CALLED, ASKED], None)[1] == [ChatMessage("assistant", "I look.")]
    assert turns_of([ASKED, ("assistant", CALLED[1][1:]), ASKED], None)[1] == []


def test_a_result_of_no_call_is_left_out() -> None:
    assert turns_of([ASKED, TOLD], None) == [[ChatMessage("user", "How is the weather?")], []]


def test_a_program_s_result_keeps_its_call_and_ours_go_first() -> None:
    both: Said = ("assistant", (tool(result="r" * 400), *CALLED[1]))

    whole = within_budget(turns_of([ASKED, both, TOLD], count()), 1000)
    short = within_budget(turns_of([ASKED, both, TOLD], count()), 1)

    assert [message.role for message in whole] == ["user", "assistant", "tool", "assistant", "tool"]
    assert [message.role for message in short] == ["assistant", "tool"]
    assert short[0] == ChatMessage("assistant", "I look.", (ToolCall("c1", "weather", '{"city":"Bonn"}'),))


def asked_last(provider: FakeProvider) -> dict[str, Any]:
    """The request for the second answer; that for a title may come before it or after."""
    return next(each.body for each in provider.requests if "Thanks!" in str(each.body["messages"][-1]))


async def second_turn(instance: Instance, provider: FakeProvider, **settings: object) -> dict[str, Any]:
    """What the provider is asked in the second turn of a thread whose first has made a call."""
    provider.reply("Look: ", tool_calls=[("note", {"text": "milk"})])
    provider.reply("Noted.")
    provider.reply("You are welcome.")
    thread = await instance.thread(**settings)
    for text in ("Note milk.", "Thanks!"):
        started = await instance.send(thread, text)
        await instance.follow(started.run.id)
    return asked_last(provider)


async def test_chat_completions_are_told_of_calls_in_their_own_way(
    opened: Open, provider: FakeProvider
) -> None:
    async with opened(Notes().tool()) as instance:
        asked, called, got, said, thanks = (await second_turn(instance, provider))["messages"][1:]

    assert (asked["role"], thanks) == ("user", {"role": "user", "content": "Thanks!"})
    assert (called["role"], called["content"]) == ("assistant", "Look: ")
    assert called["tool_calls"][0]["function"] == {"name": "note", "arguments": '{"text":"milk"}'}
    assert (got["role"], got["tool_call_id"]) == ("tool", called["tool_calls"][0]["id"])
    assert "Noted milk." in got["content"]
    assert said == {"role": "assistant", "content": "Noted."}


async def test_messages_are_told_of_calls_in_their_own_way(opened: Open, provider: FakeProvider) -> None:
    settings = {
        "model": "anthropic:m",
        "anthropic_base_url": provider.base_url.removesuffix("/v1"),
        "anthropic_api_key": "sk-a",
    }
    async with opened(Notes().tool(), **settings) as instance:
        body = await second_turn(instance, provider)

    asked, called, got, said, thanks = body["messages"]
    assert [turn["role"] for turn in body["messages"]] == ["user", "assistant", "user", "assistant", "user"]
    assert called["content"][1]["name"] == "note"
    assert called["content"][1]["input"] == {"text": "milk"}
    assert got["content"][0]["tool_use_id"] == called["content"][1]["id"]
    assert "Noted milk." in got["content"][0]["content"]
    assert (said["content"][0]["text"], thanks["content"][0]["text"]) == ("Noted.", "Thanks!")
    assert asked["content"][0]["text"] == "Note milk."


async def test_without_tools_only_words_are_told(opened: Open, provider: FakeProvider) -> None:
    async with opened(Notes().tool()) as instance:
        provider.reply("Look: ", tool_calls=[("note", {"text": "milk"})])
        provider.reply("Noted.")
        thread = await instance.thread(tools=())
        started = await instance.send(thread, "Note milk.")
        await instance.follow(started.run.id)
        await instance.follow((await instance.send(thread, "Thanks!")).run.id)

    assert asked_last(provider)["messages"][2] == {"role": "assistant", "content": "Look: Noted."}
