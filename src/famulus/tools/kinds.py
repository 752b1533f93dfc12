"""The kinds of connections, told apart in one place: what is at the other side, and the tools that it makes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import assert_never

from famulus.tools.contract import Tool
from famulus.tools.links import Found, Link, Problem
from famulus.tools.openapi.toolset import OpenApi

NOT_YET = "Connections of the kind mcp cannot be used yet."


@dataclass(frozen=True, slots=True)
class Kinds:
    """One of each kind."""

    openapi: OpenApi

    async def look(self, link: Link) -> Found:
        """See what is at the other side. Raises Problem, with what is wrong and what to do."""
        match link.kind:
            case "openapi":
                return await self.openapi.look(link)
            case "mcp":
                raise Problem(NOT_YET)
            case _:
                assert_never(link.kind)

    async def tools(self, link: Link) -> Sequence[Tool]:
        """The tools of what was last seen there. Raises Problem."""
        match link.kind:
            case "openapi":
                return await self.openapi.tools(link)
            case "mcp":
                raise Problem(NOT_YET)
            case _:
                assert_never(link.kind)
