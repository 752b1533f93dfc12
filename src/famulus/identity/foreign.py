"""Foreign tokens: what somebody else's signed word says of a person, once it has been checked.

A token says itself which key and which algorithm it wants to be checked with. Of that only the key's id is used, as a
word to look for among the issuer's own keys; the algorithm has to be one that the operator allows, and headers that
bring a key along, or an address of one, are not read.
"""

import base64
import binascii
import json
import time
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, cast

from famulus.identity.accounts import normal_email
from famulus.identity.jwks import IssuerKeys
from famulus.kernel.http import Outbound
from famulus.kernel.issuers import ClaimPath, OurRole, TrustedIssuer
from famulus.kernel.text import clean_text

LONGEST = 16_384
LONGEST_NAME = 200
TYPES = ("", "jwt", "at+jwt", "application/at+jwt")
"""What a token may say it is in its header; a logout token, for one, is signed by the same keys."""
KINDS = frozenset({"bearer", "access", "at+jwt", "jwt"})
"""What a token may say it is in its claims, as some issuers do. A refresh token says something else."""
ID_MARKS = ("nonce", "at_hash", "c_hash")
"""Claims that only an ID token has."""
STRONGEST: tuple[OurRole, ...] = ("site_admin", "organization_admin", "teacher", "student")


@dataclass(frozen=True, slots=True)
class Claimed:
    """What an issuer says of somebody."""

    issuer: str
    subject: str
    email: str | None = None
    email_verified: bool = False
    name: str | None = None
    organization: str | None = None
    role: OurRole | None = None
    issued_at: datetime | None = None
    expires_at: float | None = None
    """Seconds since 1970 from when on it is said no more."""


class Refused(Exception):
    """A token is not good; the reason is for the log, and whoever sent it learns only that it is so."""

    issuer: str | None = None
    """Whose it says that it is, where that is a trusted one."""


class Expired(Refused):
    """A token was good once; every client has such a one now and then."""


class ForeignTokens:
    """The trusted issuers with their keys. Build one per application."""

    def __init__(
        self, issuers: Iterable[TrustedIssuer], outbound: Outbound, *, plain_hosts: Collection[str] = ()
    ) -> None:
        self.issuers = {issuer.issuer: issuer for issuer in issuers}
        self.keys = {
            name: IssuerKeys(issuer, outbound, plain_hosts=plain_hosts)
            for name, issuer in self.issuers.items()
        }

    async def bearer(self, token: str) -> Claimed:
        """Who a bearer token speaks of; raises `Refused`, or IssuerSilent where it cannot be told now."""
        header, claims = _opened(token)
        issuer = self._issuer(claims)
        audience = issuer.audience
        if issuer.accept_id_tokens and issuer.client_id is not None:
            audience = (*audience, issuer.client_id)
        try:
            await self._check_signature(token, header, issuer)
            _check_kind(header, claims, id_tokens=issuer.accept_id_tokens)
            _check_audience(claims, audience)
            return claimed(issuer, claims)
        except Refused as error:
            error.issuer = issuer.issuer
            raise

    async def id_token(self, token: str, issuer: TrustedIssuer, nonce: str) -> Claimed:
        """Who the ID token of a sign-in speaks of; raises `Refused`, or IssuerSilent."""
        header, claims = _opened(token)
        if claims.get("iss") != issuer.issuer:
            raise Refused("it is another issuer's")
        await self._check_signature(token, header, issuer)
        _check_kind(header, claims, id_tokens=True)
        _check_audience(claims, (issuer.client_id or "",))
        if len(_texts(claims.get("aud"))) > 1 and claims.get("azp") != issuer.client_id:
            raise Refused("it was made for another client")
        if claims.get("nonce") != nonce:
            raise Refused("it belongs to another sign-in")
        return claimed(issuer, claims)

    def _issuer(self, claims: Mapping[str, Any]) -> TrustedIssuer:
        name = claims.get("iss")
        issuer = self.issuers.get(name) if isinstance(name, str) else None
        if issuer is None or not (issuer.audience or issuer.accept_id_tokens):
            raise Refused("its issuer is not trusted")
        return issuer

    async def _check_signature(self, token: str, header: Mapping[str, Any], issuer: TrustedIssuer) -> None:
        algorithm, kid = header.get("alg"), header.get("kid")
        if algorithm not in issuer.algorithms:
            raise Refused("its algorithm is not allowed")
        if "crit" in header or not isinstance(kid, str | None):
            raise Refused("its header asks for something unknown")
        keys = await self.keys[issuer.issuer].candidates(kid, algorithm)
        if not any(key.verifies(token, algorithm) for key in keys):
            raise Refused("no key of the issuer has signed it")


def claimed(issuer: TrustedIssuer, claims: Mapping[str, Any]) -> Claimed:
    """The claims in our words; raises `Refused` where they are out of their time, or do not say who it is."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not subject or len(subject) > 300 or "\0" in subject:
        raise Refused("it does not say whom it speaks of")
    expires_at, issued_at = _check_times(claims, issuer.leeway)
    email, verified = _email(_at(claims, issuer.claims.email)), _at(claims, issuer.claims.email_verified)
    if issuer.require_verified_email and not (email and verified is True):
        raise Refused("its e-mail address is not verified")
    organizations = _texts(_at(claims, issuer.claims.organization))
    return Claimed(
        issuer=issuer.issuer,
        subject=subject,
        email=email,
        email_verified=email is not None and verified is True,
        name=_name(_at(claims, issuer.claims.name)),
        organization=_name(organizations[0] if organizations else issuer.default_organization),
        role=_role(issuer, _texts(_at(claims, issuer.claims.role))),
        issued_at=issued_at,
        expires_at=expires_at,
    )


def looks_signed(token: str) -> bool:
    """Whether a token has the shape of a signed one, rather than of one of ours."""
    return token.startswith("eyJ") and token.count(".") == 2


def _opened(token: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims, not believed yet."""
    if len(token) > LONGEST or not token.isascii():
        raise Refused("it is too long")
    header, claims, signature = token.split(".") if token.count(".") == 2 else ("", "", "")
    if not signature:
        raise Refused("it is not signed")
    return _object(header), _object(claims)


def _object(segment: str) -> dict[str, Any]:
    try:
        value: object = json.loads(
            base64.b64decode(segment + "=" * (-len(segment) % 4), b"-_", validate=True)
        )
    except (binascii.Error, ValueError, RecursionError) as error:
        raise Refused("it is not written as one") from error
    if not isinstance(value, dict):
        raise Refused("it is not written as one")
    return cast(dict[str, Any], value)


def _check_kind(header: Mapping[str, Any], claims: Mapping[str, Any], *, id_tokens: bool) -> None:
    if str(header.get("typ", "")).lower() not in TYPES:
        raise Refused("it is another kind of token")
    known = KINDS | {"id"} if id_tokens else KINDS
    for name in ("typ", "token_use", "token_type"):
        if name in claims and str(claims[name]).lower() not in known:
            raise Refused("it is another kind of token")
    if not id_tokens and any(mark in claims for mark in ID_MARKS):
        raise Refused("it is an ID token")
    if "events" in claims:
        raise Refused("it tells of an event")


def _check_audience(claims: Mapping[str, Any], audience: Collection[str]) -> None:
    if not set(_texts(claims.get("aud"))) & set(audience):
        raise Refused("it was made for somebody else")


def _check_times(claims: Mapping[str, Any], leeway: int) -> tuple[float, datetime | None]:
    """When it ends and when it was made; raises `Refused` outside of its time, and for one that has no end."""
    now = time.time()
    expires, begins, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        raise Refused("it would never expire")
    if expires + leeway <= now:
        raise Expired("it has expired")
    if max(begins or 0, issued or 0) - leeway > now:
        raise Refused("its time has not come")
    return expires + leeway, None if issued is None else datetime.fromtimestamp(issued, UTC)


def _seconds(claims: Mapping[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise Refused(f"its {name} is no time")
    return float(value)


def _at(claims: Mapping[str, Any], path: ClaimPath | None) -> object:
    """The claim at a path. A name with dots may be just that, as many are addresses."""
    if path is None:
        return None
    if isinstance(path, str):
        if path in claims:
            return claims[path]
        path = tuple(path.split("."))
    value: Any = claims
    for name in path:
        value = cast(Mapping[str, Any], value).get(name) if isinstance(value, Mapping) else None
    return value


def _texts(value: object) -> list[str]:
    values = cast(list[object], value) if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _role(issuer: TrustedIssuer, said: list[str]) -> OurRole | None:
    """The strongest of the roles that are known."""
    roles = {issuer.roles[each] for each in said if each in issuer.roles}
    return next((role for role in STRONGEST if role in roles), None) or issuer.default_role


def _email(value: object) -> str | None:
    try:
        return normal_email(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _name(value: object) -> str | None:
    try:
        return clean_text(value, LONGEST_NAME, single_line=True) if isinstance(value, str) else None
    except ValueError:
        return None
