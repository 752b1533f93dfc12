"""Guests: people who chat without signing in, where the operator allows it.

All act under one account that belongs nowhere and may only talk. What one of them has said is found again by a sealed
name alone, which only the server that gave it out can read; so no guest reads another.
"""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.presence import principal_of
from famulus.identity import brake
from famulus.identity.accounts import Account, EmailTaken, create_account, find_by_email
from famulus.identity.principal import Principal
from famulus.identity.sessions import SignedIn
from famulus.kernel.database import Database
from famulus.kernel.errors import FieldProblem, Invalid, NotFound, Unauthenticated
from famulus.kernel.origin import origin
from famulus.kernel.secrets import Unreadable, Vault

ADDRESS = "guest@guests.invalid"
LONGEST = 2_000
"""Characters of a guest's message."""
_SEAL = "conversation of a guest"


async def guests_id(session: AsyncSession) -> str | None:
    """The id of the account under which all guests act; None before the first has come."""
    account = await find_by_email(session, ADDRESS)
    return account and account.id


class Guests:
    """The guests of one application."""

    def __init__(self, database: Database, vault: Vault, *, welcome: bool) -> None:
        self._database = database
        self._vault = vault
        self._welcome = welcome

    async def admit(self, message: str) -> Principal:
        """Who a guest is, for one message. Raises Unauthenticated where none are welcome, Invalid, or the brake."""
        if not self._welcome:
            raise Unauthenticated()
        if len(message) > LONGEST:
            problem = FieldProblem("message", f"At most {LONGEST:,} characters without a sign-in.")
            raise Invalid("Not acceptable: message.", fields=(problem,))
        async with self._database.write() as session:
            await brake.reserve(session, brake.guest_messages(origin().address))
        account = await self._account()
        async with self._database.read() as session:
            principal = await principal_of(session, SignedIn(account, None, None))
        return replace(principal, scopes=frozenset({"chat"}))

    def seal(self, thread_id: str) -> str:
        """The name of a thread for the guest who has begun it."""
        return self._vault.encrypt(thread_id, _SEAL)

    def unseal(self, conversation: str) -> str:
        """The thread of such a name; raises NotFound for what was never given out."""
        try:
            return self._vault.decrypt(conversation, _SEAL)
        except Unreadable as error:
            raise NotFound("There is no conversation of this name.") from error

    async def _account(self) -> Account:
        async with self._database.read() as session:
            if account := await find_by_email(session, ADDRESS):
                return account
        try:
            async with self._database.write() as session:
                return await create_account(
                    session, email=ADDRESS, name="Guest", password_hash=None, service=True
                )
        except EmailTaken:  # by another guest at this moment
            return await self._account()
