"""Programs that speak the Model Context Protocol to a running server: with the official client, or by hand."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import httpx2
from mcp.client import Client
from mcp.client.streamable_http import streamable_http_client

from tests.support.serving import Served

MODES = ("auto", "legacy")
"""The protocol of today, which asks first, and the handshake of before."""
ACCEPT = {"Accept": "application/json, text/event-stream", "Content-Type": "application/json"}
HELLO = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "initialize",
    "params": {
        "protocolVersion": "2025-06-18",
        "capabilities": {},
        "clientInfo": {"name": "test", "version": "1"},
    },
}


@asynccontextmanager
async def connected(
    served: Served, credential: str, mode: str = "auto", person: Any = None
) -> AsyncIterator[Client]:
    """The official client, with a token or a key; `person` answers what it is asked to ask."""
    headers = {"Authorization": f"Bearer {credential}"}
    async with (
        httpx2.AsyncClient(headers=headers, timeout=30, verify=False) as http,
        Client(
            streamable_http_client(f"{served.url}/mcp", http_client=http),
            mode=mode,
            elicitation_callback=person,
        ) as client,
    ):
        yield client


def token(served: Served, who: str) -> str:
    return served.academy.people[who].token


def said(result: Any) -> Any:
    """What a tool's result says, as plain values."""
    [content] = result.content
    return json.loads(content.text)


def call(name: str, arguments: object = None, number: int = 2) -> dict[str, Any]:
    """A call as it goes over the wire."""
    params = {"name": name, "arguments": arguments or {}}
    return {"jsonrpc": "2.0", "id": number, "method": "tools/call", "params": params}
