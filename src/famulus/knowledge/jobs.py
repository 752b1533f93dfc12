"""Knowledge in the background: lessons follow their course, and sources are read when asked, or by their schedule.

A job that is killed is begun again by another worker, and goes on where whole batches have been written.
"""

from collections.abc import Mapping
from datetime import UTC, datetime

import structlog
from cronsim import CronSim
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.events import CourseLessonsChanged
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.kernel.jobs import enqueue
from famulus.kernel.tables import utc_now
from famulus.knowledge.gather import Gatherer
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.models import Source

LESSONS_JOB = "knowledge.lessons"
SOURCE_JOB = "knowledge.source"
SCHEDULED_JOB = "knowledge.scheduled"
Payload = Mapping[str, str | int | bool | None]
log = structlog.get_logger(__name__)


async def ask_for(session: AsyncSession, source_id: str) -> None:
    """Have a source read; asked for again before it begins, it is read once."""
    await enqueue(session, SOURCE_JOB, {"source_id": source_id}, unique=f"{SOURCE_JOB}:{source_id}")


async def plan(session: AsyncSession, source: Source) -> None:
    """Have a source read at the next time of its schedule, if it has one."""
    if source.schedule is None:
        return
    at = next(CronSim(source.schedule, datetime.now(UTC)))
    payload = {"source_id": source.id, "schedule": source.schedule}
    unique = f"{SCHEDULED_JOB}:{source.id}:{source.schedule}"
    await enqueue(session, SCHEDULED_JOB, payload, run_at=at, unique=unique)


class LessonKeeper:
    """Hears of changes and does the work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changed(self, event: CourseLessonsChanged) -> None:
        """Ask for the work; changes in quick succession share one job."""
        async with self._database.write() as session:
            payload = {"course_id": event.course_id}
            await enqueue(session, LESSONS_JOB, payload, unique=f"{LESSONS_JOB}:{event.course_id}")

    async def handle(self, payload: Payload) -> None:
        """Do the work: read what changed, forget what went."""
        await sync_course_lessons(self._database, str(payload["course_id"]))


class SourceKeeper:
    """Reads sources, and asks for those whose time has come."""

    def __init__(self, database: Database, gatherer: Gatherer) -> None:
        self._database = database
        self._gatherer = gatherer

    async def scheduled(self, payload: Payload) -> None:
        """A time of a schedule has come: ask for the source, and for the time after, if the schedule is still that."""
        async with self._database.write() as session:
            source = await session.get(Source, payload["source_id"])
            if source is not None and source.schedule == payload["schedule"]:
                source.state = "waiting"
                await ask_for(session, source.id)
                await plan(session, source)

    async def handle(self, payload: Payload) -> None:
        """Read a source; one that cannot be had says why, and keeps what it has."""
        async with self._database.read() as session:
            query = select(Source).where(Source.id == payload["source_id"])
            source = (await session.execute(query)).scalar_one_or_none()
        if source is None:
            return
        try:
            await self._gatherer.bring_up_to_date(source)
        except FamulusError as error:
            log.warning("source_unread", source_id=source.id, reason=error.detail)
            values = {"state": "failed", "error": error.detail[:1000], "updated_at": utc_now()}
            async with self._database.write() as session:
                await session.execute(update(Source).where(Source.id == source.id).values(values))
