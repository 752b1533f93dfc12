"""Commands without a model, through the real door: what is said is done, shown, asked about, and kept."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client

from famulus.llm.commands.understanding import NOT_ALLOWED
from famulus.llm.offline import LEAD, NOT_FOUND, QUIET
from tests.support.academy import new_assistant, new_thread
from tests.support.operations import filled
from tests.support.serving import Served
from tests.support.sse import Frame, events_of, text_of

STREAM = {"Accept": "text/event-stream"}


@pytest.fixture
def client(server: Served) -> Iterator[Client]:
    with server.client("student") as client:
        yield client


@pytest.fixture
def thread(server: Served, client: Client) -> str:
    """A thread of the student's in a course that is answered without a model."""
    with server.client("admin") as admin:
        course = {"title": filled("Commands {new}", {}), "published": True}
        course_id = admin.post("/api/v1/courses", json=course).json()["id"]
        new_assistant(admin, course_id, "Answer.", model="offline")
        admin.post(f"/api/v1/courses/{course_id}/enrolments", json={"email": "student@famulus.local"})
    return new_thread(client, course_id=course_id)


def say(client: Client, thread: str, message: str) -> list[Frame]:
    """Send a message and read the answer to the end of the stream."""
    path, body = f"/api/v1/threads/{thread}/runs", {"message": message}
    with client.stream("POST", path, json=body, headers=STREAM) as response:
        assert response.status_code == 200, response.read()
        return list(events_of(response))


def tasks(client: Client, words: str) -> list[dict[str, Any]]:
    return list(client.get("/api/v1/tasks", params={"q": words}).json()["items"])


def test_a_task_is_added_shown_and_done(client: Client, thread: str) -> None:
    title = filled("buy groceries {new}", {})
    events = say(client, thread, f"Add {title} to my list")
    assert [event.name for event in events if str(event.name).startswith("tool")] == [
        "tool.called",
        "tool.finished",
    ]
    assert text_of(events).startswith(f"Added “{title}” to your tasks.\n\nYou could also: “Show my tasks”.")
    assert text_of(events).endswith(QUIET)
    assert [(task["title"], task["done_at"]) for task in tasks(client, title)] == [(title, None)]

    shown = text_of(say(client, thread, "show my tasks"))
    assert f"\n- {title}\n" in f"{shown}\n"
    assert QUIET not in shown

    assert f"Marked “{title}” as done." in text_of(say(client, thread, f"mark {title} as done"))
    assert tasks(client, title)[0]["done_at"] is not None
    assert f"\n- ✓ {title}\n" in f"{text_of(say(client, thread, 'Show me my finished tasks, please.'))}\n"


def test_what_may_be_several_things_is_asked_about(client: Client, thread: str) -> None:
    name = filled("milk {new}", {})
    say(client, thread, f"Add buy {name} to my list")
    say(client, thread, f"Add pour {name} to my list")
    asked = text_of(say(client, thread, f"mark {name} as done"))
    assert asked.startswith("Which task do you mean?\n\n1. ")
    assert "Marked “buy" in text_of(say(client, thread, f"buy {name}"))
    done = {task["title"]: task["done_at"] is not None for task in tasks(client, name)}
    assert done == {f"buy {name}": True, f"pour {name}": False}


def test_what_is_missing_is_asked_for(client: Client, thread: str) -> None:
    title = filled("water the plants {new}", {})
    assert text_of(say(client, thread, "add a task")).startswith("What is to be done?")
    assert f"Added “{title}”" in text_of(say(client, thread, title))
    assert len(tasks(client, title)) == 1


def test_what_removes_for_good_waits_for_a_yes(client: Client, thread: str) -> None:
    title = filled("sell the car {new}", {})
    say(client, thread, f"Add {title} to my list")
    events = say(client, thread, f"delete the task {title}")
    asked = next(event for event in events if event.name == "approval.requested")
    assert len(tasks(client, title)) == 1
    approval = asked.data["approval"]["id"]
    answered = client.post(
        f"/api/v1/approvals/{approval}", json={"decision": "approve", "hash": asked.data["approval"]["hash"]}
    )
    assert answered.status_code < 300, answered.text
    run = events[0].data["run_id"]
    with client.stream("GET", f"/api/v1/runs/{run}/events") as response:
        assert f"Removed the task “{title}”." in text_of(list(events_of(response)))
    assert tasks(client, title) == []


def test_a_question_is_no_command(client: Client, thread: str) -> None:
    events = say(client, thread, "How do I delete a task from a queue?")
    assert "tool.called" not in [event.name for event in events]
    assert text_of(events).startswith((LEAD, NOT_FOUND))


def test_what_the_role_does_not_allow_is_said(client: Client, thread: str) -> None:
    events = say(client, thread, "Create an organization Night School")
    assert "tool.called" not in [event.name for event in events]
    assert text_of(events).startswith(NOT_ALLOWED)
    assert "Add buy groceries to my list" in text_of(say(client, thread, "help"))
