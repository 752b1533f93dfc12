"""The REST reference, made from the application's own OpenAPI document."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from fastapi.routing import APIRoute

from famulus.app import create_app
from famulus.doors.ag_ui import mounting as ag_ui
from famulus.doors.ai_sdk import mounting as ai_sdk
from famulus.doors.openai.mounting import ROUTERS
from famulus.kernel.settings import load_settings
from tests.support.docs_markdown import table

METHODS = ("get", "post", "put", "patch", "delete")
BUILT_IN = ("HTTPValidationError", "ValidationError")
"""The framework's own shapes, which are never sent: errors are `application/problem+json`."""
Json = Mapping[str, Any]


@cache
def document() -> Json:
    """The OpenAPI document of the application."""
    return create_app(load_settings(environment="local")).openapi()


def operations() -> Iterator[tuple[str, str, Json]]:
    """Every route: its method, its path, what the document says of it."""
    for path, found in document()["paths"].items():
        for method in METHODS:
            if method in found:
                yield method.upper(), path, found[method]


def operations_elsewhere() -> Iterator[tuple[str, str]]:
    """The method and path of every route of a protocol that others than we describe."""
    for router in (*ROUTERS, ag_ui.router, ai_sdk.router):
        for route in router.routes:
            assert isinstance(route, APIRoute), "these doors have plain routes"
            for method in sorted(route.methods):
                yield method, route.path


def rest_routes() -> str:
    """Every route, a table for each tag."""
    by_tag: dict[str, list[list[str]]] = {}
    for method, path, operation in operations():
        tag = str(operation.get("tags", ["other"])[0])
        row = [f"`{method} {path}`", _words(operation), _takes(operation), _gives(operation)]
        by_tag.setdefault(tag, []).append(row)
    head = ["request", "what it does", "takes", "gives"]
    return "\n\n".join(f"### {tag}\n\n{table(head, rows)}" for tag, rows in by_tag.items())


def _words(operation: Json) -> str:
    return str(operation.get("description") or operation.get("summary") or "")


def _takes(operation: Json) -> str:
    found = [
        f"`?{each['name']}`" if each["in"] == "query" else f"`{_header(each['name'])}:`"
        for each in operation.get("parameters", ())
        if each["in"] in ("query", "header")
    ]
    for kind, content in operation.get("requestBody", {}).get("content", {}).items():
        schema = content.get("schema", {})
        form = f"form: {', '.join(f'`{name}`' for name in schema.get('properties', {}))}"
        found.append(type_words(schema) if kind == "application/json" else form)
    return ", ".join(found) or "–"


def _header(name: str) -> str:
    return "-".join(word.capitalize() if word != "id" else "ID" for word in name.split("-"))


def _gives(operation: Json) -> str:
    found: list[str] = []
    for status, response in operation["responses"].items():
        if not status.startswith("2"):
            continue
        content = response.get("content", {})
        shapes = [type_words(each["schema"]) for kind, each in content.items() if kind == "application/json"]
        shapes = [shape for shape in shapes if shape != "anything"]
        shapes += ["events" for kind in content if kind == "text/event-stream"]
        found.append(f"{status} {' or '.join(shapes)}".strip())
    return "<br>".join(sorted(found, reverse=True))


def rest_bodies() -> str:
    """Every shape that is sent or taken."""
    schemas: Json = document()["components"]["schemas"]
    return "\n\n".join(_schema(name, schemas[name]) for name in sorted(schemas) if name not in BUILT_IN)


def _schema(name: str, schema: Json) -> str:
    needed = schema.get("required", ())
    rows = [
        [
            f"`{field}`",
            type_words(each),
            "" if field in needed else _default(each),
            each.get("description", ""),
        ]
        for field, each in schema.get("properties", {}).items()
    ]
    words = " ".join(str(schema.get("description", "")).split())
    return f"### {name}\n\n{words}\n\n{table(['field', 'type', 'if left out', 'meaning'], rows)}"


def _default(schema: Json) -> str:
    value = schema.get("default")
    if value is None:
        return "–"
    return "as described" if isinstance(value, (dict, list)) else f"`{str(value).lower()}`"


def type_words(schema: Json) -> str:
    """A JSON schema in words, with links to the shapes it names."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[1]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(type_words(each) for each in schema["anyOf"])
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    if "const" in schema:
        return f"`{schema['const']}`"
    return _plain(schema)


def _plain(schema: Json) -> str:
    kind = schema.get("type")
    if kind == "array":
        return f"list of {type_words(schema.get('items', {}))}"
    if kind == "string" and schema.get("format") == "date-time":
        return "time"
    words = {"string": "text", "integer": "whole number", "number": "number", "boolean": "true or false"}
    return words.get(
        str(kind), "null" if kind == "null" else "object" if kind == "object" else "anything"
    ) + _bounds(schema)


def _bounds(schema: Json) -> str:
    low = next((schema[key] for key in ("minLength", "minimum") if key in schema), None)
    high = next((schema[key] for key in ("maxLength", "maximum") if key in schema), None)
    unit = " characters" if schema.get("type") == "string" else ""
    if high is None:
        return ""
    return f" ({low or 0:,}–{high:,}{unit})"
