"""Asking a course's golden questions, as a job after its material has changed.

It waits until what is being read has been read and its vectors are there, for an hour at most: before that, an answer
may look worse than it will be.
"""

import time
from collections.abc import Mapping, Sequence

import structlog
from sqlalchemy import select, update

from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.kernel.jobs import Later
from famulus.kernel.tables import utc_now
from famulus.knowledge.golden import MOST
from famulus.knowledge.models import Document, GoldenQuestion
from famulus.knowledge.retrieve import Answer, Passage, Retriever

PASSAGES = 10
PAUSE = 15.0
"""Seconds until it is looked at again whether everything is read."""
ASKER = Principal(
    user_id="usr_golden", name="Golden questions", email="golden@famulus.local", role="site_admin"
)
"""Sees all material of the course, drafts too, as those who teach it do."""
log = structlog.get_logger(__name__)


class GoldenKeeper:
    """Asks the golden questions of courses."""

    def __init__(self, database: Database, retriever: Retriever) -> None:
        self._database = database
        self._retriever = retriever

    async def handle(self, payload: Mapping[str, str | int | bool | None]) -> None:
        """Ask all of a course's questions, and note where their answers are found. Raises `Later` to wait."""
        course_id, until = str(payload["course_id"]), int(payload["until"] or 0)
        places: dict[str, int | None] = {}
        for question in await self._questions(course_id):
            try:
                answer = await self._retriever.search(
                    ASKER, question.question, course_id=course_id, limit=PASSAGES
                )
            except NotFound:
                return  # the course has gone
            if _unready(answer) and time.time() < until:
                raise Later(PAUSE)
            places[question.id] = await self._place(question, answer.passages)
        await self._note(places)
        log.info("golden_questions_asked", course_id=course_id, questions=len(places))

    async def _questions(self, course_id: str) -> Sequence[GoldenQuestion]:
        query = select(GoldenQuestion).where(GoldenQuestion.course_id == course_id)
        async with self._database.read() as session:
            return list(await session.scalars(query.order_by(GoldenQuestion.id).limit(MOST)))

    async def _place(self, question: GoldenQuestion, passages: Sequence[Passage]) -> int | None:
        """Where the answer stands among the passages, from 1."""
        ids = {passage.document_id for passage in passages}
        query = select(Document.id, Document.path, Document.title).where(Document.id.in_(ids))
        async with self._database.read() as session:
            names = {row[0]: {row[1].lower(), row[2].lower()} for row in await session.execute(query)}
        wanted, words = question.document.lower(), " ".join(question.passage.lower().split())
        for place, passage in enumerate(passages, 1):
            said = " ".join(passage.text.lower().split())
            if wanted in names.get(passage.document_id, ()) and words in said:
                return place
        return None

    async def _note(self, places: Mapping[str, int | None]) -> None:
        if not places:
            return
        now = utc_now()
        async with self._database.write() as session:
            known = select(GoldenQuestion.id, GoldenQuestion.best).where(GoldenQuestion.id.in_(places))
            best = {row[0]: row[1] for row in await session.execute(known)}
            rows = [
                {"id": id, "place": places[id], "best": better(places[id], best[id]), "checked_at": now}
                for id in best
            ]
            if rows:
                await session.execute(update(GoldenQuestion), rows)


def better(one: int | None, other: int | None) -> int | None:
    """The better of two places."""
    return min((place for place in (one, other) if place is not None), default=None)


def _unready(answer: Answer) -> bool:
    return answer.reading > 0 or answer.meaning in ("partial", "pending")
