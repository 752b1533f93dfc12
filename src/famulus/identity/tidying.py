"""Tidying up: what has run out is removed, by a job on the hour."""

from datetime import timedelta

from sqlalchemy import and_, delete, or_
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import brake, email_tokens, mails
from famulus.identity.models import Session
from famulus.kernel.database import Database
from famulus.kernel.jobs import Payload
from famulus.kernel.jobs_schedule import Schedule
from famulus.kernel.tables import utc_now

TIDY = Schedule("identity.tidy", "27 * * * *", "identity.tidy")
SESSIONS_KEPT = timedelta(days=30)
"""Ended sessions are kept so long, so that a spent refresh token is still known for one."""


class Tidying:
    """The job."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def handle(self, _payload: Payload) -> None:
        """Remove what has run out; doing it twice does no harm."""
        async with self._database.write() as session:
            await mails.tidy(session)
            await email_tokens.forget_old(session)
            await brake.forget_old(session)
            await _forget_sessions(session)


async def _forget_sessions(session: AsyncSession) -> None:
    old = utc_now() - SESSIONS_KEPT
    no_refresh = or_(Session.refresh_expires_at.is_(None), Session.refresh_expires_at < old)
    ended = or_(Session.revoked_at < old, and_(Session.expires_at < old, no_refresh))
    await session.execute(delete(Session).where(ended))
