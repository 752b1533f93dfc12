"""The door `/mcp` (Model Context Protocol over HTTP): who may come in. What they find inside is `mcp_server`.

    POST /mcp                                      one message, one answer; nothing is kept between two
    GET  /.well-known/oauth-protected-resource…    where tokens for it are to be had (RFC 9728)

A program comes with a token or a key. Cookies are not looked at, so no site can make a browser speak here; besides, a
page of another site is refused by its Origin, and a name that was made to point at this server by its Host. The
protocol's library is large and is loaded when the first program comes. Whoever goes away has their work cancelled.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from ipaddress import ip_address
from typing import cast
from urllib.parse import urlsplit

from fastapi import FastAPI, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from famulus.doors.authenticator import Authenticator
from famulus.doors.mcp_calls import Caller
from famulus.doors.problems import problem
from famulus.identity.credentials import require_same_origin
from famulus.identity.principal import Principal
from famulus.kernel.errors import BadRequest, Forbidden, Unauthenticated
from famulus.kernel.http import BY_A_TOOL
from famulus.kernel.settings import Settings

PATH = "/mcp"
METADATA = "/.well-known/oauth-protected-resource"
CREDENTIALS = ("authorization", "x-api-key")
"""The headers that are looked at, of all that say who somebody is."""
BODY_TIME = 20.0
"""Seconds in which a message has to have come."""
Serve = Callable[[Scope, Receive, Send], Awaitable[None]]


class UnknownHost(Forbidden):
    """This server is not known by that name; FAMULUS_PUBLIC_URL says by which it is."""

    code = "unknown_host"


class McpDoor:
    """Answers what comes to the door."""

    def __init__(
        self, settings: Settings, authenticator: Authenticator, caller: Caller, *, version: str
    ) -> None:
        self._settings = settings
        self._authenticator = authenticator
        self.caller = caller
        self._version = version
        self._loading = asyncio.Lock()
        self._server: Callable[..., Serve] | None = None

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request. Raises what the other doors raise for what is not let in."""
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        self.require_ours(headers)
        shown = {name: headers[name] for name in CREDENTIALS if name in headers}
        try:
            principal = await self._authenticator.principal(shown, scope["method"])
        except Unauthenticated as error:
            refusal = problem(error, scope.get("request_id"))
            refusal.headers["www-authenticate"] = self._challenge(scope, headers, wrong=bool(shown))
            await refusal(scope, receive, send)
            return
        body = await _body(receive)
        if body is not None:
            serve = await self._serve(replace(principal, by_a_tool=BY_A_TOOL in headers))
            # Blanks around a header's value are no part of it (RFC 9110 §5.5); not every server takes them off.
            bare = [(name, value.strip(b" \t")) for name, value in scope["headers"]]
            await _while_there(receive, serve({**scope, "headers": bare}, _replay(body), send))

    def require_ours(self, headers: Mapping[str, str]) -> None:
        """Raise UnknownHost or CrossOrigin for what a page of another site may have sent."""
        if not _known(headers.get("host", ""), self._settings):
            raise UnknownHost()
        # An Origin counts, whatever else the browser says of it.
        named = {name: headers[name] for name in ("host", "origin") if name in headers}
        require_same_origin(named, self._settings)

    def metadata(self, scope: Scope, headers: Mapping[str, str]) -> dict[str, object]:
        """What this door is, and whose tokens it takes."""
        issuers = [issuer for issuer in self._settings.trusted_issuers if issuer.audience]
        scopes = list(dict.fromkeys(scope for issuer in issuers for scope in issuer.scopes))
        return {
            "resource": self._base(scope, headers) + PATH,
            "resource_name": "Famulus",
            "bearer_methods_supported": ["header"],
            **({"authorization_servers": [issuer.issuer for issuer in issuers]} if issuers else {}),
            **({"scopes_supported": scopes} if scopes else {}),
        }

    def _challenge(self, scope: Scope, headers: Mapping[str, str], *, wrong: bool) -> str:
        where = f'resource_metadata="{self._base(scope, headers)}{METADATA}{PATH}"'
        return f'Bearer error="invalid_token", {where}' if wrong else f"Bearer {where}"

    def _base(self, scope: Scope, headers: Mapping[str, str]) -> str:
        """The address people use: as it is set, else as it was asked for, under a name that was looked at."""
        return (self._settings.public_url or f"{scope['scheme']}://{headers['host']}").rstrip("/")

    async def _serve(self, principal: Principal) -> Serve:
        if self._server is None:
            async with self._loading:
                self._server = self._server or await asyncio.to_thread(_load)
        return self._server(self.caller, principal, version=self._version)


def mount(app: FastAPI) -> None:
    """Put the door into the application, and beside it the page that says where tokens are to be had."""
    app.router.routes.append(Route(PATH, _Entrance(), methods=["POST"], include_in_schema=False))
    for path in (METADATA, METADATA + PATH):
        app.add_api_route(path, _metadata, include_in_schema=False)


class _Entrance:
    """The door of whichever application is asked."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        door = cast(McpDoor, scope["app"].state.mcp)
        await door.answer(scope, receive, send)


async def _metadata(request: Request) -> Response:
    door = cast(McpDoor, request.app.state.mcp)
    door.require_ours(request.headers)
    return JSONResponse(door.metadata(request.scope, request.headers))


def _load() -> Callable[..., Serve]:
    # lazy: the protocol's library, which takes a second and 60 MB that many a server never needs
    from famulus.doors.mcp_server import server_for

    return server_for


def _known(host: str, settings: Settings) -> bool:
    """Whether a Host is this server's own: its public name, this machine, or a number, which nobody can redirect."""
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return False
    public = urlsplit(settings.public_url).hostname if settings.public_url else None
    return bool(name) and (name in ("localhost", settings.host, public) or _numeric(name))


def _numeric(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


async def _body(receive: Receive) -> bytes | None:
    """A message, which the envelope has bounded; None when whoever sent it has gone."""
    parts: list[bytes] = []
    try:
        async with asyncio.timeout(BODY_TIME):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    return None
                parts.append(message.get("body", b""))
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError as error:
        raise BadRequest(f"The body did not come within {BODY_TIME:.0f} seconds.") from error


def _replay(body: bytes) -> Receive:
    """The same message once more; after it nothing comes, for that somebody leaves is noticed elsewhere."""
    left: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive() -> Message:
        if not left:
            await asyncio.Event().wait()
        return left.pop()

    return receive


async def _while_there(receive: Receive, work: Awaitable[None]) -> None:
    """Do the work, as long as somebody waits for it."""
    task = asyncio.ensure_future(work)
    leaving = asyncio.ensure_future(_leaves(receive))
    leaving.add_done_callback(lambda _: task.cancel())
    try:
        await task
    except asyncio.CancelledError:
        if leaving.cancelled() or not leaving.done():
            raise
    finally:
        leaving.cancel()


async def _leaves(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
