"""How a source gets on, live: what is stored of it, told whenever that changes, until it has been read."""

import time
from collections.abc import AsyncGenerator

import msgspec
from fastapi import APIRouter, Request, Response

from famulus.doors.following import STREAMED
from famulus.doors.runs import LiveDep
from famulus.doors.sse import KEEP_ALIVE, EventStream, Pipe
from famulus.doors.watch import Watched, last_event
from famulus.identity.deps import CurrentPrincipal, DatabaseDep, IdPath, SettingsDep
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.kernel.live import Live
from famulus.knowledge.jobs import topic
from famulus.knowledge.sources import Standing, standing_of

router = APIRouter(prefix="/api/v1", tags=["knowledge"])
PAUSE = 2.0
"""Seconds until it is looked at anyway: a command that reads on this machine tells nobody."""
MOST = 3600.0
"""Seconds of one stream; whoever is still interested asks again."""


@router.get("/sources/{id}/events", response_class=Response, responses=STREAMED)
async def follow_source(
    id: IdPath,
    request: Request,
    principal: CurrentPrincipal,
    *,
    database: DatabaseDep,
    live: LiveDep,
    settings: SettingsDep,
) -> Response:
    """How a source gets on, live: `source.progress` at once and after each change, `source.finished` in the end."""
    async with database.read() as session:
        await standing_of(session, principal, id)
    stream = EventStream(_told(database, live, principal, id, heartbeat=settings.heartbeat), Pipe(bytes))
    return Watched(stream, request, principal)


async def _told(
    database: Database, live: Live, principal: Principal, id: str, *, heartbeat: float
) -> AsyncGenerator[bytes, None]:
    said: Standing | None = None
    began = at = time.monotonic()
    with live.listen(topic(id)) as listener:
        while time.monotonic() < began + MOST:
            try:
                async with database.read() as session:
                    now = await standing_of(session, principal, id)
            except NotFound as gone:
                yield last_event(gone, None)
                return
            if now != said:
                yield _frame(now)
                said, at = now, time.monotonic()
            elif time.monotonic() > at + heartbeat:
                yield KEEP_ALIVE
                at = time.monotonic()
            if now.over:
                return
            await listener.wait(min(PAUSE, heartbeat))


def _frame(now: Standing) -> bytes:
    name = b"source.finished" if now.over else b"source.progress"
    return b"event: %b\ndata: %b\n\n" % (name, msgspec.json.encode(now))
