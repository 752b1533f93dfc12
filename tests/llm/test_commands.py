"""Commands without a model: what is one, what it calls, what is asked back, and above all what is none."""

import json
from collections.abc import Sequence
from datetime import date
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from famulus.llm.commands.dates import due_day, span_of
from famulus.llm.commands.form import Command
from famulus.llm.commands.forms import COMMANDS
from famulus.llm.commands.understanding import (
    LEFT,
    NOT_ALLOWED,
    Call,
    Help,
    Here,
    Say,
    Understood,
    understand,
)
from famulus.llm.protocol import ChatMessage

FRIDAY = date(2026, 11, 27)
ALL: tuple[Command, ...] = tuple(each for commands in COMMANDS.values() for each in commands)
TOOLS = frozenset(each.tool for each in ALL)
WEEK = {"due_after": "2026-11-23T00:00:00Z", "due_before": "2026-11-30T00:00:00Z"}


def said(
    *texts: str, tools: frozenset[str] = TOOLS, course: str | None = None, today: date = FRIDAY
) -> Understood | None:
    """What is understood of a conversation in which the person has the first and the last word."""
    roles = ("user", "assistant")
    messages = [ChatMessage(roles[n % 2], text) for n, text in enumerate(texts)]  # type: ignore[arg-type]
    return understand(messages, Here(today, tools, course))


def call(*texts: str, course: str | None = None) -> tuple[str, dict[str, Any]]:
    found = said(*texts, course=course)
    assert isinstance(found, Call), found
    return found.tool, json.loads(found.arguments)


@pytest.mark.parametrize(
    ("text", "tool", "arguments"),
    [
        ("Add buy groceries to my list", "create_task", {"title": "buy groceries"}),
        ("please add “call Bob, then Eve” to my to-do list!", "create_task", {"title": "call Bob, then Eve"}),
        ("Could you put read \"Dune\" on my list?", "create_task", {"title": "read \"Dune\""}),
        ("Add to my list: buy milk", "create_task", {"title": "buy milk"}),
        ("create a task buy milk", "create_task", {"title": "buy milk"}),
        ("Hi, I'd like to add a new task called Buy milk, please", "create_task", {"title": "Buy milk"}),
        ("Add a to-do to ask Dr. Smith", "create_task", {"title": "ask Dr. Smith"}),
        ("add a task: say thank you", "create_task", {"title": "say thank you"}),
        ("Remind me to call Ada tomorrow", "create_task",
         {"title": "call Ada", "due_at": "2026-11-28T23:59:59Z"}),
        ("Remind me on Monday to call Ada", "create_task",
         {"title": "call Ada", "due_at": "2026-11-30T23:59:59Z"}),
        ("add hand in the essay by Friday to my list", "create_task",
         {"title": "hand in the essay", "due_at": "2026-11-27T23:59:59Z"}),
        ("Add “hand in by Friday” to my list due 2026-12-01.", "create_task",
         {"title": "hand in by Friday", "due_at": "2026-12-01T23:59:59Z"}),
        ("add a task for tomorrow: buy milk", "create_task",
         {"title": "buy milk", "due_at": "2026-11-28T23:59:59Z"}),
        ("add read about Monday to my list", "create_task", {"title": "read about Monday"}),
        ("Add buy a present to my list before the 24th of December", "create_task",
         {"title": "buy a present", "due_at": "2026-12-23T23:59:59Z"}),
        ("add bob@x.org to my list", "create_task", {"title": "bob@x.org"}),
        ("show me my tasks for this week", "list_tasks", WEEK),
        ("Show my tasks", "list_tasks", {}),
        ("my tasks", "list_tasks", {}),
        ("what's on my list?", "list_tasks", {}),
        ("What are my tasks this week", "list_tasks", WEEK),
        ("list my open tasks", "list_tasks", {"done": False}),
        ("show my finished to-dos", "list_tasks", {"done": True}),
        ("show my overdue tasks", "list_tasks", {"done": False, "due_before": "2026-11-27T00:00:00Z"}),
        ("What is due tomorrow?", "list_tasks",
         {"done": False, "due_after": "2026-11-28T00:00:00Z", "due_before": "2026-11-29T00:00:00Z"}),
        ("list my tasks due by Friday", "list_tasks", {"due_before": "2026-11-28T00:00:00Z"}),
        ("find the task groceries", "list_tasks", {"words": "groceries"}),
        ("mark buy groceries as done", "update_task", {"task": "buy groceries", "done": True}),
        ("Mark the task 'buy groceries' done.", "update_task", {"task": "buy groceries", "done": True}),
        ("tick off buy groceries", "update_task", {"task": "buy groceries", "done": True}),
        ("mark buy groceries as not done", "update_task", {"task": "buy groceries", "done": False}),
        ("rename the task buy milk to buy oat milk", "update_task",
         {"task": "buy milk", "title": "buy oat milk"}),
        ("move the task buy milk to Monday", "update_task",
         {"task": "buy milk", "due_at": "2026-11-30T23:59:59Z"}),
        ("set the deadline of buy milk to next week", "update_task",
         {"task": "buy milk", "due_at": "2026-12-06T23:59:59Z"}),
        ("remove the due date of buy milk", "update_task", {"task": "buy milk", "due_at": None}),
        ("delete the task buy groceries", "delete_task", {"task": "buy groceries"}),
        ("remove buy groceries from my list", "delete_task", {"task": "buy groceries"}),
        ("Who am I?", "get_me", {}),
        ("what is my role", "get_me", {}),
        ("Switch to Evening School", "switch_role", {"organization": "Evening School"}),
        ("switch to the organization “Evening School”", "switch_role", {"organization": "Evening School"}),
        ("my courses", "list_my_courses", {}),
        ("Which courses am I teaching?", "list_my_courses", {}),
        ("recent activity", "recent_activity", {}),
        ("list organizations", "list_organizations", {}),
        ("rename the organization Evening School to Night School", "update_organization",
         {"organization": "Evening School", "name": "Night School"}),
        ("Switch to Evening School as a teacher", "switch_role", {"organization": "Evening School"}),
        ("Create the project Robotics", "create_project", {"name": "Robotics"}),
        ("mark as done: buy milk", "update_task", {"task": "buy milk", "done": True}),
        ("list projects", "list_projects", {}),
        ("what projects are there?", "list_projects", {}),
        ("create a project Robotics", "create_project", {"name": "Robotics"}),
        ("Create a new project called deep learning.", "create_project", {"name": "deep learning"}),
        ("create a project Robotics with the description Arms and legs", "create_project",
         {"name": "Robotics", "description": "Arms and legs"}),
        ("archive the project Robotics", "archive_project", {"project": "Robotics"}),
        ("bring back project Robotics", "restore_project", {"project": "Robotics"}),
        ("list tracks", "list_tracks", {}),
        ("show me the advanced tracks in Robotics", "list_tracks",
         {"level": "advanced", "project": "Robotics"}),
        ("list the archived tracks", "list_tracks", {"archived": True}),
        ("Create an intermediate Python track in Data Science Foundations", "create_track",
         {"level": "intermediate", "name": "Python", "project": "Data Science Foundations"}),
        ("create a track “Learn in Public” in the project “Data Science”", "create_track",
         {"name": "Learn in Public", "project": "Data Science"}),
        ("create a track Introduction in Depth in Data Science", "create_track",
         {"name": "Introduction in Depth", "project": "Data Science"}),
        ("add a beginner track called python to project robotics", "create_track",
         {"level": "beginner", "name": "python", "project": "robotics"}),
        ("create a track in Data Science called Python", "create_track",
         {"name": "Python", "project": "Data Science"}),
        ("delete the track Python", "archive_track", {"track": "Python"}),
        ("delete the Python track", "archive_track", {"track": "Python"}),
        ("archive the track Python in Data Science", "archive_track",
         {"track": "Python", "project": "Data Science"}),
        ("restore the track Python", "restore_track", {"track": "Python"}),
        ("rename the track Python to Python Basics", "update_track",
         {"track": "Python", "name": "Python Basics"}),
        ("set the level of the track Python to advanced", "update_track",
         {"track": "Python", "level": "advanced"}),
        ("move the track Python to the project Robotics", "update_track",
         {"track": "Python", "move_to_project": "Robotics"}),
        ("list courses", "list_courses", {}),
        ("list the courses in the track Python", "list_courses", {"track": "Python"}),
        ("create a course Trees in the track Python", "create_course", {"title": "Trees", "track": "Python"}),
        ("create a course Trees", "create_course", {"title": "Trees"}),
        ("publish the course Trees", "update_course", {"course": "Trees", "published": True}),
        ("rename the course Trees to Graphs", "update_course", {"course": "Trees", "title": "Graphs"}),
        ("add the course Trees to the track Python", "update_course", {"course": "Trees", "track": "Python"}),
        ("archive the course Trees", "archive_course", {"course": "Trees"}),
        ("list lessons of Trees", "list_lessons", {"course": "Trees"}),
        ("Show the lessons of the course “Trees”", "list_lessons", {"course": "Trees"}),
        ("rename the lesson Leaves in Trees to Tips", "update_lesson",
         {"lesson": "Leaves", "course": "Trees", "title": "Tips"}),
        ("archive the lesson Leaves of Trees", "archive_lesson", {"lesson": "Leaves", "course": "Trees"}),
        ("enrol ada@x.org and bob@x.org in Trees", "enrol_students",
         {"students": ["ada@x.org", "bob@x.org"], "course": "Trees"}),
        ("Enroll ada@x.org, bob@x.org, and <eve@x.org> into the course Trees", "enrol_students",
         {"students": ["ada@x.org", "bob@x.org", "eve@x.org"], "course": "Trees"}),
        ("withdraw ada@x.org from Trees", "withdraw_student", {"student": "ada@x.org", "course": "Trees"}),
        ("invite grace@x.org to teach Trees", "invite_instructor",
         {"email": "grace@x.org", "courses": ["Trees"]}),
        ("invite grace@x.org as an instructor", "invite_instructor", {"email": "grace@x.org"}),
        ("set the assistant of Trees to Mira", "set_course_assistant",
         {"course": "Trees", "assistant": "Mira"}),
        ("analytics for Trees", "get_analytics", {"course": "Trees"}),
        ("show the analytics", "get_analytics", {}),
        ("organization settings", "organization_settings", {}),
        ("search the material for inflation layer", "search_knowledge", {"query": "inflation layer"}),
        ("look up “inflation layer” in the course material", "search_knowledge",
         {"query": "inflation layer"}),
    ],
)  # fmt: skip
def test_what_is_said_is_called(text: str, tool: str, arguments: dict[str, Any]) -> None:
    assert call(text) == (tool, arguments)
    assert call(f"Please {text[0].lower()}{text[1:]}") == (tool, arguments)


@pytest.mark.parametrize("command", ALL, ids=lambda command: command.tool)
def test_every_example_is_understood(command: Command) -> None:
    assert call(command.example)[0] == command.tool


@pytest.mark.parametrize(
    "text",
    [
        "", "   ", "?", "“”", "“Add buy milk to my list”",
        "What is a track?", "What is a project?", "What are tasks?", "What is a lesson?",
        "What are the tasks of a scheduler?", "What does “create a task” do in Celery?",
        "How do I delete a node from a list?", "How do I create a task in Celery?",
        "How can I list running nodes?", "list running nodes", "Show me an example of a publisher",
        "show me the code", "Create a function that lists all courses", "create a class Task with a title",
        "create a task that runs every minute", "Create a project that uses ROS", "Add two numbers",
        "Add a node to the list", "add the vectors a and b", "delete the first element", "remove duplicates",
        "Rename a variable in Python", "restore a checkpoint", "Mark the correct answer", "Set x to 5",
        "switch statements in C", "Search algorithms", "Find the shortest path", "find the bug in my code",
        "enrol in a course", "invite someone", "list", "show", "add", "delete", "tasks?!",
        "Delete the task foo. What is a node?", "Add buy milk to my list?! What is a node? Tell me",
        "add buy milk\nto my list", "Füge Milch zu meiner Liste hinzu", "Zeig mir meine Aufgaben",
        "Explain how “add x to my list” works", "I added milk to my list yesterday",
        "add " + "milk " * 100 + "to my list",
    ],
)  # fmt: skip
@pytest.mark.parametrize("course", [None, "crs_1"])
def test_near_misses_are_no_commands(text: str, course: str | None) -> None:
    assert said(text, course=course) is None


@pytest.mark.parametrize(
    "text",
    [
        "create a project structure for a ROS package",
        "create a project outline",
        "make a course plan for trees",
        "create a course on trees",
        "create a track layout",
        "write a lesson about trees",
    ],
)
def test_a_name_has_to_show_that_it_is_one_where_a_course_is_open(text: str) -> None:
    assert said(text, course="crs_1") is None


def test_a_name_that_shows_itself_is_one_there_as_well() -> None:
    assert call("create a project Robotics", course="crs_1") == ("create_project", {"name": "Robotics"})
    assert call("create a project “robotics”", course="crs_1") == ("create_project", {"name": "robotics"})
    assert call("create a project called robotics", course="crs_1")[1] == {"name": "robotics"}


def test_the_course_that_is_open_is_meant() -> None:
    assert call("list lessons", course="crs_1") == ("list_lessons", {"course": "crs_1"})
    assert call("enrol ada@x.org", course="crs_1")[1] == {"students": ["ada@x.org"], "course": "crs_1"}
    assert call("analytics for this course", course="crs_1")[1] == {"course": "crs_1"}
    assert call("invite a@x.org to teach this course", course="crs_1")[1]["courses"] == ["crs_1"]
    assert call("list the lessons of Trees", course="crs_1")[1] == {"course": "Trees"}
    assert said("list the lessons of this course") == Say("Of which course?")


@pytest.mark.parametrize(
    ("texts", "outcome"),
    [
        (("create a Python track",), "In which project?"),
        (("create a Python track", "In which project?", "Data Science"),
         ("create_track", {"name": "Python", "project": "Data Science"})),
        (("create a Python track", "In which project?\n\n*quiet*", "In the project “Data Science”, please."),
         ("create_track", {"name": "Python", "project": "Data Science"})),
        (("create a track",), "What shall the track be called?"),
        (("create a track", "What shall the track be called?", "Python"), "In which project?"),
        (("create a track", "What shall the track be called?", "Python", "In which project?", "DS"),
         ("create_track", {"name": "Python", "project": "DS"})),
        (("add a task",), "What is to be done?"),
        (("add a task to my list",), "What is to be done?"),
        (("add a task", "What is to be done?", "Buy milk"), ("create_task", {"title": "Buy milk"})),
        (("delete the task",), "Which task?"),
        (("delete the task", "Which task?", "the task buy milk"), ("delete_task", {"task": "buy milk"})),
        (("enrol students in Trees",), "Whom? Say their e-mail addresses."),
        (("enrol students in Trees", "Whom? Say their e-mail addresses.", "a@x.org and b@x.org"),
         ("enrol_students", {"course": "Trees", "students": ["a@x.org", "b@x.org"]})),
        (("create a lesson Leaves in Trees", "What shall it say?", "# Leaves\n\nThey fall?"),
         ("create_lesson", {"title": "Leaves", "course": "Trees", "body": "# Leaves\n\nThey fall?"})),
        (("create a Python track", "In which project?", "list projects"), ("list_projects", {})),
        (("create a Python track", "In which project?", "Never mind."), LEFT),
        (("create a Python track", "In which project?", "What is a project?"), None),
        (("create a Python track", "Something else.", "Data Science"), None),
        (("What is a track?", "In which project?", "Data Science"), None),
        (("never mind",), None),
        (("no",), None),
    ],
)  # fmt: skip
def test_what_is_missing_is_asked_for(texts: Sequence[str], outcome: object) -> None:
    match outcome:
        case str():
            assert said(*texts) == Say(outcome)
        case None:
            assert said(*texts) is None
        case _:
            assert call(*texts) == outcome


WHICH = "Which task do you mean?\n\n1. Buy milk `tsk_0001aa`\n2. Buy oat milk `tsk_0002bb`"


@pytest.mark.parametrize(
    ("answer", "id"),
    [
        ("1", "tsk_0001aa"), ("the second", "tsk_0002bb"), ("#2.", "tsk_0002bb"), ("Second one", "tsk_0002bb"),
        ("buy milk", "tsk_0001aa"), ("“Buy milk”", "tsk_0001aa"), ("oat", "tsk_0002bb"),
        ("tsk_0002bb", "tsk_0002bb"), ("3", None), ("milk", None), ("What is a node?", None),
    ],
)  # fmt: skip
def test_the_answer_to_which_one_is_the_id(answer: str, id: str | None) -> None:
    texts = ("mark milk as done", WHICH, answer)
    if id is None:
        assert said(*texts) is None
    else:
        assert call(*texts) == ("update_task", {"task": id, "done": True})


def test_which_one_can_be_left_open() -> None:
    assert said("mark milk as done", WHICH, "cancel") == Say(LEFT)


def test_what_the_person_may_not_is_said() -> None:
    assert said("create a project Robotics", tools=frozenset({"list_tasks"})) == Say(NOT_ALLOWED)
    assert said("create a track", tools=frozenset()) == Say(NOT_ALLOWED)
    assert said("What is a project?", tools=frozenset()) is None


@pytest.mark.parametrize("text", ["help", "What can you do?", "show me the commands", "Help, please!"])
def test_help_is_asked_for(text: str) -> None:
    assert isinstance(said(text, tools=frozenset()), Help)


@pytest.mark.parametrize(
    ("words", "day"),
    [
        ("today", "2026-11-27"), ("tomorrow", "2026-11-28"), ("the day after tomorrow", "2026-11-29"),
        ("by friday", "2026-11-27"), ("by monday", "2026-11-30"), ("next friday", "2026-12-04"),
        ("in 3 days", "2026-11-30"), ("in two weeks", "2026-12-11"), ("this week", "2026-11-29"),
        ("by the end of the month", "2026-11-30"), ("next month", "2026-12-31"), ("on 1 december", "2026-12-01"),
        ("december 1st 2027", "2027-12-01"), ("the 1st of march", "2027-03-01"), ("2026-12-01", "2026-12-01"),
        ("before 2026-12-01", "2026-11-30"), ("2026-13-01", None), ("31 february", None), ("in 99999 days", None),
        ("soon", None), ("", None), ("by", None), ("may", None), ("friday 13", None), ("before 0001-01-01", None),
    ],
)  # fmt: skip
def test_days(words: str, day: str | None) -> None:
    assert due_day(words.split(), FRIDAY) == (date.fromisoformat(day) if day else None)


@pytest.mark.parametrize(
    ("words", "first", "after"),
    [
        ("this week", "2026-11-23", "2026-11-30"),
        ("for next week", "2026-11-30", "2026-12-07"),
        ("in this month", "2026-11-01", "2026-12-01"),
        ("today", "2026-11-27", "2026-11-28"),
        ("until friday", None, "2026-11-28"),
        ("before tomorrow", None, "2026-11-28"),
        ("after tomorrow", "2026-11-29", None),
        ("from tomorrow", "2026-11-28", None),
    ],
)
def test_spans(words: str, first: str | None, after: str | None) -> None:
    wanted = (first and date.fromisoformat(first), after and date.fromisoformat(after))
    assert span_of(words.split(), FRIDAY) == wanted


WORDS = st.sampled_from(
    "add create delete list mark to my list task track course project in the a called by friday tomorrow done "
    "rename enrol ada@x.org “ ” \" ' “X y” Python , : . ? ! \n 31 february next 9999-12-31 please".split(" ")
)


@given(st.lists(st.lists(WORDS, max_size=14).map(" ".join) | st.text(max_size=60), min_size=1, max_size=5))
def test_whatever_is_said_is_understood_or_left(texts: list[str]) -> None:
    for today in (FRIDAY, date.max, date.min):
        found = said(*texts, today=today)
        if isinstance(found, Call):
            assert found.tool in TOOLS
            assert isinstance(msgspec.json.decode(found.arguments), dict)
        elif isinstance(found, Say):
            assert found.text
