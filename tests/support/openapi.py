"""Whether a value is what an OpenAPI document says: a small checker of the part of JSON Schema that such documents use.

It is strict where the document is silent: an object with declared properties has no others, unless it says so.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

JSON = Any
KNOWN = frozenset(
    "$ref anyOf type properties required additionalProperties items enum const format title description default"
    " minLength maxLength minimum maximum exclusiveMinimum pattern minItems maxItems prefixItems examples".split()
)
TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "null": (type(None),),
}
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z")
METHODS = ("get", "post", "put", "patch", "delete")


def operations(document: JSON) -> dict[str, JSON]:
    """Every operation of a document by `METHOD /path`."""
    return {
        f"{method.upper()} {path}": operation
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if method in METHODS
    }


def response_schema(document: JSON, operation: str, status: int, media_type: str) -> JSON:
    """What an operation says it answers with; raises AssertionError when it says nothing of this."""
    responses = operations(document)[operation]["responses"]
    declared = responses.get(str(status)) or (responses["default"] if status >= 400 else None)
    assert declared is not None, f"{operation} does not declare {status}, only {sorted(responses)}"
    content = declared.get("content", {})
    assert media_type in content, (
        f"{operation} declares {sorted(content)} for {status}, and sent {media_type}"
    )
    return content[media_type]["schema"]


def body_properties(document: JSON, operation: str) -> dict[str, JSON]:
    """The fields of an operation's JSON body by name."""
    content = operations(document)[operation].get("requestBody", {}).get("content", {})
    if "application/json" not in content:
        return {}
    return dict(resolved(document, content["application/json"]["schema"]).get("properties", {}))


def resolved(document: JSON, schema: JSON) -> JSON:
    """The schema itself, where one is only referred to."""
    while "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    return schema


def violations(document: JSON, schema: JSON, value: JSON, path: str = "$") -> Iterator[str]:
    """What is wrong with a value, each with the place of it."""
    schema = resolved(document, schema)
    strange = set(schema) - KNOWN
    assert not strange, f"the checker does not know {strange} at {path}"
    if "anyOf" in schema:
        attempts = [list(violations(document, each, value, path)) for each in schema["anyOf"]]
        if all(attempts):
            yield f"{path} fits none of its forms: {min(attempts, key=len)[0]}"
        return
    if "type" in schema and not _is(schema["type"], value):
        yield f"{path} is {type(value).__name__}, not {schema['type']}"
        return
    if "enum" in schema and value not in schema["enum"]:
        yield f"{path} is {value!r}, none of {schema['enum']}"
    if "const" in schema and value != schema["const"]:
        yield f"{path} is {value!r}, not {schema['const']!r}"
    if schema.get("format") == "date-time" and not _is_time(value):
        yield f"{path} is {value!r}, no time in UTC as RFC 3339 writes it"
    if isinstance(value, dict):
        yield from _object(document, schema, value, path)
    if isinstance(value, list):
        yield from _list(document, schema, value, path)


def _list(document: JSON, schema: JSON, value: list[JSON], path: str) -> Iterator[str]:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        yield f"{path} has {len(value)} items"
    each = schema.get("prefixItems") or [schema.get("items", {})] * len(value)
    for index, (item, of) in enumerate(zip(value, each, strict=False)):
        yield from violations(document, of, item, f"{path}[{index}]")


def _is(kind: str, value: JSON) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])


def _is_time(value: JSON) -> bool:
    return (
        isinstance(value, str) and TIME.fullmatch(value) is not None and bool(datetime.fromisoformat(value))
    )


def _object(document: JSON, schema: JSON, value: dict[str, JSON], path: str) -> Iterator[str]:
    properties = schema.get("properties", {})
    # A response model without a default for a field lists it as required, so nothing may be missing.
    for name in schema.get("required", ()):
        if name not in value:
            yield f"{path}.{name} is missing"
    more = schema.get("additionalProperties", not properties)
    for name, item in value.items():
        if name in properties:
            yield from violations(document, properties[name], item, f"{path}.{name}")
        elif more is False:
            yield f"{path}.{name} is not declared"
        elif isinstance(more, dict):
            yield from violations(document, more, item, f"{path}.{name}")
