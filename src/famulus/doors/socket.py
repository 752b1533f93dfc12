"""The door `/ws/ai-assistant` (WebSocket, RFC 6455): who is let in, and when a socket ends. Inside is `socket_talk`.

    cookie                           from a page of this server's own; its Origin is looked at, and has to be there
    Authorization, X-API-Key         from programs
    Sec-WebSocket-Protocol           `famulus.v1, bearer.TOKEN`, from pages that have a token
    ?ticket=                         from pages that have asked for one at `/api/v1/ws-tickets`

No other word in the address is a credential. Who is not let in is told so by an HTTP status, before there is a socket.

    1000 going   1009 frame too large   1011 our fault   1012 restart   4400 too many bad frames
    4401 signed out, or another role   4408 idle
"""

import asyncio
from collections import Counter
from collections.abc import Generator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Annotated, cast
from urllib.parse import parse_qs

import structlog
from fastapi import APIRouter, Depends, FastAPI, Request, status
from pydantic import BaseModel
from starlette.routing import WebSocketRoute
from starlette.types import Message, Receive, Scope, Send

from famulus.doors.authenticator import Authenticator
from famulus.doors.problems import problem
from famulus.doors.socket_talk import Hearing, Talk, TooManyBadFrames
from famulus.doors.sse import DIRECT_SEND
from famulus.doors.watch import Guard, Watch
from famulus.identity import tickets
from famulus.identity.credentials import CrossOrigin, presented, require_same_origin
from famulus.identity.deps import CurrentPrincipal, SettingsDep, WriteSession
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import BadRequest, FamulusError, TooMany
from famulus.kernel.secrets import Vault
from famulus.kernel.settings import Settings

PATH = "/ws/ai-assistant"
PROTOCOL = "famulus.v1"
BEARER = "bearer."
FAREWELL = 2.0
"""Seconds that a reader has to take the last words."""
log = structlog.get_logger(__name__)


class TooManySockets(TooMany):
    """You have as many connections open here as one person may; close some first."""

    code = "too_many_sockets"


@dataclass(frozen=True, slots=True)
class Entry:
    """Somebody who was let in, and what they showed."""

    principal: Principal
    headers: Mapping[str, str]
    peer: str | None


class SocketDoor:
    """The sockets of one application."""

    def __init__(
        self,
        settings: Settings,
        database: Database,
        authenticator: Authenticator,
        watch: Watch,
        hearing: Hearing,
        *,
        vault: Vault,
    ) -> None:
        self._settings = settings
        self._database = database
        self._authenticator = authenticator
        self._watch = watch
        self._hearing = hearing
        self.vault = vault
        self._open = Counter[str]()

    @property
    def open_sockets(self) -> int:
        """How many there are."""
        return self._open.total()

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One connection, from its handshake to its end."""
        if (await receive())["type"] != "websocket.connect":
            return
        try:
            entry = await self._admitted(scope)
            with self._counted(entry.principal.user_id):
                chosen = PROTOCOL if PROTOCOL in scope["subprotocols"] else None
                await send({"type": "websocket.accept", "subprotocol": chosen, "headers": []})
                # Only the handshake concerns the layers in between; frames go past them, straight to the server.
                direct = scope.get(DIRECT_SEND, send)
                await self._serve(entry, scope.get("request_id"), receive, direct)
        except FamulusError as error:
            await _deny(error, scope, send)

    async def _admitted(self, scope: Scope) -> Entry:
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        shown = await self._shown(scope, headers)
        peer = scope["client"][0] if scope["client"] else None
        principal = await self._authenticator.principal(shown, "WEBSOCKET", peer)
        if "authorization" not in shown and "x-api-key" not in shown:
            # The browser has added what lets them in, so it has to be a page of ours that asked for it.
            if "origin" not in headers:
                raise CrossOrigin()
            require_same_origin({name: headers[name] for name in ("host", "origin")}, self._settings)
        principal.needs("chat")
        return Entry(principal, shown, peer)

    async def _shown(self, scope: Scope, headers: Mapping[str, str]) -> Mapping[str, str]:
        """The headers as they would be if every client could send any."""
        asked = parse_qs(scope["query_string"].decode("latin-1"), max_num_fields=20)
        if ticket := asked.get("ticket"):
            token = await tickets.use(self._database, self.vault, ticket[0])
            return {"authorization": f"Bearer {token}"}
        for offered in scope["subprotocols"]:
            if offered.startswith(BEARER):
                return {"authorization": f"Bearer {offered.removeprefix(BEARER)}"}
        return headers

    @contextmanager
    def _counted(self, user_id: str) -> Generator[None]:
        if self._open[user_id] >= self._settings.max_sockets:
            raise TooManySockets(retry_after=5)
        self._open[user_id] += 1
        try:
            yield
        finally:
            self._open[user_id] -= 1
            if not self._open[user_id]:
                del self._open[user_id]

    async def _serve(self, entry: Entry, request_id: str | None, receive: Receive, send: Send) -> None:
        guard = Guard(entry.principal, entry.headers, "WEBSOCKET", entry.peer)
        code, reason = 1000, ""
        async with Talk(self._hearing, guard, self._watch, send, request_id=request_id) as talk:
            try:
                with self._watch.over(guard):
                    await self._listen(talk, guard, receive)
            except TimeoutError:
                code, reason = 4408, "idle"
            except TooManyBadFrames as error:
                code, reason = 4400, error.code
            except Exception:
                await _close(send, 1011, "internal")
                raise
            if guard.ended is not None:
                code, reason = 4401, guard.ended.code
                await talk.farewell(guard.ended)
        if not talk.dropped:
            await _close(send, code, reason)

    async def _listen(self, talk: Talk, guard: Guard, receive: Receive) -> None:
        """Take frames until the client goes, has to go, or does nothing for long: then TimeoutError."""
        while True:
            try:
                async with asyncio.timeout(self._settings.socket_idle_timeout):
                    message = await guard.receive(receive)
            except TimeoutError:
                if talk.follows:
                    continue
                raise
            if message["type"] != "websocket.receive":
                return
            await talk.take(message)


async def _close(send: Send, code: int, reason: str) -> None:
    """Close a socket that may be closed already, in which case the server says so in one of these ways."""
    message: Message = {"type": "websocket.close", "code": code, "reason": reason}
    with suppress(TimeoutError, OSError, RuntimeError):
        async with asyncio.timeout(FAREWELL):
            await send(message)


async def _deny(error: FamulusError, scope: Scope, send: Send) -> None:
    """Refuse a handshake as any request is refused."""
    log.info("socket_refused", code=error.code)
    refusal = problem(error, scope.get("request_id"))
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})
        return
    start = {"type": "websocket.http.response.start", "status": refusal.status_code}
    await send({**start, "headers": refusal.raw_headers})
    await send({"type": "websocket.http.response.body", "body": refusal.body, "more_body": False})


class _Entrance:
    """The door of whichever application is asked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await cast(SocketDoor, scope["app"].state.sockets).answer(scope, receive, send)


class TicketOut(BaseModel):
    """A ticket for one WebSocket; `expires_in` in seconds."""

    ticket: str
    expires_in: int


async def _door(request: Request) -> SocketDoor:
    return cast(SocketDoor, request.app.state.sockets)


router = APIRouter(prefix="/api/v1", tags=["websocket"])


@router.post("/ws-tickets", status_code=status.HTTP_201_CREATED)
async def issue_ticket(
    request: Request,
    principal: CurrentPrincipal,
    session: WriteSession,
    settings: SettingsDep,
    door: Annotated[SocketDoor, Depends(_door)],
) -> TicketOut:
    """A ticket that opens one WebSocket, within half a minute, for a page that cannot send its token in a header."""
    principal.needs("chat")
    shown = presented(request.headers, request.method, settings)
    if shown is None:
        raise BadRequest("A gateway has signed you in; open the WebSocket through it, without a ticket.")
    ticket = await tickets.issue(session, door.vault, shown.token)
    return TicketOut(ticket=ticket, expires_in=int(tickets.LIFE.total_seconds()))


def mount(app: FastAPI) -> None:
    """Put the door into the application, and the address at which its tickets are to be had."""
    app.router.routes.append(WebSocketRoute(PATH, _Entrance()))
    app.include_router(router)
