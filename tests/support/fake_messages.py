"""The events of Anthropic's Messages wire, for the fake provider and for tests that write streams themselves."""

import json
from collections.abc import Mapping, Sequence
from typing import Final

STOP: Final = b'event: message_stop\ndata: {"type": "message_stop"}\n\n'
PING: Final = b'event: ping\ndata: {"type": "ping"}\n\n'


def event(kind: str, **fields: object) -> bytes:
    """One server-sent event with its name before it."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **fields}, ensure_ascii=False)}\n\n".encode()


def start(**usage: int) -> bytes:
    """The first event of an answer; `usage` as the wire names it."""
    message = {"id": "msg_1", "type": "message", "role": "assistant", "model": "fake", "content": []}
    return event("message_start", message=message | {"stop_reason": None, "usage": usage})


def begin(index: int = 0, type: str = "text", **fields: object) -> bytes:
    """The beginning of a block."""
    return event("content_block_start", index=index, content_block={"type": type, **fields})


def delta(type: str, index: int = 0, **fields: object) -> bytes:
    """The next piece of a block."""
    return event("content_block_delta", index=index, delta={"type": type, **fields})


def text(content: str, index: int = 0) -> bytes:
    """The next piece of a text."""
    return delta("text_delta", index, text=content)


def close(index: int = 0) -> bytes:
    """The end of a block."""
    return event("content_block_stop", index=index)


def stopped(reason: str | None, **usage: int) -> bytes:
    """Why the model stopped, and what it has written."""
    return event("message_delta", delta={"stop_reason": reason, "stop_sequence": None}, usage=usage)


def call_events(index: int, call_id: str, name: str, arguments: str) -> list[bytes]:
    """A tool call as Anthropic streams it: an empty piece first, then the arguments in two."""
    middle = len(arguments) // 2
    pieces = ("", arguments[:middle], arguments[middle:])
    return [
        begin(index, "tool_use", id=call_id, name=name, input={}),
        *(delta("input_json_delta", index, partial_json=piece) for piece in pieces),
        close(index),
    ]


def answer_events(
    words: Sequence[str],
    *,
    tool_calls: Sequence[tuple[str, Mapping[str, object]]] = (),
    finish: str | None = None,
    usage_tokens: tuple[int, int] | None = (12, 34),
) -> list[bytes]:
    """The events of a whole answer, but for the one that says that nothing follows."""
    read, written = usage_tokens or (None, None)
    events = [start(**{"input_tokens": read, "output_tokens": 1} if read is not None else {}), PING]
    if any(words):
        events += [begin(text=""), *(text(word) for word in words if word), close()]
    for number, (name, arguments) in enumerate(tool_calls):
        events += call_events(number + 1, f"toolu_{number}_{name}", name, json.dumps(arguments))
    reason = finish or ("tool_use" if tool_calls else "end_turn")
    return [*events, stopped(reason, **{"output_tokens": written} if written is not None else {})]
