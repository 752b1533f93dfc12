"""What routes ask for: the principal, a session of the right kind, paging. Built by `app`, read from its state.

All are coroutines, for FastAPI runs plain functions in a thread, which costs more than they do.
"""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Annotated, Any, cast

from fastapi import Depends, Path, Query, Request, Response
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.credentials import cookie_name, require_same_origin
from famulus.identity.gate import Gate
from famulus.identity.principal import Principal
from famulus.identity.schemas import TokenPair, UserView, WebSignIn
from famulus.identity.sessions import Opened
from famulus.kernel.database import Database
from famulus.kernel.errors import Unauthenticated
from famulus.kernel.http import BY_A_TOOL
from famulus.kernel.paging import LIMIT, MAX_LIMIT, Paging
from famulus.kernel.settings import Settings
from famulus.kernel.text import Id


async def get_database(request: Request) -> Database:
    """The application's database."""
    return cast(Database, request.app.state.database)


async def get_settings(request: Request) -> Settings:
    """The application's settings."""
    return cast(Settings, request.app.state.settings)


async def get_principal(request: Request) -> Principal:
    """Who is asking; raises `Unauthenticated` when nobody is signed in."""
    peer = request.client.host if request.client else None
    found = cast(
        Principal, await request.app.state.authenticator.principal(request.headers, request.method, peer)
    )
    return replace(found, by_a_tool=True) if BY_A_TOOL in request.headers else found


async def get_gate(request: Request) -> Gate:
    """What stands between a stranger and a session."""
    return cast(Gate, request.app.state.gate)


async def get_principal_if_any(request: Request) -> Principal | None:
    """Who is asking, or None when nobody is signed in."""
    try:
        return await get_principal(request)
    except Unauthenticated:
        return None


DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
GateDep = Annotated[Gate, Depends(get_gate)]
CurrentPrincipal = Annotated[Principal, Depends(get_principal)]
AnyPrincipal = Annotated[Principal | None, Depends(get_principal_if_any)]


async def _reading(database: DatabaseDep) -> AsyncIterator[AsyncSession]:
    async with database.read() as session:
        yield session


async def _writing(database: DatabaseDep, _principal: CurrentPrincipal) -> AsyncIterator[AsyncSession]:
    """Signed in first, so that nobody unknown can hold the writer."""
    async with database.write() as session:
        yield session


async def _paging(
    limit: Annotated[int, Query(ge=1, le=MAX_LIMIT, description="Items on a page.")] = LIMIT,
    after: Annotated[str | None, Query(max_length=1000, description="`next` of the page before.")] = None,
) -> Paging:
    return Paging(limit, after)


# scope="function": the transaction ends before the response begins, so a failed commit is an error, not a 201.
ReadSession = Annotated[AsyncSession, Depends(_reading, scope="function")]
WriteSession = Annotated[AsyncSession, Depends(_writing, scope="function")]
PagingDep = Annotated[Paging, Depends(_paging)]


async def _from_here(request: Request, settings: SettingsDep) -> None:
    """What needs no sign-in has no cookie to abuse; still, another site has no business in having it done."""
    require_same_origin(request.headers, settings)


FromHere = Annotated[None, Depends(_from_here)]


def hand_over(opened: Opened, response: Response, settings: Settings) -> TokenPair | WebSignIn:
    """A session to its owner: its tokens in the answer, or its one token in a cookie."""
    response.headers["Cache-Control"] = "no-store"
    if opened.refresh_token is not None:
        return TokenPair.of(opened)
    response.set_cookie(
        cookie_name(settings),
        opened.token,
        max_age=opened.expires_in,
        path="/",
        secure=settings.https,
        httponly=True,
        samesite="lax",
    )
    return WebSignIn(user=UserView.of(opened.account), expires_in=opened.expires_in)


def forget_cookie(response: Response, settings: Settings) -> None:
    """Have the browser drop its cookie; browsers do only when the attributes are those it was set with."""
    response.delete_cookie(
        cookie_name(settings), path="/", secure=settings.https, httponly=True, samesite="lax"
    )


IdPath = Annotated[Id, Path()]
"""An id in an address; typed, so that nothing else ever reaches a database."""
PUBLIC: dict[str, Any] = {"security": []}
"""`openapi_extra` of a route that asks for no sign-in; all others do, and the document says so."""
