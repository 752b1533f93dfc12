"""Around every request: its id, a bound on its body, the headers of safety, and one line in the log.

Plain ASGI, so that a stream of thousands of pieces passes through one closure and nothing else.
"""

import asyncio
import re
import time
from collections.abc import MutableMapping
from typing import Any

import structlog
from fastapi import FastAPI
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from famulus.doors.cors import Cors
from famulus.doors.problems import refused
from famulus.doors.sse import DIRECT_SEND
from famulus.identity.credentials import cookie_name
from famulus.kernel.errors import BadRequest, TooLarge, TooSlow
from famulus.kernel.ids import new_id
from famulus.kernel.origin import come_from
from famulus.kernel.proxies import Proxies
from famulus.kernel.settings import Settings

log = structlog.get_logger("famulus.request")
_SAFE_ID = re.compile(rb"[A-Za-z0-9._:-]{1,128}")
CONTENT_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
HEADERS = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
SHARED = b"cross-origin-resource-policy"
"""The header that an answer of its own mind keeps: of two, browsers believe neither."""
DOCS = frozenset({"/docs"})
"""A page with a script of its own in it, which the policy would forbid; it is there on somebody's own machine only."""
MAILED = ("/verify", "/reset")
"""Pages whose address holds a token until their script has taken it out."""
NO_REFERRER = (b"referrer-policy", b"no-referrer")
"""Of several policies the last one counts."""
UPLOADS = "/api/v1/attachments/"
"""Where bodies are files, as they are."""
STARTS = frozenset({"http.response.start", "websocket.http.response.start", "websocket.accept"})
SPOKEN = {"/chatkit": 8_500_000}
"""Bytes of a body that may hold a recording, where that is more than others may have."""
UPLOAD_TIME = 20
"""Times as long as others an upload may take."""
QUIET = frozenset({"/healthz", "/readyz"})


class Enveloped(FastAPI):
    """An application inside its envelope, whoever in it answers: a crash's last words get their headers, too.

    Its OpenAPI document says how to sign in.
    """

    def openapi(self) -> dict[str, Any]:
        document = super().openapi()
        document["components"]["securitySchemes"] = {
            "token": {"type": "http", "scheme": "bearer"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": cookie_name(self.state.settings)},
        }
        document["security"] = [{"token": []}, {"cookie": []}]
        return document

    def build_middleware_stack(self) -> ASGIApp:
        return Envelope(super().build_middleware_stack(), self.state.settings)


class Envelope:
    """The outermost layer of the application."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self._app = app
        self._proxies = Proxies(settings.trusted_proxies)
        self._cors = Cors(settings.allowed_origins)
        self._max_body = settings.max_body_bytes
        self._max_upload = settings.max_upload_bytes
        self._body_time = settings.body_timeout
        policy = (b"content-security-policy", CONTENT_POLICY.encode())
        tls = ((b"strict-transport-security", b"max-age=31536000"),) if settings.https else ()
        self._headers = (*HEADERS, *tls)
        self._policy = policy
        self._docs = DOCS if settings.local else frozenset[str]()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        headers = self._known(scope)
        scope[DIRECT_SEND] = send
        extra = [
            *self._headers,
            *self._cors.headers(headers),
            (b"x-request-id", scope["request_id"].encode()),
        ]
        if scope["path"] not in self._docs:
            extra.append(self._policy)
        if scope["path"].startswith(MAILED):
            extra.append(NO_REFERRER)
        started, status = time.perf_counter(), 0

        async def answer(message: Message) -> None:
            if message["type"] in STARTS:
                nonlocal status
                status = message.get("status", 101)
                own = list(message.get("headers", ()))
                shared = any(name == SHARED for name, _ in own)
                message["headers"] = [*own, *(each for each in extra if not (shared and each[0] == SHARED))]
            await send(message)

        try:
            if scope["type"] == "websocket":
                await self._app(scope, receive, answer)
            elif (preflight := self._cors.preflight(scope["method"], headers)) is not None:
                await preflight(scope, receive, answer)
            else:
                await self._bounded(scope, headers, receive, answer)
        finally:
            self._log(scope, status, started)

    def _known(self, scope: Scope) -> dict[bytes, bytes]:
        """Give a request its id, and say where it comes from; its headers."""
        headers = dict(scope["headers"])
        request_id = scope["request_id"] = _request_id(headers)
        structlog.contextvars.clear_contextvars()
        structlog.contextvars.bind_contextvars(request_id=request_id)
        peer = scope["client"][0] if scope["client"] else None
        come_from(self._proxies.client(peer, scope["headers"]), request_id, _user_agent(headers))
        scope["scheme"] = self._proxies.scheme(peer, scope["headers"]) or scope["scheme"]
        return headers

    async def _bounded(
        self, scope: Scope, headers: MutableMapping[bytes, bytes], receive: Receive, send: Send
    ) -> None:
        """Refuse a body that is too long, by its announcement or once it has become so, or that does not come."""
        upload = headers.get(b"content-type", b"").startswith(b"multipart/form-data") or (
            scope["method"] == "PUT" and scope["path"].startswith(UPLOADS)
        )
        limit = self._max_upload if upload else max(self._max_body, SPOKEN.get(scope["path"], 0))
        announced = headers.get(b"content-length", b"0")
        if not announced.isdigit():
            wrong = BadRequest("Content-Length is not a number.")
            await refused(scope, wrong)(scope, receive, send)
        elif int(announced) > limit:
            await refused(scope, _too_large(limit))(scope, receive, send)
        elif announced == b"0" and b"transfer-encoding" not in headers:
            await self._app(scope, receive, send)
        else:
            time = self._body_time * (UPLOAD_TIME if upload else 1)
            await self._app(scope, Body(receive, limit, time), send)

    def _log(self, scope: Scope, status: int, started: float) -> None:
        if scope["path"] in QUIET:
            return
        route: Any = scope.get("route")
        log.info(
            "request",
            method=scope.get("method", "WEBSOCKET"),
            route=getattr(route, "path", None) or scope["path"][:200],
            status=status,
            ms=round((time.perf_counter() - started) * 1000, 1),
        )


class Body:
    """A body on its way in, bounded in bytes and in seconds; what comes after it is not bounded."""

    def __init__(self, receive: Receive, limit: int, seconds: float) -> None:
        self._receive = receive
        self._limit = limit
        self._until = asyncio.get_running_loop().time() + seconds
        self._taken = 0
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:
            return await self._receive()
        # The framework's own word for both: whatever else reading a body raises becomes a 400.
        try:
            async with asyncio.timeout_at(self._until):
                message = await self._receive()
        except TimeoutError:
            raise HTTPException(TooSlow.status) from None
        self._taken += len(message.get("body", b""))
        if self._taken > self._limit:
            raise HTTPException(TooLarge.status, _too_large(self._limit).detail)
        self._whole = not message.get("more_body", False)
        return message


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"The body is larger than the {limit:,} bytes that are accepted here.")


def _user_agent(headers: MutableMapping[bytes, bytes]) -> str | None:
    """What can be kept of it: a header is bytes, and anybody may send any."""
    given = headers.get(b"user-agent", b"").decode("latin-1")
    return "".join(filter(str.isprintable, given)) or None


def _request_id(headers: MutableMapping[bytes, bytes]) -> str:
    """The caller's X-Request-ID where it is harmless, else one of our own."""
    given = headers.get(b"x-request-id", b"")
    return given.decode() if _SAFE_ID.fullmatch(given) else new_id("req")
