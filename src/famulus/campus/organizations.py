"""Organizations: the tenants. Made by site admins, seen by their members."""

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive
from famulus.campus.events import RightsChanged
from famulus.campus.models import Organization
from famulus.campus.names import order_by, write_named
from famulus.campus.schemas.organizations import NewOrganization, OrganizationChange, OrganizationOut
from famulus.campus.schemas.places import NameFilters
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.database import announce
from famulus.kernel.errors import Conflict
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, begins_with, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold


class OrganizationNameTaken(Conflict):
    """There is an organization of this name already; upper and lower case make no difference."""

    code = "organization_name_taken"


async def list_organizations(
    session: AsyncSession, principal: Principal, filters: NameFilters, paging: Paging
) -> Page[OrganizationOut]:
    """The organizations that this person belongs to; for a site admin, all."""
    shelf = archive.on_shelf(Organization, archived=filters.archived)
    query = access.visible(principal, Organization).where(shelf)
    if filters.q is not None:
        query = query.where(begins_with(Organization.name_key, fold(filters.q)))
    by, descending = order_by(Organization, filters.sort)
    found: Page[Organization] = await page(session, query, by=by, paging=paging, descending=descending)
    return found.map(OrganizationOut.model_validate)


async def get_organization(
    session: AsyncSession, principal: Principal, organization_id: str
) -> OrganizationOut:
    """One organization; raises NotFound."""
    return OrganizationOut.model_validate(
        await access.find(session, principal, Organization, organization_id)
    )


async def create_organization(
    session: AsyncSession, principal: Principal, new: NewOrganization
) -> OrganizationOut:
    """A new, empty organization. Raises Forbidden or OrganizationNameTaken."""
    access.require_site_admin(principal, "create", "organization")
    now = utc_now()
    organization = Organization(id=new_id("org"), name=new.name, created_at=now, updated_at=now)
    session.add(organization)
    await write_named(session, organization, OrganizationNameTaken)
    audit.record(session, principal, "organization.create", _thing(organization), after={"name": new.name})
    return OrganizationOut.model_validate(organization)


async def change_organization(
    session: AsyncSession, principal: Principal, organization_id: str, change: OrganizationChange
) -> OrganizationOut:
    """Change what is given. Raises NotFound, Forbidden or OrganizationNameTaken."""
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "change", organization)
    before, after = audit.change(organization, change.given())
    if after:
        await write_named(session, organization, OrganizationNameTaken)
        thing = _thing(organization)
        audit.record(session, principal, "organization.change", thing, before=before, after=after)
        announce(session, RightsChanged(None))  # whoever is signed in carries its name
    return OrganizationOut.model_validate(organization)


async def archive_organization(
    session: AsyncSession, principal: Principal, organization_id: str, *, away: bool = True
) -> OrganizationOut:
    """Put an organization away, everything in it with it, or take it out again. Raises NotFound or Forbidden."""
    organization = await access.find(session, principal, Organization, organization_id)
    await access.require(session, principal, "archive", organization)
    if await archive.put_away(session, principal, organization, _thing(organization), away=away):
        announce(session, RightsChanged(None))
    return OrganizationOut.model_validate(organization)


def _thing(organization: Organization) -> audit.Thing:
    return audit.Thing(organization.id, organization.name, organization.id)
