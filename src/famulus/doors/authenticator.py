"""From a request's credentials to its principal, with a memory of two seconds.

Within that time a person is not looked up again; whatever this instance learns of sessions and rights takes effect at
once, and on other instances no later than the memory lasts.
"""

import hashlib
from collections.abc import Mapping
from functools import partial

from famulus.campus.events import RightsChanged
from famulus.campus.presence import principal_of
from famulus.identity import sessions
from famulus.identity.credentials import presented_token
from famulus.identity.events import AccountChanged, SignedOut
from famulus.identity.last_use import LastUse
from famulus.identity.principal import Principal
from famulus.kernel.bus import Bus
from famulus.kernel.database import Database
from famulus.kernel.memory import Memory
from famulus.kernel.settings import Settings

MEMORY = 2.0
"""Seconds."""
SIZE = 10_000


class Authenticator:
    """Principals by token. Only digests of tokens are kept."""

    def __init__(self, database: Database, settings: Settings, bus: Bus) -> None:
        self._database = database
        self._settings = settings
        self._last_use = LastUse(database)
        self._memory = Memory[bytes, Principal](seconds=MEMORY, size=SIZE)
        for event in (SignedOut, AccountChanged, RightsChanged):
            bus.subscribe(event, self._forget)

    async def principal(self, headers: Mapping[str, str], method: str) -> Principal:
        """Who sent these headers; raises Unauthenticated or CrossOrigin."""
        token = presented_token(headers, method, self._settings)
        digest = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        return await self._memory.get(digest, partial(self._look, token))

    async def close(self) -> None:
        """End what is done in the background."""
        await self._last_use.close()

    async def _look(self, token: str) -> Principal:
        async with self._database.read() as session:
            signed_in = await sessions.resolve(session, token)
            principal = await principal_of(session, signed_in)
        self._last_use.see(signed_in)
        return principal

    def _forget(self, _event: object) -> None:
        """Rights change rarely, so forgetting everybody is simple and cheap enough."""
        self._memory.forget()
