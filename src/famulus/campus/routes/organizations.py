"""Organizations over HTTP, and which of them is active."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from famulus.campus import deletion, organizations, presence
from famulus.campus.schemas.organizations import (
    NewOrganization,
    OrganizationChange,
    OrganizationOut,
    OrganizationPage,
    Switch,
)
from famulus.campus.schemas.people import Me
from famulus.campus.schemas.places import NameFilters
from famulus.identity.deps import (
    PUBLIC,
    CurrentPrincipal,
    DatabaseDep,
    FromHere,
    GateDep,
    IdPath,
    PagingDep,
    ReadSession,
    SettingsDep,
    WriteSession,
    forget_cookie,
)
from famulus.identity.schemas import AccountChange, Deletion, OpenedLink, UserView
from famulus.kernel.origin import origin

router = APIRouter()


@router.get("/api/auth/me", tags=["auth"])
async def me(principal: CurrentPrincipal, session: ReadSession) -> Me:
    """Who is asking, in which organization and role, and where else the person belongs."""
    return await presence.me(session, principal)


@router.patch("/api/auth/me", tags=["auth"])
async def change_me(body: AccountChange, principal: CurrentPrincipal, session: WriteSession) -> Me:
    """Change one's own name, language or profile."""
    return await presence.change_me(session, principal, body)


@router.post("/api/auth/me/delete", tags=["auth"], status_code=status.HTTP_204_NO_CONTENT)
async def delete_me(
    body: Deletion,
    response: Response,
    principal: CurrentPrincipal,
    *,
    database: DatabaseDep,
    gate: GateDep,
    settings: SettingsDep,
) -> None:
    """Delete one's own account with all that was said in it; this cannot be taken back."""
    await deletion.delete_own_account(
        database, gate, principal, password=body.password, address=origin().address
    )
    forget_cookie(response, settings)


@router.post("/api/auth/email/verify", tags=["auth"], openapi_extra=PUBLIC)
async def verify_email(
    body: OpenedLink, database: DatabaseDep, settings: SettingsDep, _: FromHere
) -> UserView:
    """Open a mailed link: the address it was sent to is verified, or becomes the account's."""
    async with database.write() as session:
        return UserView.of(await presence.open_link(session, settings, body.token))


@router.post("/api/auth/switch", tags=["auth"])
async def switch(body: Switch, principal: CurrentPrincipal, session: WriteSession) -> Me:
    """Make another organization the active one of this session."""
    return await presence.me(session, await presence.switch(session, principal, body.organization_id))


@router.get("/api/v1/organizations", tags=["organizations"])
async def list_organizations(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[NameFilters, Query()],
) -> OrganizationPage:
    """The organizations that the person belongs to; for a site admin, all."""
    found = await organizations.list_organizations(session, principal, filters, paging)
    return OrganizationPage(items=found.items, next=found.next)


@router.post("/api/v1/organizations", tags=["organizations"], status_code=status.HTTP_201_CREATED)
async def create_organization(
    body: NewOrganization, principal: CurrentPrincipal, session: WriteSession
) -> OrganizationOut:
    """Create an organization; needs the role site_admin."""
    return await organizations.create_organization(session, principal, body)


@router.get("/api/v1/organizations/{organization_id}", tags=["organizations"])
async def get_organization(
    organization_id: IdPath, principal: CurrentPrincipal, session: ReadSession
) -> OrganizationOut:
    """One organization."""
    return await organizations.get_organization(session, principal, organization_id)


@router.patch("/api/v1/organizations/{organization_id}", tags=["organizations"])
async def change_organization(
    organization_id: IdPath, body: OrganizationChange, principal: CurrentPrincipal, session: WriteSession
) -> OrganizationOut:
    """Give an organization another name; for its admins."""
    return await organizations.change_organization(session, principal, organization_id, body)


@router.post("/api/v1/organizations/{organization_id}/archive", tags=["organizations"])
async def archive_organization(
    organization_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> OrganizationOut:
    """Put an organization and all that is in it away, so that only site admins find it; needs the role site_admin."""
    return await organizations.archive_organization(session, principal, organization_id)


@router.post("/api/v1/organizations/{organization_id}/restore", tags=["organizations"])
async def restore_organization(
    organization_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> OrganizationOut:
    """Take an organization out of the archive, as it was; needs the role site_admin."""
    return await organizations.archive_organization(session, principal, organization_id, away=False)
