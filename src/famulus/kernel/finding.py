"""Finding rows of a long list by how one of several texts begins, at the price of a page.

Half a school may have a name in N, and hardly anybody an address in Q. Of each way to match only the page that is asked
for is taken, in the order of the list: where few match, by the index of that text; where many do, along the index of
the list until the page is full. What is few is counted first, and no further than that.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.paging import Key, Paging, begins_with, portion

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


def own_text(among: Select[str], column: Key, beginning: str, by: Sequence[Key]) -> Way:
    """By a text of the list itself. Where the list is in the order of this text, its range is a part of the list."""
    found = begins_with(column, beginning)
    passed = found if by[0] is column else begins_with(column.concat(""), beginning)
    return Way(among.where(found), found, passed)


async def ids_matching(
    session: AsyncSession,
    among: Select[str],
    ways: Sequence[Way],
    *,
    by: Sequence[Key],
    paging: Paging,
    descending: bool,
) -> CompoundSelect[Any]:
    """Ids of a page and more `among` the list, of what matches in any of the ways. It asks one statement first."""
    counts = [_counted(way.matches) for way in ways]
    numbers: Sequence[int] = (await session.execute(select(*counts))).one()
    pages = [
        portion(
            among.where(way.found if number <= MANY else way.passed),
            by=by,
            paging=paging,
            descending=descending,
        )
        for way, number in zip(ways, numbers, strict=True)
    ]
    return union(*[select(each.subquery()) for each in pages])


def _counted(matches: Select[str]) -> ColumnElement[int]:
    """How many match, counted as far as it matters."""
    return select(func.count()).select_from(matches.limit(MANY + 1).subquery()).scalar_subquery()
