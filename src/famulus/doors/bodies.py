"""Reading bodies of protocols that are not ours: decoded in one pass, and whatever is wrong with one is named."""

import asyncio
import re
from typing import Any, TypeVar

import msgspec
from fastapi import Request

from famulus.conversations.parts import ClientTool
from famulus.kernel.errors import BadRequest, FieldProblem, Invalid
from famulus.kernel.text import clean_text

T = TypeVar("T")
BODY_TIME = 30.0
"""Seconds in which a request has to have come."""
MOST_TOOLS, MOST_SCHEMA = 128, 10_000
"""Tools that a client may offer, and bytes of the schema of one."""
_PLACE = re.compile(r" - at `(?:key` in `)?\$\.?(.*)`$")
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


async def body_of(request: Request) -> bytes:
    """The whole body; raises BadRequest for one that does not come."""
    try:
        async with asyncio.timeout(BODY_TIME):
            return await request.body()
    except TimeoutError as error:
        raise BadRequest(f"The body did not come within {BODY_TIME:.0f} seconds.") from error


def decoded(body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """What a body says; raises BadRequest for what is no JSON, or Invalid, which names the field."""
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        words = str(error)
        place = _PLACE.search(words)
        raise fault(place[1] if place else "body", f"{_PLACE.sub('', words)}.") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest("The body is not valid JSON.") from error


def fault(path: str, message: str) -> Invalid:
    """An error that names the field that it is about."""
    return Invalid(f"Not acceptable: {path}.", fields=(FieldProblem(path[:200], message[:500]),))


def text(value: str, path: str, longest: int, *, blank: bool = False, line: bool = False) -> str:
    """A text as it is kept; `blank` where it may be empty, `line` where it is one line. Raises Invalid."""
    try:
        return clean_text(value, longest, min_length=0 if blank else 1, single_line=line, strip=line)
    except ValueError as error:
        raise fault(path, str(error)) from error


def as_json(value: object, path: str, most: int) -> str:
    """A value as JSON text of at most so many bytes; raises Invalid."""
    try:
        encoded = msgspec.json.encode(value)
    except (ValueError, RecursionError) as error:
        raise fault(path, "This is not valid JSON.") from error
    if len(encoded) > most:
        raise fault(path, f"This has {len(encoded):,} bytes; at most {most:,} are allowed.")
    return text(encoded.decode(), path, most, blank=True)


def client_tool(name: str, description: str, parameters: dict[str, Any] | None, path: str) -> ClientTool:
    """A tool that the client carries out itself. Raises Invalid."""
    if not _NAME.fullmatch(name):
        raise fault(f"{path}.name", "A name is 1 to 64 letters, digits, '_' or '-'.")
    as_json(parameters, f"{path}.parameters", MOST_SCHEMA)
    told = text(description, f"{path}.description", 10_000, blank=True)
    return ClientTool(name, told, parameters or {"type": "object", "properties": {}})
