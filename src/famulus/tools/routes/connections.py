"""An organization's connections to servers of others, over HTTP; for its admins."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, status

from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.kernel.text import Id
from famulus.tools import approving, connections
from famulus.tools.connection_schemas import (
    ApproveTools,
    ConnectionChange,
    ConnectionOut,
    ConnectionPage,
    ConnectionTest,
    ConnectionTools,
    NewConnection,
)
from famulus.tools.connections import Connections

router = APIRouter(prefix="/api/v1/connections", tags=["tools"])


async def _connections(request: Request) -> Connections:
    return cast(Connections, request.app.state.connections)


ConnectionsDep = Annotated[Connections, Depends(_connections)]


@router.get("")
async def list_connections(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    *,
    organization_id: Annotated[Id | None, Query(description="Whose; by default one's own.")] = None,
) -> ConnectionPage:
    """The connections of an organization, the oldest first; for its admins."""
    found = await connections.list_connections(session, principal, paging, organization_id)
    return ConnectionPage(items=found.items, next=found.next)


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_connection(
    body: NewConnection, principal: CurrentPrincipal, connected: ConnectionsDep
) -> ConnectionOut:
    """Connect an API: its document is fetched, or taken from the request, and its operations become tools."""
    return await connected.create(principal, body)


@router.get("/{connection_id}")
async def get_connection(
    connection_id: IdPath, principal: CurrentPrincipal, session: ReadSession
) -> ConnectionOut:
    """One connection, and how it was when it was last looked at. Its secret is not shown."""
    return await connections.get_connection(session, principal, connection_id)


@router.patch("/{connection_id}")
async def change_connection(
    connection_id: IdPath, body: ConnectionChange, principal: CurrentPrincipal, connected: ConnectionsDep
) -> ConnectionOut:
    """Change a connection; what matters to its tools is looked at again. With another server, send `auth` again."""
    return await connected.change(principal, connection_id, body)


@router.post("/{connection_id}/test")
async def test_connection(
    connection_id: IdPath, principal: CurrentPrincipal, connected: ConnectionsDep
) -> ConnectionTest:
    """Fetch the document again and sign in; says which tools were found, or what is wrong."""
    return await connected.test(principal, connection_id)


@router.get("/{connection_id}/tools")
async def list_connection_tools(
    connection_id: IdPath, principal: CurrentPrincipal, connected: ConnectionsDep
) -> ConnectionTools:
    """What was last found there: what each tool is taken to do, and of an MCP server what its admins have approved."""
    return await connected.tools(principal, connection_id)


@router.post("/{connection_id}/approve")
async def approve_connection_tools(
    connection_id: IdPath,
    body: ApproveTools,
    principal: CurrentPrincipal,
    session: WriteSession,
) -> ConnectionTools:
    """Let tools of an MCP server be used, exactly as they were found: what says something else later is not."""
    return await approving.approve(session, principal, connection_id, body)


@router.delete("/{connection_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_connection(
    connection_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> None:
    """Remove a connection with its secret; its tools are gone at once."""
    await connections.remove_connection(session, principal, connection_id)
