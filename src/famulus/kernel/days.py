"""Days in SQL: the number of a time's day since 1970, in UTC, on both databases alike."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Integer, cast, func, literal_column
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

EPOCH = date(1970, 1, 1)
MONDAY = 3
"""The first of January 1970 was a Thursday."""
Time = ColumnElement[Any] | InstrumentedAttribute[datetime]


def day_of(session: AsyncSession, time: Time) -> ColumnElement[int]:
    """The number of the day of a time."""
    if session.get_bind().dialect.name == "sqlite":
        return cast(func.julianday(func.substr(time, 1, 10)) - literal_column("2440587.5"), Integer)
    return cast(func.floor(func.extract("epoch", time) / literal_column("86400")), Integer)


def number_of(day: date) -> int:
    """The number of a day, as `day_of` counts."""
    return (day - EPOCH).days


def week_of(number: int) -> int:
    """The number of a day's week; weeks begin on Mondays."""
    return (number + MONDAY) // 7


def days_of(week: int) -> range:
    """The numbers of the days of a week."""
    return range(week * 7 - MONDAY, week * 7 - MONDAY + 7)


def begins(day: date) -> datetime:
    """The first moment of a day, in UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def ends(day: date) -> datetime:
    """The first moment after a day, in UTC."""
    return begins(day + timedelta(days=1))
