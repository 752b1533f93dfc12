"""An organization's API keys over HTTP."""

from fastapi import APIRouter, Response, status

from famulus.campus import keys
from famulus.campus.schemas.keys import NewOrganizationKey
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.identity.key_schemas import KeyMade, KeyOut, KeyPage

router = APIRouter(prefix="/api/v1/organizations/{organization_id}/api-keys", tags=["api-keys"])


@router.get("")
async def list_organization_api_keys(
    organization_id: IdPath, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> KeyPage:
    """The API keys of an organization, the newest first; for its admins, in a session."""
    found = await keys.list_organization_keys(session, principal, organization_id, paging)
    return KeyPage(items=[KeyOut.of(card) for card in found.items], next=found.next)


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_organization_api_key(
    organization_id: IdPath,
    body: NewOrganizationKey,
    response: Response,
    principal: CurrentPrincipal,
    session: WriteSession,
) -> KeyMade:
    """Make an API key with a service account of its own, in a role of the organization; for its admins."""
    response.headers["Cache-Control"] = "no-store"
    made = await keys.make_organization_key(session, principal, organization_id, body.wish(), body.role)
    return KeyMade.made(made)


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_organization_api_key(
    organization_id: IdPath, key_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """End an API key of an organization at once, and shut its service account; for its admins."""
    await keys.revoke_organization_key(session, principal, organization_id, key_id)
