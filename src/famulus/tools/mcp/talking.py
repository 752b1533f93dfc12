"""A conversation with an MCP server: how it begins, what there is, one call. Two kinds of wire carry it.

    today     server/discover, then requests that each say for themselves which protocol they speak
    before    initialize, notifications/initialized, then requests

Nothing is offered to the server: no sampling, no roots, no asking back. What it asks all the same is not answered.
"""

from collections.abc import Mapping
from typing import Any, Literal, Protocol

from famulus.kernel.openapi_document import Node, listed, node, text_of

TODAY = "2026-07-28"
BEFORE = ("2025-11-25", "2025-06-18", "2025-03-26", "2024-11-05")
"""Versions of the protocol with a handshake, the newest first."""
Era = Literal["today", "before"]
CLIENT = {"name": "famulus", "version": "1"}
PAGES = 50
MOST_TOOLS = 1_000
NO_SUCH_METHOD, INTERNAL = -32601, -32603


class WireBroken(Exception):
    """No usable answer came; the message is for people."""

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached
        """Whether the server may have got the request."""


class Refused(Exception):
    """The server has answered with an error; the message is the server's."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code = code


class Wire(Protocol):
    """Carries messages to a server and answers back."""

    first: Era
    """Which protocol is tried first."""

    async def ask(self, method: str, params: Node, headers: Mapping[str, str]) -> Node:
        """The result of a request. Raises Refused or WireBroken."""
        ...

    async def tell(self, method: str, headers: Mapping[str, str]) -> None:
        """Send a notification. Raises WireBroken."""
        ...

    async def close(self) -> None:
        """Say goodbye; raises nothing."""
        ...


class Talk:
    """One conversation."""

    def __init__(self, wire: Wire, era: Era | None = None) -> None:
        self._wire = wire
        self.era: Era | None = era
        self._version = BEFORE[0]

    async def begin(self) -> None:
        """Agree on a protocol; with one that is known from before, as it takes. Raises Refused or WireBroken."""
        if self.era == "before":
            await self._handshake()
        elif self.era is None:
            attempts = [self._discover, self._handshake]
            if self._wire.first == "before":
                attempts.reverse()
            try:
                await attempts[0]()
            except Refused:
                await attempts[1]()

    async def tools(self) -> list[Any]:
        """Everything that the server offers, as it says it. Raises Refused or WireBroken."""
        found: list[Any] = []
        cursor: str | None = None
        seen: set[str] = set()
        for _ in range(PAGES):
            page = await self._ask("tools/list", {"cursor": cursor} if cursor else {})
            found += listed(page.get("tools"))
            cursor = text_of(page.get("nextCursor"))
            if not cursor or len(found) > MOST_TOOLS:
                return found
            if cursor in seen:
                raise WireBroken("It lists its tools in a circle.")
            seen.add(cursor)
        raise WireBroken(f"It lists its tools on more than {PAGES} pages.")

    async def call(self, name: str, arguments: Mapping[str, object]) -> Node:
        """What a tool answers. Raises Refused or WireBroken."""
        return await self._ask("tools/call", {"name": name, "arguments": dict(arguments)}, name)

    async def _discover(self) -> None:
        self.era = "today"
        try:
            found = await self._ask("server/discover", {})
            if TODAY not in listed(found.get("supportedVersions")):
                raise Refused(NO_SUCH_METHOD, "It does not speak today's protocol.")
        except Refused:
            self.era = None
            raise

    async def _handshake(self) -> None:
        self.era = None
        asked: Node = {"protocolVersion": BEFORE[0], "capabilities": {}, "clientInfo": CLIENT}
        said = await self._wire.ask("initialize", asked, {})
        version = text_of(said.get("protocolVersion"))
        if version not in BEFORE:
            raise Refused(NO_SUCH_METHOD, "It speaks no version of the protocol that is spoken here.")
        self.era, self._version = "before", version
        await self._wire.tell("notifications/initialized", self._headers("", ""))

    async def _ask(self, method: str, params: Node, name: str = "") -> Node:
        if self.era == "today":
            meta = {
                "io.modelcontextprotocol/protocolVersion": TODAY,
                "io.modelcontextprotocol/clientInfo": CLIENT,
                "io.modelcontextprotocol/clientCapabilities": {},
            }
            params = {**params, "_meta": meta}
        result = await self._wire.ask(method, params, self._headers(method, name))
        if result.get("resultType", "complete") != "complete":
            raise Refused(NO_SUCH_METHOD, "It asks back for something, which is not answered here.")
        return node(result)

    def _headers(self, method: str, name: str) -> dict[str, str]:
        if self.era != "today":
            return {"MCP-Protocol-Version": self._version}
        named = {"Mcp-Name": name} if name else {}
        return {"MCP-Protocol-Version": TODAY, "Mcp-Method": method, **named}
