"""Finding rows of a long list by how one of several texts begins, at the price of a page.

Half a school may have a name in N, and hardly anybody an address in Q. Of each way to match only the page that is asked
for is taken, in the order of the list: where few match, by the index of that text; where many do, along the index of
the list until the page is full. What is few is counted first, and no further than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, literal, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.paging import Key, Paging, begins_with, by_row, portion

MANY = 15_000
"""Matches from which on it is cheaper to look for them along the list."""


@dataclass(frozen=True, slots=True)
class Way:
    """One way to match."""

    matches: Select[str]
    """All that match, by the index of the text."""
    found: ColumnElement[bool]
    """The same as a condition."""
    passed: ColumnElement[bool]
    """The condition again, put so that it is asked of each row in passing."""
    in_order: bool = False
    """Whether the list is in the order of this text, so that all that match are one stretch of it."""


def own_text(among: Select[str], column: Key, beginning: str, by: Sequence[Key]) -> Way:
    """To find rows by a text of their own."""
    found = begins_with(column, beginning)
    if by[0] is column:
        return Way(among.where(found), found, found, in_order=True)
    return Way(among.where(found), found, begins_with(by_row(column), beginning))


async def ids_matching(
    session: AsyncSession,
    among: Select[str],
    ways: Sequence[Way],
    *,
    by: Sequence[Key],
    paging: Paging,
    descending: bool,
    many: int = MANY,
) -> CompoundSelect[Any]:
    """Ids of a page and more `among` the list, of what matches in any of the ways. It asks one statement first."""
    counts = [literal(0) if way.in_order else _counted(way.matches, many) for way in ways]
    numbers: Sequence[int] = (await session.execute(select(*counts))).one()
    pages = [
        portion(among.where(way.passed), by=by, paging=paging, descending=descending)
        if number > many or way.in_order
        else _sorted(among, way, many, by=by, paging=paging, descending=descending)
        for way, number in zip(ways, numbers, strict=True)
    ]
    return union(*[select(each.subquery()) for each in pages])


def _sorted(
    among: Select[str], way: Way, many: int, *, by: Sequence[Key], paging: Paging, descending: bool
) -> Select[str]:
    """A page of few. Their limit is never reached: it keeps the order of the list away from how they are found."""
    id = among.selected_columns[0]
    few = among.add_columns(*[column for column in by if column.key != id.key])
    found = few.where(way.found).limit(many + 1).subquery()
    order = [found.c[str(column.key)] for column in by]
    return portion(select(found.c[str(id.key)]), by=order, paging=paging, descending=descending)


def _counted(matches: Select[str], many: int) -> ColumnElement[int]:
    """How many match, counted as far as it matters."""
    return select(func.count()).select_from(matches.limit(many + 1).subquery()).scalar_subquery()
