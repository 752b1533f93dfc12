"""The answer loop as transcripts: what the model says and calls, and what comes of it."""

from collections.abc import AsyncGenerator, Sequence
from decimal import Decimal

import pytest

from famulus.conversations.parts import Citation, Reasoning, Text
from famulus.conversations.parts import Tool as ToolPart
from famulus.llm.errors import ModelStreamCut
from famulus.llm.protocol import (
    ChatMessage,
    End,
    Item,
    Push,
    Request,
    ToolCall,
    ToolCallReady,
    ToolSpec,
    Usage,
)
from famulus.llm.protocol import ReasoningDelta as Thought
from famulus.llm.protocol import TextDelta as Piece
from famulus.runs.errors import CostLimit, TooCostly, ToolLimit
from famulus.runs.events import CitationAdded, Event, ReasoningDelta, TextDelta
from famulus.runs.loop import MAX_STEPS, MOST_THOUGHT, Draft, Limits, answer

REQUEST = Request((ChatMessage("user", "Hi"),))
STOP = End("stop")


class Steps:
    """A model that plays one list of items for each request, and keeps the requests.

    Like a wire it yields the first item of each, and from then on pushes what is text.
    """

    kind, name = "scripted", "steps"

    def __init__(self, *steps: Sequence[Item | Exception]) -> None:
        self.steps = list(steps)
        self.requests: list[Request] = []

    async def stream(
        self, request: Request, push: Push | None = None
    ) -> AsyncGenerator[Sequence[Item], None]:
        self.requests.append(request)
        for number, item in enumerate(self.steps.pop(0)):
            if isinstance(item, Exception):
                raise item
            if number and push is not None and isinstance(item, Piece):
                push((item.text,))
            else:
                yield (item,)

    async def close(self) -> None: ...


def citation(number: int) -> Citation:
    return Citation(number, f"psg_{number}", "doc_1", "Nodes", (), "a node", "/nodes")


def calls(*made: tuple[str, str]) -> list[Item]:
    ready = [ToolCallReady(ToolCall(f"c{n}", name, given)) for n, (name, given) in enumerate(made, 1)]
    return [*ready, End("tool_calls")]


class Echo:
    """A hand that says again what it is given, and keeps what it was asked."""

    specs = (ToolSpec("echo", "Says it again.", b'{"type":"object"}'),)

    def __init__(self, draft: Draft) -> None:
        self.draft = draft
        self.asked: list[list[ToolCall]] = []

    async def use(self, calls: Sequence[ToolCall]) -> None:
        self.asked.append(list(calls))
        for call in calls:
            self.draft.parts.append(ToolPart(call.id, call.name, call.arguments, "ok", call.arguments))


async def transcript(model: Steps, draft: Draft | None = None, limits: Limits | None = None) -> list[Event]:
    told: list[Event] = []
    draft = draft or Draft({})
    async for events in answer(model, REQUEST, draft, Echo(draft), told.extend, limits=limits or Limits()):
        told += events
    return told


async def test_text_and_usage() -> None:
    draft = Draft({})
    events = await transcript(Steps([Piece("A "), Piece("node."), Usage(3, 2), STOP]), draft)

    assert events == [TextDelta("A "), TextDelta("node.")]
    assert draft.finished_parts() == (Text("A node."),)
    assert (draft.input_tokens, draft.output_tokens) == (3, 2)


@pytest.mark.parametrize(
    ("pieces", "numbers"),
    [
        (["So [1] and [2]."], [1, 2]),
        (["So ", "[", "1", "]", "."], [1]),
        (["So [", "1] and [2", "]"], [1, 2]),
        (["[1][", "1][1]"], [1]),
        (["[3] [x] [] [1"], []),
        (["a[b", "] [", "2]"], [2]),
        (["[[1]]"], [1]),
        (["[1", " and so on, for long]"], []),
        (["1] [2"], []),
    ],
)
async def test_citations_across_pieces(pieces: list[str], numbers: list[int]) -> None:
    draft = Draft({1: citation(1), 2: citation(2)})
    events = await transcript(Steps([*map(Piece, pieces), STOP]), draft)

    cited = [event.citation.number for event in events if isinstance(event, CitationAdded)]
    assert cited == numbers
    assert draft.finished_parts() == (Text("".join(pieces)), *map(citation, numbers))


async def test_what_is_thought_is_kept_in_its_place_and_told_to_no_model() -> None:
    draft = Draft({})
    steps = Steps(
        [Thought("Hm. "), Thought("So."), Piece("I look."), *calls(("echo", '{"text": "x"}'))],
        [Thought("Aha."), Piece("Yes."), STOP],
    )
    events = await transcript(steps, draft)
    told = [each.text for each in events if isinstance(each, ReasoningDelta)]
    assert told == ["Hm. ", "So.", "Aha."]
    parts = [part if isinstance(part, Text) else type(part) for part in draft.finished_parts()]
    assert parts == [Reasoning, Text("I look."), ToolPart, Reasoning, Text("Yes.")]
    assert draft.finished_parts() == draft.finished_parts()
    assert [message.text for message in steps.requests[1].messages[1:]] == ["I look.", '{"text": "x"}']


@pytest.mark.parametrize(("draft", "kept"), [(Draft({}, aloud=False), 0), (Draft({}), MOST_THOUGHT)])
async def test_thoughts_are_bounded_and_can_be_kept_back(draft: Draft, kept: int) -> None:
    thoughts = [Thought("x" * 1000)] * (MOST_THOUGHT // 1000 + 5)
    events = await transcript(Steps([*thoughts, Piece("Yes."), STOP]), draft)
    assert sum(len(each.text) for each in events if isinstance(each, ReasoningDelta)) == kept
    assert sum(len(part.text) for part in draft.finished_parts() if isinstance(part, Reasoning)) == kept


async def test_a_mark_across_two_steps_is_none() -> None:
    draft = Draft({1: citation(1)})
    await transcript(Steps([Piece("see ["), *calls(("echo", '{"text": "x"}'))], [Piece("1]"), STOP]), draft)

    assert draft.cited == []


async def test_a_tool_is_used_and_the_model_told() -> None:
    model, draft = (
        Steps([Piece("Look: "), *calls(("echo", '{"text": "ä"}'))], [Piece("done"), STOP]),
        Draft({}),
    )
    events = await transcript(model, draft)

    assert events == [TextDelta("Look: "), TextDelta("done")]
    assert model.requests[0].tools == Echo.specs
    assert model.requests[1].messages[1:] == (
        ChatMessage("assistant", "Look: ", (ToolCall("c1", "echo", '{"text": "ä"}'),)),
        ChatMessage("tool", '{"text": "ä"}', tool_call_id="c1"),
    )
    assert draft.text() == "Look: done"


async def test_calls_with_one_id_are_told_apart() -> None:
    draft = Draft({})
    same = ToolCallReady(ToolCall("c1", "echo", "{}"))
    await transcript(Steps([same, same, End("tool_calls")], [same, End("tool_calls")], [STOP]), draft)

    assert [part.call_id for part in draft.parts if isinstance(part, ToolPart)] == ["c1", "c1_2", "c1_3"]


async def test_too_many_tokens_begin_no_further_step() -> None:
    with pytest.raises(TooCostly):
        await transcript(Steps([*calls(("echo", "{}")), Usage(600, 401)]), None, Limits(1000))


def a_cent_a_token(usage: Usage) -> Decimal | None:
    return (usage.input_tokens + usage.output_tokens) * Decimal("0.01")


async def test_too_much_money_begins_no_further_step() -> None:
    step = [*calls(("echo", "{}")), Usage(6, 4)]
    draft = Draft({}, price=a_cent_a_token)
    with pytest.raises(CostLimit):
        await transcript(Steps(step, step), draft, Limits(cost=0.1))

    assert (draft.microdollars, draft.input_tokens) == (200_000, 12), "ten cents are no more than ten cents"


async def test_what_is_not_known_is_no_cost_of_zero() -> None:
    finished, silent = Draft({}, price=a_cent_a_token), Draft({}, price=a_cent_a_token)
    await transcript(Steps([Piece("A"), Usage(1, 0), STOP]), finished)
    await transcript(Steps([*calls(("echo", "{}")), Usage(6, 4)], [Piece("A"), STOP]), silent)
    nameless = Draft({})
    await transcript(Steps([Piece("A"), Usage(1, 0), STOP]), nameless)

    assert [draft.microdollars for draft in (finished, silent, nameless)] == [10_000, None, None]


async def test_too_many_steps() -> None:
    with pytest.raises(ToolLimit):
        await transcript(Steps(*[calls(("echo", "{}")) for _ in range(MAX_STEPS)]))


async def test_an_error_in_the_middle_keeps_what_was_said() -> None:
    draft = Draft({})
    with pytest.raises(ModelStreamCut):
        await transcript(Steps([Piece("Half"), ModelStreamCut()]), draft)

    assert draft.finished_parts() == (Text("Half"),)


async def test_finished_steps_are_not_done_again() -> None:
    draft = Draft({}, parts=[Text("Before. "), ToolPart("c1", "echo", "{}", "ok", "x")])
    model = Steps([Piece("After."), STOP])
    events = await transcript(model, draft)

    assert events == [TextDelta("After.")]
    assert draft.text() == "Before. After."
    assert [message.role for message in model.requests[0].messages] == ["user", "assistant", "tool"]
