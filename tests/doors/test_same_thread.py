"""One thread, whichever door it is seen through: begun at one, gone on with at another, resumed at a third."""

import itertools

import pytest

from tests.support.chatkit import ChatKit
from tests.support.doors import DOORS, every_door
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
THOUGHT = "Which courses are there? I look."
PAIRS = list(itertools.product(DOORS, DOORS))


def third(first: str, second: str) -> str:
    """A door to resume at that is neither, and over all pairs every one of them."""
    others = [door for door in DOORS if door not in (first, second)]
    return others[DOORS.index(first) % len(others)]


def test_every_door_is_in_the_table(server: Served) -> None:
    with every_door(server, "student") as doors:
        assert tuple(doors) == DOORS
    assert {third(*pair) for pair in PAIRS} == set(DOORS)


@pytest.mark.parametrize(("first", "second"), PAIRS, ids=[f"{one} → {two}" for one, two in PAIRS])
def test_a_thread_goes_through_doors(embedded: Served, first: str, second: str) -> None:
    go_through(embedded, first, second)


@pytest.mark.postgres
@pytest.mark.parametrize("first", DOORS)
def test_a_thread_goes_through_doors_on_postgresql(on_postgres: Served, first: str) -> None:
    """The doors know nothing of databases, so each is gone through once."""
    go_through(on_postgres, first, DOORS[DOORS.index(first) - 1])


def go_through(server: Served, first: str, second: str) -> None:
    """Begun at the first, gone on with at the second, broken off there and resumed at a third; read at all."""
    with every_door(server, "student") as doors:
        begun = doors[first].start("Hello.")
        assert (begun.text, begun.ended) == (ANSWER, True)
        went = doors[second].go_on(begun.thread, "Please use a tool.")
        assert (went.thread, went.text, went.ended) == (begun.thread, "You have some courses.", True)
        assert went.run != begun.run
        broken = doors[second].break_off(begun.thread, "Hello again.")
        assert not broken.ended
        resumed = doors[third(first, second)].resume(broken)
        assert (resumed.run, resumed.text, resumed.ended) == (broken.run, ANSWER, True)
        expected = [
            ("user", "Hello."), ("assistant", ANSWER), ("user", "Please use a tool."),
            ("assistant", "You have some courses."), ("user", "Hello again."), ("assistant", ANSWER),
        ]  # fmt: skip
        for door in doors.values():
            assert door.read(begun.thread) == expected


def test_ids_and_parts_are_the_same_at_every_door(server: Served) -> None:
    """A message, a run and a thread have one id each, whatever word a protocol has for them; so have calls."""
    with server.client("student") as client, every_door(server, "student") as doors:
        begun = doors["native"].start("Please use a tool.")
        told, answer = client.get(f"/api/v1/threads/{begun.thread}/messages").json()["items"]
        assert client.get(f"/assistant/chats/{begun.thread}/messages").json()["items"] == [told, answer]
        kit = ChatKit(client)
        asked, calls, words = kit.items(begun.thread)
        path = f"/v1/conversations/{begun.thread.replace('thr_', 'conv_')}/items"
        items = client.get(path, params={"order": "asc"}).json()["data"]
    run = begun.run.partition("_")[2]
    assert (asked["id"], calls["id"], words["id"]) == (told["id"], f"{begun.run}.0", f"{begun.run}.1")
    assert [each["id"] for each in items] == [told["id"], f"mcp_{run}_0", f"msg_{run}_1"]
    [call] = [part for part in answer["parts"] if part["type"] == "tool"]
    assert (items[1]["name"], items[1]["output"]) == (call["name"], call["result"])
    assert [task["title"] for task in calls["workflow"]["tasks"]] == ["List my courses"]


@pytest.mark.parametrize("first", DOORS)
def test_what_was_thought_is_no_word_of_the_answer(embedded: Served, first: str) -> None:
    """At whichever door it was thought; it is kept beside the words, in its place."""
    with every_door(embedded, "student") as doors:
        begun = doors[first].start("Please think first.")
        assert (begun.text, begun.ended) == ("You have some courses.", True)
        expected = [("user", "Please think first."), ("assistant", "You have some courses.")]
        for door in doors.values():
            assert door.read(begun.thread) == expected
        with embedded.client("student") as client:
            kept = client.get(f"/api/v1/threads/{begun.thread}/messages").json()["items"][1]["parts"]
    assert [part["type"] for part in kept] == ["reasoning", "tool", "text"]
    assert kept[0]["text"] == THOUGHT


@pytest.mark.parametrize("first", DOORS)
def test_nobody_else_goes_on_through_any_door(server: Served, first: str) -> None:
    with every_door(server, "student") as doors, every_door(server, "classmate") as theirs:
        begun = doors[first].start("Hello.")
        for door in theirs.values():
            with pytest.raises((AssertionError, KeyError)):
                door.go_on(begun.thread, "Mine.")
        assert doors[first].read(begun.thread) == [("user", "Hello."), ("assistant", ANSWER)]
