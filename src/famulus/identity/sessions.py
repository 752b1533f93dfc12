"""Sessions: how somebody stays signed in, and is signed out.

    web  one cookie token, 14 days
    api  access token, 1 h, with a refresh token, 30 days; refreshing replaces both

A refresh token of the family that is not the newest is spent: somebody copied it, so the session is revoked.
Only digests of tokens are kept. How a session is begun stands in `sign_in`.
"""

import hashlib
import secrets
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Select, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.accounts import Account, account_of
from famulus.identity.events import SignedOut
from famulus.identity.models import Session, User
from famulus.kernel.database import Database, announce
from famulus.kernel.errors import Unauthenticated
from famulus.kernel.ids import new_id
from famulus.kernel.origin import origin
from famulus.kernel.tables import utc_now

Mode = Literal["web", "api"]
WEB_LIFE = timedelta(days=14)
ACCESS_LIFE = timedelta(hours=1)
REFRESH_LIFE = timedelta(days=30)
REFRESH_PREFIX = "fmr"


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
    used_at: datetime | None = None
    """When it was last known to be used."""


async def open_session(
    session: AsyncSession, account: Account, mode: Mode, method: str = "password"
) -> Opened:
    """A new session for somebody whose identity has been established, and how."""
    place = origin()
    now, token = utc_now(), _new_token("fms" if mode == "web" else "fma")
    life = WEB_LIFE if mode == "web" else ACCESS_LIFE
    row = Session(
        id=new_id("ses"),
        user_id=account.id,
        mode=mode,
        token_hash=_digest(token),
        expires_at=now + life,
        method=method,
        address=place.address,
        user_agent=place.user_agent,
        used_at=now,
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
        select(Session.id, Session.organization_id, Session.used_at, User)
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
    session_id, organization_id, used_at, user = row
    return SignedIn(account_of(user), session_id, organization_id, used_at)


def live_sessions(ids: Collection[str]) -> Select[str, str, bool]:
    """`id`, `user_id` and `site_admin` of those sessions that have not ended."""
    now = utc_now()
    return (
        select(Session.id, Session.user_id, User.site_admin)
        .join(User, User.id == Session.user_id)
        .where(
            Session.id.in_(ids),
            Session.revoked_at.is_(None),
            User.suspended.is_(False),
            or_(Session.expires_at > now, Session.refresh_expires_at > now),
        )
    )


async def sign_out(session: AsyncSession, token: str) -> None:
    """End the session of this token, if there is one."""
    ended = await session.execute(
        update(Session)
        .where(Session.token_hash == _digest(token), Session.revoked_at.is_(None))
        .values(revoked_at=utc_now())
        .returning(Session.id)
    )
    announce(session, *[SignedOut(id) for id in ended.scalars()])


async def end_sessions(
    session: AsyncSession, user_id: str, *, only: str | None = None, but: str | None = None
) -> list[str]:
    """End every live session of a person, or `only` one, or all `but` one; returns which."""
    conditions = [Session.user_id == user_id, Session.revoked_at.is_(None)]
    if only is not None:
        conditions.append(Session.id == only)
    if but is not None:
        conditions.append(Session.id != but)
    ended = await session.execute(
        update(Session).where(*conditions).values(revoked_at=utc_now()).returning(Session.id)
    )
    ids = list(ended.scalars())
    announce(session, *[SignedOut(id) for id in ids])
    return ids


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
