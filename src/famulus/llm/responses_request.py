"""How a request is written for a Responses server: instructions apart, everything else as items, and nothing kept.

As nothing is kept there, what the model has thought before it called tools is given sealed, and goes back as it came.
"""

import msgspec

from famulus.llm.protocol import ChatMessage, Enclosure, Request, ToolSpec

Item = dict[str, object]
_encoder = msgspec.json.Encoder()


def sealed_by(model: str) -> str:
    """Whose sealed thoughts a model can read: its own."""
    return f"responses:{model}"


def encode_request(request: Request, *, model: str) -> bytes:
    """The JSON body that asks `model` for a streamed answer."""
    settings = request.model_settings
    system = [message.text for message in request.messages if message.role == "system"]
    body: dict[str, object] = {
        "model": model,
        "input": [item for message in request.messages for item in _items(message, model)],
        "stream": True,
        "store": False,
    }
    if system:
        body["instructions"] = "\n\n".join(system)
    if request.tools:
        body["tools"] = [_tool(tool) for tool in request.tools]
    if settings.effort is not None:
        summary = {"summary": "auto"} if settings.thinks and settings.aloud else {}
        body["reasoning"] = {"effort": settings.effort, **summary}
    if settings.thinks:
        body["include"] = ["reasoning.encrypted_content"]
    elif settings.temperature is not None:
        body["temperature"] = settings.temperature
    if settings.max_output_tokens is not None:
        body["max_output_tokens"] = settings.max_output_tokens
    if settings.format is not None:
        # The same as for Chat Completions, but for one step of depth.
        schema = settings.format.get("json_schema", {})
        body["text"] = {"format": {"type": settings.format["type"], **schema}}
    if request.user_key:
        body["safety_identifier"] = request.user_key
    return _encoder.encode(body)


def _items(message: ChatMessage, model: str) -> list[Item | msgspec.Raw]:
    match message.role:
        case "system":
            return []
        case "tool":
            output = {"call_id": message.tool_call_id or "", "output": message.text}
            return [{"type": "function_call_output", **output}]
        case "user" | "assistant":
            said: list[Item | msgspec.Raw] = [
                msgspec.Raw(each.data) for each in message.sealed if each.by == sealed_by(model)
            ]
            if message.files:
                words: list[Item] = [{"type": "input_text", "text": message.text}] if message.text else []
                said.append({"role": message.role, "content": [*map(_file, message.files), *words]})
            elif message.text:
                said.append({"role": message.role, "content": message.text})
            calls: list[Item] = [
                {"type": "function_call", "call_id": call.id, "name": call.name, "arguments": call.arguments}
                for call in message.tool_calls
            ]
            return said + calls


def _file(file: Enclosure) -> Item:
    if file.mime_type.startswith("image/"):
        return {"type": "input_image", "image_url": file.data_url()}
    return {"type": "input_file", "filename": file.name, "file_data": file.data_url()}


def _tool(tool: ToolSpec) -> Item:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": msgspec.Raw(tool.parameters),
        "strict": False,
    }
