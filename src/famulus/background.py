"""What is done in the background: the handler of each kind of job, and what is done by the clock."""

from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from typing import Final

from famulus.campus.events import CourseLessonsChanged
from famulus.conversations import tidying as conversations
from famulus.conversations.attachments import PURGE, Attachments
from famulus.identity.mails import MAIL_JOB
from famulus.identity.recovery import FORGOTTEN_JOB, Forgotten
from famulus.identity.tidying import TIDY, Tidying
from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.http import Outbound
from famulus.kernel.jobs import Handler, Payload
from famulus.kernel.jobs_lease import Told
from famulus.kernel.live import Live
from famulus.kernel.settings import Settings
from famulus.knowledge.elsewhere import INDEX_JOB, Elsewhere
from famulus.knowledge.gather import Gatherer
from famulus.knowledge.golden import GOLDEN_JOB
from famulus.knowledge.golden_check import GoldenKeeper
from famulus.knowledge.jobs import LESSONS_JOB, SCHEDULED_JOB, SOURCE_JOB, STALE, LessonKeeper, SourceKeeper
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import Retriever
from famulus.knowledge.triple_job import TripleKeeper
from famulus.knowledge.triple_runs import TRIPLE_JOB
from famulus.knowledge.vectors import EMBED_JOB
from famulus.llm.opened import Models
from famulus.runs.preparation import TITLE_JOB
from famulus.runs.title import Titler

SCHEDULES: Final = (TIDY, conversations.TIDY, PURGE, STALE)


@dataclass(frozen=True, slots=True)
class Background:
    """What a worker is given, by kind of job."""

    handlers: dict[str, Handler]
    told: dict[str, Told]
    """Who hears of attempts that have failed."""


def background(
    settings: Settings,
    database: Database,
    live: Live,
    *,
    models: Models,
    meaning: Meaning,
    retriever: Retriever,
    outbound: Outbound,
    attachments: Attachments,
) -> Background:
    """All of it; the keeper of lessons hears of their changes from now on."""
    lessons = LessonKeeper(database)
    database.bus.subscribe(CourseLessonsChanged, lessons.changed)
    triples = TripleKeeper(database, models, CrashPoints(settings.crash_point))
    sources = SourceKeeper(database, Gatherer(database, outbound, settings), live)
    handlers: dict[str, Handler] = {
        MAIL_JOB: _mails(database, settings),
        FORGOTTEN_JOB: Forgotten(database, settings).handle,
        TIDY.kind: Tidying(database).handle,
        TITLE_JOB: Titler(database, live, models).handle,
        conversations.TIDY.kind: conversations.Tidying(database, timedelta(days=settings.guest_days)).handle,
        PURGE.kind: attachments.purge,
        LESSONS_JOB: lessons.handle,
        SOURCE_JOB: sources.handle,
        SCHEDULED_JOB: sources.scheduled,
        STALE.kind: sources.forsaken,
        GOLDEN_JOB: GoldenKeeper(database, retriever).handle,
        EMBED_JOB: meaning.handle,
        TRIPLE_JOB: triples.handle,
        **({INDEX_JOB: retriever.index.handle} if isinstance(retriever.index, Elsewhere) else {}),
    }
    return Background(handlers, {SOURCE_JOB: sources.broke_off, TRIPLE_JOB: triples.broke_off})


def _mails(database: Database, settings: Settings) -> Handler:
    @cache
    def postman() -> Handler:
        from famulus.identity.postman import Postman  # lazy: the SMTP client, a megabyte for the first mail

        return Postman(database, settings).handle

    async def handle(payload: Payload) -> None:
        await postman()(payload)

    return handle
