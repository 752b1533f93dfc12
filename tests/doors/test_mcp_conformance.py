"""The door `/mcp` under the protocol's own conformance suite, at each revision of the protocol.

The suite calls tools by names of its own; those that a tool of ours can be are offered for it. What the door does not
do is listed in `tests/conformance/expected.toml`, each with its reason: nothing else may fail, and nothing in the list
may pass unnoticed.
"""

import json
import subprocess
import tomllib
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from famulus.doors.mcp import McpDoor
from famulus.doors.mcp_calls import Caller
from famulus.tools.arguments import Arguments, Nothing
from famulus.tools.contract import Done, Json, Lack, Retry, Tool, ToolContext, ToolFailed
from famulus.tools.offer import Toolbox
from tests.support.availability import missing
from tests.support.mcp import token
from tests.support.node import find_node
from tests.support.serving import Served

FOLDER = Path(__file__).parents[1] / "conformance"
SUITE = FOLDER / "node_modules" / "@modelcontextprotocol" / "conformance" / "dist" / "index.js"
REVISIONS = ("2026-07-28", "2025-11-25")
OLDEST_NODE = 22
Failed = Mapping[str, str]


class Named(Arguments):
    name: str


class Agreed(Arguments):
    ok: bool


class Painted(Arguments):
    name: str = ""
    color: str = ""


async def answer(_context: ToolContext, given: Any) -> Done:
    return Done(f"state-ok: {given}")


async def fail(_context: ToolContext, _given: Nothing) -> Done:
    raise ToolFailed("It was meant to fail.")


def one_by_one(arguments: Json) -> Painted:
    """Asks for two things, one after the other."""
    for name in ("name", "color"):
        if name not in arguments:
            raise Retry(f"`{name}` is missing.", Lack((name,)))
    return Painted.model_validate(dict(arguments))


TOOLS = (
    Tool("test_simple_text", "Answer.", Nothing, "reads", answer, place="server"),
    Tool("test_error_handling", "Fail.", Nothing, "reads", fail, place="server"),
    Tool("test_input_required_result_elicitation", "Ask.", Named, "reads", answer, place="server"),
    Tool("test_input_required_result_request_state", "Ask.", Agreed, "reads", answer, place="server"),
    Tool("test_input_required_result_tampered_state", "Ask.", Agreed, "reads", answer, place="server"),
    Tool("test_input_required_result_multi_round", "Ask.", Painted, "reads", answer, place="server", check=one_by_one),
)  # fmt: skip


class SignedIn(McpDoor):
    """The door with a credential for whoever brings none: the suite has no way to bring one."""

    credential: str

    async def answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        shown = (b"authorization", f"Bearer {self.credential}".encode())
        await super().answer({**scope, "headers": [*scope["headers"], shown]}, receive, send)


@pytest.fixture
def judged(embedded: Served) -> Iterator[Served]:
    """The server with a student's tools and those that the suite calls."""
    state, ours = embedded.app.state, embedded.app.state.mcp
    toolbox = Toolbox((*ours.caller.toolbox.own.values(), *TOOLS))
    caller = Caller(state.database, toolbox, ours.caller.hands, state.vault)
    state.mcp = SignedIn(state.settings, state.authenticator, caller, version="test")
    state.mcp.credential = token(embedded, "student")
    yield embedded
    state.mcp = ours


def suite() -> list[Path]:
    """The command of the suite; ends the test where it is not there."""
    node = find_node(OLDEST_NODE)
    if node is None or not SUITE.exists():
        missing(
            "MCP's conformance suite", "run `scripts/test`, or `npm ci` in tests/conformance with Node 22"
        )
    return [node, SUITE]


def failures(url: str, revision: str, folder: Path) -> tuple[Failed, int]:
    """What fails of a revision, by the names of scenario and check; and how much passes."""
    options = ["server", "--url", url, "--requirements", revision, "--output-dir", folder]
    done = subprocess.run([*suite(), *options], capture_output=True, text=True, timeout=120, check=False)
    assert "=== SUMMARY ===" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]
    failed: dict[str, str] = {}
    passed = 0
    for report in folder.glob("server-*/checks.json"):
        scenario = report.parent.name.removeprefix("server-").rsplit("-", 6)[0]
        for check in json.loads(report.read_text()):
            passed += check["status"] == "SUCCESS"
            if check["status"] == "FAILURE":
                failed[f"{scenario}/{check['id']}"] = check.get("errorMessage", "")
    return failed, passed


@pytest.mark.slow
def test_the_protocol_s_own_suite(judged: Served, tmp_path: Path) -> None:
    reasons = tomllib.loads((FOLDER / "expected.toml").read_text())["reason"]
    expected = [check for reason in reasons for check in reason["checks"]]
    found: dict[str, str] = {}
    for revision in REVISIONS:
        failed, passed = failures(f"{judged.url}/mcp", revision, tmp_path / revision)
        assert passed > len(failed), revision
        found |= failed
    unknown = {
        each: why for each, why in found.items() if not any(fnmatchcase(each, one) for one in expected)
    }
    assert unknown == {}
    assert [one for one in expected if not any(fnmatchcase(each, one) for each in found)] == []
