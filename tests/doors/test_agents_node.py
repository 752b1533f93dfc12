"""The doors for others' user interfaces, driven by those interfaces' own clients in Node."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.support.academy import PASSWORD
from tests.support.docs_markdown import blocks
from tests.support.node import WEB
from tests.support.serving import Served

HOW_TO = Path(__file__).resolve().parents[2] / "docs" / "how-to"
ANSWER = "One two three. *Grüße* 🚀 and **done**."
BRIEF = "word " * 29 + "word"


def driven(node: Path, script: str, served: Served, path: str) -> Any:
    """What a script in Node has found at a door."""
    token = served.academy.people["student"].token
    command = [node, WEB / "tests" / script, f"{served.url}{path}", token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.slow
def test_the_client_of_ag_ui(embedded: Served, node: Path) -> None:
    found = driven(node, "ag-ui-client.mjs", embedded, "/ag-ui")
    assert found["hello"] == ANSWER
    assert found["customs"] == ["assistant", "title"]
    assert found["tool"] == [
        ["user", None], ["assistant", "list_my_courses"], ["tool", None], ["assistant", None],
    ]  # fmt: skip
    assert found["last"] == "You have some courses."
    assert found["asked"] == ["get_weather", {"city": "Bonn"}]
    assert found["weather"] == "It rains in Bonn."
    assert (found["interrupt"], found["erased"], found["pending"]) == ("tool_approval", "It is erased.", 0)
    assert found["back"] == BRIEF
    assert found["roles"] == ["user", "assistant"]
    assert found["refused"] == 401


@pytest.mark.slow
@pytest.mark.parametrize("page", ["use-with-ag-ui.md", "use-with-the-ai-sdk.md"])
def test_the_examples_run(embedded: Served, node: Path, page: str) -> None:
    """As they stand on the page, but for who signs in."""
    [example] = [each.text for each in blocks((HOW_TO / page).read_text("utf-8")) if each.language == "js"]
    source = example.replace("http://127.0.0.1:8000", embedded.url)
    source = source.replace("student@famulus.local", "peer@famulus.local").replace("password123", PASSWORD)
    command = [node, "--input-type=module", "-"]
    done = subprocess.run(command, input=source, cwd=WEB, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"{ANSWER}\n2 messages\n"), done.stderr


@pytest.mark.slow
def test_the_client_of_the_ai_sdk(embedded: Served, node: Path) -> None:
    found = driven(node, "ai-sdk-client.mjs", embedded, "/ai-sdk")
    assert found["hello"] == ANSWER
    assert found["usage"]
    assert found["tool"] == ["step-start", "dynamic-tool", "step-start", "text"]
    assert found["last"] == found["again"] == "You have some courses."
    assert found["count"] == 4
    assert found["changed"] == [2, "Hello.", ANSWER]
    assert found["reloaded"] == ["Please use a tool.", "You have some courses."]
    assert found["kept"] == ["Hello.", ANSWER, "Please use a tool.", "You have some courses."]
    assert found["same"]
    assert found["weather"] == [2, "It rains in Bonn."]
    assert found["asked"] == "delete_task"
    assert found["erased"] == [2, "It is erased."]
    assert found["state"] == "output-available"
    assert 0 < found["partial"] < len(BRIEF)
    assert found["resumed"] == [2, BRIEF]
    assert found["nothing"] == 2
    assert found["failed"][0] == "error"
