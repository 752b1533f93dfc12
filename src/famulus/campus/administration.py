"""What the site's admins do with accounts, and read in the outbox: identity does it, the rights are decided here."""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.identity import administration, mails
from famulus.identity.administration import AccountSort
from famulus.identity.principal import Principal
from famulus.identity.schemas import AccountOut, MailOut, MailRef
from famulus.kernel.errors import Forbidden, NotFound
from famulus.kernel.paging import Page, Paging
from famulus.kernel.settings import Settings


async def list_accounts(
    session: AsyncSession,
    principal: Principal,
    paging: Paging,
    *,
    q: str | None,
    suspended: bool | None,
    sort: AccountSort,
) -> Page[AccountOut]:
    """Everybody's accounts. Raises Forbidden."""
    access.require_site_admin(principal, "see", "account")
    return await administration.list_accounts(session, paging, q=q, suspended=suspended, sort=sort)


async def get_account(session: AsyncSession, principal: Principal, user_id: str) -> AccountOut:
    """One account: anybody's for a site admin, else one's own. Raises NotFound."""
    access.require_person(principal, "see", user_id)
    return await administration.get_account(session, user_id)


async def suspend(session: AsyncSession, principal: Principal, user_id: str) -> AccountOut:
    """Shut an account out. Raises NotFound, Forbidden, OwnAccount or LastSiteAdmin."""
    access.require_person(principal, "suspend", user_id)
    return await administration.suspend(session, principal, user_id)


async def restore(session: AsyncSession, principal: Principal, user_id: str) -> AccountOut:
    """Let an account in again. Raises NotFound or Forbidden."""
    access.require_person(principal, "suspend", user_id)
    return await administration.restore(session, principal, user_id)


async def verify(session: AsyncSession, principal: Principal, user_id: str) -> AccountOut:
    """Vouch for an account's address. Raises NotFound or Forbidden."""
    access.require_person(principal, "verify", user_id)
    return await administration.verify(session, principal, user_id)


async def list_mails(
    session: AsyncSession, principal: Principal, paging: Paging, *, state: str | None
) -> Page[MailRef]:
    """The outbox. Raises Forbidden."""
    access.require_site_admin(principal, "see", "mail")
    return await mails.list_mails(session, paging, state=state)


async def get_mail(session: AsyncSession, principal: Principal, settings: Settings, mail_id: str) -> MailOut:
    """One mail of the outbox. Raises NotFound."""
    try:
        access.require_site_admin(principal, "see", "mail")
    except Forbidden as error:  # an id that one may not see is not there
        raise NotFound(f"There is no mail {mail_id!r}.") from error
    return await mails.get_mail(session, settings, mail_id)
