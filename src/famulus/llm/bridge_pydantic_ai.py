"""Our requests in pydantic-ai's words, and its streams in ours. The only file that knows the package."""

from collections.abc import AsyncGenerator, Callable, Iterator, Sequence
from functools import partial
from typing import Any, cast

import msgspec
from pydantic_ai import exceptions
from pydantic_ai.direct import model_request_stream
from pydantic_ai.messages import (
    BinaryContent,
    ModelMessage,
    ModelRequest,
    ModelRequestPart,
    ModelResponse,
    ModelResponsePart,
    ModelResponseStreamEvent,
    PartDeltaEvent,
    PartStartEvent,
    SystemPromptPart,
    TextPart,
    TextPartDelta,
    ThinkingPart,
    ThinkingPartDelta,
    ToolCallPart,
    ToolReturnPart,
    UserContent,
    UserPromptPart,
)
from pydantic_ai.models import Model, ModelRequestParameters, StreamedResponse, infer_model
from pydantic_ai.settings import ModelSettings
from pydantic_ai.tools import ToolDefinition

from famulus.llm import errors
from famulus.llm.protocol import (
    ChatMessage,
    End,
    EndReason,
    Item,
    ReasoningDelta,
    Request,
    TextDelta,
    ToolCall,
    ToolCallReady,
    Usage,
)
from famulus.llm.provider_errors import error_for, read_message

Batches = AsyncGenerator[Sequence[Item], None]
REASONS: dict[str, EndReason] = {"length": "length", "content_filter": "content_filter"}
_json = msgspec.json.Decoder(dict[str, Any]).decode


def open_bridge(name: str) -> Callable[[Request], Batches]:
    """What answers in the name of a model; raises ModelRequestRefused for one that cannot be opened."""
    try:
        model = infer_model(name)
    except ImportError as error:
        raise errors.ModelRequestRefused(
            f"The model pydantic-ai:{name} needs more packages: {error}"
        ) from error
    except (exceptions.UserError, ValueError, RuntimeError) as error:
        raise errors.ModelRequestRefused(f"The model pydantic-ai:{name} cannot be opened: {error}") from error
    return partial(_answer, model)


async def _answer(model: Model, request: Request) -> Batches:
    try:
        async with model_request_stream(
            model,
            told(request.messages),
            model_settings=_settings(request),
            model_request_parameters=ModelRequestParameters(function_tools=_tools(request)),
            instrument=False,
        ) as response:
            async for event in response:
                for item in _items(event):
                    yield (item,)
            yield _last(response)
    except exceptions.AgentRunError as error:
        raise _ours(error, model.model_name) from error


def told(messages: Sequence[ChatMessage]) -> list[ModelMessage]:
    """The conversation in the package's words: what is sent in a row is one request."""
    found: list[ModelMessage] = []
    names: dict[str, str] = {}
    for message in messages:
        if message.role == "assistant":
            names |= {call.id: call.name for call in message.tool_calls}
            found.append(ModelResponse(parts=_answered(message)))
            continue
        part = _sent(message, names)
        last = found[-1] if found else None
        if isinstance(last, ModelRequest):
            found[-1] = ModelRequest(parts=[*last.parts, part])
        else:
            found.append(ModelRequest(parts=[part]))
    return found


def _answered(message: ChatMessage) -> list[ModelResponsePart]:
    said: list[ModelResponsePart] = [TextPart(message.text)] if message.text else []
    return [*said, *(ToolCallPart(each.name, each.arguments, each.id) for each in message.tool_calls)]


def _sent(message: ChatMessage, names: dict[str, str]) -> ModelRequestPart:
    if message.role == "system":
        return SystemPromptPart(message.text)
    if message.role == "tool":
        id = message.tool_call_id or ""
        return ToolReturnPart(names.get(id, "unknown"), message.text, id)
    files = [BinaryContent(each.data, media_type=each.mime_type) for each in message.files]
    content: list[UserContent] = [message.text, *files]
    return UserPromptPart(content if files else message.text)


def _settings(request: Request) -> ModelSettings:
    """Without tries of the package's own: ours are counted."""
    wanted, settings = request.model_settings, ModelSettings(max_retries=0)
    if wanted.temperature is not None:
        settings["temperature"] = wanted.temperature
    if wanted.max_output_tokens is not None:
        settings["max_tokens"] = wanted.max_output_tokens
    if wanted.effort is not None:
        settings["thinking"] = False if wanted.effort == "none" else wanted.effort
    return settings


def _tools(request: Request) -> list[ToolDefinition]:
    return [
        ToolDefinition(
            name=tool.name,
            parameters_json_schema=_json(tool.parameters),
            description=tool.description,
            strict=False,
        )
        for tool in request.tools
    ]


def _items(event: ModelResponseStreamEvent) -> Iterator[Item]:
    match event:
        case PartStartEvent(part=TextPart(content=text)) if text:
            yield TextDelta(text)
        case PartDeltaEvent(delta=TextPartDelta(content_delta=text)) if text:
            yield TextDelta(text)
        case PartStartEvent(part=ThinkingPart(content=text)) if text:
            yield ReasoningDelta(text)
        case PartDeltaEvent(delta=ThinkingPartDelta(content_delta=text)) if text:
            yield ReasoningDelta(text)
        case _:
            pass


def _last(response: StreamedResponse) -> list[Item]:
    """The calls, which are whole now, the tokens, and why it ended."""
    answer, spent = response.get(), response.usage
    calls = [part for part in answer.parts if isinstance(part, ToolCallPart)]
    made = [ToolCall(part.tool_call_id, part.tool_name, part.args_as_json_str()) for part in calls]
    usage = Usage(spent.input_tokens, spent.output_tokens, spent.cache_read_tokens)
    counted = [usage] if spent.input_tokens or spent.output_tokens else []
    reason = REASONS.get(answer.finish_reason or "", "tool_calls" if calls else "stop")
    return [*map(ToolCallReady, made), *counted, End(reason)]


def _ours(error: exceptions.AgentRunError, model: str) -> errors.ModelError:
    """The package's error as ours."""
    match error:
        case exceptions.ModelHTTPError(status_code=status, body=body):
            said = cast(dict[str, object], body) if isinstance(body, dict) else {"message": str(body or "")}
            words = read_message(msgspec.json.encode({"error": said}, enc_hook=str))
            return error_for(
                status,
                model=model,
                message=words,
                secret=None,
                wait=None,
                address_setting="the provider's variable for its address",
            )
        case exceptions.ModelTimeoutError() | exceptions.ModelRequestTimeout():
            return errors.ModelTimeout()
        case exceptions.ModelConnectionError():
            return errors.ModelUnreachable()
        case exceptions.ModelAPIError():
            return errors.ModelUnavailable()
        case exceptions.UnexpectedModelBehavior():
            return errors.ModelNonsense()
        case _:
            return errors.ModelError()
