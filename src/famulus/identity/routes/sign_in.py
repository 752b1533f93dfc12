"""`/api/auth`: signing up, in and out. `GET /api/auth/me` needs memberships and lives in the campus."""

from fastapi import APIRouter, Request, Response, status

from famulus.identity import sessions, sign_in
from famulus.identity.credentials import presented_token, require_same_origin
from famulus.identity.deps import PUBLIC, DatabaseDep, GateDep, SettingsDep, forget_cookie, hand_over
from famulus.identity.schemas import Refresh, SignIn, SignUp, TokenPair, WebSignIn
from famulus.kernel.errors import Forbidden, Unauthenticated
from famulus.kernel.origin import origin

router = APIRouter(prefix="/api/auth", tags=["auth"])


class SignUpClosed(Forbidden):
    """Accounts are made by an administrator here."""

    code = "sign_up_closed"


@router.post("/signup", status_code=status.HTTP_201_CREATED, openapi_extra=PUBLIC)
async def sign_up(
    body: SignUp,
    request: Request,
    response: Response,
    *,
    database: DatabaseDep,
    settings: SettingsDep,
    gate: GateDep,
) -> TokenPair | WebSignIn:
    """Create an account and sign in to it."""
    require_same_origin(request.headers, settings)
    if not settings.sign_up_open:
        raise SignUpClosed()
    opened = await sign_in.sign_up(
        database,
        gate,
        settings,
        email=body.email,
        name=body.name,
        password=body.password,
        locale=body.locale,
        mode=body.mode,
        address=origin().address,
    )
    return hand_over(opened, response, settings)


@router.post("/login", openapi_extra=PUBLIC)
async def log_in(
    body: SignIn,
    request: Request,
    response: Response,
    *,
    database: DatabaseDep,
    settings: SettingsDep,
    gate: GateDep,
) -> TokenPair | WebSignIn:
    """Sign in with an e-mail address and a password."""
    require_same_origin(request.headers, settings)
    opened = await sign_in.sign_in(
        database,
        gate,
        email=body.email,
        password=body.password,
        mode=body.mode,
        address=origin().address,
    )
    return hand_over(opened, response, settings)


@router.post("/refresh", openapi_extra=PUBLIC)
async def refresh(body: Refresh, response: Response, database: DatabaseDep) -> TokenPair:
    """Exchange a refresh token for the next pair; each can be used once."""
    opened = await sessions.refresh(database, body.refresh_token)
    response.headers["Cache-Control"] = "no-store"
    return TokenPair.of(opened)


@router.post("/logout", status_code=status.HTTP_204_NO_CONTENT, openapi_extra=PUBLIC)
async def sign_out(
    request: Request, response: Response, database: DatabaseDep, settings: SettingsDep
) -> None:
    """End this session; without one there is nothing to do."""
    try:
        token = presented_token(request.headers, request.method, settings)
    except Unauthenticated:
        token = None
    if token is not None:
        async with database.write() as session:
            await sessions.sign_out(session, token)
    forget_cookie(response, settings)
