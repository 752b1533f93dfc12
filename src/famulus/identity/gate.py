"""The gate: what a password has to pass, when it is chosen and when it is shown. One per application."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from famulus.identity import brake, failures
from famulus.identity.accounts import Secret, lookup_email, secret_of
from famulus.identity.brake import Try
from famulus.identity.password_rules import objection
from famulus.identity.passwords import Passwords
from famulus.kernel.database import Database
from famulus.kernel.errors import FieldProblem, Invalid


@dataclass(frozen=True, slots=True)
class Shown:
    """A try to show the password of an account."""

    secret: Secret | None
    """Set when the password was right."""
    better_hash: str | None
    """To be kept instead of the one that is, where that is of an older kind."""
    tries: list[Try]
    """To be given back in the transaction that follows from a right one."""


@dataclass(frozen=True, slots=True)
class Gate:
    """The hasher, and how demanding it is of new passwords."""

    passwords: Passwords = field(default_factory=Passwords)
    strict: bool = True

    async def new_hash(self, password: str, *, email: str, name: str, where: str = "password") -> str:
        """The hash of a password that somebody chooses. Raises Invalid for one that is too easy."""
        self.require_good(password, email=email, name=name, where=where)
        return await self.passwords.hash(password)

    def require_good(self, password: str, *, email: str, name: str, where: str = "password") -> None:
        """Raise Invalid for a password that is too easy; `where` is its field."""
        wrong = objection(password, email=email, name=name, strict=self.strict)
        if wrong is not None:
            raise Invalid(f"Not acceptable: {where}.", fields=(FieldProblem(where, wrong),))

    async def show(self, database: Database, email: str, password: str, address: str | None) -> Shown:
        """Whether this is the password of the account with this address. Raises the brake's refusal.

        An unknown address, an account without a password and a wrong password take one time. The try is counted when
        its turn to be hashed has come, so that a class that signs in at once is not taken for a guesser. A wrong one is
        written down.
        """
        email = lookup_email(email)
        counted, tries = brake.guesses(email, address), list[Try]()
        async with database.read() as session:
            await brake.check(session, counted)
            secret = await secret_of(session, email)
        kept = secret and secret.password_hash
        right, better = await self.passwords.verify(
            password, kept, first=_reserving(database, counted, tries)
        )
        if right and kept:
            return Shown(secret, better, tries)
        async with database.write() as session:
            await failures.note(session, secret and secret.account, tries)
        return Shown(None, None, tries)

    def close(self) -> None:
        """Let the hasher's threads end."""
        self.passwords.close()


def _reserving(
    database: Database, counted: list[brake.Counted], tries: list[Try]
) -> Callable[[], Awaitable[None]]:
    async def reserve() -> None:
        async with database.write() as session:
            tries.extend(await brake.reserve(session, counted))

    return reserve
