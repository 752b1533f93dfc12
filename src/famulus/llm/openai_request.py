"""How a request is written for a Chat Completions server.

OpenAI itself is told not to keep the conversation (`store`), and takes `max_completion_tokens` and
`safety_identifier`; every other server understands the older `max_tokens` and `user`. OpenAI's models take no
temperature where they think.

What a server has told of its model's thoughts before calls it gets back with their results, in the field that it has
used. DeepSeek demands that (https://api-docs.deepseek.com/guides/thinking_mode), and an empty one of other calls.
"""

from functools import lru_cache

import msgspec

from famulus.llm.protocol import ChatMessage, Enclosure, Request, ToolSpec

_encoder = msgspec.json.Encoder()
_thought = msgspec.json.Decoder(dict[str, str]).decode


def sealed_by(model: str) -> str:
    """Whose thoughts a model gets back: its own."""
    return f"chat:{model}"


def encode_request(request: Request, *, model: str, openai: bool) -> bytes:
    """The JSON body that asks `model` for a streamed answer."""
    settings = request.model_settings
    body: dict[str, object] = {
        "model": model,
        "messages": [_message(message, model) for message in request.messages],
        "stream": True,
        "stream_options": {"include_usage": True},
    }
    if openai:
        body["store"] = False
    if request.tools:
        body["tools"] = _tools(request.tools)
    if settings.effort is not None:
        body["reasoning_effort"] = settings.effort
    if settings.temperature is not None and not (openai and settings.thinks):
        body["temperature"] = settings.temperature
    if settings.max_output_tokens is not None:
        body["max_completion_tokens" if openai else "max_tokens"] = settings.max_output_tokens
    if settings.format is not None:
        body["response_format"] = settings.format
    if request.user_key:
        body["safety_identifier" if openai else "user"] = request.user_key
    return _encoder.encode(body)


def _message(message: ChatMessage, model: str) -> dict[str, object]:
    if message.role == "tool":
        return {"role": "tool", "tool_call_id": message.tool_call_id or "", "content": message.text}
    if message.files:
        words = [{"type": "text", "text": message.text}] if message.text else []
        return {"role": message.role, "content": [*words, *map(_file, message.files)]}
    if not message.tool_calls:
        return {"role": message.role, "content": message.text}
    calls = [
        {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
        for call in message.tool_calls
    ]
    thoughts = {"reasoning_content": ""} if "deepseek" in model.lower() else {}
    for sealed in message.sealed:
        if sealed.by == sealed_by(model):
            thoughts = _thought(sealed.data)
    return {"role": message.role, "content": message.text or None, "tool_calls": calls, **thoughts}


@lru_cache(maxsize=64)
def _tools(tools: tuple[ToolSpec, ...]) -> msgspec.Raw:
    """The same few offers go with every request, and are most of it."""
    return msgspec.Raw(_encoder.encode([_tool(tool) for tool in tools]))


def _file(file: Enclosure) -> dict[str, object]:
    if file.mime_type.startswith("image/"):
        return {"type": "image_url", "image_url": {"url": file.data_url()}}
    return {"type": "file", "file": {"filename": file.name, "file_data": file.data_url()}}


def _tool(tool: ToolSpec) -> dict[str, object]:
    parameters = msgspec.Raw(tool.parameters)
    function = {"name": tool.name, "description": tool.description, "parameters": parameters}
    return {"type": "function", "function": function}
