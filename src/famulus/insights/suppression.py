"""Which figures may be told, so that none speaks of fewer than five people, nor can be worked out from others. Pure.

An *atom* is the smallest thing that is ever told of a figure: the figure of one day that five people or more stand
behind; or, of the days of one whole week that are too small for that, the sum, when five stand behind the sum. A total
is a sum of atoms and nothing else. So the difference of any two answers, of whatever days, is again a sum of atoms.
Whoever asks is not counted among the five: they know their own part.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from famulus.kernel.days import days_of, week_of

SMALLEST_GROUP = 5
Kind = Literal["question", "answered", "unanswered", "thread", "up", "down"]
TOGETHER: tuple[tuple[Kind, ...], ...] = (
    ("question",),
    ("answered", "unanswered"),
    ("thread",),
    ("up",),
    ("down",),
)
"""Questions are answered or not, so with their number known, each of the two tells the other."""


@dataclass(frozen=True, slots=True)
class Cell:
    """What there is of a kind in a period."""

    count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: int | None = None
    """Millionths of a US dollar, of the questions of which it is known; None where it is of none."""
    people: int = 0
    others: int = 0
    """People but for whoever asks."""

    @property
    def tellable(self) -> bool:
        """Whether nobody is shown by it: there is nothing, or enough people stand behind it."""
        return self.count == 0 or self.others >= SMALLEST_GROUP


Cells = Mapping[tuple[Kind, int], Cell]
"""By kind and period; what is missing is empty."""
NOTHING = Cell()


def withheld(cells: Cells, periods: Iterable[int]) -> dict[Kind, set[int]]:
    """By kind, the periods that must not be told."""
    found: dict[Kind, set[int]] = {kind: set() for kinds in TOGETHER for kind in kinds}
    for period in periods:
        for kinds in TOGETHER:
            if not all(cells.get((kind, period), NOTHING).tellable for kind in kinds):
                for kind in kinds:
                    found[kind].add(period)
    return found


@dataclass(frozen=True, slots=True)
class Sum:
    """The atoms of a kind, added up."""

    cell: Cell | None
    """None when there is something, and nothing of it may be told."""
    complete: bool
    """Whether nothing is missing in it."""


def whole_weeks(first: int, last: int) -> list[int]:
    """The weeks that lie entirely within some days."""
    weeks = range(week_of(first), week_of(last) + 1)
    return [week for week in weeks if days_of(week)[0] >= first and days_of(week)[-1] <= last]


def total(
    kind: Kind, days: Cells, weeks: Cells, hidden: Mapping[Kind, set[int]], whole: Iterable[int]
) -> Sum:
    """What may be told of all days together. `weeks` has, by week, what the hidden days of that week add up to."""
    unsafe = withheld(weeks, whole)[kind]
    pooled = {week: weeks.get((kind, week), NOTHING) for week in whole if week not in unsafe}
    shown = [cell for (each, day), cell in days.items() if each == kind and day not in hidden[kind]]
    missing = {day for day in hidden[kind] if week_of(day) not in pooled and (kind, day) in days}
    atoms = [cell for cell in (*shown, *pooled.values()) if cell.count]
    if missing and not atoms:
        return Sum(None, complete=False)
    return Sum(
        Cell(
            sum(cell.count for cell in atoms),
            sum(cell.input_tokens for cell in atoms),
            sum(cell.output_tokens for cell in atoms),
            _known(cell.cost for cell in atoms),
        ),
        complete=not missing,
    )


def _known(costs: Iterable[int | None]) -> int | None:
    known = [cost for cost in costs if cost is not None]
    return sum(known) if known else None
