"""A fake model server that costs as little as possible: OpenAI's streamed chat completions as pre-encoded bytes.

The model's name says what to answer: `bench-TOKENS-RATE`, with RATE in tokens per second and 0 for everything at once;
`act-TOKENS-RATE` first adds a task with a tool.
"""

import asyncio
import json
import sys
from typing import Any, cast

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
MODELS = b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 11\r\n\r\n{"data":[]}'


def _chunk(value: object) -> bytes:
    body = b"data: " + (value if isinstance(value, bytes) else json.dumps(value).encode()) + b"\n\n"
    return b"%x\r\n%b\r\n" % (len(body), body)


def _event(delta: dict[str, Any], finish: str | None = None) -> dict[str, object]:
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return {
        "id": "chatcmpl-bench",
        "object": "chat.completion.chunk",
        "created": 1700000000,
        "model": "bench",
        "choices": [choice],
    }


TOKEN = _chunk(_event({"content": "token "}))
USAGE = {"prompt_tokens": 10, "completion_tokens": 10, "total_tokens": 20}
LAST = (
    _chunk(_event({}, "stop"))
    + _chunk({**_event({}), "choices": [], "usage": USAGE})
    + _chunk(b"[DONE]")
    + b"0\r\n\r\n"
)

TASK = {"name": "create_task", "arguments": json.dumps({"title": "Water the plants"})}
CALL = (
    _chunk(_event({"tool_calls": [{"index": 0, "id": "call_1", "type": "function", "function": TASK}]}))
    + _chunk(_event({}, "tool_calls"))
    + _chunk(b"[DONE]")
    + b"0\r\n\r\n"
)


class Upstream(asyncio.Protocol):
    """One connection; requests come one after another."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)
        self.rest = b""

    def data_received(self, data: bytes) -> None:
        self.rest += data
        head, separator, body = self.rest.partition(b"\r\n\r\n")
        if not separator:
            return
        lengths = [
            line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")
        ]
        length = int(lengths[0]) if lengths else 0
        if len(body) < length:
            return
        self.rest = body[length:]
        if head.startswith(b"GET"):
            self.transport.write(MODELS)
            return
        asked = json.loads(body[:length])
        kind, tokens, rate = asked["model"].split("-")
        if kind == "act" and asked["messages"][-1]["role"] != "tool":
            self.transport.write(HEAD + CALL)
        else:
            self.answer(int(tokens), float(rate))

    def answer(self, tokens: int, rate: float) -> None:
        if not rate:
            self.transport.write(HEAD + TOKEN * tokens + LAST)
            return
        self.transport.write(HEAD)
        loop = asyncio.get_running_loop()
        began, gap = loop.time(), 1 / rate

        def tick(number: int) -> None:
            if self.transport.is_closing():
                return
            if number == tokens:
                self.transport.write(LAST)
                return
            self.transport.write(TOKEN)
            loop.call_at(began + (number + 1) * gap, tick, number + 1)

        loop.call_at(began + gap, tick, 0)


async def main(port: int) -> None:
    """Serve on 127.0.0.1 until killed."""
    server = await asyncio.get_running_loop().create_server(Upstream, "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


if __name__ == "__main__":
    import uvloop

    uvloop.run(main(int(sys.argv[1])))
