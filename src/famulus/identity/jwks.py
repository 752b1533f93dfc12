"""The keys of an issuer: fetched when they are needed, kept for a while, and asked for anew when one is unknown.

An issuer that does not answer is no reason to lock people out, so its keys stay good for some hours more. Whoever sends
made-up key ids cannot have it asked more often than twice a minute.
"""

import asyncio
import json
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

import structlog

from famulus.kernel.errors import FamulusError, Unavailable
from famulus.kernel.http import Outbound
from famulus.kernel.http_answers import OutboundFailed
from famulus.kernel.issuers import TrustedIssuer

log = structlog.get_logger(__name__)
MAX_AGE = 600.0
"""Seconds for which keys are taken as they are."""
STALE = 4 * 3600.0
"""Seconds for which they are good while the issuer does not answer."""
PAUSE = 30.0
"""Seconds between two fetches."""
TIMEOUT = 10.0
MAX_BYTES = 256_000
MAX_KEYS = 100
KINDS = {"RS": "RSA", "PS": "RSA", "ES": "EC", "Ed": "OKP"}
"""The kind of key by the beginning of the algorithm."""


class IssuerKey(Protocol):
    """A public key, as far as it is chosen by."""

    kind: str
    kid: str | None
    use: object
    algorithm: object

    def verifies(self, token: str, algorithm: str) -> bool:
        """Whether it has signed a token in its compact form, by this algorithm and no other."""
        ...


class IssuerSilent(Unavailable):
    """The identity provider does not answer as it should; try again shortly."""

    code = "issuer_silent"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """What an issuer's configuration document says."""

    jwks: str
    authorization: str | None = None
    token: str | None = None
    basic: bool = True
    """Whether a client may send its secret by HTTP Basic, which is the default."""


class IssuerKeys:
    """One issuer's keys and endpoints. No database session may be open while they are asked for."""

    def __init__(
        self,
        issuer: TrustedIssuer,
        outbound: Outbound,
        *,
        plain_hosts: Collection[str] = (),
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._issuer = issuer
        self._outbound = outbound
        self._plain_hosts = plain_hosts
        self._clock = clock
        self._lock = asyncio.Lock()
        self._keys: tuple[IssuerKey, ...] = ()
        self._fetched: float | None = None
        self._tried: float | None = None
        self._endpoints: tuple[float, Endpoints] | None = None

    async def candidates(self, kid: str | None, algorithm: str) -> list[IssuerKey]:
        """The keys that may have made such a signature; raises `IssuerSilent` when no key has ever been had."""
        found = self._matching(kid, algorithm)
        renewed_by_another = found and self._lock.locked()
        if not found or (self._age() > MAX_AGE and not renewed_by_another):
            await self._refresh()
            found = self._matching(kid, algorithm)
        if self._age() > STALE:
            raise IssuerSilent()
        return found

    async def endpoints(self) -> Endpoints:
        """Where the issuer is asked for what; raises `IssuerSilent`."""
        kept = self._endpoints
        if kept is not None and self._clock() - kept[0] < MAX_AGE:
            return kept[1]
        try:
            found = self._read_endpoints(await self.ask(configuration_url(self._issuer.issuer)))
        except IssuerSilent:
            if kept is not None and self._clock() - kept[0] < STALE:
                return kept[1]
            raise
        self._endpoints = (self._clock(), found)
        return found

    def _age(self) -> float:
        return float("inf") if self._fetched is None else self._clock() - self._fetched

    def _matching(self, kid: str | None, algorithm: str) -> list[IssuerKey]:
        kind = KINDS[algorithm[:2]]
        return [
            key
            for key in self._keys
            if key.kind == kind
            and (kid is None or key.kid == kid)
            and key.use in (None, "sig")
            and key.algorithm in (None, algorithm)
        ]

    async def _refresh(self) -> None:
        """Fetch the keys, unless that has just been tried; one that fails leaves those that are there."""
        async with self._lock:
            if self._tried is not None and self._clock() - self._tried < PAUSE:
                return
            self._tried = self._clock()
            try:
                url = self._issuer.jwks_url or (await self.endpoints()).jwks
                self._keys = tuple(_public_keys(await self.ask(url)))
                self._fetched = self._clock()
            except IssuerSilent as error:
                log.warning("issuer_silent", issuer=self._issuer.issuer, error=error.detail)

    def _read_endpoints(self, document: dict[str, Any]) -> Endpoints:
        if document.get("issuer") != self._issuer.issuer:
            raise IssuerSilent(f"The configuration of {self._issuer.issuer} is another issuer's.")
        jwks = document.get("jwks_uri")
        if not isinstance(jwks, str):
            raise IssuerSilent(f"The configuration of {self._issuer.issuer} names no keys.")
        ways = document.get("token_endpoint_auth_methods_supported")
        return Endpoints(
            jwks=jwks,
            authorization=_text(document.get("authorization_endpoint")),
            token=_text(document.get("token_endpoint")),
            basic=not isinstance(ways, list) or "client_secret_basic" in ways,
        )

    async def ask(
        self, url: str, *, form: str | None = None, headers: dict[str, str] | None = None
    ) -> dict[str, Any]:
        """The JSON object that an address of the issuer answers with; raises `IssuerSilent`."""
        if urlsplit(url).scheme != "https" and urlsplit(url).hostname not in self._plain_hosts:
            raise IssuerSilent(f"{urlsplit(url).hostname} is asked over https:// only.")
        sent = {"Accept": "application/json", **(headers or {})}
        if form is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            answer = await self._outbound.fetch(
                url,
                method="GET" if form is None else "POST",
                headers=sent,
                body=None if form is None else form.encode(),
                max_bytes=MAX_BYTES,
                timeout=TIMEOUT,
                redirects=0,
            )
            if answer.status != 200:
                raise OutboundFailed(f"{urlsplit(url).hostname} answered with {answer.status}.")
            value: object = json.loads(answer.body)
        except FamulusError as error:
            raise IssuerSilent(error.detail) from error
        except (ValueError, RecursionError) as error:
            raise IssuerSilent(f"{urlsplit(url).hostname} did not answer in JSON.") from error
        if not isinstance(value, dict):
            raise IssuerSilent(f"{urlsplit(url).hostname} did not answer with an object.")
        return cast(dict[str, Any], value)


def configuration_url(issuer: str) -> str:
    """Where an issuer describes itself."""
    return issuer.rstrip("/") + "/.well-known/openid-configuration"


def _public_keys(document: dict[str, Any]) -> Iterator[IssuerKey]:
    """The keys of a set that can be used here; of others an issuer may have any number."""
    # lazy: cryptography, ten megabytes that only an issuer's keys need
    from famulus.identity.jose import read_key

    keys: object = document.get("keys")
    if not isinstance(keys, list):
        raise IssuerSilent("The issuer's keys are no set of keys.")
    for each in cast(list[Any], keys)[:MAX_KEYS]:
        if (key := read_key(each)) is not None:
            yield key


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
