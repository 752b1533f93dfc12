"""The lessons of a course as a source: whatever the campus holds now can be found, as published as it is there.

Several may run at once and lessons may change meanwhile. So each pass writes only what is still true inside its own
transaction, and passes are repeated until one finds nothing left to do.
"""

import asyncio
import hashlib
import time
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.lessons import LessonText, lesson_texts
from famulus.kernel.database import Database
from famulus.kernel.duplicates import Vanished, duplicates_are
from famulus.knowledge.blocks import Parsed, Unreadable
from famulus.knowledge.errors import LessonsMoving, SourceVanished
from famulus.knowledge.ingest import BATCH_FILES, Report
from famulus.knowledge.models import Source
from famulus.knowledge.parse import cut_up
from famulus.knowledge.store import (
    Draft,
    Known,
    Owner,
    Place,
    begin,
    finish,
    known_documents,
    publish,
    put,
    remove,
)

NAME = "Lessons"
PASSES = 5


@dataclass(frozen=True, slots=True)
class _State:
    """What the campus holds, and what is known of it."""

    lessons: list[LessonText]
    source: Source | None
    known: dict[str | None, Known]

    @property
    def todo(self) -> list[LessonText]:
        """Lessons whose text is not known as it is now."""
        return [
            lesson
            for lesson in self.lessons
            if lesson.id not in self.known or self.known[lesson.id].content_hash != fingerprint(lesson)
        ]

    @property
    def settled(self) -> bool:
        """Whether documents, their publication and their count are what the lessons are."""
        published = {lesson.id: lesson.published for lesson in self.lessons}
        same = published == {id: row.published for id, row in self.known.items()}
        counted = not self.known if self.source is None else self.source.documents == len(self.known)
        done = self.source is None or self.source.state != "indexing"
        return same and counted and done and not self.todo


async def sync_course_lessons(database: Database, course_id: str) -> Report:
    """Bring the source `lessons` of a course up to date; only reads when nothing has changed.

    Raises `LessonsMoving` when the lessons would not keep still for long enough.
    """
    started = time.monotonic()
    report = Report()
    for _ in range(PASSES):
        async with database.read() as session:
            state = await _state(session, course_id)
        if state.settled:
            report.unchanged = max(0, len(state.lessons) - report.added - report.changed)
            if state.source is not None:
                report.source_id, report.chunks = state.source.id, state.source.chunks
            report.seconds = time.monotonic() - started
            return report
        try:
            await _pass(database, course_id, state, report)
        except (Vanished, SourceVanished, LessonsMoving):
            continue  # a lesson, or the course itself, went away in the middle
    raise LessonsMoving()


def fingerprint(lesson: LessonText) -> str:
    """What of a lesson makes it another document when it changes."""
    return hashlib.sha256("\0".join((lesson.title, lesson.path, lesson.body)).encode()).hexdigest()


async def _state(session: AsyncSession, course_id: str) -> _State:
    source = (
        await session.execute(select(Source).where(Source.course_id == course_id, Source.kind == "lessons"))
    ).scalar_one_or_none()
    known = {row.lesson_id: row for row in await known_documents(session, source.id)} if source else {}
    return _State(await lesson_texts(session, course_id), source, known)


async def _pass(database: Database, course_id: str, state: _State, report: Report) -> None:
    organization_id = state.source.organization_id if state.source else state.lessons[0].organization_id
    owner = Owner(organization_id, course_id)
    todo = state.todo
    drafts = await asyncio.to_thread(lambda: [_draft(lesson) for lesson in todo])
    async with database.write() as session:
        source_id = await begin(session, Place(owner, "lessons", NAME))
    for at in range(0, len(drafts), BATCH_FILES):
        async with database.write() as session:
            await _put(session, source_id, owner, drafts[at : at + BATCH_FILES], report)
    async with database.write() as session:
        now = await _state(session, course_id)
        report.removed += await _settle(session, owner, now)
        await finish(session, source_id)


async def _put(
    session: AsyncSession, source_id: str, owner: Owner, drafts: Sequence[Draft], report: Report
) -> None:
    """Write the drafts that are still what their lessons say."""
    now = await _state(session, owner.course_id or "")
    current = {fingerprint(lesson): lesson for lesson in now.lessons}
    valid = [draft for draft in drafts if draft.content_hash in current]
    # A lesson may have taken the path of another one, which then is read again by the next pass.
    paths = {draft.path: draft.lesson_id for draft in valid}
    moved = [row.id for row in now.known.values() if row.path in paths and row.lesson_id != paths[row.path]]
    moved += [row.id for id, row in now.known.items() if id in paths.values() and paths.get(row.path) != id]
    await remove(session, list(dict.fromkeys(moved)))
    with duplicates_are(LessonsMoving()):
        await put(session, source_id, owner, valid)
    fresh = sum(draft.lesson_id not in now.known for draft in valid)
    report.added, report.changed = report.added + fresh, report.changed + len(valid) - fresh


async def _settle(session: AsyncSession, owner: Owner, now: _State) -> int:
    """Follow publication, and drop what has no lesson any more; how many were dropped."""
    published = {lesson.id: lesson.published for lesson in now.lessons}
    gone = [row.id for id, row in now.known.items() if id not in published]
    for id, row in now.known.items():
        if id in published and row.published != published[id]:
            await publish(session, owner, row, published[id])
    await remove(session, gone)
    return len(gone)


def _draft(lesson: LessonText) -> Draft:
    data = lesson.body.encode("utf-8", errors="replace")
    from famulus.knowledge.parse_markdown import parse_markdown  # lazy: sixty modules for a rare need

    content = parse_markdown(lesson.body)
    content.title = content.title or lesson.title
    outcome: Parsed | Unreadable = cut_up(lesson.title, "markdown", data, content, lesson.path)
    return Draft(lesson.path, outcome, fingerprint(lesson), len(data), lesson.published, lesson.id)
