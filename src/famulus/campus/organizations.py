"""Organizations: the tenants. Made by site admins, seen by their members."""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access
from famulus.campus.models import Organization
from famulus.campus.schemas.organizations import NewOrganization, OrganizationOut
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import Conflict
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now


class OrganizationNameTaken(Conflict):
    """There is an organization of this name already; upper and lower case make no difference."""

    code = "organization_name_taken"


async def list_organizations(
    session: AsyncSession, principal: Principal, paging: Paging
) -> Page[OrganizationOut]:
    """The organizations that this person belongs to (a site admin: all), by name."""
    found: Page[Organization] = await page(
        session,
        access.visible(principal, Organization),
        by=[Organization.name_key, Organization.id],
        paging=paging,
    )
    return found.map(_out)


async def get_organization(
    session: AsyncSession, principal: Principal, organization_id: str
) -> OrganizationOut:
    """One organization; raises NotFound."""
    return _out(await access.find(session, principal, Organization, organization_id))


async def create_organization(
    session: AsyncSession, principal: Principal, new: NewOrganization
) -> OrganizationOut:
    """A new, empty organization. Raises Forbidden or OrganizationNameTaken."""
    access.require_site_admin(principal, "create", "organization")
    now = utc_now()
    organization = Organization(id=new_id("org"), name=new.name, created_at=now, updated_at=now)
    session.add(organization)
    with duplicates_are(OrganizationNameTaken(f"There is an organization named {new.name!r} already.")):
        await session.flush()
    audit.record(session, principal, "organization.create", _thing(organization), after={"name": new.name})
    return _out(organization)


def _thing(organization: Organization) -> audit.Thing:
    return audit.Thing(organization.id, organization.name, organization.id)


def _out(row: Organization) -> OrganizationOut:
    return OrganizationOut(id=row.id, name=row.name, created_at=row.created_at, updated_at=row.updated_at)
