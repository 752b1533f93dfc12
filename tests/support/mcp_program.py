"""An MCP server that is a program, for `python mcp_program.py [HOW]`: `forks` leaves a child behind, `floods` never stops."""

import json
import os
import subprocess
import sys
from typing import Any

TOOLS = [
    {
        "name": "echo",
        "description": "Say it again.",
        "inputSchema": {"type": "object", "properties": {"text": {}}},
    },
    {"name": "environment", "inputSchema": {"type": "object"}, "annotations": {"readOnlyHint": True}},
]


def answer(message: dict[str, Any]) -> dict[str, Any] | None:
    match message["method"]:
        case "initialize":
            return {
                "protocolVersion": "2025-06-18",
                "capabilities": {},
                "serverInfo": {"name": "p", "version": "1"},
            }
        case "tools/list":
            return {"tools": TOOLS}
        case "tools/call":
            given = message["params"]
            text = given["arguments"].get("text", "") if given["name"] == "echo" else str(dict(os.environ))
            return {"content": [{"type": "text", "text": text}]}
    return None


def write(message: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(message) + "\n")
    sys.stdout.flush()


def main(how: str) -> None:
    if how.startswith("forks"):
        subprocess.Popen(["sleep", "1234." + how.removeprefix("forks")])
    while how.startswith("floods"):
        sys.stdout.write("x" * 1_000_000)
    sys.stdout.write("A word before anything else.\n")
    for line in sys.stdin:
        message = json.loads(line)
        if "id" in message and "method" in message:
            asked = {"jsonrpc": "2.0", "id": "mine", "method": "roots/list"}
            write(asked)
            told = {"jsonrpc": "2.0", "id": message["id"], "result": answer(message)}
            write(told)


if __name__ == "__main__":
    main("".join(sys.argv[1:]))
