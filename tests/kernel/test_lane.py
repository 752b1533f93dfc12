"""The fast lane: what is queued together commits together, and one script's trouble is its own."""

import asyncio
import sqlite3
from collections.abc import Generator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.kernel.errors import Conflict, Unavailable
from famulus.kernel.lane import Driver, Lane, MakeScript, Outcome, Row, Statement, Value
from famulus.kernel.lane_sqlite import SqliteDriver
from famulus.kernel.tables import utc_now
from tests.support.outage import cut
from tests.support.waiting import until

Steps = Generator[Statement, list[Row], Any]


class Recording:
    """A driver that notes the size of each batch it hands on."""

    def __init__(self, driver: Driver) -> None:
        self.driver = driver
        self.batches: list[int] = []

    async def commit(self, scripts: list[MakeScript]) -> list[Outcome]:
        self.batches.append(len(scripts))
        return await self.driver.commit(scripts)

    async def read(self, script: MakeScript) -> Any:
        return await self.driver.read(script)

    async def close(self) -> None:
        await self.driver.close()


def add(name: str, then: Exception | None = None) -> Steps:
    """Write a note and return how many there are; or fail after having written."""
    yield "INSERT INTO notes (name) VALUES ($1)", (name,)
    if then is not None:
        raise then
    rows = yield "SELECT count(*) FROM notes", ()
    return rows[0][0]


def names() -> Steps:
    """All notes, sorted."""
    rows = yield "SELECT name FROM notes ORDER BY name", ()
    return [row[0] for row in rows]


def ask(sql: str, *values: Value) -> Steps:
    """One statement's rows."""
    rows = yield sql, values
    return rows


@pytest.fixture
async def lane(database: Database) -> Lane:
    """The database's lane, with a table to write to."""
    async with database.engine.begin() as connection:
        await connection.execute(text("CREATE TABLE notes (name varchar(50) PRIMARY KEY)"))
    return database.lane


async def test_a_script_writes_and_returns_its_value(lane: Lane) -> None:
    assert await lane.write(partial(add, "a")) == 1
    assert await lane.write(partial(add, "b")) == 2
    assert await lane.read(names) == ["a", "b"]


async def test_what_is_queued_meanwhile_shares_a_commit(lane: Lane) -> None:
    lane.driver = recording = Recording(lane.driver)

    counts = await asyncio.gather(*(lane.write(partial(add, f"{n:03}")) for n in range(150)))

    assert counts == list(range(1, 151))
    assert recording.batches == [64, 64, 22]


async def test_a_failing_script_takes_nothing_with_it(lane: Lane) -> None:
    results = await asyncio.gather(
        lane.write(partial(add, "a")),
        lane.write(partial(add, "b", Conflict("not b"))),
        lane.write(partial(add, "a")),
        lane.write(partial(add, "c")),
        return_exceptions=True,
    )

    assert results[0] == 1
    assert isinstance(results[1], Conflict)
    assert isinstance(results[2], Exception)
    assert results[3] == 2
    assert await lane.read(names) == ["a", "c"]


async def test_a_caller_who_goes_away_leaves_the_others_alone(lane: Lane) -> None:
    impatient = asyncio.create_task(lane.write(partial(add, "a")))
    patient = asyncio.create_task(lane.write(partial(add, "b")))
    await asyncio.sleep(0)
    impatient.cancel()

    await patient
    with pytest.raises(asyncio.CancelledError):
        await impatient
    assert "b" in await lane.read(names)
    await lane.write(partial(add, "c"))


async def test_ordinary_writers_and_the_lane_share_the_database(database: Database, lane: Lane) -> None:
    async def ordinary(n: int) -> None:
        async with database.write() as session:
            await session.execute(text("INSERT INTO notes VALUES (:name)"), {"name": f"o{n}"})
            await asyncio.sleep(0)
            await session.execute(text("UPDATE notes SET name = :new WHERE name = :name"), {
                "name": f"o{n}", "new": f"p{n}",
            })  # fmt: skip

    await asyncio.gather(
        *(ordinary(n) for n in range(25)), *(lane.write(partial(add, f"l{n}")) for n in range(25))
    )

    found = await lane.read(names)
    assert sorted(found) == sorted([*(f"p{n}" for n in range(25)), *(f"l{n}" for n in range(25))])


async def test_the_clock_is_the_databases_and_times_come_back_comparable(lane: Lane) -> None:
    now = utc_now()

    rows = await lane.read(partial(ask, "SELECT {now}, {now} + $1", 10.0))

    assert abs(rows[0][0] - now.timestamp()) < 5
    assert 9.9 < rows[0][1] - rows[0][0] < 10.1


async def test_reading_scripts_see_what_is_committed_and_run_side_by_side(lane: Lane) -> None:
    await lane.write(partial(add, "a"))

    assert await asyncio.gather(*(lane.read(names) for _ in range(20))) == [["a"]] * 20


@pytest.mark.usefixtures("lane")
async def test_closing_finishes_what_is_queued(database_url: str) -> None:
    opened = Database(database_url)
    writing = [asyncio.create_task(opened.lane.write(partial(add, f"{n}"))) for n in range(5)]
    await asyncio.sleep(0)
    await opened.close()

    assert await asyncio.gather(*writing) == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("dialect", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_lost_connection_is_replaced(database: Database, lane: Lane) -> None:
    await lane.write(partial(add, "a"))
    await lane.read(names)

    await cut(database)
    await asyncio.sleep(0.05)  # so that the loss may be noticed, or not: both have to do

    assert await lane.read(names) == ["a"]
    results = await asyncio.gather(*(lane.write(partial(add, name)) for name in "bc"), return_exceptions=True)
    assert all(isinstance(result, int | Unavailable) for result in results), results
    await lane.write(partial(add, "d"))
    assert {"a", "d"} <= set(await lane.read(names))


@pytest.mark.parametrize("dialect", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_connection_lost_in_the_middle_is_unavailable(database: Database, lane: Lane) -> None:
    sleeping = [
        asyncio.create_task(lane.write(partial(ask, "SELECT pg_sleep(30), 'lane'"))),
        asyncio.create_task(lane.write(partial(add, "a"))),
    ]

    async def asleep() -> bool:
        found = await lane.read(partial(ask, "SELECT 1 FROM pg_stat_activity WHERE wait_event = 'PgSleep'"))
        return bool(found)

    await until(asleep)
    await cut(database)

    results = await asyncio.gather(*sleeping, return_exceptions=True)
    assert [type(result) for result in results] == [Unavailable, Unavailable]
    await lane.write(partial(add, "b"))
    assert await lane.read(names) == ["b"]


@pytest.mark.parametrize("dialect", ["postgresql"], indirect=True)
@pytest.mark.postgres
async def test_a_reading_script_that_takes_too_long_is_unavailable(lane: Lane) -> None:
    await lane.read(partial(ask, "SET statement_timeout = 50"))

    with pytest.raises(Unavailable):
        await lane.read(partial(ask, "SELECT pg_sleep(20)"))
    assert await lane.read(names) == []


@pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
async def test_a_file_that_somebody_holds_is_unavailable_for_all_at_once(
    database: Database, lane: Lane
) -> None:
    await lane.write(partial(ask, "PRAGMA busy_timeout=20"))
    with sqlite3.connect(database.url.database or "", isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        results = await asyncio.gather(
            *(lane.write(partial(add, name)) for name in "ab"), return_exceptions=True
        )
        other.execute("ROLLBACK")
    other.close()

    assert [type(result) for result in results] == [Unavailable, Unavailable]
    assert await lane.write(partial(add, "c")) == 1


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: Path) -> None:
    lane = Lane(SqliteDriver(tmp_path), asyncio.Lock())

    with pytest.raises(Unavailable):
        await lane.write(names)
    with pytest.raises(Unavailable):
        await lane.read(names)
    await lane.close()
