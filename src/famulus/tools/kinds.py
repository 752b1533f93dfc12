"""The kinds of connections, told apart in one place: what is at the other side, and the tools that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from famulus.kernel.http import Outbound
from famulus.kernel.secrets import Vault
from famulus.tools.contract import Tool
from famulus.tools.credentials import Credentials
from famulus.tools.links import Found, Link
from famulus.tools.mcp.toolset import Mcp
from famulus.tools.openapi.toolset import OpenApi


@dataclass(frozen=True, slots=True)
class Kinds:
    """One of each kind."""

    openapi: OpenApi
    mcp: Mcp

    async def look(self, link: Link) -> Found:
        """See what is at the other side. Raises Problem, with what is wrong and what to do."""
        match link.kind:
            case "openapi":
                return await self.openapi.look(link)
            case "mcp":
                return await self.mcp.look(link)
            case _:
                assert_never(link.kind)

    async def tools(self, link: Link) -> Sequence[Tool]:
        """The tools of what was last seen there. Raises Problem."""
        match link.kind:
            case "openapi":
                return await self.openapi.tools(link)
            case "mcp":
                return await self.mcp.tools(link)
            case _:
                assert_never(link.kind)


def every_kind(vault: Vault, outbound: Outbound, *, stdio: bool = False) -> Kinds:
    """All of them; `stdio` is whether MCP servers may be programs."""
    credentials = Credentials(vault, outbound)
    return Kinds(OpenApi(outbound, credentials), Mcp(outbound, credentials, stdio=stdio))
