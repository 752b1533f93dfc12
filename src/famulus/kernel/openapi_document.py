"""An OpenAPI document as it comes: JSON or YAML, of a version that is understood, within bounds. Pure."""

import json
import math
from typing import Any, cast

MAX_DOCUMENT = 2_000_000
"""Bytes of one document."""
MAX_NODES = 400_000
"""Values in it, with each alias of YAML counted as what it stands for: a few lines of them can stand for millions."""
MAX_DEPTH = 100
Node = dict[str, Any]


class BadDocument(ValueError):
    """A document, or a part of it, that cannot be used; the message is for whoever has chosen it."""


def node(value: object) -> Node:
    """An object of a document; anything else counts as an empty one."""
    return cast(Node, value) if isinstance(value, dict) else {}


def listed(value: object) -> list[Any]:
    """A list of a document; anything else counts as an empty one."""
    return cast(list[Any], value) if isinstance(value, list) else []


def text_of(value: object) -> str:
    """A text of a document; anything else counts as an empty one."""
    return value if isinstance(value, str) else ""


def read_document(text: str) -> Node:
    """The document that a text is. Raises BadDocument for what is none, or of another version than 3.0 and 3.1."""
    if len(text.encode("utf-8", "replace")) > MAX_DOCUMENT:
        raise BadDocument(f"The document is larger than {MAX_DOCUMENT:,} bytes.")
    found = _Plain().of(_parsed(text), 0)
    if not isinstance(found, dict):
        raise BadDocument("This is no OpenAPI document: it has to be an object with `openapi` and `paths`.")
    document = cast(Node, found)
    _check_version(document)
    if not node(document.get("paths")):
        raise BadDocument("The document describes no operations: `paths` is missing or empty.")
    return document


def _check_version(document: Node) -> None:
    if "swagger" in document:
        raise BadDocument(
            "This document is of version 2.0 (`swagger`). Convert it to OpenAPI 3.0 or 3.1, as its editors can."
        )
    version = str(document.get("openapi", ""))
    if not version:
        raise BadDocument("This is no OpenAPI document: `openapi` with a version is missing.")
    if not version.startswith(("3.0", "3.1")):
        raise BadDocument(f"OpenAPI {version[:20]} is not understood; 3.0 and 3.1 are.")


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except RecursionError as error:
        raise BadDocument("The document is too deep.") from error
    except ValueError:
        return _from_yaml(text)


def _from_yaml(text: str) -> object:
    import yaml  # lazy: most documents are JSON

    library = cast(Any, yaml)
    base = library.CSafeLoader if library.__with_libyaml__ else library.SafeLoader
    no_dates = {  # a date stays the text that it is
        first: [each for each in resolvers if not each[0].endswith(":timestamp")]
        for first, resolvers in base.yaml_implicit_resolvers.items()
    }
    loader = type("Loader", (base,), {"yaml_implicit_resolvers": no_dates})
    try:
        return library.load(text, loader)
    except (library.YAMLError, ValueError, RecursionError) as error:
        raise BadDocument(f"The document is neither JSON nor YAML: {error}."[:300]) from error


class _Plain:
    """Makes of a parsed document what JSON has: names are text, numbers finite, nothing without end."""

    def __init__(self) -> None:
        self._left = MAX_NODES

    def of(self, value: Any, depth: int) -> Any:
        self._left -= 1
        if self._left < 0 or depth > MAX_DEPTH:
            raise BadDocument("The document is too large once its aliases are written out, or too deep.")
        match value:
            case dict():
                members = cast(dict[Any, Any], value)
                return {_name(key): self.of(each, depth + 1) for key, each in members.items()}
            case list():
                return [self.of(each, depth + 1) for each in cast(list[Any], value)]
            case float() if not math.isfinite(value):
                return None
            case None | bool() | int() | float() | str():
                return value
            case _:
                return str(value)


def _name(key: object) -> str:
    return str(key).lower() if isinstance(key, bool) else str(key)
