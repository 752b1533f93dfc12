"""What a program finds behind `/mcp`: the only module that knows the protocol's library for servers.

A server is built for each request, for its principal, and goes with it: there is nothing that a handle could reach.
"""

from collections.abc import Mapping
from typing import Any, cast

import mcp_types as types
import msgspec
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.types import Receive, Scope, Send

from famulus.doors.mcp_calls import Caller
from famulus.identity.principal import Principal
from famulus.runs.carrying import named
from famulus.tools.arguments import spec_of
from famulus.tools.contract import Tool
from famulus.tools.offer import Offer

INSTRUCTIONS = (
    "Famulus is the assistant server of a place of learning. Its tools act as the person whose credentials are used, "
    "with that person's rights and no others. What a person has to confirm is not done here; the result says what "
    "would have happened."
)


def server_for(caller: Caller, principal: Principal, *, version: str) -> "PersonalServer":
    """The server of one request."""
    return PersonalServer(caller, principal, version=version)


class PersonalServer:
    """One person's tools, for one request."""

    def __init__(self, caller: Caller, principal: Principal, *, version: str) -> None:
        self._caller = caller
        self._principal = principal
        self._offered: Offer | None = None
        self._server: Server[dict[str, Any]] = Server(
            "famulus",
            title="Famulus",
            version=version,
            instructions=INSTRUCTIONS,
            on_list_tools=self._list,
            on_call_tool=self._call,
        )

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        manager = StreamableHTTPSessionManager(self._server, json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive, send)

    async def _offer(self) -> Offer:
        if self._offered is None:
            self._offered = await self._caller.offer(self._principal)
        return self._offered

    async def _list(
        self, _context: object, _params: types.PaginatedRequestParams | None
    ) -> types.ListToolsResult:
        offer = await self._offer()
        return types.ListToolsResult(tools=[_described(tool) for tool in offer.tools.values()])

    async def _call(self, _context: object, params: types.CallToolRequestParams) -> types.CallToolResult:
        tool = (await self._offer()).tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, "There is no such tool; list them.")
        outcome = await self._caller.call(self._principal, tool, params.arguments or {})
        return types.CallToolResult(
            content=[types.TextContent(text=outcome.result)], is_error=outcome.status != "ok"
        )


def _described(tool: Tool) -> types.Tool:
    spec = spec_of(tool)
    schema = spec.parameters
    return types.Tool(
        name=tool.name,
        title=named(tool),
        description=tool.description,
        input_schema=cast(
            dict[str, Any],
            dict(schema) if isinstance(schema, Mapping) else msgspec.json.decode(schema),
        ),
        annotations=types.ToolAnnotations(
            title=named(tool),
            read_only_hint=tool.effect == "reads",
            destructive_hint=tool.effect == "destroys",
            open_world_hint=tool.place == "outside",
        ),
    )
