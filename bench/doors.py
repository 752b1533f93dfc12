"""What a relayed token costs at each door that streams, against the native one: the same server, load and minute.

With `--streams 500` the same of so many streams at once: what each takes of memory, and how evenly its tokens come;
every answer has to come whole.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from uuid import uuid4

from bench.load import Stream
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
from bench.sockets import SocketStream, by_socket

SAID = "Tell me about the sea."
GOALS = {"chatkit": 2.0}
GOAL = 1.3
MANY_RATE, MANY_TOKENS, MANY_RAMP = 5, 60, 5.0
"""Of many streams: tokens per second and tokens of each, and the seconds over which they begin."""
MANY = "streams"
"""Their table's name in the document."""
WARM = 20
NATIVE = "native"
DOORS = (
    NATIVE,
    "WebSocket",
    "chats",
    "simple chat",
    "chatkit",
    "chat completions",
    "responses",
    "AG-UI",
    "AI SDK",
)
Requests = Callable[[str, int], list[bytes]]


class Paced(Stream):
    """One answer whose tokens' distances are noted."""

    last = 0.0

    def data_received(self, data: bytes) -> None:
        now = time.perf_counter()
        if data.count(self.mark):
            if self.count:
                GAPS.append(now - self.last)
            self.last = now
        super().data_received(data)


class PacedSocket(Paced, SocketStream):
    """The same over a socket."""


GAPS: list[float] = []
"""Seconds between tokens of one stream, of the load that is measured."""


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

    def chatkit(model: str, streams: int) -> list[bytes]:
        content = [{"type": "input_text", "text": SAID}]
        said: dict[str, object] = {"content": content, "attachments": [], "inference_options": {}}
        whose = {"assistantId": assistant(model)}
        body = {"type": "threads.create", "params": {"input": said}, "metadata": whose}
        return [post("/chatkit", body, headers)] * streams

    def in_threads(path: str, name: str) -> Requests:
        """Requests in the same threads as the native door's, to another address that takes them by this name."""

        def requests(model: str, streams: int) -> list[bytes]:
            threads = [
                each.split(b" ", 2)[1].decode().split("/")[4] for each in server.requests(model, streams)
            ]
            return [post(path, {name: id, "message": SAID}, headers) for id in threads]

        return requests

    chats = in_threads("/assistant/chats/send/stream", "thread_id")
    simple = in_threads("/api/chat?stream=true", "conversation_id")
    return [
        by_socket(server),
        replace(server, name="chats", requests=chats, mark=b"event: delta"),
        replace(server, name="simple chat", requests=simple, mark=b"event: delta"),
        replace(server, name="chatkit", requests=chatkit, mark=b'.text_delta"'),
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
        goal = "" if door is doors[0] else f"≤ {GOALS.get(door.name, GOAL)} × the native door"
        lines.append(
            f"| {door.name} | {each['token_us']:.2f} | {each['whole_us']:.2f} | {ratio:.2f} | {goal} |"
        )
    return "\n".join(lines)


def token_costs(doors: list[Server]) -> str:
    """Each door under the paced load, in turn."""
    for door in doors:
        load(door, f"bench-{TOKENS // 4}-{RATE * 2}", STREAMS, 1, TOKENS // 4)
    rounds: list[list[Result]] = [[] for _ in doors]
    for _ in range(ROUNDS):
        for door, results in zip(doors, rounds, strict=True):
            results.append(load(door, f"bench-{TOKENS}-{RATE}", STREAMS, 1, TOKENS, ramp=RAMP))
    return table(doors, rounds)


def many(upstream: str, streams: int, only: Sequence[str]) -> str:
    """The figures of many streams at once, in Markdown; each door at a server of its own, whose memory is fresh.

    Of doors that are not measured now the table keeps what it says.
    """
    begun = f"<!-- bench: {MANY} -->\n"
    before = DOCUMENT.read_text("utf-8").partition(begun)[2].partition("<!-- end -->")[0].splitlines()
    lines = {line.split(" | ")[0].removeprefix("| "): line for line in before[2:]}
    for name in only:
        with ExitStack() as stack:
            server = famulus(stack, upstream, None)
            doors = [replace(server, name=NATIVE), *other_doors(server)]
            [door] = [each for each in doors if each.name == name]
            door = replace(door, stream=PacedSocket if issubclass(door.stream, SocketStream) else Paced)
            load(door, f"bench-{WARM}-0", WARM, 1, WARM)
            lines[name] = _line(door, streams)
            print(lines[name], flush=True)
    head = [
        "| door | per stream, kB | CPU of the core, % | between tokens, p50, ms | p99, ms | first token, p99, ms |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    return "\n".join([*head, *(lines[name] for name in DOORS if name in lines)])


def _line(door: Server, streams: int) -> str:
    GAPS.clear()
    result = load(door, f"bench-{MANY_TOKENS}-{MANY_RATE}", streams, 1, MANY_TOKENS, ramp=MANY_RAMP)
    gaps, firsts = sorted(GAPS), sorted(result.tally.first_token)
    first = firsts[int(len(firsts) * 0.99)] * 1e3 - 1000 / MANY_RATE
    return (
        f"| {door.name} | {result.growth / streams / 1e3:.1f} | {result.cpu / result.seconds * 100:.0f} |"
        f" {gaps[len(gaps) // 2] * 1e3:.0f} | {gaps[int(len(gaps) * 0.99)] * 1e3:.0f} | {first:.0f} |"
    )


def main() -> None:
    """Measure, print and perhaps write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the table into docs/reference/bench.md")
    parser.add_argument(
        "--streams", type=int, default=0, help="so many at once, instead of 100 for each door"
    )
    parser.add_argument("--only", action="append", choices=DOORS, help="of many: this door; may come again")
    options = parser.parse_args()
    os.environ["FAMULUS_MAX_STREAMS"] = os.environ["FAMULUS_MAX_SOCKETS"] = (
        "5000"  # of the one person there is
    )
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(started([sys.executable, "bench/upstream.py", str(port)], 1))
        if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {1})
        upstream = f"http://127.0.0.1:{port}/v1"
        if options.streams:
            result = many(upstream, options.streams, options.only or DOORS)
        else:
            server = famulus(stack, upstream, None)
            result = token_costs([replace(server, name=NATIVE), *other_doors(server)])
    print(result)
    if options.write:
        write_table(DOCUMENT, result, MANY if options.streams else "doors")


if __name__ == "__main__":
    main()
