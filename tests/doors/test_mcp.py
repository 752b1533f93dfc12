"""The door `/mcp` as the official client finds it: a person's tools, called with that person's rights."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import pytest
from mcp.shared.exceptions import MCPError
from pydantic import Field

from famulus.doors.mcp import METADATA, McpDoor
from famulus.doors.mcp_calls import Caller
from famulus.runs.carrying import TOO_SLOW
from famulus.tools.arguments import Arguments, Nothing
from famulus.tools.contract import (
    Difference,
    Done,
    NeedsApproval,
    Preview,
    Tool,
    ToolContext,
    ToolFailed,
)
from famulus.tools.offer import Toolbox
from tests.support.academy import MARKS
from tests.support.mcp import ACCEPT, HELLO, MODES, call, connected, said, token
from tests.support.problems import assert_problem
from tests.support.serving import Served


class Words(Arguments):
    """Any words."""

    words: Annotated[str, Field(max_length=100)] = ""
    password: str = ""


class Shop:
    """Tools that were never seen before; what they did is counted."""

    def __init__(self) -> None:
        self.did: list[str] = []
        self.keys: list[str] = []

    def tools(self) -> tuple[Tool, ...]:
        return (
            Tool("look_outside", "Look.", Words, "reads", self._act, place="outside"),
            Tool("order", "Order.", Words, "writes", self._act, place="outside", preview=self._preview),
            Tool("wipe", "Wipe.", Nothing, "destroys", self._act, preview=self._preview),
            Tool("hesitate", "Hesitate.", Nothing, "writes", self._hesitate, preview=self._preview),
            Tool("break_down", "Break.", Nothing, "reads", self._break, place="server"),
            Tool("give_up", "Give up.", Nothing, "writes", self._give_up),
            Tool("dawdle", "Dawdle.", Nothing, "writes", self._dawdle, timeout=0.1),
            Tool("tell_much", "Tell.", Nothing, "reads", self._much, place="server"),
        )

    async def _act(self, context: ToolContext, given: Any) -> Done:
        self.did.append(type(given).__name__)
        self.keys.append(context.key)
        return Done("Done.", {"api_key": "fmk_secret", "course": "Rivers"})

    async def _preview(self, _context: ToolContext, _given: Any) -> Preview:
        return Preview(
            "Wipe the\u202e board", {}, (Difference("board", "full", "empty"),), ("Nobody can read it then.",)
        )

    async def _hesitate(self, _context: ToolContext, _given: Nothing) -> Done:
        raise NeedsApproval("It costs 20 €.")

    async def _break(self, _context: ToolContext, _given: Nothing) -> Done:
        raise ZeroDivisionError("a secret of the inside")

    async def _give_up(self, context: ToolContext, _given: Nothing) -> Done:
        raise ToolFailed("The board is locked.")

    async def _dawdle(self, _context: ToolContext, _given: Nothing) -> Done:
        await asyncio.sleep(60)
        return Done("At last.")

    async def _much(self, _context: ToolContext, _given: Nothing) -> Done:
        return Done("Much.", "x" * 1_000_000)


@pytest.fixture
def shop(server: Served) -> Iterator[Shop]:
    """The server with these tools instead of its own."""
    state, shop = server.app.state, Shop()
    ours: McpDoor = state.mcp
    caller = Caller(state.database, Toolbox(shop.tools()), ours.caller.hands)
    state.mcp = McpDoor(state.settings, state.authenticator, caller, version="test")
    yield shop
    state.mcp = ours


@pytest.mark.parametrize("mode", MODES)
async def test_the_official_client_lists_and_calls(server: Served, mode: str) -> None:
    async with connected(server, token(server, "student"), mode) as client:
        assert client.server_info.name == "famulus"
        listed = {tool.name: tool for tool in (await client.list_tools()).tools}
        result = await client.call_tool("list_my_courses", {})

    assert listed["list_my_courses"].annotations.read_only_hint is True
    assert listed["delete_task"].annotations.destructive_hint is True
    assert listed["create_task"].annotations.destructive_hint is False
    assert "properties" in listed["create_task"].input_schema
    assert result.is_error is False
    assert any(MARKS["course"] in course["title"] for course in said(result)["data"])


async def test_material_is_found_in_a_course_by_its_name(server: Served) -> None:
    async with connected(server, token(server, "student")) as client:
        found = await client.call_tool("search_knowledge", {"query": "spring river", "course": "Rivers"})
        anywhere = await client.call_tool("search_knowledge", {"query": "spring river"})
        foreign = await client.call_tool("search_knowledge", {"query": "wall", "course": "Dams"})

    assert MARKS["lesson"] in found.content[0].text
    assert MARKS["lesson"] in anywhere.content[0].text
    assert foreign.is_error is True
    assert MARKS["their_lesson"] not in foreign.content[0].text


async def test_what_is_written_is_written_as_the_caller_and_written_down(server: Served) -> None:
    title = "Learn the protocol"
    async with connected(server, token(server, "peer")) as client:
        result = await client.call_tool("create_task", {"title": title})
    assert result.is_error is False
    with server.client("peer") as peer, server.client("student") as student, server.client("site") as site:
        assert title in peer.get("/api/v1/tasks").text
        assert title not in student.get("/api/v1/tasks").text
        entries = site.get("/api/v1/audit", params={"action": "tool.call"}).json()["items"]
    mine = [each for each in entries if each["thing_name"] == "create_task"]
    assert mine[0]["actor_id"] == server.academy.people["peer"].id
    assert mine[0]["after"] == {"status": "ok", "effect": "writes"}


async def test_wrong_arguments_are_told_and_nothing_is_done(server: Served) -> None:
    async with connected(server, token(server, "peer")) as client:
        result = await client.call_tool("create_task", {"title": "", "owner": "somebody else"})
        huge = await client.call_tool("create_task", {"title": "x", "description": "x" * 30_000})
        with pytest.raises(MCPError, match="no such tool"):
            await client.call_tool("format_disk", {})
    assert result.is_error is True
    assert "`title`" in result.content[0].text
    assert "`owner`" in result.content[0].text
    assert huge.is_error is True


@pytest.mark.parametrize("scopes", [["read"], ["chat"], ["read", "write"]])
async def test_a_key_reaches_as_far_as_its_scopes(server: Served, scopes: list[str]) -> None:
    with server.client("peer") as peer:
        made = peer.post("/api/v1/api-keys", json={"name": "Tool", "scopes": scopes}).json()
    async with connected(server, made["key"]) as client:
        names = {tool.name for tool in (await client.list_tools()).tools}
        if "write" not in scopes:
            with pytest.raises(MCPError):
                await client.call_tool("create_task", {"title": "x"})
    assert ("list_my_courses" in names) == ("read" in scopes)
    assert ("create_task" in names) == ("write" in scopes)
    with server.client("peer") as peer:
        assert peer.delete(f"/api/v1/api-keys/{made['id']}").status_code == 204


@pytest.mark.parametrize("name", ["wipe", "order", "look_outside", "hesitate"])
async def test_what_a_person_has_to_confirm_is_told_and_not_done(
    server: Served, shop: Shop, name: str
) -> None:
    async with connected(server, token(server, "peer")) as client:
        result = await client.call_tool(name, {})
    assert result.is_error is True
    assert shop.did == []
    told = said(result)
    assert "confirm" in told["said"]
    if name != "look_outside":
        assert told["would"] == "Wipe the\u202e board"
        assert "\u202e" not in result.content[0].text
        assert told["changes"] == [{"field": "board", "before": "full", "after": "empty"}]
    if name == "hesitate":
        assert "It costs 20 €." in told["notes"]


async def test_the_rules_of_the_organization_hold(server: Served, shop: Shop) -> None:
    organization = server.academy.ids["organization"]
    path = f"/api/v1/organizations/{organization}/tool-rules"
    rules = [
        {"tools": "order", "decision": "allow"},
        {"tools": "look_*", "decision": "deny"},
        {"tools": "wipe", "decision": "allow"},
    ]
    with server.client("admin") as admin:
        assert admin.put(path, json={"rules": rules}).status_code == 200
    try:
        async with connected(server, token(server, "peer")) as client:
            allowed = await client.call_tool("order", {"words": "chalk", "password": "hunter2"})
            denied = await client.call_tool("look_outside", {})
            wiped = await client.call_tool("wipe", {})
    finally:
        with server.client("admin") as admin:
            assert admin.put(path, json={"rules": []}).status_code == 200
            entries = admin.get("/api/v1/audit", params={"action": "tool.call"}).json()["items"]
    assert allowed.is_error is False
    assert said(allowed)["data"] == {"api_key": "•••", "course": "Rivers"}
    assert denied.is_error is True
    assert wiped.is_error is True
    assert shop.did == ["Words"]
    assert shop.keys[0].startswith("call_")
    written = next(each for each in entries if each["thing_name"] == "order")
    assert "chalk" in written["after"]["arguments"]
    assert "hunter2" not in written["after"]["arguments"]


async def test_a_tool_that_breaks_tells_nothing_of_the_inside(server: Served, shop: Shop) -> None:
    async with connected(server, token(server, "peer")) as client:
        broken = await client.call_tool("break_down", {})
        locked = await client.call_tool("give_up", {})
        much = await client.call_tool("tell_much", {})
    assert (broken.is_error, "secret" in broken.content[0].text) == (True, False)
    assert (locked.is_error, locked.content[0].text) == (True, "The board is locked.")
    assert len(much.content[0].text) < 21_000
    with server.client("site") as site:
        entries = site.get("/api/v1/audit", params={"action": "tool.call"}).json()["items"]
    assert next(each for each in entries if each["thing_name"] == "give_up")["after"]["status"] == "failed"


def test_where_tokens_are_to_be_had_is_told(embedded: Served) -> None:
    with embedded.client() as client:
        for path in (METADATA, f"{METADATA}/mcp"):
            told = client.get(path)
            assert told.status_code == 200
            assert told.json()["resource"] == f"{embedded.url}/mcp"
        answer = client.post("/mcp", json=HELLO, headers=ACCEPT)
        assert_problem(answer, 401, "unauthenticated")
        header = answer.headers["www-authenticate"]
        assert header == f'Bearer resource_metadata="{embedded.url}{METADATA}/mcp"'
        assert client.get("/mcp").status_code == 405
        assert client.delete("/mcp").status_code == 405


async def test_many_programs_at_once(server: Served) -> None:
    async def one(who: str) -> str:
        async with connected(server, token(server, who), "2026-07-28") as client:
            return said(await client.call_tool("list_my_courses", {}))["said"]

    found = await asyncio.gather(*(one(who) for who in ("student", "peer") * 10))
    assert set(found[::2]) != set(found[1::2])
    assert len(set(found)) == 2


def test_a_call_by_hand_without_a_handshake(embedded: Served) -> None:
    with embedded.client("student") as client:
        answer = client.post("/mcp", json=call("list_my_courses"), headers=ACCEPT)
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.json()["result"]["isError"] is False
    assert "mcp-session-id" not in answer.headers


def test_the_protocol_s_library_is_not_loaded_before_it_is_needed() -> None:
    probe = "import sys, famulus.app; print(*(name for name in ('mcp', 'mcp_types', 'httpx2') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


async def test_a_tool_that_takes_too_long_has_done_nothing(server: Served, shop: Shop) -> None:
    async with connected(server, token(server, "student")) as client:
        result = await client.call_tool("dawdle", {})

    assert result.is_error is True
    assert TOO_SLOW in str(result.content)
