"""A request for `/v1/responses`, and the items that it and a conversation are given."""

from collections.abc import Sequence
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
    text,
    words_of,
)
from famulus.doors.openai.shapes import InvalidValue, UnsupportedContent, UnsupportedParameter, at
from famulus.doors.openai.talk import Talk, said_in
from famulus.runs.ask import Ask

Role = Literal["user", "assistant", "system", "developer"]


class ItemIn(Struct):
    """An item that a client sends; which fields it has depends on its type."""

    type: str = "message"
    role: Role | None = None
    content: Content = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    output: Content = None
    approval_request_id: str | None = None
    approve: bool | None = None
    reason: str | None = None


class _Tool(FunctionSpec, kw_only=True):
    type: str
    name: str = ""
    strict: bool | None = None


class _Format(Struct):
    type: str = "text"
    name: str = ""
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class _Text(Struct):
    format: _Format | None = None
    verbosity: Any = None


class _Reasoning(Struct):
    effort: Thinking = None


class _Conversation(Struct):
    id: str


class ResponseRequest(Struct, forbid_unknown_fields=True, kw_only=True):
    """The parameters: honoured, passed over, refused."""

    model: str = "famulus"
    input: str | list[ItemIn]
    instructions: str | None = None
    previous_response_id: str | None = None
    conversation: str | _Conversation | None = None
    background: bool | None = None
    stream: bool | None = None
    store: bool | None = None
    tools: list[_Tool] | None = None
    tool_choice: Any = None
    temperature: Temperature = None
    max_output_tokens: Bound = None
    metadata: Metadata | None = None
    reasoning: _Reasoning | None = None
    text: _Text | None = None

    context_management: Ignored = UNSET
    include: Ignored = UNSET
    parallel_tool_calls: Ignored = UNSET
    prompt_cache_key: Ignored = UNSET
    prompt_cache_options: Ignored = UNSET
    prompt_cache_retention: Ignored = UNSET
    safety_identifier: Ignored = UNSET
    service_tier: Ignored = UNSET
    stream_options: Ignored = UNSET
    top_p: Ignored = UNSET
    truncation: Ignored = UNSET
    user: Ignored = UNSET

    max_tool_calls: Refused = UNSET
    moderation: Refused = UNSET
    prompt: Refused = UNSET
    top_logprobs: Refused = UNSET

    @property
    def conversation_id(self) -> str | None:
        """The conversation that is named."""
        named = self.conversation
        return named.id if isinstance(named, _Conversation) else named


REFUSED = ("max_tool_calls", "moderation", "prompt", "top_logprobs")
HARMLESS: dict[str, tuple[object, ...]] = {"top_logprobs": (0,)}
_decoder = msgspec.json.Decoder(ResponseRequest)


def read_response(body: bytes) -> ResponseRequest:
    """The request; raises what names the parameter that is wrong, unknown or not supported."""
    wanted = read(body, _decoder)
    refuse({name: getattr(wanted, name) for name in REFUSED}, HARMLESS)
    if wanted.previous_response_id is not None and wanted.conversation is not None:
        message = "Name either previous_response_id or conversation, not both."
        raise at(InvalidValue, "previous_response_id", message)
    return wanted


def approvals_in(wanted: ResponseRequest) -> list[ItemIn]:
    """What a person says to calls that wait, if that is all there is. Raises InvalidValue where there is more."""
    if isinstance(wanted.input, str):
        return []
    found = [item for item in wanted.input if item.type == "mcp_approval_response"]
    if found and len(found) < len(wanted.input):
        message = "input: answers to calls that wait have to come alone; the answer goes on with them."
        raise at(InvalidValue, "input", message)
    return found


def ask_of(wanted: ResponseRequest, *, previous: str | None) -> Ask:
    """What the run is asked with; its thread is still to be named. Raises InvalidValue or UnsupportedContent."""
    talk = Talk("input")
    talk.instruct(text(wanted.instructions or "", "instructions", blank=True))
    if isinstance(wanted.input, str):
        talk.say("user", text(wanted.input, "input"))
    else:
        tell(talk, wanted.input)
    words, results = said_in(talk.last())
    application = Application(
        instructions="\n\n".join(talk.instructions),
        tools=offered(_functions(wanted), wanted.tool_choice),
        temperature=wanted.temperature,
        max_output_tokens=wanted.max_output_tokens,
        metadata=marks(wanted.metadata),
        model=text(wanted.model, "model")[:200],
        previous=previous,
        conversation=wanted.conversation is not None,
        reasoning_effort=effort(wanted.reasoning.effort) if wanted.reasoning else None,
        format=_form(wanted.text),
        background=bool(wanted.background),
        store=wanted.store is not False,
    )
    return Ask("", words, application=application, results=results, earlier=tuple(talk.turns))


def tell(talk: Talk, items: Sequence[ItemIn]) -> None:
    """Take items into a conversation. Raises InvalidValue or UnsupportedContent."""
    for number, item in enumerate(items):
        where = f"{talk.where}[{number}]"
        match item.type:
            case "message":
                _say(talk, item, where)
            case "function_call":
                talk.call(item.call_id or "", item.name or "", item.arguments or "{}")
            case "function_call_output":
                talk.result(item.call_id or "", _words(item.output, f"{where}.output", blank=True))
            case "reasoning" | "mcp_call" | "mcp_list_tools" | "mcp_approval_request" | "file_search_call":
                pass  # what the server did itself is no part of what was said
            case _:
                message = f"{where}: items of type '{item.type[:40]}' are not taken here."
                raise at(UnsupportedContent, where, message)


def _say(talk: Talk, item: ItemIn, where: str) -> None:
    words = _words(item.content, f"{where}.content", blank=item.role != "user")
    match item.role:
        case "system" | "developer":
            talk.instruct(words)
        case "user" | "assistant":
            talk.say(item.role, words)
        case None:
            raise at(InvalidValue, f"{where}.role", f"{where}.role: say who speaks.")


def _words(content: Content, where: str, *, blank: bool) -> str:
    return words_of(content, where, ("input_text", "output_text", "text", "refusal"), blank=blank)


def _form(wanted: _Text | None) -> dict[str, Any] | None:
    given = wanted and wanted.format
    if given is None:
        return None
    schema = JsonSchema(given.name, given.schema, given.description, given.strict)
    return form(given.type, schema, "text.format")


def _functions(wanted: ResponseRequest) -> list[tuple[FunctionSpec, str]]:
    """The functions that the client offers, each with its place."""
    tools = wanted.tools or []
    for number, tool in enumerate(tools):
        if tool.type != "function":
            message = f"tools[{number}]: only tools of type 'function' are taken."
            raise at(UnsupportedParameter, f"tools[{number}]", message)
    return [(tool, f"tools[{number}]") for number, tool in enumerate(tools)]
