"""How somebody who was written to comes to an account: one of their own, one made for them, or a new one.

The link shows that its holder reads the mailbox. That is enough for a new account and for one that nobody has ever had
in use; an account that is somebody's asks for its password, for a link that went astray must not open it.
"""

from typing import Literal

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.accounts import Account, account_of, create_account
from famulus.identity.addresses import waiting
from famulus.identity.events import AccountChanged
from famulus.identity.models import User
from famulus.kernel.database import announce
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold

Owner = Literal["nobody", "waiting", "somebody"]
"""Whose the account with an address is: there is none; it was made for its owner, who has never come; a person's."""


async def owner_of(session: AsyncSession, email: str) -> Owner:
    """Whose the account with this address (in its normal form) is."""
    row = (await session.execute(select(User.id, waiting()).where(User.email == email))).one_or_none()
    if row is None:
        return "nobody"
    return "waiting" if row[1] else "somebody"


async def take_account(
    session: AsyncSession, *, email: str, name: str | None, password_hash: str, locale: str | None = None
) -> Account:
    """The account of whoever reads this mailbox: a new one, or the one that waited. Raises EmailTaken."""
    now = utc_now()
    values: dict[str, object] = {"password_hash": password_hash, "email_verified_at": now, "updated_at": now}
    if name is not None:
        values |= {"name": name, "name_key": fold(name)}
    if locale is not None:
        values["locale"] = locale
    taken = await session.execute(
        update(User).where(User.email == email, waiting()).values(values).returning(User)
    )
    user = taken.scalar_one_or_none()
    if user is None:
        return await create_account(
            session,
            email=email,
            name=name or email,
            password_hash=password_hash,
            locale=locale or "en",
            verified=True,
        )
    announce(session, AccountChanged(user.id))
    return account_of(user)


async def own_account(session: AsyncSession, user_id: str, email: str) -> Account | None:
    """The account, now with its address verified, for it is still this one, which its owner has just shown to read."""
    user = (
        await session.execute(select(User).where(User.id == user_id, User.email == email))
    ).scalar_one_or_none()
    if user is None:
        return None
    if user.email_verified_at is None:
        user.email_verified_at = utc_now()
        announce(session, AccountChanged(user_id))
    return account_of(user)
