"""Sessions: how an account signs in, stays signed in and signs out.

    web  one cookie token, 14 days
    api  access token, 1 h, with a refresh token, 30 days; refreshing replaces both

A refresh token of the family that is not the newest is spent: somebody copied it, so the session is revoked.
Only digests of tokens are kept. A password is hashed before the database is asked to write.
"""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit
from famulus.identity.accounts import (
    Account,
    EmailTaken,
    account_of,
    create_account,
    keep_better_hash,
    lookup_email,
    secret_of,
)
from famulus.identity.events import SignedOut
from famulus.identity.gate import Gate
from famulus.identity.models import Session, User
from famulus.kernel.database import Database, announce
from famulus.kernel.errors import Forbidden, Unauthenticated
from famulus.kernel.ids import new_id
from famulus.kernel.tables import utc_now

Mode = Literal["web", "api"]
WEB_LIFE = timedelta(days=14)
ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=30)
REFRESH_PREFIX = "fmr"


class WrongCredentials(Unauthenticated):
    """The e-mail address or the password is not right."""

    code = "wrong_credentials"


class Suspended(Forbidden):
    """This account is suspended; ask an administrator."""

    code = "suspended"


class RefreshRefused(Unauthenticated):
    """This refresh token is unknown, expired or has been used before; sign in again."""

    code = "refresh_refused"


@dataclass(frozen=True, slots=True)
class Opened:
    """A session as its owner gets it: the only time its tokens are seen."""

    session_id: str
    account: Account
    token: str
    """The cookie's value, or the access token."""
    expires_in: int
    """Seconds that `token` is good for."""
    refresh_token: str | None = None


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Whose session a token is."""

    account: Account
    session_id: str | None
    """None for credentials that are good for one request at a time, such as an API key."""
    organization_id: str | None
    """The organization chosen in this session, if any."""


async def sign_up(
    database: Database, gate: Gate, *, email: str, name: str, password: str, mode: Mode
) -> Opened:
    """A new account with a password, and its first session. Raises `EmailTaken`."""
    async with database.read() as session:
        if await secret_of(session, email) is not None:
            raise EmailTaken()
    password_hash = await gate.passwords.hash(password)
    async with database.write() as session:
        account = await create_account(session, email=email, name=name, password_hash=password_hash)
        audit.record(session, None, "account.sign_up", audit.Thing(account.id, account.email))
        return await open_session(session, account, mode)


async def sign_in(
    database: Database, gate: Gate, *, email: str, password: str, mode: Mode, address: str | None = None
) -> Opened:
    """A new session for the right password.

    An unknown address, an account without a password and a wrong password get one answer in one time:
    `WrongCredentials`. Raises `TooManyFailures` while the brake holds, `Suspended` to whoever knew the password.
    """
    email = lookup_email(email)
    gate.brake.check(email, address)
    async with database.read() as session:
        secret = await secret_of(session, email)
    kept = secret and secret.password_hash
    right, better = await gate.passwords.verify(
        password, kept, first=lambda: gate.brake.check(email, address)
    )
    if secret is None or kept is None or not right:
        gate.brake.failed(email, address)
        raise WrongCredentials()
    gate.brake.succeeded(email)
    if secret.suspended:
        raise Suspended()
    async with database.write() as session:
        if better is not None:
            await keep_better_hash(session, secret.account.id, old=kept, better=better)
        return await open_session(session, secret.account, mode)


async def open_session(
    session: AsyncSession, account: Account, mode: Mode, *, method: str = "password"
) -> Opened:
    """A new session for somebody whose identity has been established, by whichever `method`."""
    now, token = utc_now(), _new_token("fms" if mode == "web" else "fma")
    life = WEB_LIFE if mode == "web" else ACCESS_LIFE
    row = Session(
        id=new_id("ses"),
        user_id=account.id,
        mode=mode,
        method=method,
        token_hash=_digest(token),
        expires_at=now + life,
        created_at=now,
    )
    refresh_token = None
    if mode == "api":
        family = secrets.token_urlsafe(18)
        refresh_token = _refresh_token(family)
        row.refresh_hash, row.refresh_family_hash = _digest(refresh_token), _digest(family)
        row.refresh_expires_at = now + REFRESH_LIFE
    session.add(row)
    await session.flush()
    return Opened(row.id, account, token, int(life.total_seconds()), refresh_token)


async def refresh(database: Database, refresh_token: str) -> Opened:
    """The next access and refresh token of a session. Raises `RefreshRefused`; a spent token ends its session."""
    opened = None
    async with database.write() as session:
        family = refresh_token.rpartition(".")[0].removeprefix(f"{REFRESH_PREFIX}_")
        row = (
            await session.execute(
                select(Session).where(Session.refresh_family_hash == _digest(family)).with_for_update()
            )
        ).scalar_one_or_none()
        if row is not None and row.revoked_at is None:
            if row.refresh_hash == _digest(refresh_token):
                opened = await _rotate(session, row, family)
            else:
                _revoke(session, row)
    # Raised out here: inside, it would have rolled the revocation back.
    if opened is None:
        raise RefreshRefused()
    return opened


async def _rotate(session: AsyncSession, row: Session, family: str) -> Opened | None:
    user = await session.get_one(User, row.user_id)
    now = utc_now()
    if user.suspended or row.refresh_expires_at is None or row.refresh_expires_at <= now:
        return None
    token, refresh_token = _new_token("fma"), _refresh_token(family)
    row.token_hash, row.expires_at = _digest(token), now + ACCESS_LIFE
    row.refresh_hash, row.refresh_expires_at = _digest(refresh_token), now + REFRESH_LIFE
    return Opened(row.id, account_of(user), token, int(ACCESS_LIFE.total_seconds()), refresh_token)


def _revoke(session: AsyncSession, row: Session) -> None:
    row.revoked_at = utc_now()
    announce(session, SignedOut(row.id))


async def resolve(session: AsyncSession, token: str) -> SignedIn:
    """Whose session this token is; `Unauthenticated` when it is unknown, expired, revoked or of a suspended account."""
    found = await session.execute(
        select(Session.id, Session.organization_id, User)
        .join(User, User.id == Session.user_id)
        .where(
            Session.token_hash == _digest(token),
            Session.revoked_at.is_(None),
            Session.expires_at > utc_now(),
            User.suspended.is_(False),
        )
    )
    row = found.one_or_none()
    if row is None:
        raise Unauthenticated()
    session_id, organization_id, user = row
    return SignedIn(account_of(user), session_id, organization_id)


async def sign_out(session: AsyncSession, token: str) -> None:
    """End the session of this token, if there is one."""
    ended = await session.execute(
        update(Session)
        .where(Session.token_hash == _digest(token), Session.revoked_at.is_(None))
        .values(revoked_at=utc_now())
        .returning(Session.id)
    )
    announce(session, *[SignedOut(id) for id in ended.scalars()])


async def choose_organization(session: AsyncSession, session_id: str, organization_id: str | None) -> None:
    """Make an organization the active one of a session; whether that is allowed is the campus's to say."""
    await session.execute(
        update(Session).where(Session.id == session_id).values(organization_id=organization_id)
    )


def _new_token(prefix: str) -> str:
    return f"{prefix}_{secrets.token_urlsafe(32)}"


def _refresh_token(family: str) -> str:
    return f"{REFRESH_PREFIX}_{family}.{secrets.token_urlsafe(32)}"


def _digest(token: str) -> str:
    """Tokens carry 256 random bits, so a plain digest hides them; passwords would need more."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
