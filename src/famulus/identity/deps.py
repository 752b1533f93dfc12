"""What routes ask for: the principal, a session of the right kind, paging. Built by `app`, read from its state.

All are coroutines, for FastAPI runs plain functions in a thread, which costs more than they do.
"""

from collections.abc import AsyncIterator
from typing import Annotated, cast

from fastapi import Depends, Path, Query, Request
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.gate import Gate
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
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
    return cast(Principal, await request.app.state.authenticator.principal(request.headers, request.method))


async def get_gate(request: Request) -> Gate:
    """The application's gate for passwords."""
    return cast(Gate, request.app.state.gate)


DatabaseDep = Annotated[Database, Depends(get_database)]
SettingsDep = Annotated[Settings, Depends(get_settings)]
GateDep = Annotated[Gate, Depends(get_gate)]
CurrentPrincipal = Annotated[Principal, Depends(get_principal)]


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
IdPath = Annotated[Id, Path()]
"""An id in an address; typed, so that nothing else ever reaches a database."""
