"""The watch over open streams: one ends when whoever opened it may no longer see it, though its run goes on.

What this instance learns of sessions and rights ends streams at once. What others did is seen by asking the database,
every two seconds once for all streams together; a stream costs an entry in a set, and no task or timer of its own.
A stream of a run in a course ends as well when its reader has left the course.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import msgspec
import structlog
from fastapi import Request
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.background import BackgroundTask
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from famulus.campus.events import RightsChanged
from famulus.campus.presence import still_here, still_in
from famulus.doors.authenticator import Authenticator
from famulus.doors.problems import problem
from famulus.doors.sse import DIRECT_SEND
from famulus.identity.events import AccountChanged, SignedOut
from famulus.identity.principal import Principal
from famulus.kernel.bus import Bus
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError, Forbidden, TooMany, Unauthenticated
from famulus.runs.places import courses_of

PERIOD = 2.0
"""Seconds between looks; a look may take as long again, and what other instances did must be in force within five."""
FAREWELL = 2.0
"""Seconds that a reader has to take the last words."""
DISCONNECT: Message = {"type": "http.disconnect"}
Farewell = Callable[[FamulusError, str | None], bytes]
"""The last words of a stream, in its own protocol."""
log = structlog.get_logger(__name__)


class StreamEnded(Unauthenticated):
    """Your sign-in or your role has changed, so this stream ends here. Sign in again to go on."""

    code = "stream_ended"


class CourseLeft(Forbidden):
    """You are no longer in the course of this conversation, or it is closed; what was said until here stays yours."""

    code = "course_left"


class TooManyStreams(TooMany):
    """You have as many streams open here as one person may; close some first."""

    code = "too_many_streams"


@dataclass(eq=False, slots=True)
class Guard:
    """One open stream."""

    principal: Principal
    headers: Mapping[str, str]
    method: str
    peer: str | None
    run_id: str | None = None
    """The run whose events it shows, if any; `course_id` is found with the first look at it."""
    course_id: str | None = None
    placed: bool = False
    ended: FamulusError | None = None
    _waiting: "asyncio.Task[Any] | None" = None

    def end(self, why: FamulusError) -> None:
        """Have the stream end, and say why; the first reason stays."""
        if self.ended is not None:
            return
        self.ended = why
        if self._waiting is not None:
            self._waiting.cancel()

    async def receive(self, receive: Receive) -> Message:
        """What the client says next; for a stream that has to end, that it is gone."""
        with self.stops():
            if self.ended is None:
                return await receive()
        return DISCONNECT

    @contextmanager
    def stops(self) -> Generator[None]:
        """A block of this task that is left at once when the stream has to end."""
        self._waiting = asyncio.current_task()
        try:
            yield
        except asyncio.CancelledError:
            if self.ended is None or self._waiting is None:
                raise
            self._waiting.uncancel()
        finally:
            self._waiting = None


class Watch:
    """The open streams of an application."""

    def __init__(
        self, database: Database, authenticator: Authenticator, bus: Bus, *, most_streams: int
    ) -> None:
        """`most_streams` one person may have open at once."""
        self._most = most_streams
        self._streams = Counter[str]()
        self._database = database
        self._authenticator = authenticator
        self._guards: set[Guard] = set()
        self._woken = asyncio.Event()
        self._looking: asyncio.Task[None] | None = None
        for event in (SignedOut, AccountChanged, RightsChanged):
            bus.subscribe(event, self._wake)

    @property
    def open_streams(self) -> int:
        """How many streams are open, whoever reads them; sockets are not among them."""
        return self._streams.total()

    def make_room(self, principal: Principal) -> None:
        """Raise TooManyStreams where this person has no stream left to open."""
        if self._streams.get(principal.user_id, 0) >= self._most:
            raise TooManyStreams(retry_after=5)

    @contextmanager
    def counted(self, principal: Principal) -> Generator[None]:
        """A stream of this person's while the block lasts."""
        self._streams[principal.user_id] += 1
        try:
            yield
        finally:
            self._streams[principal.user_id] -= 1
            if not self._streams[principal.user_id]:
                del self._streams[principal.user_id]

    @contextmanager
    def over(self, guard: Guard) -> Generator[None]:
        """Watch a stream while the block lasts."""
        self._guards.add(guard)
        if self._looking is None or self._looking.done():
            self._looking = asyncio.create_task(self._look())
        try:
            yield
        finally:
            self._guards.discard(guard)

    async def close(self) -> None:
        """Stop looking."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)

    def _wake(self, _event: object) -> None:
        self._woken.set()

    async def _look(self) -> None:
        """While there are streams: find those that have to end. The database's absence ends nobody's stream."""
        while self._guards:
            with suppress(TimeoutError):
                async with asyncio.timeout(PERIOD):
                    await self._woken.wait()
            self._woken.clear()
            try:
                await self._examine(list(self._guards))
            except FamulusError as error:
                log.warning("watch_failed", error=error.detail)

    async def _examine(self, guards: list[Guard]) -> None:
        in_sessions = [guard for guard in guards if guard.principal.session_id is not None]
        async with self._database.read() as session:
            here = await still_here(session, {guard.principal for guard in in_sessions})
            inside = await self._inside(session, guards)
        for guard in in_sessions:
            if guard.principal not in here:
                guard.end(StreamEnded())
        for guard in guards:
            if guard.principal.session_id is None and not await self._still(guard):
                guard.end(StreamEnded())
        for guard in guards:
            if guard.course_id is not None and (guard.principal, guard.course_id) not in inside:
                guard.end(CourseLeft())

    async def _inside(self, session: AsyncSession, guards: list[Guard]) -> set[tuple[Principal, str]]:
        """Who still is in the courses whose runs they follow; where a run is, is asked once."""
        new = {guard.run_id for guard in guards if guard.run_id is not None and not guard.placed}
        places = await courses_of(session, new)
        for guard in guards:
            if guard.run_id in places:
                guard.course_id, guard.placed = places[guard.run_id], True
        return await still_in(session, {(one.principal, one.course_id) for one in guards if one.course_id})

    async def _still(self, guard: Guard) -> bool:
        """For credentials without a session: whether they would open the same doors now."""
        try:
            now = await self._authenticator.principal(guard.headers, guard.method, guard.peer)
        except Unauthenticated:
            return False
        return same_rights(now, guard.principal)


def make_room(request: Request, principal: Principal) -> None:
    """Raise TooManyStreams for who has no stream left to open, before what it would show has begun."""
    watch: Watch = request.app.state.watch
    watch.make_room(principal)


def same_rights(now: Principal, then: Principal) -> bool:
    """Whether two are the same person in the same place and role."""
    return (now.user_id, now.organization_id, now.role) == (then.user_id, then.organization_id, then.role)


class Watched(Response):
    """A streamed response under watch: it ends with an error event when its reader's rights have ended."""

    def __init__(
        self,
        stream: Response,
        request: Request,
        principal: Principal,
        run_id: str | None = None,
        *,
        last_words: Farewell | None = None,
    ) -> None:
        self.status_code = stream.status_code
        self.background: BackgroundTask | None = None
        self.body = b""
        self.raw_headers = stream.raw_headers
        self._stream = stream
        self._watch: Watch = request.app.state.watch
        self._watch.make_room(principal)
        peer = request.client.host if request.client else None
        self._guard = Guard(principal, request.headers, request.method, peer, run_id)
        self._last_words = last_words or last_event

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        guard = self._guard
        with self._watch.counted(guard.principal), self._watch.over(guard):
            await self._stream(scope, lambda: guard.receive(receive), send)
        if guard.ended is not None:
            last = {
                "type": "http.response.body",
                "body": self._last_words(guard.ended, scope.get("request_id")),
                "more_body": False,
            }
            # A runtime error is the server's word for a response that was complete a moment ago.
            with suppress(TimeoutError, OSError, RuntimeError):
                async with asyncio.timeout(FAREWELL):
                    await scope.get(DIRECT_SEND, send)(last)


def last_event(why: FamulusError, request_id: str | None) -> bytes:
    """The last event of a stream that had to end."""
    said = msgspec.json.decode(problem(why, request_id).body)
    return b"event: error\ndata: %b\n\n" % msgspec.json.encode(said)
