"""MCP servers as sources of tools: over HTTP and as programs, with both protocols, called as the kind calls them."""

import sys
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from famulus.identity.principal import Principal
from famulus.kernel.http import Outbound
from famulus.kernel.secrets import Vault
from famulus.tools.arguments import check_arguments
from famulus.tools.contract import Done, Retry, Tool, ToolContext, ToolFailed
from famulus.tools.credentials import Credentials
from famulus.tools.links import AskerAuth, Auth, BearerAuth, HeaderAuth, Link, NoAuth, Problem, encode_auth
from famulus.tools.mcp.toolset import Mcp, listing
from tests.support.mcp_server import HostileServer, event, official_http, result, send, stream, texts

ROOT = Path(__file__).resolve().parents[2]
PERSON = Principal("usr_ada", "Ada", "ada@example.org", role="student", organization_id="org_1")
PROGRAM = (sys.executable, str(ROOT / "tests" / "support" / "mcp_program.py"))
OFFICIAL = ("/usr/bin/env", f"PYTHONPATH={ROOT}", sys.executable, "-m", "tests.support.mcp_server")


@dataclass
class Kit:
    """What calls the tools of a server."""

    vault: Vault
    mcp: Mcp

    def link(self, url: str | None, auth: Auth | None = None, **changes: Any) -> Link:
        """A connection named `far`."""
        sealed = self.vault.encrypt(encode_auth(auth or NoAuth()).decode(), "con_1")
        return replace(Link("con_1", "org_1", "mcp", "far", url, None, sealed), **changes)

    async def approved(self, link: Link) -> Link:
        """The same, with everything approved that it offers now."""
        found = await self.mcp.look(link)
        pins = {each.name: each.pin for each in listing(found.document)}
        return replace(link, document=found.document, approved=pins)

    async def tools(self, link: Link) -> dict[str, Tool]:
        """Its tools, all approved."""
        return {tool.name: tool for tool in await self.mcp.tools(await self.approved(link))}


@pytest.fixture
async def kit() -> AsyncIterator[Kit]:
    """Calls 127.0.0.1 as well."""
    vault, outbound = Vault(b"a secret of the tests, 32 bytes long"), Outbound(["127.0.0.1"])
    yield Kit(vault, Mcp(outbound, Credentials(vault, outbound), stdio=True))
    await outbound.close()


@pytest.fixture(scope="module")
def official() -> Iterator[str]:
    with official_http() as url:
        yield url


@pytest.fixture
def server() -> Iterator[HostileServer]:
    with HostileServer() as opened:
        yield opened


async def call(tool: Tool, **arguments: object) -> Done:
    context = ToolContext(PERSON, "thr_1", None, key="run_1.call_1")
    return await tool.act(context, check_arguments(tool, arguments))


async def test_the_official_server_is_called_by_today_s_protocol(kit: Kit, official: str) -> None:
    link = await kit.approved(kit.link(official))
    assert '"era":"today"' in str(link.document)
    tools = {tool.name: tool for tool in await kit.mcp.tools(link)}
    done = await call(tools["far_add"], a=2, b=3)
    assert done.data == {"result": 5}
    assert tools["far_add"].effect == "writes"
    assert tools["far_add"].place == "outside"
    with pytest.raises(Retry, match="`a`"):
        await call(tools["far_add"], a="two", b=3)


async def test_a_program_is_called_and_gets_its_secret_and_no_other(
    kit: Kit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-not-for-you")
    tools = await kit.tools(kit.link(None, HeaderAuth("SHOP_KEY", "key-of-the-shop"), command=PROGRAM))
    assert (await call(tools["far_echo"], text="Water.")).data == "Water."
    told = str((await call(tools["far_environment"])).data)
    assert "•••" in told
    assert "key-of-the-shop" not in told
    assert "OPENAI_API_KEY" not in told


async def test_the_official_server_is_called_as_a_program(kit: Kit) -> None:
    tools = await kit.tools(kit.link(None, command=OFFICIAL))
    assert (await call(tools["far_add"], a=2, b=3)).data == {"result": 5}


async def test_a_session_is_begun_and_ended_for_each_call(kit: Kit, server: HostileServer) -> None:
    tools = await kit.tools(kit.link(server.url, BearerAuth("tok_123456")))
    server.asked.clear()
    done = await call(tools["far_echo"], text="Water. tok_123456")
    assert done.data == "Water. •••"
    assert server.methods == ["initialize", "notifications/initialized", "tools/call", "DELETE"]
    for method, headers, _ in server.asked:
        assert headers["authorization"] == "Bearer tok_123456"
        assert headers.get("mcp-session-id") == (None if method == "initialize" else "session-of-one-call")
        assert headers["famulus-tool-call"] == "1"
    assert server.asked[0][2]["params"]["capabilities"] == {}


async def test_the_answer_in_a_stream_is_taken_and_the_rest_is_not(kit: Kit, server: HostileServer) -> None:
    def answer(request: Any, message: Any) -> None:
        progress = {"jsonrpc": "2.0", "method": "notifications/progress", "params": {"progress": 1}}
        sampling = {"jsonrpc": "2.0", "id": message["id"], "method": "sampling/createMessage", "params": {}}
        mine = result(message["id"], texts('{"rivers": 3}'))
        other = result(999, texts("another's"))
        stream(request, iter([event(progress), event(sampling), event(other), event(mine), event(other)]))

    server.answers["tools/call"] = answer
    tools = await kit.tools(kit.link(server.url))
    assert (await call(tools["far_echo"], text="x")).data == {"rivers": 3}


async def test_what_a_tool_says_that_it_failed_at_is_told(kit: Kit, server: HostileServer) -> None:
    server.answers["tools/call"] = lambda request, message: send(
        request, result(message["id"], texts("The shop is closed.", error=True))
    )
    tools = await kit.tools(kit.link(server.url))
    with pytest.raises(ToolFailed, match="The shop is closed"):
        await call(tools["far_echo"], text="x")


async def test_hints_are_no_more_than_hints(kit: Kit, server: HostileServer) -> None:
    hints = {"read": {"readOnlyHint": True}, "wipe": {"destructiveHint": True}, "plain": {}}
    server.tools = [
        {"name": name, "inputSchema": {"type": "object"}, "annotations": hint} for name, hint in hints.items()
    ]
    tools = await kit.tools(kit.link(server.url))
    assert {name: tool.effect for name, tool in tools.items()} == {
        "far_read": "writes",
        "far_wipe": "destroys",
        "far_plain": "writes",
    }
    agreed = await kit.tools(kit.link(server.url, effects={"read": "reads"}))
    assert agreed["far_read"].effect == "reads"


async def test_askers_tokens_are_not_passed_on(kit: Kit, server: HostileServer) -> None:
    with pytest.raises(Problem, match="not given the tokens"):
        await kit.mcp.look(kit.link(server.url, AskerAuth()))
    assert server.asked == []
