"""Tidying up: threads that nobody can list are removed when they have rested, by an hourly job.

Those of programs that keep the conversation themselves after a day, those of guests after as many as the operator says.
"""

from datetime import timedelta

from sqlalchemy import Select, delete, select

from famulus.campus.guests import guests_id
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

    def __init__(self, database: Database, guests_kept: timedelta) -> None:
        self._database = database
        self._guests_kept = guests_kept

    async def handle(self, _payload: Payload) -> None:
        """Remove what is old; doing it twice does no harm."""
        async with self._database.read() as session:
            guests = await guests_id(session)
        now = utc_now()
        # As two queries each finds its index.
        queries = [select(Thread.id).where(Thread.fleeting, Thread.updated_at < now - KEPT)]
        if guests is not None:
            rested = Thread.updated_at < now - self._guests_kept
            queries.append(select(Thread.id).where(Thread.user_id == guests, rested))
        for query in queries:
            await self._remove(query)

    async def _remove(self, query: Select[str]) -> None:
        for _ in range(MOST):
            async with self._database.write() as session:
                ids = list(await session.scalars(query.limit(AT_ONCE)))
                if not ids:
                    return
                await session.execute(delete(Thread).where(Thread.id.in_(ids)))
