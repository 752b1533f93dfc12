"""Accounts and the outbox over HTTP, for those who care for the whole site."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, status

from famulus.campus import administration, deletion
from famulus.identity.administration import AccountSort
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, SettingsDep, WriteSession
from famulus.identity.schemas import AccountOut, AccountPage, MailOut, MailPage
from famulus.kernel.text import LongText

router = APIRouter(prefix="/api/v1")
Begins = Annotated[
    Annotated[str, LongText(200, single_line=True)] | None,
    Query(description="What the name or the address begins with, in whatever case."),
]


@router.get("/accounts", tags=["accounts"])
async def list_accounts(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    *,
    q: Begins = None,
    suspended: Annotated[bool | None, Query(description="Only those that are, or are not.")] = None,
    sort: Annotated[AccountSort, Query(description="The order; a minus turns it round.")] = "name",
) -> AccountPage:
    """Everybody's accounts; needs the role site_admin."""
    found = await administration.list_accounts(
        session, principal, paging, q=q, suspended=suspended, sort=sort
    )
    return AccountPage(items=found.items, next=found.next)


@router.get("/accounts/{user_id}", tags=["accounts"])
async def get_account(user_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> AccountOut:
    """One account: anybody's for a site admin, else one's own."""
    return await administration.get_account(session, principal, user_id)


@router.post("/accounts/{user_id}/suspend", tags=["accounts"])
async def suspend_account(user_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> AccountOut:
    """Shut an account out at once, wherever it is signed in."""
    return await administration.suspend(session, principal, user_id)


@router.post("/accounts/{user_id}/restore", tags=["accounts"])
async def restore_account(user_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> AccountOut:
    """Let an account in again; it has to sign in anew."""
    return await administration.restore(session, principal, user_id)


@router.delete("/accounts/{user_id}", tags=["accounts"], status_code=status.HTTP_204_NO_CONTENT)
async def delete_account(user_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Delete somebody else's account with all that was said in it; this cannot be taken back."""
    await deletion.delete_anybodys(session, principal, user_id)


@router.post("/accounts/{user_id}/verify", tags=["accounts"])
async def verify_account(user_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> AccountOut:
    """Vouch for an account's address without a mail."""
    return await administration.verify(session, principal, user_id)


@router.get("/mails", tags=["mails"])
async def list_mails(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    state: Annotated[
        Literal["waiting", "sent", "kept", "failed"] | None, Query(description="Only those in this state.")
    ] = None,
) -> MailPage:
    """The outbox, the newest first; needs the role site_admin."""
    found = await administration.list_mails(session, principal, paging, state=state)
    return MailPage(items=found.items, next=found.next)


@router.get("/mails/{mail_id}", tags=["mails"])
async def get_mail(
    mail_id: IdPath, principal: CurrentPrincipal, session: ReadSession, settings: SettingsDep
) -> MailOut:
    """A mail with what is in it: nothing, once it is sent or its link has run out."""
    return await administration.get_mail(session, principal, settings, mail_id)
