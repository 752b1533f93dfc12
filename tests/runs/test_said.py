"""What was said, as messages for a model: the calls of programs with their results, and what fits a budget."""

import pytest

from famulus.conversations.parts import ClientCall, ClientResult, Text
from famulus.llm.protocol import ChatMessage, ToolCall
from famulus.runs.said import Turn, messages_of, within_budget

ASKED: Turn = ("user", (Text("How is the weather?"),))
CALLED: Turn = ("assistant", (Text("I look."), ClientCall("c1", "weather", '{"city":"Bonn"}')))
TOLD: Turn = ("user", (ClientResult("c1", "Rain."),))


def test_a_call_and_its_result() -> None:
    assert messages_of([ASKED, CALLED, TOLD]) == [
        [ChatMessage("user", "How is the weather?")],
        [ChatMessage("assistant", "I look.", tool_calls=(ToolCall("c1", "weather", '{"city":"Bonn"}'),))],
        [ChatMessage("tool", "Rain.", tool_call_id="c1")],
    ]


def test_results_come_before_the_words_of_their_turn() -> None:
    told = messages_of([ASKED, CALLED, ("user", (ClientResult("c1", "Rain."), Text("And now?")))])

    assert [message.role for message in told[2]] == ["tool", "user"]


def test_a_call_that_was_never_answered_is_left_out() -> None:
    assert messages_of([ASKED, CALLED, ASKED])[1] == [ChatMessage("assistant", "I look.")]
    assert messages_of([ASKED, ("assistant", CALLED[1][1:]), ASKED])[1] == []


def test_a_result_of_no_call_is_left_out() -> None:
    assert messages_of([ASKED, TOLD]) == [[ChatMessage("user", "How is the weather?")], []]


@pytest.mark.parametrize(("tokens", "kept"), [(1, 1), (10, 1), (20, 2), (29, 2), (30, 3), (1000, 3)])
def test_the_newest_turns_that_fit(tokens: int, kept: int) -> None:
    said = [[ChatMessage("user", str(n) * 40)] for n in range(3)]

    assert within_budget(said, tokens) == [message for turn in said[-kept:] for message in turn]


def test_no_turns_fit_any_budget() -> None:
    assert within_budget([], 1) == []


def test_a_result_keeps_its_call() -> None:
    told = messages_of([ASKED, CALLED, TOLD])

    assert [message.role for message in within_budget(told, 1)] == ["assistant", "tool"]
