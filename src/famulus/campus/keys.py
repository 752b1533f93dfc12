"""An organization's API keys. Each acts under a service account of its own, a member in the role its maker chooses.

So a program's rights are a member's rights: it is put into courses, and found in lists and in the audit, like anybody.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.events import RightsChanged
from famulus.campus.models import MemberRole, Membership, Organization, listed
from famulus.identity import keys
from famulus.identity.accounts import create_account, shut_service
from famulus.identity.keys import KeyCard, KeyWish, MadeKey
from famulus.identity.principal import ROLES, Principal
from famulus.kernel.database import announce
from famulus.kernel.errors import Forbidden
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging
from famulus.kernel.tables import utc_now


async def make_organization_key(
    session: AsyncSession, principal: Principal, organization_id: str, wish: KeyWish, role: MemberRole
) -> MadeKey:
    """A key of an organization, and the service account it acts under.

    Raises NotFound, Forbidden, NeedsSession, Invalid or TooManyKeys.
    """
    organization = await _keeper(session, principal, organization_id, "create")
    if principal.role is None or ROLES.index(role) < ROLES.index(principal.role):
        raise Forbidden(f"You cannot give a key the role {role}, which is more than your own.")
    now = utc_now()
    account = await create_account(
        session,
        email=f"{new_id('service')}@keys.invalid",
        name=wish.name,
        password_hash=None,
        verified=True,  # nobody reads this mailbox, and who vouches for the account is its maker
        service=True,
    )
    session.add(
        Membership(
            organization_id=organization.id,
            user_id=account.id,
            role=role,
            **listed(account.name, account.email),
            created_at=now,
        )
    )
    announce(session, RightsChanged(account.id))
    return await keys.make_key(
        session,
        principal,
        wish,
        user_id=account.id,
        organization_id=organization.id,
        among=keys.organization_keys(organization.id),
    )


async def list_organization_keys(
    session: AsyncSession, principal: Principal, organization_id: str, paging: Paging
) -> Page[KeyCard]:
    """The keys of an organization, the newest first. Raises NotFound, Forbidden or NeedsSession."""
    organization = await _keeper(session, principal, organization_id, "see")
    return await keys.list_keys(session, keys.organization_keys(organization.id), paging)


async def revoke_organization_key(
    session: AsyncSession, principal: Principal, organization_id: str, key_id: str
) -> None:
    """End a key of an organization and shut its service account. Raises NotFound, Forbidden or NeedsSession."""
    organization = await _keeper(session, principal, organization_id, "remove")
    revoked = await keys.revoke(session, principal, keys.organization_keys(organization.id), key_id)
    await shut_service(session, revoked.user_id)


async def _keeper(
    session: AsyncSession, principal: Principal, organization_id: str, action: str
) -> Organization:
    principal.needs_session()
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, action, organization, "organization API key")
    return organization
