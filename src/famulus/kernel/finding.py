"""Finding rows of a long list by how one of several texts begins, at the price of a page.

Half a school may have a name in N, and hardly anybody an address in Q. Of each text only the page that is asked for is
taken, in the order of the list: where few begin so, by the index of that text; where many do, along the index of the
list until the page is full. What is few is counted first, and no further than that.
"""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, func, literal, or_, select, union
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.paging import Key, Paging, begins_with, by_row, goes_on_with, portion

Begins = tuple[Key, str]
"""A text of a row, and how it is to begin."""
MANY = 2_000
"""Matches from which on it is cheaper to look for them along the list, whose index has the texts as well."""


async def ids_matching(
    session: AsyncSession,
    among: Select[str],
    texts: Sequence[Begins],
    *,
    by: Sequence[Key],
    paging: Paging,
    descending: bool,
    many: int = MANY,
) -> CompoundSelect[Any]:
    """Ids of a page and more `among` the list, of rows one of whose texts begins so. It asks one statement first.

    A list in the order of one of the texts has all that match by it in one stretch.
    """
    found = [among.where(begins_with(*each)) for each in texts]
    in_order = [text is by[0] for text, _ in texts]
    counts = [
        literal(0) if ordered else _counted(few, many) for few, ordered in zip(found, in_order, strict=True)
    ]
    numbers: Sequence[int] = (await session.execute(select(*counts))).one()
    pages: list[Select[str]] = []
    passed: list[ColumnElement[bool]] = []
    for (text, beginning), each, ordered, number in zip(texts, found, in_order, numbers, strict=True):
        if ordered:
            stretch = among.where(goes_on_with(by[0], beginning, paging, descending))
            pages.append(portion(stretch, by=by, paging=paging, descending=descending))
        elif number > many:
            passed.append(begins_with(by_row(text), beginning))
        else:
            pages.append(_sorted(each, many, by=by, paging=paging, descending=descending))
    if passed:
        pages.append(portion(among.where(or_(*passed)), by=by, paging=paging, descending=descending))
    return union(*[select(each.subquery()) for each in pages])


def _sorted(
    found: Select[str], many: int, *, by: Sequence[Key], paging: Paging, descending: bool
) -> Select[str]:
    """A page of few. Their limit is never reached: it keeps the order of the list away from how they are found."""
    id = found.selected_columns[0]
    few = found.add_columns(*[column for column in by if column.key != id.key]).limit(many + 1).subquery()
    order = [few.c[str(column.key)] for column in by]
    return portion(select(few.c[str(id.key)]), by=order, paging=paging, descending=descending)


def _counted(matches: Select[str], many: int) -> ColumnElement[int]:
    """How many match, counted as far as it matters."""
    return select(func.count()).select_from(matches.limit(many + 1).subquery()).scalar_subquery()
