"""A request for `/v1/chat/completions`: its parameters, and the conversation that it tells."""

from typing import Any, Literal

import msgspec
from msgspec import UNSET, Struct

from famulus.conversations.parts import Application
from famulus.doors.openai.reading import (
    Bound,
    Content,
    FunctionSpec,
    Ignored,
    JsonSchema,
    Metadata,
    Refused,
    Temperature,
    Thinking,
    effort,
    form,
    marks,
    offered,
    read,
    refuse,
    words_of,
)
from famulus.doors.openai.shapes import InvalidValue, at
from famulus.doors.openai.talk import Talk, said_in
from famulus.runs.ask import Ask


class _Function(Struct):
    name: str
    arguments: str = ""


class _Call(Struct):
    id: str
    function: _Function
    type: str = "function"


class _Message(Struct):
    role: Literal["system", "developer", "user", "assistant", "tool"]
    content: Content = None
    tool_calls: list[_Call] | None = None
    tool_call_id: str | None = None


class _Tool(Struct):
    type: str
    function: FunctionSpec | None = None


class _StreamOptions(Struct):
    include_usage: bool = False
    include_obfuscation: bool = False


class _Format(Struct):
    type: str
    json_schema: JsonSchema | None = None


class ChatRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The parameters: honoured, passed over, refused."""

    messages: list[_Message]
    model: str
    stream: bool | None = None
    stream_options: _StreamOptions | None = None
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    temperature: Temperature = None
    max_completion_tokens: Bound = None
    max_tokens: Bound = None
    metadata: Metadata | None = None
    reasoning_effort: Thinking = None
    response_format: _Format | None = None

    frequency_penalty: Ignored = UNSET
    parallel_tool_calls: Ignored = UNSET
    presence_penalty: Ignored = UNSET
    prompt_cache_key: Ignored = UNSET
    prompt_cache_options: Ignored = UNSET
    prompt_cache_retention: Ignored = UNSET
    safety_identifier: Ignored = UNSET
    seed: Ignored = UNSET
    service_tier: Ignored = UNSET
    store: Ignored = UNSET
    top_p: Ignored = UNSET
    user: Ignored = UNSET
    verbosity: Ignored = UNSET

    audio: Refused = UNSET
    function_call: Refused = UNSET
    functions: Refused = UNSET
    logit_bias: Refused = UNSET
    logprobs: Refused = UNSET
    modalities: Refused = UNSET
    moderation: Refused = UNSET
    n: Refused = UNSET
    prediction: Refused = UNSET
    stop: Refused = UNSET
    top_logprobs: Refused = UNSET
    web_search_options: Refused = UNSET

    @property
    def with_usage(self) -> bool:
        """Whether a stream ends with the tokens it took."""
        return self.stream_options is not None and self.stream_options.include_usage


REFUSED = (
    "audio", "function_call", "functions", "logit_bias", "logprobs", "modalities", "moderation", "n", "prediction",
    "stop", "top_logprobs", "web_search_options",
)  # fmt: skip
HARMLESS: dict[str, tuple[object, ...]] = {
    "n": (1,),
    "logprobs": (False,),
    "modalities": (["text"],),
    "logit_bias": ({},),
    "stop": ([],),
    "top_logprobs": (0,),
}
_decoder = msgspec.json.Decoder(ChatRequest)


def read_chat(body: bytes) -> ChatRequest:
    """The request; raises what names the parameter that is wrong, unknown or not supported."""
    wanted = read(body, _decoder)
    refuse({name: getattr(wanted, name) for name in REFUSED}, HARMLESS)
    return wanted


def ask_of(wanted: ChatRequest) -> Ask:
    """What the run is asked with; its thread is still to be named. Raises InvalidValue or UnsupportedContent."""
    talk = Talk("messages")
    for number, message in enumerate(wanted.messages):
        _tell(talk, message, f"messages[{number}]")
    words, results = said_in(talk.last())
    shape = wanted.response_format
    application = Application(
        instructions="\n\n".join(talk.instructions),
        tools=offered(_functions(wanted), wanted.tool_choice),
        temperature=wanted.temperature,
        max_output_tokens=wanted.max_completion_tokens or wanted.max_tokens,
        metadata=marks(wanted.metadata),
        model=wanted.model,
        reasoning_effort=effort(wanted.reasoning_effort),
        format=shape and form(shape.type, shape.json_schema, "response_format"),
    )
    return Ask("", words, application=application, results=results, earlier=tuple(talk.turns))


def _tell(talk: Talk, message: _Message, where: str) -> None:
    words = _words(message.content, f"{where}.content", blank=message.role != "user")
    match message.role:
        case "system" | "developer":
            talk.instruct(words)
        case "user":
            talk.say("user", words)
        case "tool":
            talk.result(message.tool_call_id or "", words)
        case "assistant":
            if words or not message.tool_calls:
                talk.say("assistant", words)
            for call in message.tool_calls or ():
                talk.call(call.id, call.function.name, call.function.arguments)


def _words(content: Content, where: str, *, blank: bool) -> str:
    return words_of(content, where, ("text", "refusal"), blank=blank)


def _functions(wanted: ChatRequest) -> list[tuple[FunctionSpec, str]]:
    """The functions that the client offers, each with its place."""
    tools = wanted.tools or []
    specs = [
        (tool.function, f"tools[{n}].function")
        for n, tool in enumerate(tools)
        if tool.type == "function" and tool.function is not None
    ]
    if len(specs) < len(tools):
        raise at(InvalidValue, "tools", "tools: only tools of type 'function' are taken.")
    return specs
