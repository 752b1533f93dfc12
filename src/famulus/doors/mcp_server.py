"""What a program finds behind `/mcp`: the only module that knows the protocol's library for servers.

A server is built for each request, for its principal, and goes with it: there is nothing that a handle could reach.
"""

from collections.abc import Mapping
from typing import Any, cast

import mcp_types as types
import msgspec
from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel import Server
from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from mcp.shared.exceptions import MCPError
from starlette.types import Receive, Scope, Send

from famulus.doors.mcp_asking import Answer, Question, Talk, seal, unseal
from famulus.doors.mcp_calls import Caller
from famulus.identity.principal import Principal
from famulus.runs.carrying import named
from famulus.tools.arguments import spec_of
from famulus.tools.contract import Tool
from famulus.tools.offer import Offer

INSTRUCTIONS = (
    "Famulus is the assistant server of a place of learning. Its tools act as the person whose credentials are used, "
    "with that person's rights and no others. What a person has to confirm they are asked for, where the program can "
    "ask them; otherwise it is not done, and the result says what would have happened."
)
ASKING = "2026-07-28"
"""The version since which a result may be a question; before it, one had to keep a connection for asking."""
PERSON = "person"


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

    async def _call(
        self, context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams
    ) -> types.CallToolResult | types.InputRequiredResult:
        tool = (await self._offer()).tools.get(params.name)
        if tool is None:
            raise MCPError(types.INVALID_PARAMS, "There is no such tool; list them.")
        talk = self._talk(context, params)
        outcome = await self._caller.call(self._principal, tool, params.arguments or {}, talk)
        if isinstance(outcome, Question):
            return self._asked(outcome)
        return types.CallToolResult(
            content=[types.TextContent(text=outcome.result)], is_error=outcome.status != "ok"
        )

    def _talk(self, context: ServerRequestContext[Any, Any], params: types.CallToolRequestParams) -> Talk:
        """Whether the program can ask its person, and what came back of what it has asked."""
        if params.request_state is None:
            return Talk(_asks(context))
        kept = unseal(self._caller.vault, self._principal.user_id, params.request_state)
        if kept is None:
            raise MCPError(
                types.INVALID_PARAMS, "The request state is not of this server and person; call anew."
            )
        said = (params.input_responses or {}).get(PERSON)
        if not isinstance(said, types.ElicitResult):
            return Talk(_asks(context), kept)
        return Talk(_asks(context), kept, Answer(said.action, said.content or {}))

    def _asked(self, question: Question) -> types.InputRequiredResult:
        schema = {
            "type": "object",
            "properties": dict(question.properties),
            "required": list(question.required),
        }
        form = types.ElicitRequestFormParams(message=question.message, requested_schema=schema)
        return types.InputRequiredResult(
            input_requests={PERSON: types.ElicitRequest(params=form)},
            request_state=seal(self._caller.vault, self._principal.user_id, question.kept),
        )


def _asks(context: ServerRequestContext[Any, Any]) -> bool:
    """Whether the program can put a form before its person, and a result can ask it to."""
    capabilities = context.session.client_capabilities
    asking = capabilities.elicitation if capabilities else None
    if asking is None or context.protocol_version < ASKING:
        return False
    return asking.form is not None or asking.url is None


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
