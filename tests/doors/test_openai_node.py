"""The OpenAI-compatible door, driven by OpenAI's client for Node."""

import json
import subprocess
from pathlib import Path

import pytest

from tests.support.node import WEB
from tests.support.serving import Served

ANSWER = "One two three. *Grüße* 🚀 and **done**."


@pytest.mark.slow
def test_the_client_for_node(embedded: Served, node: Path) -> None:
    token = embedded.academy.people["student"].token
    command = [node, WEB / "tests" / "openai-client.mjs", f"{embedded.url}/v1", token]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert {"famulus", embedded.academy.ids["course"]} <= set(found["models"])
    assert (found["chat"], found["answer"]) == (ANSWER, ANSWER)
    assert found["tokens"] > 0
    assert found["final"] == "You have some courses."
    assert found["items"] == ["mcp_call", "message"]
    assert found["events"][-1] == "response.completed"
    assert found["said"] == ["What is a spring?", "Hello.", ANSWER]
    assert found["gapless"]
    assert found["status"] == "cancelled"
    assert found["refused"] == {"name": "NotFoundError", "status": 404, "code": "unknown_model"}
