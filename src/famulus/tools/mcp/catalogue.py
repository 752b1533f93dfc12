"""What an MCP server says that it offers: read with distrust, kept as text, and each tool known by its pin. Pure.

A pin is the digest of everything of a tool that a model or a person gets to see. An admin approves pins, not names:
what says something else the next time is another tool.
"""

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

import msgspec

from famulus.kernel.openapi_document import Node, node, text_of
from famulus.kernel.text import visible_text
from famulus.tools.arguments import as_schema
from famulus.tools.contract import Effect
from famulus.tools.mcp.talking import Era

NAME = re.compile(r"[A-Za-z0-9_./-]{1,128}")
DEPTH = 30
MAX_SCHEMA = 30_000
"""Characters."""
MAX_DESCRIPTION = 4_000
PROSE = ("description", "title", "$comment")
"""Members of a schema that only say something."""
IN_HEADERS = "x-mcp-header"
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_IDENTITIES = ("$schema", "$id", "$anchor", "$dynamicAnchor")


class Unusable(Exception):
    """A tool cannot be taken; the message says why."""


class Offered(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool of the other side, as it says."""

    name: str
    title: str
    description: str
    schema: dict[str, Any]
    reads: bool = False
    """Whether it says that it only reads."""
    destroys: bool = False
    """Whether it says that it destroys something."""

    @property
    def pin(self) -> str:
        """Stands for all of it."""
        return hashlib.sha256(_encode(self)).hexdigest()

    @property
    def effect(self) -> Effect:
        """What it is taken to do unless an admin says otherwise. That it only reads is not believed."""
        return "destroys" if self.destroys else "writes"


class Catalogue(msgspec.Struct, frozen=True):
    """What a server offers."""

    era: Era
    tools: tuple[Offered, ...]


_encode = msgspec.json.Encoder(order="deterministic").encode
_decode = msgspec.json.Decoder(Catalogue).decode


def written(catalogue: Catalogue) -> str:
    """As text that is kept; the same for what says the same."""
    return _encode(catalogue).decode()


def kept(text: str | None) -> Catalogue | None:
    """The catalogue that was kept, if there is one."""
    try:
        return _decode(text) if text else None
    except (msgspec.DecodeError, RecursionError):
        return None


def read_tools(said: Iterable[Any]) -> tuple[list[Offered], list[str]]:
    """The tools that can be taken, by name, and those that cannot, each with why."""
    tools: dict[str, Offered] = {}
    left_out: list[str] = []
    for each in said:
        raw = node(each)
        name = text_of(raw.get("name"))
        try:
            if name in tools:
                raise Unusable("there are two of that name")
            tools[name] = _tool(name, raw)
        except Unusable as error:
            left_out.append(f"{visible_text(name[:64]) or 'a tool'}: {error}")
    return [tools[name] for name in sorted(tools)], left_out


def _tool(name: str, raw: Node) -> Offered:
    if not NAME.fullmatch(name):
        raise Unusable(
            "its name has other characters than letters, digits, `_`, `-`, `.` and `/`, or too many"
        )
    schema = node(raw.get("inputSchema"))
    if schema.get("type") != "object":
        raise Unusable("its arguments are no object")
    plain = _schema(schema)
    plain.setdefault("properties", {})
    if len(as_schema(plain)) > MAX_SCHEMA:
        raise Unusable("its schema is too large")
    notes = node(raw.get("annotations"))
    reads = notes.get("readOnlyHint") is True
    return Offered(
        name=name,
        title=visible_text(text_of(raw.get("title")) or text_of(notes.get("title")))[:200],
        description=visible_text(text_of(raw.get("description")))[:MAX_DESCRIPTION],
        schema=plain,
        reads=reads,
        destroys=not reads and notes.get("destructiveHint") is True,
    )


def _schema(schema: Node, depth: int = 0) -> Node:
    """A schema that can be checked by and shown: nothing in it leads elsewhere, and nothing hides."""
    if depth > DEPTH:
        raise Unusable("its schema is too deep")
    plain: Node = {}
    for name, value in schema.items():
        _check_visible(name)
        if name == IN_HEADERS:
            raise Unusable("it wants arguments in headers")
        if name in _REFERENCES and not text_of(value).startswith("#"):
            raise Unusable("its schema refers to another document")
        if name in _IDENTITIES and isinstance(value, str):
            continue  # a name for it that is used nowhere, or an address to fetch
        prose = name in PROSE and isinstance(value, str)
        plain[name] = visible_text(value)[:MAX_DESCRIPTION] if prose else _value(value, depth + 1)
    return plain


def _value(value: Any, depth: int) -> Any:
    match value:
        case dict():
            return _schema(cast(Node, value), depth)
        case list():
            if depth > DEPTH:
                raise Unusable("its schema is too deep")
            return [_value(each, depth + 1) for each in cast(list[Any], value)]
        case str():
            _check_visible(value)
            return value
        case _:
            return value


def _check_visible(text: str) -> None:
    """What is written back as it stands, a name or a constant, cannot be made visible: it would be another."""
    if visible_text(text) != text:
        raise Unusable("its schema has characters that do not show")


def replaced(value: Any, by: Callable[[str], str], depth: int = 0) -> Any:
    """An answer with each text in it, names included, as `by` writes it."""
    if depth > DEPTH:
        return "…"
    match value:
        case str():
            return by(value)
        case Mapping():
            members = cast(Mapping[Any, Any], value)
            return {by(str(name)): replaced(each, by, depth + 1) for name, each in members.items()}
        case list():
            return [replaced(each, by, depth + 1) for each in cast(list[Any], value)]
        case _:
            return value
