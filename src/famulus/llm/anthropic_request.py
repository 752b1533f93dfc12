"""How a request is written for a Messages server.

System messages stand apart. All others take turns between `user` and `assistant`, beginning with `user`; results of
tools belong to the user's turn. Every turn is a list of blocks, and no block of text may be blank.

How much to think is told in two ways: models since 4.6 think as much as they find right, within an effort
(https://platform.claude.com/docs/en/build-with-claude/adaptive-thinking); those before take a budget of tokens
(https://platform.claude.com/docs/en/build-with-claude/extended-thinking). What they have thought before they called
tools they want back with the results.
"""

import re
from base64 import b64encode
from functools import lru_cache

import msgspec
from msgspec import Raw

from famulus.kernel.effort import Effort
from famulus.llm.protocol import ChatMessage, Enclosure, ModelSettings, Request, ToolCall, ToolSpec

DEFAULT_MAX_TOKENS = 4096
"""The wire demands a bound. This is a long answer, and no model of Anthropic's allows less."""
BUDGETS: dict[Effort, int] = {"minimal": 1_024, "low": 2_048, "medium": 8_192, "high": 16_384}
"""Tokens for thinking, by effort. They count among the answer's, so an answer without a bound may have as many more."""
LEAST_BUDGET = 1_024
"""The wire takes no less."""
OPENING = "(The beginning of this conversation is left out.)"
"""What the user's first turn says where the history begins with an answer."""

Block = dict[str, object]
Turn = tuple[str, list[Block | Raw]]
_BUDGETED = re.compile(r"claude-(3|(opus|sonnet|haiku)-(3|4([.-][0-5])?([-@:](\D|\d{8})|$)))")
"""Models of Anthropic, under whatever name a gateway gives them, that take a budget and no effort."""
_RESULT, _THOUGHT = "tool_result", re.compile(rb'"type":\s*"(redacted_)?thinking"')

_encoder = msgspec.json.Encoder()
_object = msgspec.json.Decoder(dict[str, Raw])


def sealed_by(model: str) -> str:
    """Whose sealed thoughts a model can read: its own."""
    return f"anthropic:{model}"


def encode_request(request: Request, *, model: str) -> bytes:
    """The JSON body that asks `model` for a streamed answer."""
    settings = request.model_settings
    turns = _turns(request.messages, model)
    thinking = _thinking(settings, turns, model)
    body: dict[str, object] = {
        "model": model,
        "max_tokens": settings.max_output_tokens or DEFAULT_MAX_TOKENS + _room(settings, thinking),
        "messages": [{"role": side, "content": blocks} for side, blocks in turns],
        "stream": True,
        **thinking,
    }
    rules = [message.text for message in request.messages if message.role == "system"]
    if system := "\n\n".join(text for text in rules if text.strip()):
        body["system"] = system
    if request.tools:
        body["tools"] = _tools(request.tools)
    if settings.temperature is not None and not (thinking and settings.thinks):
        body["temperature"] = min(max(settings.temperature, 0.0), 1.0)
    if request.user_key:
        body["metadata"] = {"user_id": request.user_key}
    return _encoder.encode(body)


def _thinking(settings: ModelSettings, turns: list[Turn], model: str) -> dict[str, object]:
    """The fields that say how much is thought; none where that is left to the model, or cannot be."""
    effort = settings.effort
    if effort is None:
        return {}
    if effort == "none":
        return {"thinking": {"type": "disabled"}}
    display = "summarized" if settings.aloud else "omitted"
    if not _BUDGETED.search(model):
        told = "low" if effort == "minimal" else effort
        return {"thinking": {"type": "adaptive", "display": display}, "output_config": {"effort": told}}
    budget = min(BUDGETS[effort], (settings.max_output_tokens or DEFAULT_MAX_TOKENS + BUDGETS[effort]) // 2)
    if budget < LEAST_BUDGET or _began_without_a_thought(turns):
        return {}
    return {"thinking": {"type": "enabled", "budget_tokens": budget, "display": display}}


def _room(settings: ModelSettings, thinking: dict[str, object]) -> int:
    """Tokens for thinking, on top of those for the answer."""
    return BUDGETS.get(settings.effort, 0) if thinking and settings.effort else 0


def _began_without_a_thought(turns: list[Turn]) -> bool:
    """Whether the calls that are being answered come from a turn that did not think first.

    A server that is asked for thoughts with a budget refuses results of such calls. They are there where another
    attempt, or another model, has made them.
    """
    first: Block | Raw = {}
    for side, blocks in reversed(turns):
        if side == "assistant":
            first = blocks[0]
        elif not any(isinstance(block, dict) and block["type"] == _RESULT for block in blocks):
            break
    return bool(first) and not (isinstance(first, Raw) and _THOUGHT.search(bytes(first)))


def _turns(messages: tuple[ChatMessage, ...], model: str) -> list[Turn]:
    """The messages with their neighbours of the same side put together."""
    turns: list[Turn] = []
    for message in messages:
        blocks = _blocks(message, model)
        if message.role == "system" or not blocks:
            continue
        side = "assistant" if message.role == "assistant" else "user"
        if not turns and side == "assistant":
            turns.append(("user", [{"type": "text", "text": OPENING}]))
        if turns and turns[-1][0] == side:
            turns[-1][1].extend(blocks)
        else:
            turns.append((side, blocks))
    return turns


def _blocks(message: ChatMessage, model: str) -> list[Block | Raw]:
    if message.role == "tool":
        result: Block = {"type": _RESULT, "tool_use_id": message.tool_call_id or ""}
        return [result | ({"content": message.text} if message.text.strip() else {})]
    blocks: list[Block | Raw] = [_file(file) for file in message.files]
    said = 0
    for sealed in message.sealed:
        if sealed.by == sealed_by(model):
            blocks += _text(message.text[said : sealed.text])
            blocks.append(Raw(sealed.data))
            said = max(said, sealed.text)
    return [*blocks, *_text(message.text[said:]), *map(_call, message.tool_calls)]


def _text(text: str) -> list[Block]:
    return [{"type": "text", "text": text}] if text.strip() else []


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
