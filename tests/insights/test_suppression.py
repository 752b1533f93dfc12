"""No figure speaks of fewer than five people, whichever answers are put together."""

from collections import defaultdict
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from famulus.insights.suppression import NOTHING, Cell, Cells, Kind, total, whole_weeks, withheld
from famulus.kernel.days import days_of, week_of

WEEK = week_of(20_000)
MONDAY = days_of(WEEK)[0]
Facts = list[tuple[Kind, int, str]]
"""A kind, a day, and the person."""


def counted(facts: Facts, by_week: bool = False) -> Cells:
    """What the database makes of facts."""
    found: dict[tuple[Kind, int], list[str]] = defaultdict(list)
    for kind, day, person in facts:
        found[kind, week_of(day) if by_week else day].append(person)
    return {
        key: Cell(len(who), people=len(set(who)), others=len(set(who) - {"me"})) for key, who in found.items()
    }


def told(facts: Facts, first: int, last: int, kind: Kind = "question") -> int | None:
    """The total of some days, as it is worked out."""
    here = [fact for fact in facts if first <= fact[1] <= last]
    days = counted(here)
    hidden = withheld(days, range(first, last + 1))
    weeks = counted([fact for fact in here if fact[1] in hidden[fact[0]]], by_week=True)
    cell = total(kind, days, weeks, hidden, whole_weeks(first, last)).cell
    return None if cell is None else cell.count


def on(day: int, *people: str, kind: Kind = "question") -> Facts:
    return [(kind, day, person) for person in people]


def group(count: int, name: str = "p") -> list[str]:
    return [f"{name}{n}" for n in range(count)]


def test_five_may_be_told_and_four_may_not() -> None:
    cells = counted([*on(1, *group(5)), *on(2, *group(4)), *on(3, *group(1) * 50)])

    assert withheld(cells, range(5))["question"] == {2, 3}


def test_whoever_asks_is_not_one_of_the_five() -> None:
    cells = counted([*on(1, "me", *group(4)), *on(2, "me", *group(5))])

    assert withheld(cells, range(5))["question"] == {1}


def test_answered_and_not_hide_each_other() -> None:
    """With the number of questions, one tells the other."""
    facts = [
        *on(1, *group(9), kind="answered"),
        *on(1, *group(2), kind="unanswered"),
        *on(2, *group(9), kind="answered"),
    ]
    hidden = withheld(counted(facts), range(5))

    assert hidden["answered"] == hidden["unanswered"] == {1}
    assert hidden["question"] == set()


def test_a_total_less_what_is_shown_leaves_nobody() -> None:
    """One quiet day among busy ones must not be what is missing in the sum."""
    facts = [*on(MONDAY, *group(9)), *on(MONDAY + 1, "alone"), *on(MONDAY + 2, *group(7))]

    assert told(facts, MONDAY, MONDAY + 6) == 16


def test_a_range_less_another_leaves_nobody() -> None:
    facts = [*on(MONDAY, *group(9)), *on(MONDAY + 1, "alone"), *on(MONDAY + 2, *group(7))]
    for first in range(MONDAY - 7, MONDAY + 3):
        totals = [told(facts, first, last) or 0 for last in range(first, MONDAY + 14)]
        assert {later - earlier for earlier, later in pairwise(totals)} <= {0, 9, 7}


def test_quiet_days_of_a_whole_week_are_told_together_once_they_are_many() -> None:
    facts = [*on(MONDAY, *group(3, "a")), *on(MONDAY + 3, *group(3, "b"))]

    assert told(facts, MONDAY, MONDAY + 6) == 6
    assert told(facts, MONDAY, MONDAY + 5) is None
    assert told([*on(MONDAY, *group(3)), *on(MONDAY + 3, *group(4))], MONDAY, MONDAY + 6) is None


def test_nothing_at_all_is_nought() -> None:
    assert told([], MONDAY, MONDAY + 6) == 0


people = st.sampled_from(["me", *group(9)])
facts = st.lists(
    st.tuples(
        st.sampled_from(["question", "answered", "unanswered"]), st.integers(MONDAY - 9, MONDAY + 12), people
    ),
    max_size=120,
)


@settings(max_examples=200, deadline=None)
@given(facts, st.integers(MONDAY - 9, MONDAY + 12), st.integers(0, 21))
def test_a_total_is_a_sum_of_groups_of_five(facts: Facts, first: int, length: int) -> None:
    """Worked out again, from the people themselves: every part of a total has five behind it who are not the asker."""
    last = first + length

    def safe(days: set[int], kinds: tuple[Kind, ...]) -> bool:
        behind = [{who for k, day, who in facts if k == kind and day in days} for kind in kinds]
        there = [any(k == kind and day in days for k, day, _ in facts) for kind in kinds]
        return all(not some or len(who - {"me"}) >= 5 for who, some in zip(behind, there, strict=True))

    groups: tuple[tuple[Kind, ...], ...] = (("question",), ("answered", "unanswered"))
    for kinds in groups:
        quiet = {day for day in range(first, last + 1) if not safe({day}, kinds)}
        days = set(range(first, last + 1)) - quiet
        for week in whole_weeks(first, last):
            pool = quiet & set(days_of(week))
            if safe(pool, kinds):
                days |= pool
        for kind in kinds:
            expected = sum(1 for k, day, _ in facts if k == kind and day in days)
            everything = sum(1 for k, day, _ in facts if k == kind and first <= day <= last)
            assert told(facts, first, last, kind) == (None if everything and not expected else expected)


def test_an_empty_cell_tells_of_nobody() -> None:
    assert NOTHING.tellable
