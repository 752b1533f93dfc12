"""Keeping lessons known: a change of a course's lessons becomes a job that brings their source up to date."""

from collections.abc import Mapping

from famulus.campus.events import CourseLessonsChanged
from famulus.kernel.database import Database
from famulus.kernel.jobs import enqueue
from famulus.knowledge.lessons import sync_course_lessons

LESSONS_JOB = "knowledge.lessons"


class LessonKeeper:
    """Hears of changes and does the work."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def changed(self, event: CourseLessonsChanged) -> None:
        """Ask for the work; changes in quick succession share one job."""
        async with self._database.write() as session:
            payload = {"course_id": event.course_id}
            await enqueue(session, LESSONS_JOB, payload, unique=f"{LESSONS_JOB}:{event.course_id}")

    async def handle(self, payload: Mapping[str, str | int | bool | None]) -> None:
        """Do the work: read what changed, forget what went."""
        await sync_course_lessons(self._database, str(payload["course_id"]))
