"""Tidying up: threads of programs that keep the conversation themselves are removed after a day, by an hourly job."""

from datetime import timedelta

from sqlalchemy import delete, select

from famulus.conversations.models import Thread
from famulus.kernel.database import Database
from famulus.kernel.jobs import Payload
from famulus.kernel.jobs_schedule import Schedule
from famulus.kernel.tables import utc_now

TIDY = Schedule("conversations.tidy", "41 * * * *", "conversations.tidy")
KEPT = timedelta(days=1)
AT_ONCE = 500
MOST = 2_000
"""Times that so many are removed in one go; what is left then waits for the next hour."""


class Tidying:
    """The job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def handle(self, _payload: Payload) -> None:
        """Remove what is old; doing it twice does no harm."""
        for _ in range(MOST):
            async with self._database.write() as session:
                old = select(Thread.id).where(Thread.fleeting, Thread.updated_at < utc_now() - KEPT)
                ids = list(await session.scalars(old.limit(AT_ONCE)))
                if not ids:
                    return
                await session.execute(delete(Thread).where(Thread.id.in_(ids)))
