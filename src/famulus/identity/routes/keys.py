"""A person's own API keys over HTTP."""

from fastapi import APIRouter, Response, status

from famulus.identity import keys
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.identity.key_schemas import KeyMade, KeyOut, KeyPage, NewKey

router = APIRouter(prefix="/api/v1/api-keys", tags=["api-keys"])


@router.get("")
async def list_api_keys(principal: CurrentPrincipal, session: ReadSession, paging: PagingDep) -> KeyPage:
    """The person's own API keys, the newest first; needs a session."""
    found = await keys.list_own_keys(session, principal, paging)
    return KeyPage(items=[KeyOut.of(card) for card in found.items], next=found.next)


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_api_key(
    body: NewKey, response: Response, principal: CurrentPrincipal, session: WriteSession
) -> KeyMade:
    """Make an API key that acts as the person, in the active organization; needs a session."""
    response.headers["Cache-Control"] = "no-store"
    return KeyMade.made(await keys.make_own_key(session, principal, body.wish()))


@router.delete("/{key_id}", status_code=status.HTTP_204_NO_CONTENT)
async def revoke_api_key(key_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """End an API key at once; needs a session."""
    await keys.revoke_own_key(session, principal, key_id)
