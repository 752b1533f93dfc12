"""The answer loop as transcripts: what the model says and calls, and what comes of it."""

from collections.abc import AsyncGenerator, Mapping, Sequence

import pytest

from famulus.conversations.parts import Citation, Text
from famulus.conversations.parts import Tool as ToolPart
from famulus.identity.principal import Principal
from famulus.llm.errors import ModelStreamCut
from famulus.llm.protocol import ChatMessage, End, Item, Push, Request, ToolCall, ToolCallReady, Usage
from famulus.llm.protocol import TextDelta as Piece
from famulus.runs.calls import CUT, MAX_ARGUMENTS, MAX_RESULT, Outcome, call_tool
from famulus.runs.errors import ToolLimit
from famulus.runs.events import CitationAdded, Event, TextDelta, ToolCalled, ToolFinished
from famulus.runs.loop import MAX_CALLS, MAX_STEPS, CallTool, Draft, answer
from famulus.tools.contract import Arguments, Retry, Tool, ToolContext, ToolFailed

CONTEXT = ToolContext(Principal("usr_1", "Ada", "ada@famulus.local"), "thr_1", None)
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
                push((item,))
            else:
                yield (item,)

    async def close(self) -> None: ...


def citation(number: int) -> Citation:
    return Citation(number, f"psg_{number}", "doc_1", "Nodes", (), "a node", "/nodes")


def calls(*made: tuple[str, str]) -> list[Item]:
    ready = [ToolCallReady(ToolCall(f"c{n}", name, given)) for n, (name, given) in enumerate(made, 1)]
    return [*ready, End("tool_calls")]


async def _echo(_context: ToolContext, arguments: Arguments) -> str:
    match arguments.get("text"):
        case "fail":
            raise ToolFailed("It is closed today.")
        case "break":
            raise ZeroDivisionError("secret")
        case str(text):
            return text
        case _:
            raise Retry("`text` must be a text.")


def tools() -> Mapping[str, Tool]:
    return {"echo": Tool("echo", "Says it again.", {"type": "object"}, "reads", _echo)}


async def use(call: ToolCall) -> Outcome:
    return await call_tool(tools(), CONTEXT, call)


async def transcript(model: Steps, draft: Draft | None = None, use_tool: CallTool = use) -> list[Event]:
    told: list[Event] = []
    async for events in answer(model, REQUEST, draft or Draft({}), use_tool, told.extend):
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


async def test_a_mark_across_two_steps_is_none() -> None:
    draft = Draft({1: citation(1)})
    await transcript(Steps([Piece("see ["), *calls(("echo", '{"text": "x"}'))], [Piece("1]"), STOP]), draft)

    assert draft.cited == []


async def test_a_tool_is_used_and_told() -> None:
    model, draft = (
        Steps([Piece("Look: "), *calls(("echo", '{"text": "ä"}'))], [Piece("done"), STOP]),
        Draft({}),
    )
    events = await transcript(model, draft)

    assert events == [
        TextDelta("Look: "),
        ToolCalled("c1", "echo", '{"text": "ä"}'),
        ToolFinished("c1", "echo", "ok", "ä"),
        TextDelta("done"),
    ]
    assert model.requests[1].messages[1:] == (
        ChatMessage("assistant", "Look: ", (ToolCall("c1", "echo", '{"text": "ä"}'),)),
        ChatMessage("tool", "ä", tool_call_id="c1"),
    )
    assert draft.text() == "Look: done"


@pytest.mark.parametrize(
    ("name", "arguments", "says"),
    [
        ("nothing", "{}", "There is no tool 'nothing'. There are: echo."),
        ("echo", "{", "not a JSON object"),
        ("echo", "[1]", "not a JSON object"),
        ("echo", "", "`text` must be a text."),
        ("echo", '{"text": "fail"}', "It is closed today."),
        ("echo", '{"text": "break"}', "for a reason of its own"),
        ("echo", '{"text": "' + "x" * MAX_ARGUMENTS + '"}', "send less"),
    ],
)
async def test_what_goes_wrong_is_told_to_the_model(name: str, arguments: str, says: str) -> None:
    events = await transcript(Steps(calls((name, arguments)), [Piece("Sorry."), STOP]))

    finished = events[1]
    assert isinstance(finished, ToolFinished)
    assert finished.status == "failed"
    assert says in finished.result
    assert "secret" not in finished.result
    assert events[2:] == [TextDelta("Sorry.")]


async def test_a_long_result_is_cut() -> None:
    async def much(_context: ToolContext, _arguments: Arguments) -> str:
        return "x" * (MAX_RESULT + 1)

    tool = Tool("much", "Much.", {}, "reads", much)
    outcome = await call_tool({"much": tool}, CONTEXT, ToolCall("c1", "much", "{}"))

    assert outcome == Outcome("ok", "x" * MAX_RESULT + CUT)


async def test_a_tool_runs_only_after_its_call_was_taken() -> None:
    ran: list[str] = []

    async def noting(call: ToolCall) -> Outcome:
        ran.append(call.id)
        return Outcome("ok", "")

    events = answer(Steps(calls(("echo", "{}"), ("echo", "{}"))), REQUEST, Draft({}), noting, lambda _: None)

    assert isinstance((await anext(events))[0], ToolCalled)
    assert ran == []
    await anext(events)
    assert ran == ["c1"]
    await events.aclose()


async def test_too_many_steps() -> None:
    with pytest.raises(ToolLimit):
        await transcript(Steps(*[calls(("echo", "{}")) for _ in range(MAX_STEPS)]))


async def test_too_many_calls_in_one_step() -> None:
    with pytest.raises(ToolLimit):
        await transcript(Steps(calls(*[("echo", "{}")] * (MAX_CALLS + 1))))


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
