"""Whose an address is: an account stands for its address once somebody has shown that they read the mail there.

Anybody may sign up with anybody's address, so whoever names a person by an address must not get an account that only
says it has it. One that was made for its owner, and into which there is no way but the mail to that address, is theirs.
"""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, exists, not_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.models import ForeignIdentity, Session, User
from famulus.kernel.errors import Conflict


class AddressNotVerified(Conflict):
    """Nobody has shown yet that this address belongs to the account that has it; invite the person, by mail."""

    code = "address_not_verified"


def waiting() -> ColumnElement[bool]:
    """Whether an account was made for its owner, who has never come."""
    used = exists().where(Session.user_id == User.id) | exists().where(ForeignIdentity.user_id == User.id)
    never = User.password_hash.is_(None) & User.email_verified_at.is_(None)
    return never & User.suspended.is_(False) & User.service.is_(False) & ~used


def proven() -> ColumnElement[bool]:
    """Whether an account stands for its address."""
    return or_(User.email_verified_at.is_not(None), waiting())


async def unproven_of(session: AsyncSession, emails: Iterable[str]) -> set[str]:
    """Of addresses (in their normal form): those whose account does not stand for them."""
    query = select(User.email).where(User.email.in_(list(emails)), not_(proven()))
    return set((await session.execute(query)).scalars())


async def require_proven(session: AsyncSession, email: str) -> None:
    """Raise `AddressNotVerified` when there is an account with this address that does not stand for it."""
    if await unproven_of(session, [email]):
        raise AddressNotVerified()
