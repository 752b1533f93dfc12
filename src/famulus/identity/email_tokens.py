"""Links that are mailed: whoever opens one has read that mailbox. Each works once, and the newest of its kind alone.

verify   the address is the person's; a day
change   the address it was sent to becomes the account's; a day
reset    a new password may be set; an hour
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.models import EmailToken, Purpose, User
from famulus.kernel.errors import BadRequest
from famulus.kernel.ids import new_id
from famulus.kernel.secrets import digest
from famulus.kernel.tables import utc_now

LIVES: dict[Purpose, timedelta] = {
    "verify": timedelta(days=1),
    "change": timedelta(days=1),
    "reset": timedelta(hours=1),
}


class LinkRefused(BadRequest):
    """This link is not valid any more: it was used, has run out, or a newer one was sent. Ask for another."""

    code = "link_refused"


@dataclass(frozen=True, slots=True)
class Issued:
    """A token as it is mailed: the only time that it is seen."""

    token: str
    expires_at: datetime


async def issue(session: AsyncSession, user_id: str, purpose: Purpose, email: str) -> Issued:
    """A new token for a link to this address; older ones of the purpose are void."""
    await session.execute(select(User.id).where(User.id == user_id).with_for_update())
    await void(session, user_id, purpose)
    now, token = utc_now(), secrets.token_urlsafe(32)
    expires_at = now + LIVES[purpose]
    session.add(
        EmailToken(
            id=new_id("emt"),
            user_id=user_id,
            purpose=purpose,
            email=email,
            token_hash=digest(token),
            expires_at=expires_at,
            created_at=now,
        )
    )
    return Issued(token, expires_at)


async def void(session: AsyncSession, user_id: str, *purposes: Purpose) -> None:
    """Have no older link of these purposes, or of any, work from now on."""
    mine = [EmailToken.user_id == user_id, EmailToken.used_at.is_(None)]
    if purposes:
        mine.append(EmailToken.purpose.in_(purposes))
    await session.execute(update(EmailToken).where(*mine).values(used_at=utc_now()))


async def owner_of(session: AsyncSession, token: str, purpose: Purpose) -> User:
    """Whose token this is, without using it; raises LinkRefused."""
    found = await session.execute(select(EmailToken).where(*_usable(token, (purpose,))))
    return await _owner(session, found.scalar_one_or_none())


async def take(session: AsyncSession, token: str, *purposes: Purpose) -> tuple[User, Purpose, str]:
    """Use a token: whose it is, what for, and the address it was sent to. Raises LinkRefused.

    One statement decides, so that of many who show it at the same moment one gets it.
    """
    using = update(EmailToken).where(*_usable(token, purposes)).values(used_at=utc_now())
    row = (await session.execute(using.returning(EmailToken))).scalar_one_or_none()
    user = await _owner(session, row)
    assert row is not None
    return user, row.purpose, row.email


async def forget_old(session: AsyncSession) -> None:
    """Remove what has run out."""
    await session.execute(delete(EmailToken).where(EmailToken.expires_at < utc_now() - timedelta(days=1)))


def _usable(token: str, purposes: tuple[Purpose, ...]) -> list[ColumnElement[bool]]:
    return [
        EmailToken.token_hash == digest(token),
        EmailToken.purpose.in_(purposes),
        EmailToken.used_at.is_(None),
        EmailToken.expires_at > utc_now(),
    ]


async def _owner(session: AsyncSession, row: EmailToken | None) -> User:
    """A link proves the address it was sent to: when the account has another by now, it proves nothing."""
    if row is None:
        raise LinkRefused()
    user = await session.get_one(User, row.user_id)
    if user.suspended or (row.purpose != "change" and user.email != row.email):
        raise LinkRefused()
    return user
