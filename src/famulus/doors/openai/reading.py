"""Reading what clients send: what is asked for is decoded in one pass, and whatever is wrong with it is named.

Parameters are of three kinds: honoured; without meaning here, and passed over as OpenAI's own servers do; and those
that cannot be honoured although the answer depends on them, which are refused.
"""

import re
from collections.abc import Container, Mapping, Sequence
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from famulus.conversations.parts import ClientTool
from famulus.doors.openai.shapes import (
    InvalidValue,
    UnknownParameter,
    UnsupportedContent,
    UnsupportedParameter,
    at,
)
from famulus.kernel.effort import Effort
from famulus.kernel.errors import BadRequest
from famulus.kernel.text import clean_text

T = TypeVar("T")
LONGEST = 100_000
"""Characters of one text."""
MOST_TOOLS = 128
MOST_SCHEMA = 100_000
"""Bytes of the schema of an answer."""
_PLACE = re.compile(r" - at `(?:key` in `)?\$\.?(.*)`$")
_UNKNOWN = re.compile(r"unknown field `(.{1,200})`", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
Temperature = Annotated[float, Meta(ge=0, le=2)] | None
Thinking = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None
Bound = Annotated[int, Meta(ge=1, le=10_000_000)] | None
Metadata = Annotated[
    dict[Annotated[str, Meta(max_length=64)], Annotated[str, Meta(max_length=512)]], Meta(max_length=16)
]
Ignored = Any | UnsetType
"""Of a parameter that has no meaning here."""
Refused = Any | UnsetType
"""Of one that would change the answer, and cannot be honoured."""


def read(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The request in a body. Raises UnknownParameter, InvalidValue or BadRequest, which name what is wrong."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        words = str(error)
        place = _PLACE.search(words)
        where = place[1] if place else ""
        if unknown := _UNKNOWN.search(words):
            name = f"{where}.{unknown[1]}" if where else unknown[1]
            raise at(UnknownParameter, name, f"Unknown parameter: '{name}'.") from error
        raise at(InvalidValue, where, f"{_PLACE.sub('', words)}: {where or 'the body'}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error


def refuse(given: Mapping[str, object], harmless: Mapping[str, tuple[object, ...]]) -> None:
    """Raise UnsupportedParameter for one that is set to anything but nothing or what it does here anyway."""
    for name, value in given.items():
        if value is not UNSET and value is not None and value not in harmless.get(name, ()):
            raise at(
                UnsupportedParameter, name, f"'{name}' is not supported here; send the request without it."
            )


def effort(wanted: Thinking) -> Effort | None:
    """How much to think; what not every model knows is the most that all do."""
    return "high" if wanted in ("xhigh", "max") else wanted


def text(value: str, where: str, *, blank: bool = False) -> str:
    """A text as it is kept; `blank` where it may be empty. Raises InvalidValue."""
    try:
        return clean_text(value, LONGEST, min_length=0 if blank else 1, strip=False)
    except ValueError as error:
        raise at(InvalidValue, where, f"{where}: {error}") from error


class FunctionSpec(msgspec.Struct):
    """A function that the client offers."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


def client_tool(spec: FunctionSpec, where: str) -> ClientTool:
    """A tool that the client carries out itself. Raises InvalidValue."""
    if not _NAME.fullmatch(spec.name):
        message = f"{where}.name: a name is 1 to 64 letters, digits, '_' or '-'."
        raise at(InvalidValue, f"{where}.name", message)
    description = text(spec.description or "", f"{where}.description", blank=True)
    return ClientTool(spec.name, description, spec.parameters or {"type": "object", "properties": {}})


class Piece(msgspec.Struct):
    """A piece of the content of a message."""

    type: str
    text: str | None = None
    refusal: str | None = None


Content = str | list[Piece] | None


def words_of(content: Content, where: str, kinds: Container[str], *, blank: bool) -> str:
    """The words of some content, whose pieces are of these kinds. Raises UnsupportedContent or InvalidValue."""
    if isinstance(content, list):
        for number, piece in enumerate(content):
            if piece.type not in kinds:
                place = f"{where}[{number}]"
                message = f"{place}: content of type '{piece.type[:40]}' cannot be read here; send text."
                raise at(UnsupportedContent, place, message)
        content = "".join(piece.text or piece.refusal or "" for piece in content)
    return text(content or "", where, blank=blank)


def offered(specs: Sequence[tuple[FunctionSpec, str]], choice: object) -> tuple[ClientTool, ...]:
    """The functions that the client offers, each with its place, unless it wants none to be called.

    Raises InvalidValue or UnsupportedParameter.
    """
    if len(specs) > MOST_TOOLS:
        raise at(InvalidValue, "tools", f"tools: at most {MOST_TOOLS} are allowed.")
    if choice not in (None, "auto", "none"):
        message = "tool_choice: only 'auto' and 'none' are supported."
        raise at(UnsupportedParameter, "tool_choice", message)
    return () if choice == "none" else tuple(client_tool(spec, where) for spec, where in specs)


class JsonSchema(msgspec.Struct, omit_defaults=True):
    """A schema that an answer is to follow."""

    name: str
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


def form(kind: str, schema: JsonSchema | None, where: str) -> dict[str, Any] | None:
    """The form of an answer as models are told it; None for plain text. Raises UnsupportedParameter or InvalidValue."""
    if kind == "text":
        return None
    if kind == "json_object":
        return {"type": kind}
    if kind != "json_schema":
        message = f"{where}: 'text', 'json_object' and 'json_schema' are supported."
        raise at(UnsupportedParameter, where, message)
    if schema is None or not schema.schema or not _NAME.fullmatch(schema.name):
        message = f"{where}: a schema has a name of 1 to 64 letters, digits, '_' or '-', and a 'schema'."
        raise at(InvalidValue, where, message)
    if len(msgspec.json.encode(schema)) > MOST_SCHEMA:
        raise at(InvalidValue, where, f"{where}: a schema of at most {MOST_SCHEMA:,} bytes is taken.")
    return {"type": kind, "json_schema": msgspec.to_builtins(schema)}


def marks(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """A client's own texts, cleaned. Raises InvalidValue."""
    return {
        text(key, "metadata"): text(value, f"metadata.{key[:64]}", blank=True)
        for key, value in (metadata or {}).items()
    }
