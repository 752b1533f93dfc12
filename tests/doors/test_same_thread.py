"""One thread, whichever door it is seen through: begun at one, gone on with at another, resumed at a third."""

import itertools

import pytest

from tests.support.doors import DOORS, every_door
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."
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
def test_a_thread_goes_through_doors(server: Served, first: str, second: str) -> None:
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


@pytest.mark.parametrize("first", DOORS)
def test_nobody_else_goes_on_through_any_door(server: Served, first: str) -> None:
    with every_door(server, "student") as doors, every_door(server, "classmate") as theirs:
        begun = doors[first].start("Hello.")
        for door in theirs.values():
            with pytest.raises((AssertionError, KeyError)):
                door.go_on(begun.thread, "Mine.")
        assert doors[first].read(begun.thread) == [("user", "Hello."), ("assistant", ANSWER)]
