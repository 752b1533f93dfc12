"""Arguments of tools: from the model's JSON to checked values, with errors that tell a model what to mend."""

import functools
import json
import re
from collections.abc import Callable
from typing import Any, cast

import msgspec
from pydantic import BaseModel, ConfigDict, ValidationError

from famulus.llm.protocol import ToolSpec
from famulus.tools.contract import Json, Lack, Retry, Tool

MAX_ARGUMENTS = 20_000
"""Characters of one call's arguments."""
SHOWN_PROBLEMS = 5
_decode = msgspec.json.Decoder(dict[str, object]).decode
SECRET = "•••"
Loc = tuple[int | str, ...]
SECRET_NAME = re.compile(
    r"pass(word|phrase|wd)|secret|token|api[_-]?key|authorization|credential|cookie", re.IGNORECASE
)
"""What is called so is shown to nobody."""


class Arguments(BaseModel):
    """What arguments of our own tools are made from. Descriptions of its fields are what the model reads."""

    model_config = ConfigDict(
        extra="forbid", frozen=True, str_strip_whitespace=True, use_attribute_docstrings=True
    )


class Nothing(Arguments):
    """No arguments."""


def read_arguments(text: str) -> Json:
    """The arguments that a model wrote. Raises `Retry` for what is too long or no JSON object."""
    if len(text) > MAX_ARGUMENTS:
        raise Retry(f"The arguments are longer than {MAX_ARGUMENTS} characters; send less at a time.")
    try:
        return _decode(text.strip() or "{}")
    except (msgspec.DecodeError, RecursionError) as error:
        raise Retry(f"The arguments are not a JSON object: {error}.") from error


def check_arguments(tool: Tool, given: Json) -> Any:
    """What `tool.act` takes. Raises `Retry` that names each wrong field."""
    if tool.check is not None:
        return tool.check(given)
    assert not isinstance(tool.parameters, bytes), "a tool described by a schema brings its own check"
    try:
        return tool.parameters.model_validate(given)
    except ValidationError as error:
        raise Retry(problems(error), _lack(error)) from error


def _lack(error: ValidationError) -> Lack | None:
    """The missing arguments, where nothing else is wrong."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    if any(each["type"] != "missing" or len(each["loc"]) != 1 for each in found):
        return None
    return Lack(tuple(str(each["loc"][0]) for each in found))


def problems(error: ValidationError, place: Callable[[Loc], str] | None = None) -> str:
    """What a model has to mend. `place` says where a fault is, by default with dots: `questions.2.prompt`."""
    found = error.errors(include_url=False, include_input=False, include_context=False)
    place = place or dotted
    lines = [f"{place(each['loc'])}: {each['msg'].rstrip('.')}" for each in found]
    more = [f"and {len(lines) - SHOWN_PROBLEMS} more"] if len(lines) > SHOWN_PROBLEMS else []
    return (
        "The arguments are wrong. "
        + "; ".join([*lines[:SHOWN_PROBLEMS], *more])
        + ". Mend them and call again."
    )


def dotted(place: Loc) -> str:
    """Where in the arguments a fault is."""
    return f"`{'.'.join(map(str, place)) or 'arguments'}`"


def spec_of(tool: Tool) -> ToolSpec:
    """A tool as models are told of it."""
    schema = tool.parameters if isinstance(tool.parameters, bytes) else _schema(tool.parameters)
    return ToolSpec(tool.name, tool.description, schema)


@functools.cache
def _schema(model: type[BaseModel]) -> bytes:
    return as_schema(_plain(model.model_json_schema()))


def as_schema(schema: Json) -> bytes:
    """A schema as models are sent it."""
    return json.dumps(schema, ensure_ascii=False, separators=(",", ":")).encode()


def _plain(node: Any) -> Any:
    """A schema without the titles that only repeat names: they cost tokens in every request."""
    if isinstance(node, dict):
        members = cast(dict[str, Any], node)
        return {
            key: _plain(value)
            for key, value in members.items()
            if not (key == "title" and isinstance(value, str))
        }
    return [_plain(each) for each in cast(list[Any], node)] if isinstance(node, list) else node


def plain(arguments: object) -> Json:
    """Checked arguments as JSON has them, without those that were not given."""
    if isinstance(arguments, BaseModel):
        return arguments.model_dump(mode="json", exclude_unset=True)
    return cast(Json, arguments)
