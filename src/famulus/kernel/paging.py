"""Keyset paging of one shape: `items` and `next`, an opaque key that continues after the last item, however deep."""

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Generic, TypeVar

import msgspec
from sqlalchemy import BigInteger, ColumnElement, Integer, Select, and_, func, literal, tuple_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from famulus.kernel.errors import BadRequest
from famulus.kernel.tables import UtcTime

T = TypeVar("T")
U = TypeVar("U")
Q = TypeVar("Q", bound=Select[*tuple[Any, ...]])
LIMIT = 50
MAX_LIMIT = 100
LAST_CHARACTER = "\U0010ffff"
BIGGEST_INTEGER = 2**63
"""Of a bigint; an integer has half the bits."""
Key = ColumnElement[Any] | InstrumentedAttribute[Any]


class BadCursor(BadRequest):
    """`after` is not a key that this list gave out; leave it away to begin at the first page."""

    code = "bad_cursor"


@dataclass(frozen=True, slots=True)
class Paging:
    """What a reader asked for."""

    limit: int = LIMIT
    after: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some items and, if there may be more, the key that continues after them."""

    items: list[T]
    next: str | None = None

    def map(self, change: Callable[[T], U]) -> "Page[U]":
        """The same page of changed items."""
        return Page([change(item) for item in self.items], self.next)


def encode_key(values: Sequence[Any]) -> str:
    """An opaque, URL-safe key of sort values (strings, numbers, times)."""
    plain = [{"t": value.isoformat()} if isinstance(value, datetime) else value for value in values]
    return base64.urlsafe_b64encode(msgspec.json.encode(plain)).rstrip(b"=").decode()


def decode_key(key: str, count: int) -> list[Any]:
    """The sort values of a key; raises `BadCursor` unless there are `count` of them."""
    try:
        raw = base64.urlsafe_b64decode(key + "=" * (-len(key) % 4))
        values = msgspec.json.decode(raw, type=list[dict[str, str] | str | int | float | bool | None])
        times = [_time(v["t"]) if isinstance(v, dict) else v for v in values]
    except (
        ValueError,
        KeyError,
        OverflowError,
        TypeError,
        binascii.Error,
        msgspec.DecodeError,
        UnicodeError,
    ) as error:
        raise BadCursor() from error
    if len(times) != count or None in times:
        raise BadCursor()
    return times


def _time(text: str) -> datetime:
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError("a key's times are aware")
    return time.astimezone(UTC)


async def page(
    session: AsyncSession,
    query: Select[*tuple[Any, ...]],
    *,
    by: Sequence[Key],
    paging: Paging,
    descending: bool = False,
) -> Page[Any]:
    """One page of a select of one entity (or of rows), sorted by the columns `by`, the last of which is unique.

    The columns of `by` must be attributes of the entity (or labels of the row) under their own names.
    """
    rows = (await session.execute(portion(query, by=by, paging=paging, descending=descending))).all()
    found = [row[0] if len(row) == 1 else row for row in rows]
    items = found[: paging.limit]
    more = len(found) > paging.limit
    return Page(items, encode_key([getattr(items[-1], str(column.key)) for column in by]) if more else None)


def portion(query: Q, *, by: Sequence[Key], paging: Paging, descending: bool = False) -> Q:
    """The rows of one page, and one more if there are more: what `page` asks for, for a part of such a question."""
    if paging.after is not None:
        values = decode_key(paging.after, len(by))
        if not all(_fits(value, column) for value, column in zip(values, by, strict=True)):
            raise BadCursor()
        bounds = tuple_(*[literal(v, column.type) for v, column in zip(values, by, strict=True)])
        query = query.where(tuple_(*by) < bounds if descending else tuple_(*by) > bounds)
    order = [column.desc() if descending else column.asc() for column in by]
    return query.order_by(*order).limit(paging.limit + 1)


def _fits(value: Any, column: Key) -> bool:
    """Whether the column can be compared with the value: a key may have been made up by anybody."""
    match column.type:
        case UtcTime():
            return isinstance(value, datetime)
        case BigInteger():
            return type(value) is int and -BIGGEST_INTEGER <= value < BIGGEST_INTEGER
        case Integer():
            return type(value) is int and -BIGGEST_INTEGER >> 32 <= value < BIGGEST_INTEGER >> 32
        case _:
            return isinstance(value, column.type.python_type) and not (
                isinstance(value, str) and "\0" in value
            )


def by_row(column: Key) -> ColumnElement[Any]:
    """A text column as each row has it: no index of it is chosen where another one is known to be better."""
    return func.coalesce(column, "")


def begins_with(column: Key | ColumnElement[Any], beginning: str) -> ColumnElement[bool]:
    """Whether a `Folded` column begins so: a range of its index, on both databases alike."""
    return and_(column >= beginning, column < beginning + LAST_CHARACTER)


def goes_on_with(column: Key, beginning: str, paging: Paging, descending: bool) -> ColumnElement[bool]:
    """The same of a list in the order of that column: where a page continues after a key, the key bounds the index.

    SQLite takes one lower bound of a range and one upper one; with the beginning's, it walks over all pages before.
    """
    if paging.after is None:
        return begins_with(column, beginning)
    above, below = (column, by_row(column)) if descending else (by_row(column), column)
    return and_(above >= beginning, below < beginning + LAST_CHARACTER)
