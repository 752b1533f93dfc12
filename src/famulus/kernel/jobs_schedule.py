"""Schedules: work that is due by the clock. However many instances there are, each tick happens on one of them.

A tick that was missed because nobody ran is made up for once, not as often as it was missed.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from cronsim import CronSim
from sqlalchemy import select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.clock import clock
from famulus.kernel.database import Database
from famulus.kernel.jobs_table import ScheduleRow

INSERT = text(
    "INSERT INTO schedules (name, cron, next_at) VALUES (:name, :cron, :next_at) ON CONFLICT DO NOTHING"
)


@dataclass(frozen=True, slots=True)
class Schedule:
    """A job of `kind` with an empty payload at every time that `cron` names, in UTC."""

    name: str
    cron: str
    """Five fields, or six with seconds first."""
    kind: str

    def after(self, moment: float) -> float:
        """The first time after `moment`, both in seconds since 1970; raises CronSimError for what is no cron line."""
        return next(CronSim(self.cron, datetime.fromtimestamp(moment, UTC))).timestamp()


async def register(database: Database, schedules: Sequence[Schedule]) -> None:
    """Make known what is new and what now has other times; nothing becomes due by it."""
    async with database.write() as session:
        now = (await session.scalars(select(clock()))).one()
        for schedule in schedules:
            values = {"cron": schedule.cron, "next_at": schedule.after(now)}
            await session.execute(INSERT, {"name": schedule.name, **values})
            changed = (ScheduleRow.name == schedule.name, ScheduleRow.cron != schedule.cron)
            await session.execute(update(ScheduleRow).where(*changed).values(values))


async def any_due(database: Database, schedules: Sequence[Schedule]) -> bool:
    """Whether a tick may be had; asked without the writer."""
    names = [schedule.name for schedule in schedules]
    query = select(ScheduleRow.name).where(ScheduleRow.name.in_(names), ScheduleRow.next_at <= clock())
    async with database.read() as session:
        return await session.scalar(query.limit(1)) is not None


async def take_ticks(session: AsyncSession, schedules: Sequence[Schedule]) -> list[Schedule]:
    """The schedules whose tick is the caller's, once this transaction has committed."""
    now = (await session.scalars(select(clock()))).one()
    taken: list[Schedule] = []
    for schedule in schedules:
        due = (ScheduleRow.name == schedule.name, ScheduleRow.next_at <= now)
        moved = update(ScheduleRow).where(*due).values(next_at=schedule.after(now))
        rows = await session.scalars(moved.returning(ScheduleRow.name))
        if rows.one_or_none() is not None:
            taken.append(schedule)
    return taken
