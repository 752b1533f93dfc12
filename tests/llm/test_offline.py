"""Answers without a model: quotes, always marked, and commands; honest about what is missing."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.llm.commands.telling import CAN_DO, NO_COMMANDS, TOO_LONG
from famulus.llm.commands.understanding import NOT_ALLOWED, Call
from famulus.llm.offline import HINT, LEAD, NEEDS_MODEL, NO_COURSE, NOT_FOUND, QUIET, OfflineModel, answer
from famulus.llm.protocol import (
    ChatMessage,
    End,
    Grounding,
    Request,
    ToolCall,
    ToolCallReady,
    ToolSpec,
    Usage,
)
from famulus.llm.quoting import MAX_QUOTES, MAX_SENTENCE, choose_quotes, spans_of
from famulus.llm.stems import content_stems, stem
from tests.llm.streams import items_of, text_of

NODES = """# Nodes

A node is a process that performs computation, e.g. reading a sensor. Nodes communicate over topics, services
and actions. Dr. Smith wrote the first one [3].

- Use `ros2 node list` to list running nodes.
- [ ] Write a node of your own.

```python
class Talker(Node):
    def __init__(self):
        self.publisher = self.create_publisher(String, "chatter", 10)

        self.count = 0
```

| Command | Meaning |
|---|---|
| ros2 run | starts an executable |
"""
TOPICS = "Topics are named buses. A publisher sends messages to a topic! Does a subscriber receive them? Yes."
QOS = "Quality of service settings decide what happens to messages on lossy networks."
GROUNDING = (
    Grounding(1, "Nodes", ("ROS 2", "Nodes"), NODES),
    Grounding(2, "Topics", ("ROS 2", "Topics"), TOPICS),
    Grounding(4, "Quality of service", ("ROS 2", "QoS"), QOS),
)


def asked(text: str, *, grounding: tuple[Grounding, ...] = GROUNDING, searched: bool = True) -> str:
    said = answer(
        Request((ChatMessage("user", text),), grounding=grounding, searched=searched, course_title="Robots")
    )
    assert isinstance(said, str)
    return said


def test_a_definition_is_quoted_with_its_mark():
    said = asked("What is a node?")
    assert said.startswith(
        f"{LEAD}\n\n> A node is a process that performs computation, e.g. reading a sensor."
    )
    assert said.split("\n\n")[1].endswith(" [1]")
    assert said.endswith(f"\n\n{QUIET}")
    assert "FAMULUS_MODEL" in QUIET
    assert "\n" not in QUIET


@pytest.mark.parametrize(
    ("text", "quote", "mark"),
    [
        ("How do settings influence lossy networks?", QOS, "[4]"),
        ("How are messages sent by publishers?", "A publisher sends messages to a topic!", "[2]"),
        ("list running nodes", "Use `ros2 node list` to list running nodes.", "[1]"),
        (
            "Show me an example of create_publisher",
            NODES[NODES.index("```python") : NODES.index("\n\n| C")],
            "[1]",
        ),
        ("Which command starts an executable?", NODES[NODES.index("| Command") :].strip(), "[1]"),
    ],
)
def test_the_best_words_are_found(text: str, quote: str, mark: str):
    first = asked(text).removeprefix(f"{LEAD}\n\n").removeprefix("> ")
    assert first.startswith(quote)
    assert first[len(quote) :].split()[0] == mark or mark in first


@pytest.mark.parametrize(
    "text", ["What is the capital of France?", "Who won the football cup?", "tell me more", "???"]
)
def test_nothing_fits(text: str):
    assert asked(text) == f"{NOT_FOUND}\n\n{HINT}"
    assert asked(text, grounding=()) == f"{NOT_FOUND}\n\n{HINT}"


def test_nothing_was_searched():
    assert asked("What is a node?", grounding=(), searched=False) == f"{NO_COURSE}\n\n{QUIET}"
    assert answer(Request(())) == f"{NO_COURSE}\n\n{QUIET}"


@pytest.mark.parametrize(
    ("text", "start"),
    [
        ("hello", "Hello!"),
        ("Hi there!", "Hello!"),
        ("Good morning", "Hello!"),
        ("thanks", "You're welcome."),
        ("Great, thank you very much!!", "You're welcome."),
        ("bye", "Goodbye"),
    ],
)
def test_courtesy(text: str, start: str):
    assert asked(text).startswith(start)
    assert asked(text).endswith(QUIET)


@pytest.mark.parametrize("text", ["hello node", "thanks, but what is a node?", "hi, what is a node?"])
def test_a_question_with_a_greeting_is_a_question(text: str):
    assert "[1]" in asked(text)


def test_an_open_code_block_is_closed():
    text = "````c\nint publisher(void);\n```\nstill code"
    said = asked("example code of a publisher", grounding=(Grounding(9, "C", (), text),))
    assert f"{text}\n````\n\n[9]" in said


def test_a_long_sentence_is_cut_and_says_so():
    text = "The publisher " + "goes on and on " * 100
    said = asked("publisher", grounding=(Grounding(1, "P", (), text),))
    quote = said.split("\n\n")[1]
    assert quote.endswith("… [1]")
    assert quote.removeprefix("> ").removesuffix(" … [1]") in text
    assert len(quote) < MAX_SENTENCE + 20


def test_the_same_words_are_quoted_once():
    twice = (Grounding(1, "A", (), TOPICS), Grounding(2, "B", (), TOPICS))
    assert [quote.number for quote in choose_quotes("named buses", twice)] == [1]


CELLS = "A costmap cell in the supplied file is 0.05 m wide. Leave `resolution` out, and the default of 0.1 m applies."
PLANNER = "The default planner is NavFn. It plans on the costmap. What is the default of its tolerance?"


def test_a_passage_that_only_shares_a_word_is_not_quoted():
    passages = (Grounding(1, "Nav2", ("Costmaps",), CELLS), Grounding(2, "Nav2", ("Costmaps",), PLANNER))
    quotes = choose_quotes("What is the default resolution of the costmap?", passages)
    assert [(quote.number, quote.text) for quote in quotes] == [(1, CELLS)]


def test_the_wish_for_code_is_not_the_subject():
    prose = Grounding(1, "Names", (), "Write `cmd_vel` in your code, for example.")
    code = Grounding(
        2, "Nodes", (), "```python\nself.publisher = self.create_publisher(Twist, 'cmd_vel', 10)\n```"
    )
    quotes = choose_quotes("How do I write a publisher? Show me example code.", (prose, code))
    assert [quote.number for quote in quotes] == [2]


def test_an_exercise_is_no_answer_and_code_is_no_further_quote():
    asks = Grounding(1, "Exercises", (), "Why does a synchronous call in a callback deadlock?")
    tells = Grounding(
        2, "Services", (), "A synchronous call from a callback waits for the executor: a deadlock."
    )
    shows = Grounding(
        3, "Services", (), "```python\ndef callback():\n    call()  # synchronous deadlock\n```"
    )
    quotes = choose_quotes("Why does my synchronous call in a callback deadlock?", (asks, tells, shows))
    assert [quote.number for quote in quotes] == [2]


def test_an_authors_own_marks_are_not_quoted():
    text = "Smith shows a publisher in [7]. Another publisher is here."
    assert "[7]" not in asked("publisher", grounding=(Grounding(1, "P", (), text),))


MARKDOWN = st.lists(
    st.sampled_from(
        [*NODES.splitlines(keepends=True), TOPICS, QOS, "\n", "```\n", "~~~", "> ", "- ", "| a |\n", "[1] "]
    )
    | st.text(max_size=40),
    max_size=25,
).map("".join)


@given(
    st.lists(MARKDOWN, max_size=4),
    st.sampled_from(["What is a node?", "publisher example code", "topic", "a | b"]),
)
def test_every_quote_is_verbatim(texts: list[str], text: str):
    grounding = tuple(
        Grounding(number, "Nodes", ("Topics",), said) for number, said in enumerate(texts, start=1)
    )
    quotes = choose_quotes(text, grounding)
    assert len(quotes) <= MAX_QUOTES
    rest = asked(text, grounding=grounding)
    for quote in quotes:
        assert quote.text.strip()
        assert quote.text in texts[quote.number - 1]
        assert f"[{quote.number}]" in rest
        rest = rest.replace(quote.text, "", 1)
    # What is not quoted is ours, and we only ever say this.
    for own in (LEAD, QUIET, NOT_FOUND, HINT):
        rest = rest.replace(own, "", 1)
    assert re.fullmatch(r"(?:\s|>|…|`{3,}|~{3,}|\[\d+\])*", rest)


@given(MARKDOWN)
def test_spans_are_in_order_and_do_not_overlap(text: str):
    spans = list(spans_of(text))
    assert all(0 <= span.start < span.end <= len(text) for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("publishing", "publisher"),
        ("nodes", "node"),
        ("queries", "query"),
        ("messages", "message"),
        ("running", "runs"),
        ("classes", "class"),
        ("created", "creates"),
    ],
)
def test_stems_meet(one: str, other: str):
    assert stem(one) == stem(other)


def test_content_words():
    assert content_stems("What's a Node, and how do I create_publisher in ROS 2?") == {
        stem(word) for word in ("node", "create", "publisher", "ros")
    }


async def test_the_stream_is_the_answer_in_words_and_costs_nothing():
    request = Request((ChatMessage("user", "What is a node?"),), grounding=GROUNDING, searched=True)
    items = await items_of(OfflineModel(), request)
    assert text_of(items) == answer(request)
    assert len(items) > 20
    assert items[-2:] == [Usage(0, 0), End("stop")]


# --- Commands --------------------------------------------------------------------------------------

TOOLS = tuple(ToolSpec(name, "", b"{}") for name in ("create_task", "list_tasks", "update_task", "get_me"))


def turn(said: str, *results: str, tool: str = "update_task", arguments: str = "{}") -> Request:
    """A request in the turn of a command, with what its calls have come to so far."""
    calls = [ToolCall(f"call_{n}", tool, arguments) for n in range(len(results))]
    steps = [
        message
        for call, result in zip(calls, results, strict=True)
        for message in (
            ChatMessage("assistant", "", tool_calls=(call,)),
            ChatMessage("tool", result, tool_call_id=call.id),
        )
    ]
    return Request((ChatMessage("system", "Be kind."), ChatMessage("user", said), *steps), tools=TOOLS)


def done(said: str, **more: object) -> str:
    return json.dumps({"said": said, **more}, separators=(",", ":"))


async def test_a_command_is_a_call_of_its_tool() -> None:
    items = await items_of(OfflineModel(), turn("Add buy groceries to my list"))
    call, *end = items
    assert isinstance(call, ToolCallReady)
    assert (call.call.name, json.loads(call.call.arguments)) == ("create_task", {"title": "buy groceries"})
    assert end == [Usage(0, 0), End("tool_calls")]
    [again, *_] = await items_of(OfflineModel(), turn("Add buy groceries to my list"))
    assert isinstance(again, ToolCallReady)
    assert again.call.id != call.call.id


def test_what_was_done_is_said() -> None:
    said = done(
        "Added “Buy *milk*” to your tasks.", data={"id": "tsk_1"}, note="data", next=["Show my tasks"]
    )
    assert answer(turn("add Buy *milk* to my list", said)) == (
        f"Added “Buy \\*milk\\*” to your tasks.\n\nYou could also: “Show my tasks”.\n\n{QUIET}"
    )


def test_what_was_found_is_a_list() -> None:
    rows = [
        {"id": "tsk_1", "title": "Buy milk", "due_at": "2026-12-01T23:59:59+00:00", "done": False},
        {"id": "tsk_2", "title": "![x](http://evil.example)", "due_at": None, "done": True},
        {
            "id": "crs_1",
            "title": "Trees",
            "published": False,
            "lessons": 3,
            "track_id": "trk_1",
            "my_role": None,
        },
        {"title": "Nodes", "section": "ROS", "text": "A node\nis a process.", "published": True},
        {"at": "2026-11-27T10:00:00+00:00"},
        "plain",
    ]
    said = answer(turn("show my tasks", done("Found 6.", data=rows), tool="list_tasks"))
    assert said == (
        "Found 6.\n\n"
        "- Buy milk (due Tuesday, 1 December 2026)\n"
        "- ✓ \\!\\[x\\](http://evil.example)\n"
        "- Trees (draft, lessons: 3)\n"
        "- Nodes\n  > ROS: A node is a process.\n"
        "- at: Friday, 27 November 2026\n"
        f"- plain\n\n{QUIET}"
    )


def test_facts_are_a_list_as_well() -> None:
    data = {
        "id": "usr_1",
        "name": "Ada",
        "email_verified": True,
        "role": None,
        "organization": {"id": "org_1", "name": "School"},
        "others": [{"organization": "Night School", "role": "teacher"}],
        "rules": [],
    }
    assert answer(turn("who am i", done("You are Ada.", data=data), tool="get_me")) == (
        "You are Ada.\n\n- Name: Ada\n- Email verified: yes\n- Organization:\n  - Name: School\n"
        f"- Others:\n  - Night School (role: teacher)\n- Rules: none\n\n{QUIET}"
    )


@pytest.mark.parametrize(
    ("result", "start"),
    [
        ("The person has no task 'x'. Ask which one is meant, or list the tasks.", "You have no task 'x'."),
        ("Not found: There is no track 'x' that a@x.org may see.", "Not found: There is no track 'x' that"),
        ("The person said no; nothing was done. The reason given: Later.",
         "The answer was no; nothing was done. The reason given: Later."),
        ("Not done: the rules do not allow it.", "Not done: the rules do not allow it."),
        ("Ask the person.", "It could not be done."),
        ("", "It could not be done."),
        ("[1, 2]", "\\[1, 2\\]."),
        ('{"said":"Found 999.","data":[{"id"' + "x" * 50 + "\n[cut: the result was longer]", f"Found 999. {TOO_LONG}"),
        ('{"said":"Found', '{"said":"Found.'),
    ],
)  # fmt: skip
def test_what_failed_is_said(result: str, start: str) -> None:
    said = answer(turn("mark x as done", result))
    assert isinstance(said, str)
    assert said.startswith(start)
    assert said.endswith(QUIET)


def test_which_one_is_meant_is_asked_and_the_answer_completes_the_command() -> None:
    failed = (
        "'milk' may mean Buy milk (tsk_0001aa); Buy *oat* milk (tsk_0002bb). "
        "Ask which one is meant, and call again with its id."
    )
    asked = answer(turn("mark milk as done", failed, arguments='{"task":"milk","done":true}'))
    assert asked == (
        f"Which task do you mean?\n\n1. Buy milk `tsk_0001aa`\n2. Buy \\*oat\\* milk `tsk_0002bb`\n\n{QUIET}"
    )
    before = (ChatMessage("user", "mark milk as done"), ChatMessage("assistant", asked))
    called = answer(Request((*before, ChatMessage("user", "Buy *oat* milk")), tools=TOOLS))
    assert called == Call("update_task", '{"task":"tsk_0002bb","done":true}')


def test_the_quiet_line_stands_once_in_a_thread_of_commands() -> None:
    first = answer(turn("add a task"))
    assert first == f"What is to be done?\n\n{QUIET}"
    before = (ChatMessage("user", "add a task"), ChatMessage("assistant", first))
    assert (
        answer(Request((*before, ChatMessage("user", "cancel")), tools=TOOLS))
        == "All right, nothing was done."
    )


def test_what_is_not_offered_is_not_called() -> None:
    assert answer(turn("create a project Robotics")) == f"{NOT_ALLOWED}\n\n{QUIET}"


@pytest.mark.parametrize("searched", [True, False])
@pytest.mark.parametrize(
    "wish",
    [
        "Draft a quiz", "draft a quiz about rivers.", "Please write me five exam questions on springs",
        "Could you create a short quiz?", "Summarize this lesson", "I'd like you to write a short report",
        "Translate the lesson into German", "give me three practice questions",
    ],
)  # fmt: skip
def test_what_has_to_be_written_needs_a_model(wish: str, searched: bool) -> None:
    said = answer(Request((ChatMessage("user", wish),), searched=searched))
    assert said == f"{NEEDS_MODEL}\n\n{QUIET}"
    assert "FAMULUS_MODEL" in said


@pytest.mark.parametrize(
    "question",
    [
        "How do I write a test?",
        "What is a plan?",
        "Make sure that the robot stops",
        "Where does a quiz begin?",
    ],
)
def test_a_question_about_writing_is_a_question(question: str) -> None:
    assert NEEDS_MODEL not in str(answer(Request((ChatMessage("user", question),), searched=True)))


def test_what_has_to_be_written_is_answered_by_what_there_is() -> None:
    grounding = (Grounding(1, "Springs", (), "A spring is where a river begins. It is cold."),)
    said = str(answer(Request((ChatMessage("user", "Summarize where a river begins"),), grounding=grounding)))
    assert said.startswith(f"{NEEDS_MODEL}\n\n{LEAD}\n\n> ")
    assert said.endswith(QUIET)


def test_help_shows_what_is_offered() -> None:
    said = answer(turn("help"))
    assert isinstance(said, str)
    assert said.startswith(CAN_DO)
    assert "- Add buy groceries to my list" in said
    assert "project" not in said.removesuffix(QUIET)
    assert answer(Request((ChatMessage("user", "help"),))) == f"{NO_COMMANDS}\n\n{QUIET}"


@given(st.text() | st.dictionaries(st.text(), st.integers() | st.text()).map(json.dumps))
def test_whatever_comes_of_a_call_is_said(result: str) -> None:
    assert isinstance(answer(turn("who am i", result, tool="get_me")), str)
    json_result = done("Found.", data=result)
    assert str(answer(turn("who am i", json_result, tool="get_me"))).startswith("Found.")
