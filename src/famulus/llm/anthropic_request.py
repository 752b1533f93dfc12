"""How a request is written for a Messages server.

System messages stand apart. All others take turns between `user` and `assistant`, beginning with `user`; results of
tools belong to the user's turn. Every turn is a list of blocks, and no block of text may be blank.
"""

from base64 import b64encode
from functools import lru_cache

import msgspec
from msgspec import Raw

from famulus.llm.protocol import ChatMessage, Enclosure, Request, ToolCall, ToolSpec

DEFAULT_MAX_TOKENS = 4096
"""The wire demands a bound. This is a long answer, and no model of Anthropic's allows less."""
OPENING = "(The beginning of this conversation is left out.)"
"""What the user's first turn says where the history begins with an answer."""

Block = dict[str, object]

_encoder = msgspec.json.Encoder()
_object = msgspec.json.Decoder(dict[str, Raw])


def encode_request(request: Request, *, model: str) -> bytes:
    """The JSON body that asks `model` for a streamed answer."""
    settings = request.model_settings
    body: dict[str, object] = {
        "model": model,
        "max_tokens": settings.max_output_tokens or DEFAULT_MAX_TOKENS,
        "messages": _turns(request.messages),
        "stream": True,
    }
    rules = [message.text for message in request.messages if message.role == "system"]
    if system := "\n\n".join(text for text in rules if text.strip()):
        body["system"] = system
    if request.tools:
        body["tools"] = _tools(request.tools)
    if settings.temperature is not None:
        body["temperature"] = min(max(settings.temperature, 0.0), 1.0)
    if request.user_key:
        body["metadata"] = {"user_id": request.user_key}
    return _encoder.encode(body)


def _turns(messages: tuple[ChatMessage, ...]) -> list[dict[str, object]]:
    """The messages with their neighbours of the same side put together."""
    turns: list[tuple[str, list[Block]]] = []
    for message in messages:
        blocks = _blocks(message)
        if message.role == "system" or not blocks:
            continue
        side = "assistant" if message.role == "assistant" else "user"
        if not turns and side == "assistant":
            turns.append(("user", [{"type": "text", "text": OPENING}]))
        if turns and turns[-1][0] == side:
            turns[-1][1].extend(blocks)
        else:
            turns.append((side, blocks))
    return [{"role": side, "content": blocks} for side, blocks in turns]


def _blocks(message: ChatMessage) -> list[Block]:
    text: list[Block] = [{"type": "text", "text": message.text}] if message.text.strip() else []
    if message.role == "tool":
        result: Block = {"type": "tool_result", "tool_use_id": message.tool_call_id or ""}
        return [result | ({"content": message.text} if text else {})]
    return [_file(file) for file in message.files] + text + [_call(call) for call in message.tool_calls]


def _file(file: Enclosure) -> Block:
    data = b64encode(file.data).decode()
    source: Block = {"type": "base64", "media_type": file.mime_type, "data": data}
    if file.mime_type.startswith("image/"):
        return {"type": "image", "source": source}
    return {"type": "document", "source": source, "title": file.name}


def _call(call: ToolCall) -> Block:
    try:
        arguments = _object.decode(call.arguments)
    except (ValueError, RecursionError):
        arguments = {}  # no object, which the wire demands; the result in the next turn says what was wrong with it
    return {"type": "tool_use", "id": call.id, "name": call.name, "input": arguments}


@lru_cache(maxsize=64)
def _tools(tools: tuple[ToolSpec, ...]) -> Raw:
    """The same few offers go with every request, and are most of it."""
    return Raw(_encoder.encode([_tool(tool) for tool in tools]))


def _tool(tool: ToolSpec) -> Block:
    return {
        "name": tool.name,
        "description": tool.description,
        "input_schema": Raw(tool.parameters),
    }
