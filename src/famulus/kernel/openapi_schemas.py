"""Schemas of a document, made whole for a model: references put in place, cut where they recur or go too deep.

What remains is JSON schema (2020-12) without references, whichever version the document has. Cutting makes a schema
laxer, never stricter; the far side has the last word on what it takes.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any, Literal
from urllib.parse import unquote

from famulus.kernel.openapi_document import BadDocument, Node, listed, node, text_of

DEPTHS = (8, 5, 3, 2)
"""Levels of nested schemas, tried until the whole is short enough."""
MAX_SCHEMA = 6_000
"""Characters of one tool's schema that are aimed at."""
MAX_NODES = 3_000
DESCRIPTION = 300
KEPT = frozenset(
    """
    type enum const default format pattern minLength maxLength minimum maximum exclusiveMinimum exclusiveMaximum
    multipleOf minItems maxItems uniqueItems minProperties maxProperties required dependentRequired
""".split()
)
"""Keywords that are taken as they are."""
Method = Literal["get", "put", "post", "delete", "patch", "head", "options"]
METHODS: tuple[Method, ...] = ("get", "put", "post", "delete", "patch", "head", "options")
Find = Callable[[str], Any]
"""What a reference within the document points at; raises BadDocument."""


def references(document: Node) -> Find:
    """Looks up what references point at within a document; what lies elsewhere is not fetched."""

    def find(reference: str) -> Any:
        if not reference.startswith("#/"):
            raise BadDocument(f"it refers to {reference[:100]!r}, outside of the document")
        found: Any = document
        for piece in unquote(reference[2:]).split("/"):
            name = piece.replace("~1", "/").replace("~0", "~")
            inner = listed(found)
            if inner and name.isascii() and name.isdigit() and int(name) < len(inner):
                found = inner[int(name)]
            elif name in node(found):
                found = node(found)[name]
            else:
                raise BadDocument(f"it refers to {reference[:100]!r}, which is not there")
        return found

    return find


def resolved(find: Find, value: object) -> Node:
    """An object of the document, or the one that it refers to. Raises BadDocument."""
    found = node(value)
    for _ in range(10):
        if not isinstance(found.get("$ref"), str):
            return found
        found = node(find(found["$ref"]))
    raise BadDocument("its references go round in circles")


def listed_operations(find: Find, paths: Node) -> Iterator[tuple[str, Method, Node, Node]]:
    """Path, method, path item and operation of every operation; a path that cannot be read is left out."""
    for path, item in paths.items():
        if not path.startswith("/"):
            continue
        try:
            place = resolved(find, item)
        except BadDocument:
            continue
        for method in METHODS:
            if method in place:
                yield path, method, place, node(place[method])


def whole(find: Find, schema: Node) -> Node:
    """The schema with its references put in place, as deep as still makes it short enough. Raises BadDocument."""
    found: Node = {}
    for depth in DEPTHS:
        found = node(_Inliner(find, depth).of(schema, frozenset(), 0))
        if len(json.dumps(found)) <= MAX_SCHEMA:
            break
    return found


class _Inliner:
    def __init__(self, find: Find, depth: int) -> None:
        self._find = find
        self._depth = depth
        self._left = MAX_NODES

    def of(self, value: object, seen: frozenset[str], depth: int) -> Any:
        """The schema made whole; `seen` are the references that led here."""
        if isinstance(value, bool):
            return value
        schema = node(value)
        self._left -= 1
        reference = schema.get("$ref")
        if isinstance(reference, str):
            target = self._find(reference)
            beside = {key: each for key, each in schema.items() if key != "$ref"}
            if reference in seen or depth > self._depth or self._left < 0:
                return _cut(node(target), beside)
            return self.of({**node(target), **beside}, seen | {reference}, depth)
        if depth > self._depth or self._left < 0:
            return _cut(schema, {})
        return self._whole(schema, seen, depth)

    def _whole(self, schema: Node, seen: frozenset[str], depth: int) -> Node:
        def inner(each: object) -> Any:
            return self.of(each, seen, depth + 1)

        found: Node = {key: each for key, each in schema.items() if key in KEPT}
        if said := text_of(schema.get("description")):
            found["description"] = said[:DESCRIPTION]
        if "properties" in schema:
            members = node(schema["properties"]).items()
            found["properties"] = {key: inner(each) for key, each in members if not self._read_only(each)}
            found["required"] = [
                each for each in listed(found.get("required")) if each in found["properties"]
            ]
        for key in ("items", "additionalProperties", "not", "propertyNames"):
            if key in schema:
                found[key] = inner(schema[key])
        for key in ("oneOf", "anyOf", "prefixItems"):
            if parts := listed(schema.get(key)):
                found[key] = [inner(each) for each in parts]
        if parts := listed(schema.get("allOf")):
            # At the same depth: the parts of a schema are no further down than itself.
            found = _joined(found, [self.of(each, seen, depth) for each in parts])
        return _modern(found, nullable=schema.get("nullable") is True)

    def _read_only(self, value: object) -> bool:
        """Whether a property is only in answers."""
        schema = node(value)
        try:
            return resolved(self._find, schema).get("readOnly") is True or schema.get("readOnly") is True
        except BadDocument:
            return False


def _cut(target: Node, beside: Node) -> Node:
    """What is left of a schema that is not followed any further."""
    kind: object = target.get("type")
    kept: Node = {"type": kind} if isinstance(kind, str | list) and target.get("nullable") is not True else {}
    said = text_of(beside.get("description")) or text_of(target.get("description"))
    return {**kept, **({"description": said[:DESCRIPTION]} if said else {})}


def _joined(schema: Node, parts: list[Any]) -> Node:
    """A schema with the parts of its `allOf`: one object where they are objects, which is easier on models."""
    objects = [schema, *(node(each) for each in parts)]
    plain = {"type", "properties", "required", "description", "additionalProperties", "default"}
    if any(each.keys() - plain or each.get("type", "object") != "object" for each in objects):
        filled = [each for each in parts if each not in ({}, True)]
        if not schema.keys() - {"description"} and len(filled) == 1:
            return {**node(filled[0]), **schema}
        return {**schema, "allOf": filled} if filled else schema
    found: Node = {"type": "object", "properties": {}}
    required: list[Any] = []
    for each in objects:
        found["properties"] |= node(each.get("properties"))
        required += listed(each.get("required"))
        if "description" in each and "description" not in found:
            found["description"] = each["description"]
    return {**found, "required": list(dict.fromkeys(required))}


def _modern(schema: Node, *, nullable: bool) -> Node:
    """What only OpenAPI 3.0 writes, as JSON schema has it."""
    for limit, exclusive in (("minimum", "exclusiveMinimum"), ("maximum", "exclusiveMaximum")):
        if isinstance(schema.get(exclusive), bool) and schema.pop(exclusive) and limit in schema:
            schema[exclusive] = schema.pop(limit)
    if schema.get("required") == [] or not isinstance(schema.get("required", []), list):
        del schema["required"]
    if not nullable:
        return schema
    if isinstance(schema.get("enum"), list) and None not in schema["enum"]:
        schema["enum"] = [*schema["enum"], None]
    if isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    elif "type" not in schema and schema.keys() & {"oneOf", "anyOf", "allOf"}:
        return {"anyOf": [schema, {"type": "null"}]}
    return schema
