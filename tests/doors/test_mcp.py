"""The door `/mcp` as the official client finds it: a person's tools, called with that person's rights."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import mcp_types as types
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


class SignIn(Arguments):
    """What nobody is asked for."""

    password: str


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
            Tool("sign_in", "Sign in.", SignIn, "writes", self._act),
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
    caller = Caller(state.database, Toolbox(shop.tools()), ours.caller.hands, state.vault)
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
    assert "a person has to confirm this" in told["said"]
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


@pytest.mark.slow
def test_the_protocol_s_library_is_not_loaded_before_it_is_needed() -> None:
    probe = "import sys, famulus.app; print(*(name for name in ('mcp', 'mcp_types', 'httpx2') if name in sys.modules))"
    done = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


async def test_a_tool_that_takes_too_long_has_done_nothing(server: Served, shop: Shop) -> None:
    async with connected(server, token(server, "student")) as client:
        result = await client.call_tool("dawdle", {})

    assert result.is_error is True
    assert TOO_SLOW in str(result.content)


# --- What the person behind the program is asked ------------------------------------------------------


class Person:
    """Answers what the program puts before them, and remembers it."""

    def __init__(self, *answers: types.ElicitResult | dict[str, Any]) -> None:
        self.answers = list(answers)
        self.seen: list[types.ElicitRequestFormParams] = []

    async def __call__(self, _context: object, params: Any) -> types.ElicitResult:
        self.seen.append(params)
        answer = self.answers.pop(0)
        return answer if isinstance(answer, types.ElicitResult) else accepted(answer)


def accepted(content: dict[str, Any]) -> types.ElicitResult:
    return types.ElicitResult(action="accept", content=content)


YES = {"confirm": True}
NO = types.ElicitResult(action="decline")


async def test_a_person_is_asked_and_says_yes(server: Served, shop: Shop) -> None:
    person = Person(YES)
    async with connected(server, token(server, "peer"), person=person) as client:
        result = await client.call_tool("wipe", {})
    assert result.is_error is False
    assert shop.did == ["Nothing"]
    [asked] = person.seen
    assert "Wipe the⟦U+202E⟧ board" in asked.message
    assert "board: full → empty" in asked.message
    assert "Nobody can read it then." in asked.message
    assert "Exactly this is carried out: wipe {}" in asked.message
    assert asked.requested_schema["required"] == ["confirm"]
    assert "default" not in asked.requested_schema["properties"]["confirm"]
    with server.client("site") as site:
        entries = site.get("/api/v1/audit", params={"limit": 20}).json()["items"]
    assert [each["action"] for each in entries if each["thing_name"] == "wipe"][:2] == [
        "tool.call",
        "approval.approve",
    ]
    assert next(each for each in entries if each["action"] == "tool.call")["after"]["approved"] is True


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (NO, "said no"),
        (types.ElicitResult(action="cancel"), "did not answer"),
        ({"confirm": False}, "said no"),
        ({}, "said no"),
        ({"confirm": "true"}, "said no"),
    ],
)
async def test_anything_but_a_yes_is_a_no(server: Served, shop: Shop, answer: Any, says: str) -> None:
    async with connected(server, token(server, "peer"), person=Person(answer)) as client:
        result = await client.call_tool("wipe", {})
    assert (result.is_error, shop.did) == (True, [])
    assert says in result.content[0].text


async def test_what_a_tool_finds_out_by_itself_is_asked_as_well(server: Served, shop: Shop) -> None:
    person = Person(NO)
    async with connected(server, token(server, "peer"), person=person) as client:
        await client.call_tool("hesitate", {})
    assert "It costs 20 €." in person.seen[0].message


@pytest.mark.parametrize("how", ["key", "legacy", "silent"])
async def test_who_cannot_be_asked_is_told_where(server: Served, shop: Shop, how: str) -> None:
    """An API key is nobody's yes; before 2026-07-28, and with a program that cannot ask, there is nobody to ask."""
    credential, person = token(server, "peer"), Person(YES)
    if how == "key":
        with server.client("peer") as peer:
            made = peer.post("/api/v1/api-keys", json={"name": "Tool", "scopes": ["read", "write"]}).json()
        credential = made["key"]
    mode = "legacy" if how == "legacy" else "auto"
    async with connected(server, credential, mode, person=None if how == "silent" else person) as client:
        result = await client.call_tool("wipe", {})
    assert (result.is_error, shop.did, person.seen) == (True, [], [])
    assert "in a conversation in Famulus" in said(result)["said"]
    if how == "key":
        with server.client("peer") as peer:
            assert peer.delete(f"/api/v1/api-keys/{made['id']}").status_code == 204


async def test_a_yes_of_somebody_else_is_not_asked_for(server: Served, shop: Shop) -> None:
    path = f"/api/v1/organizations/{server.academy.ids['organization']}/tool-rules"
    rules = [{"tools": "wipe", "decision": "ask", "approver": "organization_admin"}]
    with server.client("admin") as admin:
        assert admin.put(path, json={"rules": rules}).status_code == 200
    try:
        person, admin_person = Person(YES), Person(YES)
        async with connected(server, token(server, "peer"), person=person) as client:
            refused = await client.call_tool("wipe", {})
        async with connected(server, token(server, "admin"), person=admin_person) as client:
            done = await client.call_tool("wipe", {})
    finally:
        with server.client("admin") as admin:
            assert admin.put(path, json={"rules": []}).status_code == 200
    assert (refused.is_error, person.seen) == (True, [])
    assert (done.is_error, len(admin_person.seen)) == (False, 1)


async def test_M02_a_yes_counts_once_and_for_what_was_shown(server: Served, shop: Shop) -> None:
    async with connected(server, token(server, "peer"), person=Person()) as client:
        asked = await client.session.call_tool("wipe", {}, allow_input_required=True)
        answers = {"person": accepted(YES)}

        async def again(arguments: dict[str, Any], name: str = "wipe", state: str | None = None) -> Any:
            return await client.session.call_tool(
                name,
                arguments,
                input_responses=answers,
                request_state=state or asked.request_state,
                allow_input_required=True,
            )

        other_tool = await again({"words": "x"}, "order")
        with pytest.raises(MCPError):
            await again({}, state="v1." + "A" * 80)
        first, second = await again({}), await again({})
    assert "another call" in other_tool.content[0].text
    assert (first.is_error, second.is_error) == (False, True)
    assert shop.did == ["Nothing"]
    async with connected(server, token(server, "student"), person=Person()) as client:
        with pytest.raises(MCPError, match="not of this server and person"):
            await client.session.call_tool(
                "wipe",
                {},
                input_responses=answers,
                request_state=asked.request_state,
                allow_input_required=True,
            )


async def test_two_answers_at_once_do_it_once(server: Served, shop: Shop) -> None:
    async with connected(server, token(server, "peer"), person=Person()) as client:
        asked = await client.session.call_tool("order", {"words": "chalk"}, allow_input_required=True)
        results = await asyncio.gather(
            *(
                client.session.call_tool(
                    "order",
                    {"words": "chalk"},
                    input_responses={"person": accepted(YES)},
                    request_state=asked.request_state,
                    allow_input_required=True,
                )
                for _ in range(4)
            )
        )
    assert sorted(result.is_error for result in results) == [False, True, True, True]
    assert shop.did == ["Words"]


async def test_what_is_missing_is_asked_for(server: Served) -> None:
    person = Person({"title": "Read about rivers"})
    async with connected(server, token(server, "peer"), person=person) as client:
        result = await client.call_tool("create_task", {"description": "Before Monday."})
    assert result.is_error is False
    [asked] = person.seen
    assert asked.requested_schema["required"] == ["title"]
    assert asked.requested_schema["properties"]["title"]["type"] == "string"
    assert "Read about rivers" in said(result)["said"]


async def test_which_one_is_meant_is_asked_and_then_whether_to_do_it(server: Served) -> None:
    with server.client("peer") as peer:
        ids = [peer.post("/api/v1/tasks", json={"title": f"Sort maps {n}"}).json()["id"] for n in (1, 2)]
    person = Person({"task": ids[1]}, YES)
    async with connected(server, token(server, "peer"), person=person) as client:
        result = await client.call_tool("delete_task", {"task": "Sort maps"})
    assert result.is_error is False
    which, whether = person.seen
    assert sorted(which.requested_schema["properties"]["task"]["enum"]) == sorted(ids)
    assert "Remove the task “Sort maps 2” for good" in whether.message
    with server.client("peer") as peer:
        titles = [each["title"] for each in peer.get("/api/v1/tasks").json()["items"]]
        assert "Sort maps 2" not in titles
        assert "Sort maps 1" in titles
        peer.delete(f"/api/v1/tasks/{ids[0]}")


async def test_a_secret_is_never_asked_for(server: Served, shop: Shop) -> None:
    person = Person()
    async with connected(server, token(server, "peer"), person=person) as client:
        result = await client.call_tool("sign_in", {})
    assert (result.is_error, person.seen) == (True, [])
