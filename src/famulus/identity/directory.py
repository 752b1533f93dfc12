"""The directory: many accounts at once, for rooms that list people or bring them in. Rights are theirs to ask."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, insert, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.models import User
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict
from famulus.kernel.finding import Begins
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Key
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


class ChangedMeanwhile(Conflict):
    """Somebody else changed these people at the same moment; nothing was kept of this, so send it again."""

    code = "changed_meanwhile"


@dataclass(frozen=True, slots=True)
class Newcomer:
    """An account to be: nobody can sign in to it before its owner has set a password."""

    id: str
    email: str
    name: str


def new_user_id() -> str:
    """The id of an account that is about to be."""
    return new_id("usr")


def directory() -> Select[str, str, str, bool, bool]:
    """`id`, `name`, `email`, `service` and `verified` of every account, for other rooms to join."""
    verified = User.email_verified_at.is_not(None).label("verified")
    return select(User.id, User.name, User.email, User.service, verified)


def name_or_address(name: Key, address: Key, q: str) -> tuple[Begins, Begins]:
    """How a person's name or address begins, for `ids_matching`, in the form in which each is kept."""
    return (name, fold(q)), (address, q.lower())


def has_address(emails: Iterable[str]) -> ColumnElement[bool]:
    """Whether an account's address is one of these, which are in their normal form."""
    return User.email.in_(list(emails))


async def ids_by_email(session: AsyncSession, emails: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Id and name of the accounts that have these addresses (in their normal form), by address."""
    rows = await session.execute(select(User.email, User.id, User.name).where(has_address(emails)))
    return {email: (id, name) for email, id, name in rows.all()}


async def open_accounts(session: AsyncSession, newcomers: Sequence[Newcomer]) -> None:
    """Accounts without a password, their addresses not verified, in one statement. Raises ChangedMeanwhile."""
    if not newcomers:
        return
    now = utc_now()
    rows = [
        {
            "id": each.id,
            "email": each.email,
            "name": each.name,
            "name_key": fold(each.name),
            "created_at": now,
            "updated_at": now,
        }
        for each in newcomers
    ]
    with duplicates_are(ChangedMeanwhile()):
        await session.execute(insert(User), rows)
