"""Accounts: people with an e-mail address, a name and perhaps a password. Sign-in itself is in `sessions`."""

import json
from dataclasses import dataclass, field

import email_validator
from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.events import AccountChanged
from famulus.identity.models import User
from famulus.kernel.database import announce
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict
from famulus.kernel.ids import new_id
from famulus.kernel.lane import Row
from famulus.kernel.tables import utc_now

EMAIL_LENGTH = 320
_STAND_IN = "example"
ACCOUNT_COLUMNS = ", ".join(
    f"users.{name}"
    for name in "id email name locale site_admin email_verified_at profile suspended service".split()
)
"""What `account_from` reads, for statements of the fast lane."""


class EmailTaken(Conflict):
    """There is an account with this e-mail address already; sign in instead."""

    code = "email_taken"


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account as other rooms see it: without secrets."""

    id: str
    email: str
    name: str
    locale: str = "en"
    site_admin: bool = False
    email_verified: bool = False
    profile: dict[str, str] = field(default_factory=dict[str, str], hash=False)
    """Free fields the person chose to tell."""
    suspended: bool = False
    service: bool = False
    """Whether this is no person but an organization's API key."""


@dataclass(frozen=True, slots=True)
class Secret:
    """What a sign-in is checked against; it stays inside this room."""

    account: Account
    password_hash: str | None
    suspended: bool


def normal_email(address: str) -> str:
    """The address trimmed, composed and in lower case; raises ValueError with a sentence when it cannot be one.

    Names that never leave a network (`.local`, `.test` …) are addresses here, too.
    """
    trimmed = address.strip().lower()
    if len(trimmed) > EMAIL_LENGTH:
        raise ValueError(f"An e-mail address has at most {EMAIL_LENGTH} characters.")
    head, _, label = trimmed.rpartition(".")
    special = label in email_validator.SPECIAL_USE_DOMAIN_NAMES
    try:
        checked = email_validator.validate_email(
            f"{head}.{_STAND_IN}" if special else trimmed, check_deliverability=False
        )
    except email_validator.EmailNotValidError as error:
        raise ValueError(f"This is no e-mail address: {error}") from error
    normal = checked.normalized.lower()
    return normal.removesuffix(_STAND_IN) + label if special else normal


def lookup_email(address: str) -> str:
    """The form under which an address would be found, whether it can exist or not."""
    try:
        return normal_email(address)
    except ValueError:
        return address.strip().lower()


async def create_account(
    session: AsyncSession,
    *,
    email: str,
    name: str,
    password_hash: str | None,
    site_admin: bool = False,
    locale: str = "en",
    profile: dict[str, str] | None = None,
    verified: bool = False,
    service: bool = False,
) -> Account:
    """A new account; without a hash nobody can sign in to it by password. Raises `EmailTaken` or ValueError.

    `verified` says that the address is known to be the person's, `service` that there is no person.
    """
    now = utc_now()
    user = User(
        id=new_id("usr"),
        email=normal_email(email),
        name=name,
        password_hash=password_hash,
        site_admin=site_admin,
        suspended=False,
        service=service,
        locale=locale,
        profile=profile or {},
        email_verified_at=now if verified else None,
        created_at=now,
        updated_at=now,
    )
    session.add(user)
    with duplicates_are(EmailTaken()):
        await session.flush()
    return account_of(user)


async def find_by_email(session: AsyncSession, email: str) -> Account | None:
    """The account with this address, in whatever case it is written."""
    secret = await secret_of(session, email)
    return secret and secret.account


async def find_account(session: AsyncSession, user_id: str) -> Account | None:
    """The account with this id, unless it is suspended."""
    query = select(User).where(User.id == user_id, User.suspended.is_(False))
    user = (await session.execute(query)).scalar_one_or_none()
    return user and account_of(user)


async def secret_of(session: AsyncSession, email: str) -> Secret | None:
    """What a sign-in with this address is checked against."""
    user = (await session.execute(select(User).where(User.email == lookup_email(email)))).scalar_one_or_none()
    return user and Secret(account_of(user), user.password_hash, user.suspended)


async def keep_better_hash(session: AsyncSession, user_id: str, *, old: str, better: str) -> None:
    """Replace a hash of an older kind, unless the password has been changed meanwhile."""
    await session.execute(
        update(User).where(User.id == user_id, User.password_hash == old).values(password_hash=better)
    )


async def still_holds(session: AsyncSession, secret: Secret) -> bool:
    """Whether an account still has the password that was checked and is not suspended; keeps it so until the commit."""
    query = select(User.id).where(
        User.id == secret.account.id,
        User.password_hash == secret.password_hash,
        User.suspended.is_(False),
    )
    return (await session.scalar(query.with_for_update())) is not None


async def set_password(session: AsyncSession, user_id: str, password_hash: str) -> None:
    """Give an account another password; ending its sessions is the caller's to do."""
    values = {"password_hash": password_hash, "updated_at": utc_now()}
    await session.execute(update(User).where(User.id == user_id).values(values))


async def shut_service(session: AsyncSession, user_id: str) -> None:
    """Shut the account of an organization's key, which has ended; a person's is for `administration` to suspend."""
    shut = update(User).where(User.id == user_id, User.service).values(suspended=True, updated_at=utc_now())
    await session.execute(shut)
    announce(session, AccountChanged(user_id))


def account_of(user: User) -> Account:
    """The row as others may see it."""
    return Account(
        id=user.id,
        email=user.email,
        name=user.name,
        locale=user.locale,
        site_admin=user.site_admin,
        email_verified=user.email_verified_at is not None,
        profile=user.profile,
        suspended=user.suspended,
        service=user.service,
    )


def account_from(row: Row) -> Account:
    """A row of `ACCOUNT_COLUMNS` as others may see it."""
    id, email, name, locale, site_admin, verified_at, profile, suspended, service = row
    return Account(
        id=id,
        email=email,
        name=name,
        locale=locale,
        site_admin=bool(site_admin),
        email_verified=verified_at is not None,
        profile=json.loads(profile),
        suspended=bool(suspended),
        service=bool(service),
    )


async def first_site_admin(session: AsyncSession) -> Account | None:
    """The oldest account that administers the site."""
    query = select(User).where(User.site_admin, User.suspended.is_(False)).order_by(User.id).limit(1)
    user = (await session.execute(query)).scalar_one_or_none()
    return user and account_of(user)
