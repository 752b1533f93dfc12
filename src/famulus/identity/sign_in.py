"""Signing up and signing in with a password: from what a stranger knows to a session.

A password is hashed before the database is asked to write.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit, brake, failures, recovery
from famulus.identity.accounts import (
    EmailTaken,
    Secret,
    create_account,
    keep_better_hash,
    secret_of,
    still_holds,
)
from famulus.identity.gate import Gate
from famulus.identity.sessions import Mode, Opened, open_session
from famulus.kernel.database import Database
from famulus.kernel.errors import Forbidden, Unauthenticated
from famulus.kernel.settings import Settings


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is not right."""

    code = "wrong_credentials"


class Suspended(Forbidden):
    """This account is suspended; ask an administrator."""

    code = "suspended"


async def sign_up(
    database: Database,
    gate: Gate,
    settings: Settings,
    *,
    email: str,
    name: str,
    password: str,
    mode: Mode,
    address: str | None = None,
    locale: str = "en",
) -> Opened:
    """A new account with a password, its first session, and a mail to verify its address.

    Raises `EmailTaken`, for some tries; whoever goes on to ask which addresses have accounts has to wait.
    """
    async with database.read() as session:
        taken = await secret_of(session, email) is not None
    if taken:
        async with database.write() as session:
            await brake.reserve(session, brake.sign_ups(address))
        raise EmailTaken()
    password_hash = await gate.new_hash(password, email=email, name=name)
    async with database.write() as session:
        account = await create_account(
            session, email=email, name=name, password_hash=password_hash, locale=locale
        )
        audit.record(session, audit.oneself(account), "account.sign_up", audit.of_account(account))
        await recovery.send_verification(session, settings, account)
        return await open_session(session, account, mode)


async def sign_in(
    database: Database, gate: Gate, *, email: str, password: str, mode: Mode, address: str | None = None
) -> Opened:
    """A new session for the right password.

    An unknown address, an account without a password and a wrong password get one answer in one time:
    `WrongCredentials`. Raises `TooManyFailures` while the brake holds, `Suspended` to whoever knew the password.
    """
    shown = await gate.show(database, email, password, address)
    if shown.secret is None:
        raise WrongCredentials()
    async with database.write() as session:
        if opened := await _enter(session, shown.secret, shown.better_hash, mode):
            await brake.give_back(session, shown.tries)
            return opened
        await failures.note(session, shown.secret.account, shown.tries, why="not let in")
    # Raised out here: inside, it would have rolled back what was written down.
    raise Suspended() if shown.secret.suspended else WrongCredentials()


async def _enter(session: AsyncSession, secret: Secret, better_hash: str | None, mode: Mode) -> Opened | None:
    """A session, unless the account was suspended or given another password while this one was being checked."""
    if not await still_holds(session, secret):
        return None
    account = secret.account
    if better_hash is not None:
        await keep_better_hash(session, account.id, old=secret.password_hash or "", better=better_hash)
    audit.record(session, audit.oneself(account), "account.sign_in", audit.of_account(account))
    return await open_session(session, account, mode)
