"""What a token costs over the WebSocket, against the same server's own event stream, under the same load in turn."""

import argparse
import base64
import json
import os
import struct
import sys
from contextlib import ExitStack
from dataclasses import replace

from bench.load import Stream
from bench.run import (
    RAMP,
    RATE,
    ROOT,
    ROUNDS,
    STREAMS,
    TOKENS,
    Result,
    Server,
    famulus,
    free_port,
    load,
    postgres_database,
    started,
    summary,
    write_table,
)

DOCUMENT = ROOT / "docs" / "reference" / "bench-sockets.md"
MASK = b"\0\0\0\0"
"""Of a client's frame; it may be any, and this one leaves the bytes as they are."""
ROWS = (
    ("CPU per relayed token while 100 streams flow, µs", "token_us", "≤ 1.3"),
    ("The same with the turns' beginnings and ends, µs", "whole_us", ""),
    ("Time to the first token above the upstream's, p50, ms", "first_p50_ms", ""),
    ("Memory per open stream, kB", "stream_kb", "≤ 30 kB"),
)


class SocketStream(Stream):
    """One socket: it is opened, then a message is sent, and its run ends with the frame `done`."""

    def data_received(self, data: bytes) -> None:
        head, found, rest = data.partition(b"\r\n\r\n")
        if head.startswith(b"HTTP/1.1 101") and found:
            self.transport.write(self.after)
            data = rest
        super().data_received(data)

    async def turn(self, request: bytes, expected: int) -> None:
        head, _, self.after = request.partition(b"\r\n\r\n")
        await super().turn(head + b"\r\n\r\n", expected)

    def ended(self, data: bytes) -> bool:
        self.tail = (self.tail + data)[-400:]
        return b'"type":"done"' in self.tail


def by_socket(server: Server) -> Server:
    """The same server through its other door."""

    def requests(model: str, streams: int) -> list[bytes]:
        made: list[bytes] = []
        for request in server.requests(model, streams):
            head, _, body = request.partition(b"\r\n\r\n")
            path, token = head.split()[1].decode(), head.split(b"Bearer ")[1].split(b"\r\n")[0].decode()
            content = json.loads(body)["message"]
            made.append(_handshake(token) + _frame({"thread_id": path.split("/")[4], "content": content}))
        return made

    return replace(server, name="WebSocket", requests=requests, mark=b'"type":"delta"', stream=SocketStream)


def _handshake(token: str) -> bytes:
    lines = [
        "GET /ws/ai-assistant HTTP/1.1", "host: 127.0.0.1", "upgrade: websocket", "connection: Upgrade",
        f"sec-websocket-key: {base64.b64encode(os.urandom(16)).decode()}", "sec-websocket-version: 13",
        f"authorization: Bearer {token}",
    ]  # fmt: skip
    return "\r\n".join(lines).encode() + b"\r\n\r\n"


def _frame(fields: dict[str, object]) -> bytes:
    payload = json.dumps({"type": "user_message", **fields}).encode()
    return struct.pack("!BBH", 0x81, 0x80 | 126, len(payload)) + MASK + payload


def measure(servers: list[Server]) -> list[dict[str, float]]:
    """The paced load, given to both in turn after one round to get warm."""
    rounds: list[list[Result]] = [[] for _ in servers]
    for server in servers:
        load(server, f"bench-{TOKENS // 4}-{RATE * 2}", STREAMS, 1, TOKENS // 4)
    for _ in range(ROUNDS):
        for server, results in zip(servers, rounds, strict=True):
            results.append(load(server, f"bench-{TOKENS}-{RATE}", STREAMS, 1, TOKENS, ramp=RAMP))
    return [summary(results) for results in rounds]


def table(socket: dict[str, float], stream: dict[str, float]) -> str:
    """The figures side by side, in Markdown."""
    lines = ["| measure | WebSocket | event stream | ratio | goal |", "|---|--:|--:|--:|---|"]
    for title, key, goal in ROWS:
        ratio = f"{socket[key] / stream[key]:.2f}" if stream[key] > 0 else "–"
        lines.append(f"| {title} | {socket[key]:.2f} | {stream[key]:.2f} | {ratio} | {goal} |")
    return "\n".join(lines)


def main() -> None:
    """Run it all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="store in a PostgreSQL of its own")
    parser.add_argument(
        "--write", action="store_true", help="write the table into docs/reference/bench-sockets.md"
    )
    options = parser.parse_args()
    os.environ["FAMULUS_MAX_SOCKETS"] = str(2 * STREAMS)  # of the one person that there is
    with ExitStack() as stack:
        port = free_port()
        stack.enter_context(started([sys.executable, "bench/upstream.py", str(port)], 1))
        if (os.cpu_count() or 1) > 1 and hasattr(os, "sched_setaffinity"):
            os.sched_setaffinity(0, {1})
        database = stack.enter_context(postgres_database()) if options.postgres else None
        server = famulus(stack, f"http://127.0.0.1:{port}/v1", database)
        result = table(*measure([by_socket(server), server]))
    print(result)
    if options.write:
        write_table(DOCUMENT, result, "postgresql" if options.postgres else "sqlite")


if __name__ == "__main__":
    main()
