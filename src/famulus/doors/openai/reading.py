"""Reading what clients send: what is asked for is decoded in one pass, and whatever is wrong with it is named.

Parameters are of three kinds: honoured; without meaning here, and passed over as OpenAI's own servers do; and those
that cannot be honoured although the answer depends on them, which are refused.
"""

import re
from collections.abc import Mapping
from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from famulus.conversations.parts import ClientTool
from famulus.doors.openai.shapes import InvalidValue, UnknownParameter, UnsupportedParameter, at
from famulus.kernel.errors import BadRequest
from famulus.kernel.text import clean_text

T = TypeVar("T")
LONGEST = 100_000
"""Characters of one text."""
MOST_TOOLS = 128
_PLACE = re.compile(r" - at `(?:key` in `)?\$\.?(.*)`$")
_UNKNOWN = re.compile(r"unknown field `(.{1,200})`", re.DOTALL)
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
Temperature = Annotated[float, Meta(ge=0, le=2)] | None
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


def enough_tools(count: int) -> None:
    """Raise InvalidValue for more tools than a request may offer."""
    if count > MOST_TOOLS:
        raise at(InvalidValue, "tools", f"tools: at most {MOST_TOOLS} are allowed.")


def marks(metadata: Mapping[str, str] | None) -> dict[str, str]:
    """A client's own texts, cleaned. Raises InvalidValue."""
    return {
        text(key, "metadata"): text(value, f"metadata.{key[:64]}", blank=True)
        for key, value in (metadata or {}).items()
    }
