"""Schedules: each tick once, however many instances there are, in UTC, and a missed one is made up for once."""

import asyncio
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest
from cronsim import CronSimError
from sqlalchemy import select, update

from famulus.kernel.database import Database
from famulus.kernel.jobs import Worker
from famulus.kernel.jobs_schedule import Schedule, any_due, register, take_ticks
from famulus.kernel.jobs_table import Payload, ScheduleRow
from famulus.kernel.tables import utc_now
from tests.support.waiting import until

NIGHTLY = Schedule("nightly", "30 3 * * *", "sweep")
HOURLY = Schedule("hourly", "0 * * * *", "count")


async def next_at(database: Database, schedule: Schedule) -> float:
    """When the schedule is due, by its row."""
    async with database.read() as session:
        return (await session.scalars(select(ScheduleRow.next_at).filter_by(name=schedule.name))).one()


async def set_due(database: Database, schedule: Schedule, at: float = 1.0) -> None:
    """Have the schedule's time come, long ago unless told otherwise."""
    async with database.write() as session:
        await session.execute(update(ScheduleRow).filter_by(name=schedule.name).values(next_at=at))


async def taken(database: Database, *schedules: Schedule) -> list[Schedule]:
    """The ticks that one instance gets."""
    async with database.write() as session:
        return await take_ticks(session, schedules)


def at(text: str) -> float:
    """A time in UTC, in seconds."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()


def test_times_are_utc() -> None:
    assert NIGHTLY.after(at("2026-03-29 00:00")) == at("2026-03-29 03:30")
    assert NIGHTLY.after(at("2026-03-29 03:30")) == at("2026-03-30 03:30")
    assert HOURLY.after(at("2026-11-20 19:59:59.9")) == at("2026-11-20 20:00")


def test_what_is_no_cron_line_is_refused() -> None:
    with pytest.raises(CronSimError):
        Schedule("x", "every day", "x").after(0)


async def test_a_new_schedule_is_not_due_before_its_time(database: Database) -> None:
    await register(database, [NIGHTLY, HOURLY])

    assert not await any_due(database, [NIGHTLY, HOURLY])
    assert await taken(database, NIGHTLY, HOURLY) == []
    assert await next_at(database, HOURLY) > utc_now().timestamp() - 5


async def test_a_schedule_that_is_known_keeps_its_time_unless_its_times_change(database: Database) -> None:
    await register(database, [NIGHTLY])
    await set_due(database, NIGHTLY)
    await register(database, [NIGHTLY])
    assert await any_due(database, [NIGHTLY])

    await register(database, [Schedule("nightly", "30 4 * * *", "sweep")])
    assert not await any_due(database, [NIGHTLY])


async def test_a_tick_is_had_once_and_the_next_lies_ahead(database: Database, database_url: str) -> None:
    others = [Database(database_url) for _ in range(3)]
    await register(database, [NIGHTLY, HOURLY])
    await set_due(database, NIGHTLY)

    found = await asyncio.gather(*(taken(each, NIGHTLY, HOURLY) for each in (database, *others)))
    for each in others:
        await each.close()

    assert [schedule for lot in found for schedule in lot] == [NIGHTLY]
    assert await next_at(database, NIGHTLY) == NIGHTLY.after(utc_now().timestamp())


async def test_a_tick_of_a_transaction_that_fails_is_had_by_the_next(database: Database) -> None:
    await register(database, [NIGHTLY])
    await set_due(database, NIGHTLY)

    with pytest.raises(RuntimeError, match="broken"):
        async with database.write() as session:
            assert await take_ticks(session, [NIGHTLY]) == [NIGHTLY]
            raise RuntimeError("broken")

    assert await taken(database, NIGHTLY) == [NIGHTLY]


async def test_workers_make_jobs_of_ticks(database: Database, database_url: str) -> None:
    done: list[Payload] = []

    async def sweep(payload: Payload) -> None:
        done.append(payload)

    async def called(times: int) -> Any:
        return len(done) >= times

    async def registered() -> bool:
        async with database.read() as session:
            return await session.scalar(select(ScheduleRow.name).filter_by(name="nightly")) is not None

    other = Database(database_url)
    workers = [
        Worker(each, {"sweep": sweep}, "here", schedules=[NIGHTLY], poll=0.02) for each in (database, other)
    ]
    for worker in workers:
        await worker.start()
    await until(registered)
    for times in (1, 2):
        await set_due(database, NIGHTLY)
        await until(partial(called, times))
    await asyncio.sleep(0.1)
    for worker in workers:
        await worker.stop()
    await other.close()

    assert done == [{}, {}]
