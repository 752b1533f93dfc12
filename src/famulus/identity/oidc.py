"""Signing in through a provider: OpenID Connect's authorization code, with PKCE, a state and a nonce.

What belongs to one sign-in travels in an encrypted cookie of that browser, so a code that somebody else has got, or a
link that somebody has planted, leads nowhere. Nothing is kept here in between.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

import structlog

from famulus.identity.foreign import Claimed, ForeignTokens, Refused
from famulus.identity.jwks import IssuerKeys, IssuerSilent
from famulus.kernel.errors import BadRequest, NotFound
from famulus.kernel.issuers import TrustedIssuer
from famulus.kernel.secrets import Unreadable, Vault

log = structlog.get_logger(__name__)
LIFE = 600
"""Seconds for somebody to find their password."""
LONGEST_NEXT = 1000
HOST = re.compile(r"(?:[A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")


class UnknownProvider(NotFound):
    """There is no such identity provider here."""

    code = "unknown_provider"


class SignInFailed(BadRequest):
    """The identity provider could not be followed in who you are; begin again, or tell an administrator."""

    code, title = "sign_in_failed", "Sign-in failed"


class SignInExpired(SignInFailed):
    """This sign-in was begun too long ago, or not in this browser; begin again."""

    code = "sign_in_expired"


class SignInDenied(SignInFailed):
    """The identity provider says that you have not agreed, or may not sign in here."""

    code = "sign_in_denied"


@dataclass(frozen=True, slots=True)
class Provider:
    """A provider as people choose it."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Begun:
    """Where the browser goes, and what it keeps meanwhile."""

    url: str
    cookie: str


@dataclass(frozen=True, slots=True)
class Returned:
    """Who has come back, from where, and which page they wanted."""

    issuer: TrustedIssuer
    claimed: Claimed
    next: str


class Providers:
    """The trusted issuers that people sign in through. Build one per application."""

    def __init__(self, foreign: ForeignTokens, vault: Vault) -> None:
        self._foreign = foreign
        self._vault = vault
        self._issuers = {
            issuer.id: issuer for issuer in foreign.issuers.values() if issuer.id and issuer.client_id
        }

    def listed(self) -> list[Provider]:
        """All of them, in the operator's order."""
        return [Provider(id, issuer.label) for id, issuer in self._issuers.items()]

    async def begin(self, provider: str, *, back: str, next: str) -> Begun:
        """The way to the provider; `back` is the address it returns to. Raises UnknownProvider or IssuerSilent."""
        issuer, keys = self._find(provider)
        endpoints = await keys.endpoints()
        if endpoints.authorization is None:
            raise IssuerSilent()
        state, nonce, verifier = (secrets.token_urlsafe(32) for _ in range(3))
        query = {
            "response_type": "code",
            "client_id": issuer.client_id,
            "redirect_uri": back,
            "scope": " ".join(issuer.scopes),
            "state": state,
            "nonce": nonce,
            "code_challenge": _challenge(verifier),
            "code_challenge_method": "S256",
        }
        kept = {"state": state, "nonce": nonce, "verifier": verifier, "next": local_path(next)}
        sealed = self._vault.encrypt(json.dumps({**kept, "ends": time.time() + LIFE}), f"oidc {provider}")
        separator = "&" if "?" in endpoints.authorization else "?"
        return Begun(f"{endpoints.authorization}{separator}{urlencode(query)}", sealed)

    async def finish(
        self, provider: str, *, back: str, query: Mapping[str, str | None], cookie: str | None
    ) -> Returned:
        """Who has come back with this query. Raises UnknownProvider, SignInFailed and what is below it."""
        issuer, keys = self._find(provider)
        kept = self._kept(provider, cookie)
        if not hmac.compare_digest((query.get("state") or "").encode(), str(kept["state"]).encode()):
            raise SignInExpired()
        if query.get("iss") not in (None, issuer.issuer):
            raise SignInFailed()
        if query.get("error"):
            raise SignInDenied() if query["error"] == "access_denied" else SignInFailed()
        code = query.get("code")
        if not code:
            raise SignInFailed()
        try:
            token = await _exchange(issuer, keys, code=code, verifier=str(kept["verifier"]), back=back)
            claimed = await self._foreign.id_token(token, issuer, str(kept["nonce"]))
        except (Refused, IssuerSilent) as error:
            log.warning("sign_in_failed", provider=provider, reason=str(error))
            raise SignInFailed() from error
        return Returned(issuer, claimed, str(kept["next"]))

    def _find(self, provider: str) -> tuple[TrustedIssuer, IssuerKeys]:
        issuer = self._issuers.get(provider)
        if issuer is None:
            raise UnknownProvider()
        return issuer, self._foreign.keys[issuer.issuer]

    def _kept(self, provider: str, cookie: str | None) -> dict[str, Any]:
        try:
            kept: dict[str, Any] = json.loads(self._vault.decrypt(cookie or "", f"oidc {provider}"))
        except Unreadable as error:
            raise SignInExpired() from error
        if kept["ends"] <= time.time():
            raise SignInExpired()
        return kept


def local_path(text: str) -> str:
    """The path on this server that this is; the start page for an address of anywhere else."""
    plain = len(text) <= LONGEST_NEXT and text.isascii() and text.isprintable() and " " not in text
    if not plain or not text.startswith("/") or text.startswith(("//", "/\\")) or "\\" in text:
        return "/"
    return text


async def _exchange(issuer: TrustedIssuer, keys: IssuerKeys, *, code: str, verifier: str, back: str) -> str:
    """The ID token for a code, asked for where no browser sees it."""
    endpoints = await keys.endpoints()
    if endpoints.token is None:
        raise IssuerSilent()
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": back,
        "code_verifier": verifier,
    }
    headers: dict[str, str] = {}
    client, secret = issuer.client_id or "", issuer.client_secret
    if secret is not None and endpoints.basic:
        pair = f"{quote_plus(client)}:{quote_plus(secret.get_secret_value())}"
        headers["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    else:
        form["client_id"] = client
        if secret is not None:
            form["client_secret"] = secret.get_secret_value()
    answer = await keys.ask(endpoints.token, form=urlencode(form), headers=headers)
    token = answer.get("id_token")
    if not isinstance(token, str):
        raise Refused("the provider has sent no ID token")
    return token


def _challenge(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def callback_path(provider: str) -> str:
    """Where the provider sends people back to."""
    return f"/api/auth/oidc/{provider}/callback"


def base_url(public_url: str | None, scheme: str, host: str) -> str:
    """This server's address as a browser has it; raises BadRequest for a host that is none."""
    if public_url:
        return public_url.rstrip("/")
    if not HOST.fullmatch(host):
        raise BadRequest("The header Host is no address of a server.")
    return f"{scheme}://{host}"
