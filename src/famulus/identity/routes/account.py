"""`/api/auth`: one's own password and address, and the links that are mailed."""

from fastapi import APIRouter, status

from famulus.identity import own_account, recovery
from famulus.identity.deps import (
    PUBLIC,
    CurrentPrincipal,
    DatabaseDep,
    FromHere,
    GateDep,
    SettingsDep,
    WriteSession,
)
from famulus.identity.schemas import (
    Accepted,
    EmailChange,
    Forgotten,
    PasswordChange,
    PasswordReset,
)
from famulus.kernel.origin import origin

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/password", status_code=status.HTTP_204_NO_CONTENT)
async def change_password(
    body: PasswordChange, principal: CurrentPrincipal, database: DatabaseDep, gate: GateDep
) -> None:
    """Set a new password; every other session of the person ends."""
    await own_account.change_password(
        database,
        gate,
        principal,
        current=body.current_password,
        new=body.new_password,
        address=origin().address,
    )


@router.post("/password/forgot", status_code=status.HTTP_202_ACCEPTED, openapi_extra=PUBLIC)
async def forgot_password(body: Forgotten, database: DatabaseDep, _: FromHere) -> Accepted:
    """Have a link to set a new password mailed, if there is such an account; the answer does not say whether."""
    await recovery.ask_for_reset(database, body.email, origin().address)
    return Accepted()


@router.post("/password/reset", status_code=status.HTTP_204_NO_CONTENT, openapi_extra=PUBLIC)
async def reset_password(body: PasswordReset, database: DatabaseDep, gate: GateDep, _: FromHere) -> None:
    """Set a new password with a mailed link; it works once, and every session of the person ends."""
    await recovery.reset_password(database, gate, body.token, body.password)


@router.post("/email", status_code=status.HTTP_202_ACCEPTED)
async def change_email(
    body: EmailChange,
    principal: CurrentPrincipal,
    database: DatabaseDep,
    gate: GateDep,
    settings: SettingsDep,
) -> Accepted:
    """Have a link mailed to a new address, which becomes the account's when the link is opened."""
    await own_account.change_email(
        database,
        gate,
        principal,
        settings=settings,
        email=body.email,
        password=body.password,
        address=origin().address,
    )
    return Accepted()


@router.post("/email/verification", status_code=status.HTTP_202_ACCEPTED)
async def send_verification(
    principal: CurrentPrincipal, session: WriteSession, settings: SettingsDep
) -> Accepted:
    """Have the link that verifies the person's address mailed again."""
    await recovery.send_verification_again(session, settings, principal, origin().address)
    return Accepted()
