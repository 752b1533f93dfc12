"""Accounts as the site's admins care for them. Who may is the caller's to ask; None as the actor is the operator."""

from typing import Literal

from sqlalchemy import delete as sql_delete
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute

from famulus.identity import audit, email_tokens, mails
from famulus.identity.accounts import account_of
from famulus.identity.directory import name_or_address
from famulus.identity.events import AccountChanged
from famulus.identity.models import User
from famulus.identity.principal import Principal
from famulus.identity.schemas import AccountOut
from famulus.identity.sessions import end_sessions
from famulus.kernel.database import announce
from famulus.kernel.errors import Conflict, NotFound
from famulus.kernel.finding import ids_matching
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now

AccountSort = Literal["name", "-name", "email", "-email", "created_at", "-created_at"]
ORDERS: dict[AccountSort, tuple[list[InstrumentedAttribute[str]], bool]] = {
    "name": ([User.name_key, User.id], False),
    "-name": ([User.name_key, User.id], True),
    "email": ([User.email], False),
    "-email": ([User.email], True),
    "created_at": ([User.id], False),  # ids sort by time
    "-created_at": ([User.id], True),
}


class LastSiteAdmin(Conflict):
    """The site needs an admin: this is the last one who can sign in. Make somebody else one first."""

    code = "last_site_admin"


class OwnAccount(Conflict):
    """Nobody suspends or deletes their own account as a site admin: delete it as your own, or ask another one."""

    code = "own_account"


async def list_accounts(
    session: AsyncSession,
    paging: Paging,
    *,
    q: str | None = None,
    suspended: bool | None = None,
    sort: AccountSort = "name",
) -> Page[AccountOut]:
    """People's accounts whose name or address begins with `q`."""
    query = select(User).where(~User.service)
    if suspended is not None:
        query = query.where(User.suspended if suspended else ~User.suspended)
    by, descending = ORDERS[sort]
    if q:
        among = query.with_only_columns(User.id)
        texts = name_or_address(User.name_key, User.email, q)
        ids = await ids_matching(session, among, texts, by=by, paging=paging, descending=descending)
        query = query.where(User.id.in_(ids))
    found: Page[User] = await page(session, query, by=by, paging=paging, descending=descending)
    return found.map(_out)


async def get_account(session: AsyncSession, user_id: str) -> AccountOut:
    """One account; raises NotFound."""
    return _out(await _user(session, user_id))


async def suspend(session: AsyncSession, actor: Principal | None, user_id: str) -> AccountOut:
    """Shut an account out, and end its sessions. Raises NotFound, OwnAccount or LastSiteAdmin."""
    if actor is not None and actor.user_id == user_id:
        raise OwnAccount()
    user = await _user(session, user_id)
    if not user.suspended:
        await _require_another_admin(session, user)
        user.suspended = True
        await end_sessions(session, user.id)
        await email_tokens.void(session, user.id)
        _changed(session, actor, user, "account.suspend", "suspended")
    return _out(user)


async def restore(session: AsyncSession, actor: Principal | None, user_id: str) -> AccountOut:
    """Let an account in again; it has to sign in anew. Raises NotFound."""
    user = await _user(session, user_id)
    if user.suspended:
        user.suspended = False
        _changed(session, actor, user, "account.restore", "suspended")
    return _out(user)


async def verify(session: AsyncSession, actor: Principal | None, user_id: str) -> AccountOut:
    """Say that an account's address is known to be the person's. Raises NotFound."""
    user = await _user(session, user_id)
    if user.email_verified_at is None:
        user.email_verified_at = utc_now()
        _changed(session, actor, user, "account.verify_email", "email_verified")
    return _out(user)


async def set_site_admin(
    session: AsyncSession, actor: Principal | None, user_id: str, admin: bool
) -> AccountOut:
    """Have an account administer the site, or no longer. Raises NotFound or LastSiteAdmin."""
    user = await _user(session, user_id)
    if user.site_admin != admin:
        if not admin:
            await _require_another_admin(session, user)
        user.site_admin = admin
        _changed(session, actor, user, "account.site_admin", "site_admin")
    return _out(user)


async def delete(session: AsyncSession, actor: Principal | None, user_id: str) -> None:
    """Delete an account and all that is the person's; the audit keeps ids. Raises NotFound or LastSiteAdmin.

    It cannot be taken back. What an account has in other rooms goes with its row, by their foreign keys.
    """
    user = await _user(session, user_id)
    await _require_another_admin(session, user)
    await mails.forget(session, user.email)
    await audit.forget_things(session, [user.id])
    await audit.forget_actor(session, account_of(user))
    await session.execute(sql_delete(User).where(User.id == user.id))
    session.expunge(user)
    audit.record(session, actor, "account.delete", audit.Thing(user_id, user_id))
    announce(session, AccountChanged(user_id, ("deleted",)))


async def _user(session: AsyncSession, user_id: str) -> User:
    query = select(User).where(User.id == user_id, User.service.is_(False))
    user = (await session.execute(query)).scalar_one_or_none()
    if user is None:
        raise NotFound(f"There is no account {user_id!r}.")
    return user


async def _require_another_admin(session: AsyncSession, user: User) -> None:
    """Two admins who shut each other out at one moment must not both succeed: their rows are locked in order."""
    query = select(User).where(User.site_admin, User.suspended.is_(False)).order_by(User.id)
    # Read anew: what this session knows may be from before the lock.
    admins = await session.scalars(query.with_for_update().execution_options(populate_existing=True))
    ids = [admin.id for admin in admins]
    if ids == [user.id]:
        raise LastSiteAdmin()


def _changed(session: AsyncSession, actor: Principal | None, user: User, action: str, field: str) -> None:
    user.updated_at = utc_now()
    audit.record(session, actor, action, audit.Thing(user.id, user.email))
    announce(session, AccountChanged(user.id, (field,)))


def _out(user: User) -> AccountOut:
    return AccountOut(
        id=user.id,
        email=user.email,
        name=user.name,
        locale=user.locale,
        site_admin=user.site_admin,
        suspended=user.suspended,
        email_verified=user.email_verified_at is not None,
        created_at=user.created_at,
    )
