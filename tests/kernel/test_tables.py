"""Column types: times stay aware and exact, JSON stays what it was, on both databases."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, insert, select
from sqlalchemy.exc import StatementError

from famulus.kernel.database import Database
from famulus.kernel.tables import Json, UtcTime, utc_now

NOTES = Table(
    "notes",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("at", UtcTime),
    Column("said", Json),
)


@pytest.fixture(autouse=True)
async def table(database: Database) -> None:
    """A table with a column of each type."""
    async with database.engine.begin() as connection:
        await connection.run_sync(NOTES.metadata.create_all)


async def kept(database: Database, **values: Any) -> Any:
    """A row as it comes back after a commit."""
    async with database.write() as session:
        await session.execute(insert(NOTES).values(id=1, **values))
    async with database.read() as session:
        return (await session.execute(select(NOTES))).one()


async def test_a_time_comes_back_aware_in_utc_to_the_microsecond(database: Database) -> None:
    tokyo = timezone(timedelta(hours=9))
    moment = datetime(2026, 11, 21, 4, 0, 0, 123456, tzinfo=tokyo)

    at = (await kept(database, at=moment)).at

    assert at == moment
    assert at.utcoffset() == timedelta(0)
    assert at.microsecond == 123456


async def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(StatementError, match="naive"):
        await kept(database, at=datetime(2026, 11, 20))  # noqa: DTZ001 - that is the point


async def test_times_sort_by_time(database: Database) -> None:
    moments = [
        datetime(2026, 1, 1, tzinfo=UTC) + timedelta(microseconds=n) for n in (0, 999_999, 5, 1_000_000)
    ]
    async with database.write() as session:
        await session.execute(insert(NOTES), [{"id": n, "at": at} for n, at in enumerate(moments)])
    async with database.read() as session:
        found = list(await session.scalars(select(NOTES.c.at).order_by(NOTES.c.at)))
        later = list(await session.scalars(select(NOTES.c.at).where(NOTES.c.at > moments[2])))

    assert found == sorted(moments)
    assert set(later) == {moments[1], moments[3]}


@pytest.mark.parametrize("value", [None, [], {"a": [1, 2.5, None, True]}, "Grüße 🚀", "a\0b", 0])
async def test_json_comes_back_as_it_was(database: Database, value: object) -> None:
    assert (await kept(database, said=value)).said == value


def test_the_present_is_aware() -> None:
    assert utc_now().utcoffset() == timedelta(0)
