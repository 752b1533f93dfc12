"""From a request's credentials to its principal, with a memory of two seconds: the one way in, for every door.

    Authorization: Bearer   a token of a session, an API key (`fmk_…`), or a token that a trusted issuer has signed
    X-API-Key               an API key
    a cookie                a token of a session
    X-User-ID               from a gateway in front that is trusted to name people

The first that is there counts. Whatever is wrong with it, the answer is the same 401. Within the memory's time nobody
is looked up again; whatever this instance learns of sessions and rights takes effect at once, and on other instances no
later than the memory lasts. What ends by itself ends in the memory as well.
"""

import hashlib
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import structlog

from famulus.campus.arrivals import arrive
from famulus.campus.events import RightsChanged
from famulus.campus.presence import principal_of
from famulus.doors.gateway import Gateway
from famulus.identity import keys, refusals, sessions
from famulus.identity.credentials import Credential, presented
from famulus.identity.events import AccountChanged, SignedOut
from famulus.identity.foreign import Claimed, Expired, ForeignTokens, Refused
from famulus.identity.foreigners import AddressTaken, ForeignRefused
from famulus.identity.last_use import LastUse
from famulus.identity.principal import Principal
from famulus.identity.refusals import Refusal, Way
from famulus.identity.sessions import SignedIn
from famulus.identity.sign_in import Suspended
from famulus.kernel.bus import Bus
from famulus.kernel.database import Database
from famulus.kernel.errors import Unauthenticated
from famulus.kernel.issuers import TrustedIssuer
from famulus.kernel.memory import Memory
from famulus.kernel.secrets import Vault
from famulus.kernel.settings import Settings

log = structlog.get_logger(__name__)
MEMORY = 2.0
"""Seconds."""
SIZE = 10_000


@dataclass(frozen=True, slots=True)
class _Known:
    principal: Principal
    ends: float | None = None
    """Seconds since 1970 from when on the credential is good no more, where that may be soon."""


class Authenticator:
    """Principals by credential. Only digests of credentials are kept."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        bus: Bus,
        foreign: ForeignTokens | None = None,
        *,
        vault: Vault | None = None,
    ) -> None:
        self._database = database
        self._settings = settings
        self._foreign = foreign
        self._vault = vault
        self._gateway = Gateway(settings)
        self._last_use = LastUse(database)
        self._memory = Memory[bytes, _Known](seconds=MEMORY, size=SIZE)
        for event in (SignedOut, AccountChanged, RightsChanged):
            bus.subscribe(event, self._forget)

    async def principal(self, headers: Mapping[str, str], method: str, peer: str | None = None) -> Principal:
        """Who sent these headers, over a connection from `peer`; raises Unauthenticated or CrossOrigin."""
        shown = presented(headers, method, self._settings) or self._gateway.named(headers, method, peer)
        if shown is None:
            raise Unauthenticated()
        digest = hashlib.sha256(repr(shown).encode("utf-8", "replace")).digest()
        known = await self._memory.get(digest, partial(self._look, shown))
        if known.ends is not None and known.ends <= time.time():
            raise Unauthenticated()
        return known.principal

    async def close(self) -> None:
        """End what is done in the background."""
        await self._last_use.close()

    async def _look(self, shown: Credential | Claimed) -> _Known:
        match shown:
            case Claimed():
                return await self._vouched(shown)
            case Credential("key", key):
                return await self._program(key)
            case Credential("signed", token) if self._foreign is not None:
                return self._with(token, await self._signed(self._foreign, token))
            case Credential(_, token):
                return await self._session(token)

    def _with(self, token: str, known: _Known) -> _Known:
        """Seal the token to the person who came with it, for connections that pass it on."""
        if self._vault is None:
            return known
        sealed = self._vault.encrypt(token, known.principal.user_id)
        return replace(known, principal=replace(known.principal, token=sealed))

    async def _signed(self, foreign: ForeignTokens, token: str) -> _Known:
        """Who a token of a trusted issuer lets in."""
        try:
            claimed = await foreign.bearer(token)
        except Refused as error:
            log.info("foreign_token_refused", reason=str(error))
            if not isinstance(error, Expired):
                await refusals.note(self._database, Refusal("token", str(error), error.issuer))
            raise Unauthenticated() from error
        return await self._arrived("token", foreign.issuers[claimed.issuer], claimed)

    async def _session(self, token: str) -> _Known:
        async with self._database.read() as session:
            signed_in = await sessions.resolve(session, token)
            principal = await principal_of(session, signed_in)
        self._last_use.see(signed_in)
        return _Known(principal)

    async def _program(self, key: str) -> _Known:
        """Whom an API key lets in: where it was made for, or not at all."""
        async with self._database.read() as session:
            entry = await keys.resolve(session, key)
            principal = await principal_of(session, SignedIn(entry.account, None, entry.organization_id))
        if entry.organization_id not in (None, principal.organization_id):
            raise Unauthenticated()
        if not entry.noted:
            await keys.note_use(self._database, entry.key_id)
        ends = entry.expires_at and entry.expires_at.timestamp()
        return _Known(replace(principal, scopes=entry.scopes), ends)

    async def _vouched(self, named: Claimed) -> _Known:
        """Whom the gateway has named."""
        try:
            async with self._database.read() as session:
                account = await self._gateway.known(session, named)
                if account is not None:
                    return _Known(await principal_of(session, SignedIn(account, None, None)))
            if self._gateway.issuer is None:
                raise Unauthenticated()
        except Unauthenticated:
            why = "it names nobody who may come in"
            await refusals.note(self._database, Refusal("gateway", why, named.issuer, named.subject))
            raise
        return await self._arrived("gateway", self._gateway.issuer, named)

    async def _arrived(self, way: Way, issuer: TrustedIssuer, claimed: Claimed) -> _Known:
        try:
            arrival = await arrive(self._database, issuer, claimed)
        except (ForeignRefused, AddressTaken, Suspended) as error:
            await refusals.note(self._database, Refusal(way, error.code, claimed.issuer, claimed.subject))
            if isinstance(error, Suspended):
                raise Unauthenticated() from error
            raise
        async with self._database.read() as session:
            who = SignedIn(arrival.account, None, arrival.organization_id)
            return _Known(await principal_of(session, who), claimed.expires_at)

    def _forget(self, _event: object) -> None:
        """Rights change rarely, so forgetting everybody is simple and cheap enough."""
        self._memory.forget()
