"""What is said over one WebSocket: frames in, each answered by what it asks for or by an `error`; runs out.

A run is followed in a task of its own, so any number of tabs may follow the same one, and a socket several. Nothing is
kept for a reader who does not read: after a while it is dropped, and reads on from its last id when it comes back.
"""

import asyncio
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, assert_never

import msgspec
from pydantic import ValidationError
from starlette.types import Message, Send

from famulus.doors.authenticator import Authenticator
from famulus.doors.problems import fault_of
from famulus.doors.socket_frames import Approve, Cancel, FrameIn, Ping, Resume, UserMessage, read_frame
from famulus.doors.socket_pipe import SocketPipe
from famulus.doors.telling import accepted
from famulus.doors.watch import Guard, StreamEnded, Watch, same_rights
from famulus.identity.principal import Principal
from famulus.kernel.errors import BadRequest, FamulusError, TooMany, Unauthenticated
from famulus.runs.approvals import Answer, Approvals
from famulus.runs.ask import Ask
from famulus.runs.events import START, Entry, EventId, parse_id
from famulus.runs.exchanges import Exchanges
from famulus.runs.service import Runs

MOST_FOLLOWED = 16
MOST_BAD_FRAMES = 20
FAREWELL = 2.0
"""Seconds that a reader has to take the last words."""
Source = AsyncGenerator[list[Entry], None]


class TooManyFollowed(TooMany):
    """This connection follows as many runs as one may; wait until some have ended."""

    code = "too_many_followed"


class TooManyBadFrames(TooMany):
    """So many frames that mean nothing were sent that the connection ends here."""

    code = "too_many_bad_frames"


class ReaderTooSlow(TooMany):
    """The connection was not read from and was dropped; open another and resume after the last id."""

    code = "reader_too_slow"


@dataclass(frozen=True, slots=True)
class Hearing:
    """Whom frames are passed on to."""

    runs: Runs
    exchanges: Exchanges
    approvals: Approvals
    authenticator: Authenticator
    patience: float
    """Seconds that a reader may take to read."""


class Talk:
    """One connection's talk; leaving it ends what it follows, and no run."""

    def __init__(
        self, hearing: Hearing, guard: Guard, watch: Watch, send: Send, *, request_id: str | None
    ) -> None:
        self._hearing = hearing
        self._guard = guard
        self._watch = watch
        self._send = send
        self._request_id = request_id
        self._following: dict[str, asyncio.Task[None]] = {}
        self._places: dict[str, EventId] = {}
        self._bad = 0
        self.dropped = False
        """Whether the reader is too slow to be told anything more."""

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        tasks = list(self._following.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    @property
    def follows(self) -> bool:
        """Whether any run is being followed."""
        return bool(self._following)

    async def take(self, message: Message) -> None:
        """Do what a frame asks. Raises TooManyBadFrames when there is no end of bad ones."""
        text, about = message.get("text"), dict[str, str]()
        try:
            if text is None:
                raise BadRequest("Send frames of text, with JSON in them.")
            frame = _read(text)
            about = {"in_reply_to": frame.type}
            if isinstance(frame, UserMessage) and frame.client_id:
                about["client_id"] = frame.client_id
            await self._do(frame, await self._asker())
        except FamulusError as error:
            await self._say(_refusal(error, about))
            self._bad += not about
            if self._bad >= MOST_BAD_FRAMES:
                raise TooManyBadFrames() from error

    async def farewell(self, why: FamulusError) -> None:
        """Say why the connection ends."""
        with suppress(TimeoutError, OSError, RuntimeError):
            async with asyncio.timeout(FAREWELL):
                await self._say(_refusal(why, {}))

    async def _asker(self) -> Principal:
        """Who asks, by now. With other rights than when the socket was opened they have to open another."""
        guard = self._guard
        try:
            now = await self._hearing.authenticator.principal(guard.headers, guard.method, guard.peer)
        except Unauthenticated:
            guard.end(StreamEnded())
            raise
        if not same_rights(now, guard.principal):
            guard.end(StreamEnded())
            raise StreamEnded()
        return now

    async def _do(self, frame: FrameIn, principal: Principal) -> None:
        match frame:
            case UserMessage():
                await self._message(principal, frame)
            case Resume():
                await self._follow(principal, frame.run_id, parse_id(frame.after))
            case Cancel():
                run = await self._hearing.runs.cancel(principal, frame.run_id)
                if run.id not in self._following:
                    await self._say({"type": "done", "status": run.status, "run_id": run.id})
            case Approve():
                await self._approve(principal, frame)
            case Ping():
                await self._say({"type": "pong"})
            case _:
                assert_never(frame)

    async def _message(self, principal: Principal, frame: UserMessage) -> None:
        self._make_room()
        page = frame.context.page() if frame.context else None
        ask = Ask(frame.thread_id or "", frame.content, page, frame.client_id, self._request_id)
        started = await self._hearing.exchanges.say(principal, ask, course_id=frame.course_id)
        await self._say(accepted(started, client_id=frame.client_id))
        await self._follow(principal, started.run.id, START)

    async def _approve(self, principal: Principal, frame: Approve) -> None:
        after = parse_id(frame.after)
        answer = Answer(frame.decision, frame.hash, frame.reason, frame.arguments)
        answered = await self._hearing.approvals.answer(principal, frame.approval_id, answer)
        if answered.run_id not in self._following:
            place = after if frame.after else self._places.get(answered.run_id, START)
            await self._follow(principal, answered.run_id, place)

    def _make_room(self) -> None:
        if len(self._following) >= MOST_FOLLOWED:
            raise TooManyFollowed(retry_after=1)

    async def _follow(self, principal: Principal, run_id: str, after: EventId) -> None:
        """Follow a run from here on; one that is followed already is followed from there instead."""
        if run_id not in self._following:
            self._make_room()
        pipe = SocketPipe(self._send, self._hearing.patience)
        source = await self._hearing.runs.follow(principal, run_id, after, pipe)
        if (before := self._following.pop(run_id, None)) is not None:
            before.cancel()
            await asyncio.gather(before, return_exceptions=True)
        task = self._following[run_id] = asyncio.create_task(self._relay(run_id, source, pipe))
        task.add_done_callback(lambda _: self._ended(run_id, task, pipe))

    def _ended(self, run_id: str, task: asyncio.Task[None], pipe: SocketPipe) -> None:
        if self._following.get(run_id) is task:
            del self._following[run_id]
        self._places.pop(run_id, None)
        self._places[run_id] = pipe.place
        if len(self._places) > MOST_FOLLOWED:
            self._places.pop(next(iter(self._places)))

    async def _relay(self, run_id: str, source: Source, pipe: SocketPipe) -> None:
        whole = self._guard
        guard = Guard(whole.principal, whole.headers, whole.method, whole.peer, run_id)
        try:
            with self._watch.over(guard), guard.stops():
                async with aclosing(source):
                    async for batch in source:
                        await pipe.send(batch)
            if guard.ended is not None and whole.ended is None:
                await self._say(_refusal(guard.ended, {"run_id": run_id}))
        except TimeoutError:
            self._drop()
        except FamulusError as error:
            await self._say(_refusal(error, {"run_id": run_id}))
        except OSError:
            pass  # the client has gone, which is noticed where its frames are awaited

    def _drop(self) -> None:
        self.dropped = True
        self._guard.end(ReaderTooSlow())

    async def _say(self, frame: dict[str, Any]) -> None:
        try:
            async with asyncio.timeout(self._hearing.patience):
                await self._send({"type": "websocket.send", "text": msgspec.json.encode(frame).decode()})
        except TimeoutError:
            self._drop()


def _read(text: str) -> FrameIn:
    """The frame; raises Invalid or BadRequest."""
    try:
        return read_frame(text)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        # The first step of a place is which kind of frame it is in.
        raise fault_of([{**each, "loc": ("body", *each["loc"][1:])} for each in found]) from error


def _refusal(error: FamulusError, about: Mapping[str, object]) -> dict[str, Any]:
    found: Sequence[dict[str, str]] = [{"path": each.path, "message": each.message} for each in error.fields]
    return {
        "type": "error",
        "code": error.code,
        "detail": error.detail,
        "status": error.status,
        "retry": error.retry,
        **({"fields": found} if found else {}),
        **about,
    }
