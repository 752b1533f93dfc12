"""One's own account: its name and profile, its password, and where it is signed in.

All of it takes a session: whoever got hold of a key or of another's token must not change the lock with it.
"""

from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit, brake, email_tokens, recovery
from famulus.identity.accounts import Account, account_of, set_password, still_holds
from famulus.identity.events import AccountChanged
from famulus.identity.gate import Gate, Shown
from famulus.identity.models import Session, User
from famulus.identity.principal import Principal
from famulus.identity.schemas import MOST_FACTS, AccountChange, SessionOut
from famulus.identity.sessions import end_sessions
from famulus.kernel.database import Database, announce
from famulus.kernel.errors import FieldProblem, Forbidden, Invalid, NotFound
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.settings import Settings
from famulus.kernel.tables import utc_now

FRESH = timedelta(minutes=10)
"""How old a sign-in may be that stands for the password of an account without one."""


class WrongPassword(Forbidden):
    """The current password is not right."""

    code = "wrong_password"


class SignInAgain(Forbidden):
    """This account has no password to ask for: sign out, sign in again, and ask once more within ten minutes."""

    code = "sign_in_again"


async def change_account(session: AsyncSession, principal: Principal, change: AccountChange) -> Account:
    """Change one's name, language or profile. Raises NeedsSession, or Invalid for a profile of too many facts."""
    principal.needs_session()
    user = await session.get_one(User, principal.user_id, with_for_update=True)
    given = change.given()
    if change.profile is not None:
        facts = {**user.profile, **change.profile.facts()}
        given["profile"] = kept = {key: value for key, value in facts.items() if value is not None}
        if len(kept) > MOST_FACTS:
            detail = f"A profile has at most {MOST_FACTS} facts; set one to null to remove it."
            raise Invalid("Not acceptable: profile.", fields=(FieldProblem("profile", detail),))
    before, after = audit.change(user, given)
    if after:
        audit.record(session, principal, "account.change", _thing(principal), before=before, after=after)
        announce(session, AccountChanged(user.id, tuple(after)))
    return account_of(user)


async def change_password(
    database: Database, gate: Gate, principal: Principal, *, current: str, new: str, address: str | None
) -> None:
    """Set a new password and end every session but this one.

    Raises NeedsSession, WrongPassword, TooManyFailures or Invalid.
    """
    principal.needs_session()
    gate.require_good(new, email=principal.email, name=principal.name, where="new_password")
    shown = await _shown(database, gate, principal, current, address)
    password_hash = await gate.passwords.hash(new)
    async with database.write() as session:
        account = await _accept(session, shown)
        await replace_password(session, principal, account, password_hash)


async def replace_password(
    session: AsyncSession, actor: Principal | None, account: Account, password_hash: str
) -> None:
    """Give an account another password, and end its sessions, except the actor's own. None is the operator."""
    await set_password(session, account.id, password_hash)
    await email_tokens.void(session, account.id, "reset")
    await end_sessions(session, account.id, but=actor and actor.session_id)
    audit.record(session, actor, "account.change_password", audit.of_account(account))
    announce(session, AccountChanged(account.id, ("password",)))


async def change_email(
    database: Database,
    gate: Gate,
    principal: Principal,
    *,
    settings: Settings,
    email: str,
    password: str,
    address: str | None,
) -> None:
    """Have a link mailed to another address, which takes effect when it is opened. Raises as a password's change."""
    principal.needs_session()
    shown = await _shown(database, gate, principal, password, address)
    async with database.write() as session:
        await _accept(session, shown)
        await brake.reserve(session, brake.mails(email, address))
        await recovery.ask_to_change_email(session, settings, principal, email)


async def prove(
    database: Database, gate: Gate, principal: Principal, *, password: str | None, address: str | None
) -> Shown | None:
    """See that it is the person who asks, before something that cannot be taken back.

    By the password; without one in the account, by a sign-in of the last ten minutes. Raises NeedsSession, Invalid,
    WrongPassword, TooManyFailures or SignInAgain.
    """
    principal.needs_session()
    async with database.read() as session:
        kept = await session.scalar(select(User.password_hash).where(User.id == principal.user_id))
        since = await session.scalar(select(Session.created_at).where(Session.id == principal.session_id))
    if kept is not None:
        if password is None:
            raise Invalid(fields=(FieldProblem("password", "Say the password of the account once more."),))
        return await _shown(database, gate, principal, password, address)
    if since is None or since < utc_now() - FRESH:
        raise SignInAgain()
    return None


async def accept(session: AsyncSession, shown: Shown | None) -> None:
    """Hold what was proved against the account as it is now. Raises WrongPassword when it changed meanwhile."""
    if shown is not None:
        await _accept(session, shown)


async def list_sessions(session: AsyncSession, principal: Principal, paging: Paging) -> Page[SessionOut]:
    """Where the person is signed in, the newest sign-in first. Raises NeedsSession."""
    principal.needs_session()
    now = utc_now()
    alive = (Session.expires_at > now) | (Session.refresh_expires_at > now)
    query = select(Session).where(Session.user_id == principal.user_id, Session.revoked_at.is_(None), alive)
    found: Page[Session] = await page(session, query, by=[Session.id], paging=paging, descending=True)
    return found.map(lambda row: _session(row, principal))


async def end_session(session: AsyncSession, principal: Principal, session_id: str) -> None:
    """Sign the person out in one place; raises NeedsSession or NotFound."""
    principal.needs_session()
    if not await end_sessions(session, principal.user_id, only=session_id):
        raise NotFound(f"There is no session {session_id!r} of yours.")
    _record_end(session, principal, session_id)


async def end_all_sessions(session: AsyncSession, principal: Principal, *, this: bool = False) -> None:
    """Sign the person out everywhere else, and here as well if asked. Raises NeedsSession."""
    principal.needs_session()
    for id in await end_sessions(session, principal.user_id, but=None if this else principal.session_id):
        _record_end(session, principal, id)


async def _shown(
    database: Database, gate: Gate, principal: Principal, password: str, address: str | None
) -> Shown:
    shown = await gate.show(database, principal.email, password, address)
    if shown.secret is None or shown.secret.account.id != principal.user_id:
        raise WrongPassword()
    return shown


async def _accept(session: AsyncSession, shown: Shown) -> Account:
    """Whose password it is, its failures forgotten. Raises WrongPassword when it changed since it was checked."""
    assert shown.secret is not None
    await brake.give_back(session, shown.tries)
    if not await still_holds(session, shown.secret):
        raise WrongPassword()
    return shown.secret.account


def _session(row: Session, principal: Principal) -> SessionOut:
    return SessionOut(
        id=row.id,
        method=row.method,
        created_at=row.created_at,
        used_at=row.used_at,
        address=row.address,
        user_agent=row.user_agent,
        current=row.id == principal.session_id,
    )


def _thing(principal: Principal) -> audit.Thing:
    return audit.Thing(principal.user_id, principal.email)


def _record_end(session: AsyncSession, principal: Principal, session_id: str) -> None:
    thing = audit.Thing(session_id, principal.email)
    audit.record(session, principal, "session.revoke", thing)
