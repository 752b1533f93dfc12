"""Signing in at the other side of a connection. Only here is a connection's secret, or an asker's token, opened.

Whatever comes back is told to a model, a person and the log, so what was opened is taken out of it again.
"""

import asyncio
import base64
import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import assert_never
from urllib.parse import quote, urlencode

import msgspec

from famulus.identity.principal import Principal
from famulus.kernel.errors import FamulusError
from famulus.kernel.http import BY_A_TOOL, Outbound
from famulus.kernel.secrets import Unreadable, Vault
from famulus.tools.arguments import SECRET
from famulus.tools.contract import ToolFailed
from famulus.tools.links import AskerAuth, Auth, BearerAuth, ClientAuth, HeaderAuth, Link, NoAuth, decode_auth

SHORTEST = 4
"""Characters of a secret that is looked for in answers; a shorter one would be found everywhere."""
EARLY, UNSAID = 30.0, 300.0
"""Seconds that a token is given up before its end, and that one lasts which has not said how long."""
MAX_TOKEN_ANSWER = 100_000
KNOWN = 1_000


class _Granted(msgspec.Struct):
    """What a token endpoint answers."""

    access_token: str
    expires_in: float | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a request carries, and what must not be seen of it."""

    headers: Mapping[str, str] = field(default_factory=dict[str, str], repr=False)
    secrets: frozenset[str] = field(default=frozenset(), repr=False)

    def without_secrets(self, text: str) -> str:
        """A text from the other side, which may repeat what it was sent."""
        for secret in sorted(self.secrets, key=len, reverse=True):
            if len(secret) >= SHORTEST:
                text = text.replace(secret, SECRET)
        return text


class Credentials:
    """The sign-ins of all connections; tokens are remembered until they end."""

    def __init__(self, vault: Vault, outbound: Outbound) -> None:
        self._vault = vault
        self._outbound = outbound
        self._tokens: dict[str, tuple[float, str]] = {}
        self._locks = defaultdict[str, asyncio.Lock](asyncio.Lock)

    def auth(self, link: Link) -> Auth:
        """How a connection signs in. Raises ToolFailed where that cannot be read any more."""
        try:
            return decode_auth(self._vault.decrypt(link.sealed, link.id))
        except Unreadable as error:
            raise ToolFailed(
                f"The credentials of {link.name} cannot be read; its admin has to enter them again."
            ) from error

    async def sign_in(self, link: Link, principal: Principal | None) -> SignIn:
        """What a request of this connection carries, for this person. Raises ToolFailed."""
        auth = self.auth(link)
        match auth:
            case NoAuth():
                return SignIn()
            case HeaderAuth(name=name, value=value):
                return SignIn({name: value}, frozenset({value, value.rpartition(" ")[2]}))
            case BearerAuth(token=token):
                return _bearer(token)
            case AskerAuth():
                return _bearer(self._asker(link, principal))
            case ClientAuth():
                signed = _bearer(await self._token(link, auth))
                return SignIn(signed.headers, signed.secrets | {auth.client_secret})
            case _:
                assert_never(auth)

    def refused(self, link: Link) -> bool:
        """The other side has not taken the sign-in: whether another one may help, which is fetched next time."""
        return self._tokens.pop(link.sealed, None) is not None

    def _asker(self, link: Link, principal: Principal | None) -> str:
        if principal is None or principal.token is None:
            raise ToolFailed(
                f"{link.name} has to be asked with the person's own token: they have to come through the identity"
                " provider, with a token of it, rather than sign in here."
            )
        try:
            return self._vault.decrypt(principal.token, principal.user_id)
        except Unreadable as error:
            raise ToolFailed("The person's token cannot be read any more; ask again.") from error

    async def _token(self, link: Link, auth: ClientAuth) -> str:
        """A token, fetched once by whoever comes first. The sealed form names it: it differs after every change."""
        async with self._locks[link.id]:
            known = self._tokens.get(link.sealed)
            if known is not None and known[0] > time.monotonic():
                return known[1]
            granted = await self._fetch(link, auth)
            lasts = UNSAID if granted.expires_in is None else granted.expires_in
            if len(self._tokens) >= KNOWN:
                self._tokens.clear()
            self._tokens[link.sealed] = (time.monotonic() + max(lasts - EARLY, 1.0), granted.access_token)
            return granted.access_token

    async def _fetch(self, link: Link, auth: ClientAuth) -> _Granted:
        pair = f"{quote(auth.client_id, safe='')}:{quote(auth.client_secret, safe='')}"
        asked = {"grant_type": "client_credentials", **({"scope": auth.scope} if auth.scope else {})}
        headers = {
            "Authorization": "Basic " + base64.b64encode(pair.encode()).decode(),
            "Content-Type": "application/x-www-form-urlencoded",
            "Accept": "application/json",
            BY_A_TOOL: "1",
        }
        try:
            answer = await self._outbound.fetch(
                auth.token_url,
                method="POST",
                headers=headers,
                body=urlencode(asked).encode(),
                max_bytes=MAX_TOKEN_ANSWER,
                redirects=0,
            )
            if answer.status != 200:
                raise ToolFailed(
                    f"{link.name} could not sign in: its token address answered {answer.status}."
                )
            return msgspec.json.decode(answer.body, type=_Granted)
        except FamulusError as error:
            raise ToolFailed(f"{link.name} could not sign in: {error.detail}") from error
        except msgspec.DecodeError as error:
            raise ToolFailed(f"{link.name} could not sign in: its token address gave no token.") from error


def _bearer(token: str) -> SignIn:
    return SignIn({"Authorization": f"Bearer {token}"}, frozenset({token}))
