"""API keys: how a program gets in. Each is shown once, kept as a digest, ends by itself, does no more than its scopes.

A person's own key acts as that person, in the organization that was active when it was made. An organization's key acts
under a service account of its own, an account without a password that is a member like any other.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Select, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit
from famulus.identity.accounts import Account, account_of
from famulus.identity.events import AccountChanged
from famulus.identity.models import ApiKey, User
from famulus.identity.principal import Principal, Scope
from famulus.kernel.database import Database, announce
from famulus.kernel.errors import Conflict, FieldProblem, Invalid, NotFound, Unauthenticated
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.secrets import digest
from famulus.kernel.tables import utc_now

KEY_PREFIX = "fmk_"
HINT = 12
"""Characters of a key that its owner knows it by; the rest has more than 200 random bits."""
LIFE, LONGEST_LIFE = timedelta(days=90), timedelta(days=365)
MOST = 50
"""Keys in use at once, of one person or one organization."""
NOTED = timedelta(minutes=5)
"""How exactly it is known when a key was last used: nobody waits for a write at every request."""


class TooManyKeys(Conflict):
    """There are as many keys here as there may be; revoke one that is no longer used."""

    code = "too_many_keys"


@dataclass(frozen=True, slots=True)
class KeyWish:
    """What a key is to be."""

    name: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class KeyCard:
    """A key as lists show it."""

    id: str
    name: str
    hint: str
    scopes: list[str]
    organization_id: str | None
    user_id: str
    """The account it acts under."""
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None
    created_by: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True)
class MadeKey:
    """A key as its maker gets it: the only time the key itself is seen."""

    card: KeyCard
    key: str


@dataclass(frozen=True, slots=True)
class Entry:
    """Whom a key lets in."""

    account: Account
    organization_id: str | None
    scopes: frozenset[str]
    expires_at: datetime | None
    noted: bool
    """Whether its use has been written down lately."""
    key_id: str


async def make_own_key(session: AsyncSession, principal: Principal, wish: KeyWish) -> MadeKey:
    """A key of the person's own. Raises NeedsSession, Invalid or TooManyKeys."""
    principal.needs_session()
    own = _own(principal)
    return await make_key(
        session,
        principal,
        wish,
        user_id=principal.user_id,
        organization_id=principal.organization_id,
        among=own,
    )


async def list_own_keys(session: AsyncSession, principal: Principal, paging: Paging) -> Page[KeyCard]:
    """The person's own keys, the newest first. Raises NeedsSession."""
    principal.needs_session()
    return await list_keys(session, _own(principal), paging)


async def revoke_own_key(session: AsyncSession, principal: Principal, key_id: str) -> None:
    """End a key of the person's own. Raises NeedsSession or NotFound."""
    principal.needs_session()
    await revoke(session, principal, _own(principal), key_id)


def organization_keys(organization_id: str) -> Select[ApiKey]:
    """The keys of an organization; rights are the campus's to add."""
    service = select(User.id).where(User.service)
    return select(ApiKey).where(ApiKey.organization_id == organization_id, ApiKey.user_id.in_(service))


async def list_keys(session: AsyncSession, among: Select[ApiKey], paging: Paging) -> Page[KeyCard]:
    """Some keys, the newest first."""
    found: Page[ApiKey] = await page(session, among, by=[ApiKey.id], paging=paging, descending=True)
    return found.map(_card)


async def make_key(
    session: AsyncSession,
    principal: Principal,
    wish: KeyWish,
    *,
    user_id: str,
    organization_id: str | None,
    among: Select[ApiKey],
) -> MadeKey:
    """A key for an account. Raises Invalid or TooManyKeys."""
    now = utc_now()
    in_use = among.where(ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)
    if (await session.execute(select(func.count()).select_from(in_use.subquery()))).scalar_one() >= MOST:
        raise TooManyKeys()
    key = KEY_PREFIX + secrets.token_urlsafe(32)
    row = ApiKey(
        id=new_id("key"),
        user_id=user_id,
        organization_id=organization_id,
        name=wish.name,
        hint=key[:HINT],
        key_hash=digest(key),
        scopes=sorted(set(wish.scopes)),
        expires_at=_end(wish.expires_at, now),
        created_by=principal.user_id,
        created_at=now,
    )
    session.add(row)
    await session.flush()
    after = {"name": row.name, "hint": row.hint, "scopes": row.scopes, "expires_at": row.expires_at}
    audit.record(session, principal, "api_key.create", _thing(row), after=after)
    return MadeKey(_card(row), key)


async def revoke(session: AsyncSession, principal: Principal, among: Select[ApiKey], key_id: str) -> KeyCard:
    """End one of some keys, from the commit on; raises NotFound. Again it changes nothing."""
    row = (
        await session.execute(among.where(ApiKey.id == key_id).with_for_update(of=ApiKey))
    ).scalar_one_or_none()
    if row is None:
        raise NotFound(f"There is no API key {key_id!r} that you may see.")
    if row.revoked_at is None:
        row.revoked_at = utc_now()
        await session.flush()
        audit.record(session, principal, "api_key.revoke", _thing(row))
        announce(session, AccountChanged(row.user_id))
    return _card(row)


async def end_early(session: AsyncSession, account: Account, proven_at: datetime | None) -> None:
    """End a person's own keys from before their address was shown to be theirs: they may be somebody else's."""
    now = utc_now()
    early = select(ApiKey).where(
        ApiKey.user_id == account.id, ApiKey.revoked_at.is_(None), ApiKey.created_at < (proven_at or now)
    )
    for row in (await session.execute(early.with_for_update())).scalars():
        row.revoked_at = now
        audit.record(session, audit.oneself(account), "api_key.revoke", _thing(row))


async def resolve(session: AsyncSession, key: str) -> Entry:
    """Whom a key lets in; `Unauthenticated` when it is unknown, expired, revoked or of a suspended account."""
    now = utc_now()
    row = (
        await session.execute(
            select(ApiKey, User)
            .join(User, User.id == ApiKey.user_id)
            .where(
                ApiKey.key_hash == _digest(key),
                ApiKey.revoked_at.is_(None),
                or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
                User.suspended.is_(False),
            )
        )
    ).one_or_none()
    if row is None:
        raise Unauthenticated()
    found, user = row
    return Entry(
        account=account_of(user),
        organization_id=found.organization_id,
        scopes=frozenset(found.scopes),
        expires_at=found.expires_at,
        noted=found.used_at is not None and found.used_at > now - NOTED,
        key_id=found.id,
    )


async def note_use(database: Database, key_id: str) -> None:
    """Write down that a key is in use."""
    async with database.write() as session:
        await session.execute(update(ApiKey).where(ApiKey.id == key_id).values(used_at=utc_now()))


def _own(principal: Principal) -> Select[ApiKey]:
    return select(ApiKey).where(ApiKey.user_id == principal.user_id)


def _end(wanted: datetime | None, now: datetime) -> datetime:
    if wanted is None:
        return now + LIFE
    if not now < wanted <= now + LONGEST_LIFE:
        problem = FieldProblem("expires_at", f"Choose a time within the next {LONGEST_LIFE.days} days.")
        raise Invalid("Not acceptable: expires_at.", fields=(problem,))
    return wanted


def _digest(key: str) -> str:
    return digest(key.encode("utf-8", "replace").decode())


def _card(row: ApiKey) -> KeyCard:
    return KeyCard(
        id=row.id,
        name=row.name,
        hint=row.hint,
        scopes=row.scopes,
        organization_id=row.organization_id,
        user_id=row.user_id,
        expires_at=row.expires_at,
        used_at=row.used_at,
        revoked_at=row.revoked_at,
        created_by=row.created_by,
        created_at=row.created_at,
    )


def _thing(row: ApiKey) -> audit.Thing:
    return audit.Thing(row.id, row.name, row.organization_id)
