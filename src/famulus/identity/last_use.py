"""When sessions were last used, to some minutes: written for many at once, and never while somebody waits."""

import asyncio
from contextlib import suppress
from datetime import timedelta

from sqlalchemy import update

from famulus.identity.models import Session
from famulus.identity.sessions import SignedIn
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.kernel.tables import utc_now

STALE = timedelta(minutes=5)
GATHER = 2.0
"""Seconds for which uses are gathered into one statement."""


class LastUse:
    """The uses that an instance has seen and not written yet. One per application; `close` it."""

    def __init__(self, database: Database, *, gather: float = GATHER) -> None:
        self._database = database
        self._gather = gather
        self._seen: set[str] = set()
        self._writing: asyncio.Task[None] | None = None

    def see(self, signed_in: SignedIn) -> None:
        """A session is in use; have that written, unless it was within the last minutes."""
        recent = signed_in.used_at is not None and utc_now() - signed_in.used_at < STALE
        if recent or signed_in.session_id is None:
            return
        self._seen.add(signed_in.session_id)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.create_task(self._write())

    async def close(self) -> None:
        """Let go of what is not written; it was only a hint."""
        if self._writing is not None:
            self._writing.cancel()
            await asyncio.gather(self._writing, return_exceptions=True)

    async def _write(self) -> None:
        await asyncio.sleep(self._gather)
        ids, self._seen = self._seen, set[str]()
        with suppress(FamulusError):  # the next use is soon enough
            async with self._database.write() as session:
                await session.execute(update(Session).where(Session.id.in_(ids)).values(used_at=utc_now()))
