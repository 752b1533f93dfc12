"""Knowledge in the background: lessons follow their course, and sources are read when asked, or by their schedule.

A job that is killed is begun again by another worker, and goes on where whole batches have been written. A source that
takes long is read in steps, one job after another, so that none takes longer than a job may.

    waiting ─▶ indexing ─▶ ready | failed with its reason, from where the next run brings it to `indexing` again
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import structlog
from cronsim import CronSim
from sqlalchemy import ColumnElement, and_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.events import CourseLessonsChanged
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.kernel.jobs import Later, enqueue
from famulus.kernel.jobs_schedule import Schedule
from famulus.kernel.live import Live
from famulus.kernel.tables import utc_now
from famulus.knowledge.gather import Gatherer
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.models import Source

LESSONS_JOB = "knowledge.lessons"
SOURCE_JOB = "knowledge.source"
SCHEDULED_JOB = "knowledge.scheduled"
STALE = Schedule("knowledge.stale", "*/2 * * * *", "knowledge.stale")
FORSAKEN = timedelta(minutes=2)
"""Whoever reads a source says so every half a minute (ingest.py): by then nobody is at it any more."""
MOST_AT_ONCE = 100
Payload = Mapping[str, str | int | bool | None]
log = structlog.get_logger(__name__)


def topic(source_id: str) -> str:
    """What is told live when a source has got on; it tells no more than that."""
    return f"source:{source_id}"


async def ask_for(session: AsyncSession, source_id: str, *, thorough: bool = False) -> None:
    """Have a source read; asked for again before it begins, it is read once."""
    payload: dict[str, str | int | bool | None] = {"source_id": source_id}
    unique = f"{SOURCE_JOB}:{source_id}"
    if thorough:
        payload["thorough"], unique = True, f"{unique}:thorough"
    await enqueue(session, SOURCE_JOB, payload, unique=unique)


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

    def __init__(self, database: Database, gatherer: Gatherer, live: Live) -> None:
        self._database = database
        self._gatherer = gatherer
        self._live = live

    async def scheduled(self, payload: Payload) -> None:
        """A time of a schedule has come: ask for the source, and for the time after, if the schedule is still that."""
        async with self._database.write() as session:
            source = await session.get(Source, payload["source_id"])
            if source is not None and source.schedule == payload["schedule"]:
                source.state = "waiting"
                await ask_for(session, source.id)
                await plan(session, source)

    async def handle(self, payload: Payload) -> None:
        """Read a source; one that cannot be had says why, and keeps what it has. Raises `Later` after each step."""
        async with self._database.read() as session:
            query = select(Source).where(Source.id == payload["source_id"])
            source = (await session.execute(query)).scalar_one_or_none()
        if source is None:
            return
        about = topic(source.id)
        try:
            report = await self._gatherer.bring_up_to_date(
                source,
                thorough=payload.get("thorough") is True,
                on_progress=lambda _done, _total: self._live.tell(about),
            )
        except FamulusError as error:
            log.warning("source_unread", source_id=source.id, reason=error.detail)
            async with self._database.write() as session:
                await _fail(session, Source.id == source.id, error.detail)
            self._live.tell(about)
            return
        self._live.tell(about)
        if report.unfinished:
            raise Later(0)

    async def broke_off(self, session: AsyncSession, payload: Payload, error: str) -> None:
        """An attempt has ended as none should; where there will be another, it begins with `indexing` again."""
        reason = f"Reading broke off ({error.partition(':')[0]}). What was read is kept; the server's log says more."
        await _fail(session, Source.id == payload["source_id"], reason)

    async def forsaken(self, _payload: Payload) -> None:
        """Take over sources that somebody began to read and nobody reads any more: a command that was killed, say.

        A source between two steps is asked for already, and that once more is the same. An upload has gone with the
        request that brought it. Lessons are read within one job, which another worker takes over by its lease.
        """
        long_ago = (
            Source.state == "indexing",
            Source.updated_at < utc_now() - FORSAKEN,
            Source.kind != "lessons",
        )
        query = select(Source.id).where(*long_ago).limit(MOST_AT_ONCE)
        async with self._database.read() as session:
            if (await session.execute(query)).first() is None:
                return
        async with self._database.write() as session:
            gone = and_(*long_ago, Source.kind == "upload")
            await _fail(session, gone, "Reading was cut short. What was read is kept; send the file again.")
            found = list((await session.execute(query)).scalars())
            waiting = {"state": "waiting", "updated_at": utc_now()}
            await session.execute(update(Source).where(Source.id.in_(found)).values(waiting))
            for id in found:
                await ask_for(session, id)


async def _fail(session: AsyncSession, which: ColumnElement[bool], reason: str) -> None:
    values = {"state": "failed", "error": reason[:1000], "updated_at": utc_now()}
    await session.execute(update(Source).where(which).values(values))
