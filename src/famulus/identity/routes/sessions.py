"""`/api/auth/sessions`: where a person is signed in."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.identity import own_account
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.identity.schemas import SessionPage

router = APIRouter(prefix="/api/auth/sessions", tags=["auth"])
This = Annotated[bool, Query(alias="all", description="Whether the one that asks ends as well.")]


@router.get("")
async def list_sessions(principal: CurrentPrincipal, session: ReadSession, paging: PagingDep) -> SessionPage:
    """Where the person is signed in, the newest sign-in first."""
    found = await own_account.list_sessions(session, principal, paging)
    return SessionPage(items=found.items, next=found.next)


@router.delete("", status_code=status.HTTP_204_NO_CONTENT)
async def end_all_sessions(principal: CurrentPrincipal, session: WriteSession, this: This = False) -> None:
    """Sign out everywhere else."""
    await own_account.end_all_sessions(session, principal, this=this)


@router.delete("/{session_id}", status_code=status.HTTP_204_NO_CONTENT)
async def end_session(session_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Sign out in one place."""
    await own_account.end_session(session, principal, session_id)
