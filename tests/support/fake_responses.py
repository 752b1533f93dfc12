"""The events of OpenAI's Responses wire, for the fake provider and for tests that write streams themselves."""

import itertools
import json
from collections.abc import Mapping, Sequence

_numbers = itertools.count()


def event(kind: str, **fields: object) -> bytes:
    """One server-sent event with its name before it."""
    data = {"type": kind, "sequence_number": next(_numbers), **fields}
    return f"event: {kind}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()


def lifecycle(kind: str, **fields: object) -> bytes:
    """An event about the whole response, such as `created`."""
    response = {"id": "resp_1", "object": "response", "model": "fake", "output": [], "status": kind}
    return event(f"response.{kind}", response={**response, **fields})


def text(content: str, index: int = 0) -> bytes:
    """The next piece of a text."""
    place = {"item_id": "msg_1", "output_index": index, "content_index": 0}
    return event("response.output_text.delta", **place, delta=content, logprobs=[])


def completed(input_tokens: int | None = 12, output_tokens: int | None = 34, **fields: object) -> bytes:
    """The end."""
    counts = {"input_tokens": input_tokens, "output_tokens": output_tokens, "total_tokens": 0}
    return lifecycle("completed", usage=counts if input_tokens is not None else None, **fields)


def call_events(index: int, call_id: str, name: str, arguments: str) -> list[bytes]:
    """A tool call as OpenAI streams it: head first, the arguments in two pieces, and everything once more."""
    item = {"type": "function_call", "id": f"fc_{index}", "call_id": call_id, "name": name, "arguments": ""}
    place = {"item_id": f"fc_{index}", "output_index": index}
    middle = len(arguments) // 2
    return [
        event("response.output_item.added", output_index=index, item=item),
        *(
            event("response.function_call_arguments.delta", **place, delta=piece)
            for piece in (arguments[:middle], arguments[middle:])
        ),
        event("response.function_call_arguments.done", **place, arguments=arguments),
        event("response.output_item.done", output_index=index, item={**item, "arguments": arguments}),
    ]


def answer_events(
    words: Sequence[str],
    *,
    tool_calls: Sequence[tuple[str, Mapping[str, object]]] = (),
    finish: str | None = None,
    usage_tokens: tuple[int, int] | None = (12, 34),
) -> list[bytes]:
    """The events of a whole answer."""
    item = {"type": "message", "id": "msg_1", "role": "assistant", "status": "in_progress", "content": []}
    events = [lifecycle("created"), lifecycle("in_progress")]
    if any(words):
        events += [
            event("response.output_item.added", output_index=0, item=item),
            *(text(word) for word in words if word),
            event("response.output_text.done", output_index=0, text="".join(words)),
            event("response.output_item.done", output_index=0, item=item),
        ]
    for number, (name, arguments) in enumerate(tool_calls, 1):
        events += call_events(number, f"call_{number}_{name}", name, json.dumps(arguments))
    read, written = usage_tokens or (None, None)
    if finish is not None:
        counts = {"input_tokens": read or 0, "output_tokens": written or 0}
        return [*events, lifecycle("incomplete", incomplete_details={"reason": finish}, usage=counts)]
    return [*events, completed(read, written)]
