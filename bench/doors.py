"""What a relayed token costs at each door that streams, against the native one: the same server, load and minute."""

import argparse
import os
import sys
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from uuid import uuid4

from bench.run import (
    DOCUMENT,
    EMAIL,
    PASSWORD,
    RAMP,
    RATE,
    ROUNDS,
    STREAMS,
    TOKENS,
    Result,
    Server,
    call,
    famulus,
    free_port,
    load,
    post,
    started,
    summary,
    write_table,
)

SAID = "Tell me about the sea."
GOAL = 1.3
Requests = Callable[[str, int], list[bytes]]


def other_doors(server: Server) -> list[Server]:
    """The doors for others' clients of the same server."""
    sign_in = {"email": EMAIL, "password": PASSWORD, "session_mode": "api"}
    token = str(call(server.port, "/api/auth/login", sign_in)["access_token"])
    headers = {"authorization": f"Bearer {token}"}
    assistants: dict[str, str] = {}

    def assistant(model: str) -> str:
        if model not in assistants:
            new = {"scope": "global", "name": f"Door {model}", "instructions": "Be helpful."}
            new |= {"settings": {"model": f"compatible:{model}"}}
            assistants[model] = str(call(server.port, "/api/v1/assistants", new, token)["id"])
        return assistants[model]

    def chat(model: str, streams: int) -> list[bytes]:
        messages = [{"role": "user", "content": SAID}]
        body = {"model": assistant(model), "stream": True, "messages": messages}
        return [post("/v1/chat/completions", body, headers)] * streams

    def responses(model: str, streams: int) -> list[bytes]:
        body = {"model": assistant(model), "stream": True, "input": SAID, "store": False}
        return [post("/v1/responses", body, headers)] * streams

    def ag_ui(model: str, streams: int) -> list[bytes]:
        said = [{"id": "m", "role": "user", "content": SAID}]
        props = {"assistantId": assistant(model)}
        bodies = [
            {"threadId": uuid4().hex, "runId": uuid4().hex, "messages": said, "forwardedProps": props}
            for _ in range(streams)
        ]
        return [post("/ag-ui", body, headers) for body in bodies]

    def ai_sdk(model: str, streams: int) -> list[bytes]:
        said = [{"id": "m", "role": "user", "parts": [{"type": "text", "text": SAID}]}]
        beside = {"messages": said, "assistantId": assistant(model)}
        return [post("/ai-sdk", {"id": uuid4().hex, **beside}, headers) for _ in range(streams)]

    return [
        replace(server, name="chat completions", requests=chat, mark=b'"content":"t'),
        replace(server, name="responses", requests=responses, mark=b"event: response.output_text.delta"),
        replace(server, name="AG-UI", requests=ag_ui, mark=b"TEXT_MESSAGE_CONTENT"),
        replace(server, name="AI SDK", requests=ai_sdk, mark=b'"text-delta"'),
    ]


def table(doors: list[Server], rounds: list[list[Result]]) -> str:
    """The figures side by side, in Markdown."""
    figures = [summary(each) for each in rounds]
    lines = [
        "| door | CPU per relayed token, µs | with beginnings and ends, µs | ratio | goal |",
        "|---|--:|--:|--:|---|",
    ]
    for door, each in zip(doors, figures, strict=True):
        ratio = each["token_us"] / figures[0]["token_us"]
        goal = "" if door is doors[0] else f"≤ {GOAL} × the native door"
        lines.append(
            f"| {door.name} | {each['token_us']:.2f} | {each['whole_us']:.2f} | {ratio:.2f} | {goal} |"
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, print and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/reference/bench.md")
    options = parser.parse_args()
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(started([sys.executable, "bench/upstream.py", str(port)], 1))
        if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {1})
        server = famulus(stack, f"http://127.0.0.1:{port}/v1", None)
        doors = [replace(server, name="native"), *other_doors(server)]
        for door in doors:
            load(door, f"bench-{TOKENS // 4}-{RATE * 2}", STREAMS, 1, TOKENS // 4)
        rounds: list[list[Result]] = [[] for _ in doors]
        for _ in range(ROUNDS):
            for door, results in zip(doors, rounds, strict=True):
                results.append(load(door, f"bench-{TOKENS}-{RATE}", STREAMS, 1, TOKENS, ramp=RAMP))
        result = table(doors, rounds)
    print(result)
    if options.write:
        write_table(DOCUMENT, result, "doors")


if __name__ == "__main__":
    main()
