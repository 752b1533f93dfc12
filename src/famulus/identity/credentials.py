"""Credentials: what a request shows in its headers, and whether a browser sent it from our own pages.

A cookie travels along with whatever any site makes the browser send, so with it an unsafe method must come from the
same origin. A bearer token is put there on purpose and needs no such care.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlsplit

from famulus.identity.foreign import looks_signed
from famulus.identity.keys import KEY_PREFIX
from famulus.kernel.errors import Forbidden, Unauthenticated
from famulus.kernel.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
Kind = Literal["session", "key", "signed"]
"""A token of a session, an API key, or a token that a foreign issuer has signed."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What a request shows, not looked at yet."""

    kind: Kind
    token: str


class CrossOrigin(Forbidden):
    """This request came from another site; it must come from the pages of this server, or carry a bearer token."""

    code = "cross_origin"


def cookie_name(settings: Settings) -> str:
    """`__Host-` makes browsers insist on TLS, this very host and the whole path."""
    return "__Host-famulus_session" if settings.https else "famulus_session"


def presented(headers: Mapping[str, str], method: str, settings: Settings) -> Credential | None:
    """The credential of a request whose `headers` are found by their names in lower case; None without one.

    The first that is there counts, and is not replaced by another when it turns out to be wrong. Raises
    `Unauthenticated` for one that is malformed, `CrossOrigin` for a cookie that another site made the browser send. A
    method that is not safe by name, such as a WebSocket's handshake, is treated as unsafe.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            raise Unauthenticated("Send `Authorization: Bearer` followed by an access token.")
        return Credential(_kind(token.strip()), token.strip())
    key = headers.get("x-api-key")
    if key is not None:
        return Credential("key", key.strip())
    token = _cookie(headers.get("cookie", ""), cookie_name(settings))
    if not token:
        return None
    if method.upper() not in SAFE_METHODS:
        require_same_origin(headers, settings)
    return Credential("session", token)


def presented_token(headers: Mapping[str, str], method: str, settings: Settings) -> str:
    """The token of a request's session; raises as `presented` does, and `Unauthenticated` for what is no session's."""
    found = presented(headers, method, settings)
    if found is None or found.kind != "session":
        raise Unauthenticated()
    return found.token


def _kind(token: str) -> Kind:
    if token.startswith(KEY_PREFIX):
        return "key"
    return "signed" if looks_signed(token) else "session"


def require_same_origin(headers: Mapping[str, str], settings: Settings) -> None:
    """Raise `CrossOrigin` when a browser says that another site sent this. Other clients say nothing and pass."""
    site = headers.get("sec-fetch-site")
    if site is not None:
        if site in ("same-origin", "none"):
            return
        raise CrossOrigin()
    origin = headers.get("origin")
    if origin is None:
        return
    ours = {headers.get("host", "").lower()}
    if settings.public_url:
        ours.add(urlsplit(settings.public_url).netloc.lower())
    if _host(origin) not in ours - {""}:
        raise CrossOrigin()


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""


def _cookie(header: str, name: str) -> str | None:
    for pair in header.split(";"):
        key, _, value = pair.strip().partition("=")
        if key == name:
            return value.strip('"')
    return None
