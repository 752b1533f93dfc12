"""A call as its HTTP request: each argument written in the style that the document asks for."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from urllib.parse import quote, unquote, urlencode
from uuid import uuid4

from famulus.tools.contract import Json, Retry
from famulus.tools.openapi.operations import FORM, PARTS, TEXT, Argument, Operation

RESERVED = ":/?#[]@!$&'()*+,;="
DELIMITERS = {"form": ",", "spaceDelimited": "%20", "pipeDelimited": "%7C"}
_NO_HEADER = re.compile(r"[^\x20-\x7e]")


@dataclass(frozen=True, slots=True)
class Written:
    """What is sent, but for credentials."""

    url: str
    headers: Mapping[str, str]
    body: bytes | None


def written(operation: Operation, given: Json) -> Written:
    """The request of a call with checked arguments. Raises `Retry` for a value that cannot stand where it has to."""
    path, query, fields = operation.path, list[str](), dict[str, Any]()
    headers, cookies = dict[str, str](), list[str]()
    for argument in operation.arguments:
        if argument.argument not in given:
            continue
        value = given[argument.argument]
        match argument.place:
            case "path":
                path = path.replace("{" + argument.name + "}", _in_path(argument, value))
            case "query":
                query += _in_query(argument, value)
            case "header":
                headers[argument.name] = _in_header(argument, value)
            case "cookie":
                joined = _simple(replace(argument, explode=False), value, quoted=True)
                cookies.append(f"{quote(argument.name, safe='')}={joined}")
            case "body":
                fields[argument.name] = value
    _check_path(operation, path)
    url = operation.base + path + ("?" + "&".join(query) if query else "")
    if cookies:
        headers["Cookie"] = "; ".join(cookies)
    if not fields:
        return Written(url, headers, None)
    media, body = _body(operation.media, fields)
    return Written(url, {**headers, "Content-Type": media}, body)


def _check_path(operation: Operation, path: str) -> None:
    """An argument stays within its own segment: none may climb to another path of the API."""
    for piece, wanted in zip(path.split("/"), operation.path.split("/"), strict=True):
        # Many a server decodes `%2F` before it looks where a path leads.
        if piece != wanted and (piece == "" or not {".", ".."}.isdisjoint(unquote(piece).split("/"))):
            raise Retry(f"An argument of the path {operation.path} must neither be empty nor lead elsewhere.")


def _in_path(argument: Argument, value: object) -> str:
    name = quote(argument.name, safe="")
    joined = _simple(argument, value, quoted=True)
    match argument.style:
        case "label":
            return "." + (joined.replace(",", ".") if argument.explode else joined)
        case "matrix":
            return _matrix(argument, value, name)
        case _:
            return joined


def _matrix(argument: Argument, value: object, name: str) -> str:
    if argument.explode and isinstance(value, Mapping):
        members = cast(Mapping[str, object], value)
        return "".join(f";{quote(key, safe='')}={_quoted(each)}" for key, each in members.items())
    if argument.explode and _is_list(value):
        return "".join(f";{name}={_quoted(each)}" for each in cast(Sequence[object], value))
    return f";{name}={_simple(argument, value, quoted=True)}"


def _simple(argument: Argument, value: object, *, quoted: bool) -> str:
    """The style `simple`: `a,b` of a list, `k,v` or `k=v` of an object."""
    write = _quoted if quoted else _text
    if argument.json:
        return quote(_json(value), safe="") if quoted else _json(value)
    if isinstance(value, Mapping):
        joint = "=" if argument.explode else ","
        members = cast(Mapping[str, object], value)
        return ",".join(f"{write(key)}{joint}{write(each)}" for key, each in members.items())
    if _is_list(value):
        return ",".join(write(each) for each in cast(Sequence[object], value))
    return write(value)


def _in_header(argument: Argument, value: object) -> str:
    text = _simple(argument, value, quoted=False)
    if _NO_HEADER.search(text):
        raise Retry(f"`{argument.argument}`: a header takes one line of printable ASCII only.")
    return text


def _in_query(argument: Argument, value: object) -> list[str]:
    safe = RESERVED.replace("&", "").replace("#", "").replace("+", "") if argument.reserved else ""
    name = quote(argument.name, safe="[]")

    def write(each: object) -> str:
        return quote(_text(each), safe=safe)

    if argument.json:
        return [f"{name}={quote(_json(value), safe='')}"]
    if isinstance(value, Mapping):
        members = cast(Mapping[str, object], value)
        if argument.style == "deepObject":
            return [
                pair
                for key, each in members.items()
                for pair in _deep(f"{name}[{quote(key, safe='')}]", each)
            ]
        if argument.explode:
            return [f"{quote(key, safe='')}={write(each)}" for key, each in members.items()]
        return [f"{name}=" + ",".join(f"{write(key)},{write(each)}" for key, each in members.items())]
    if _is_list(value):
        items = [write(each) for each in cast(Sequence[object], value)]
        if argument.explode or argument.style == "deepObject":
            return [f"{name}={each}" for each in items]
        return [f"{name}={DELIMITERS.get(argument.style, ',').join(items)}"] if items else []
    return [] if value is None else [f"{name}={write(value)}"]


def _deep(name: str, value: object) -> list[str]:
    if isinstance(value, Mapping):
        members = cast(Mapping[str, object], value)
        return [
            pair for key, each in members.items() for pair in _deep(f"{name}[{quote(key, safe='')}]", each)
        ]
    if _is_list(value):
        return [pair for each in cast(Sequence[object], value) for pair in _deep(f"{name}[]", each)]
    return [f"{name}={_quoted(value)}"]


def _body(media: str, fields: Mapping[str, Any]) -> tuple[str, bytes]:
    """Its type and its bytes."""
    value: Any = fields[""] if "" in fields else dict(fields)
    plain = media.partition(";")[0].strip().lower()
    if plain in (FORM, PARTS) and isinstance(value, dict):
        pairs: list[tuple[str, str]] = []
        for name, each in cast(dict[str, object], value).items():
            values = cast(Sequence[object], each) if _is_list(each) else [each]
            pairs += [(name, _text(one)) for one in values]
        return (media, urlencode(pairs).encode()) if plain == FORM else _parts(pairs)
    return media, _text(value).encode() if plain == TEXT else _json(value).encode()


def _parts(pairs: Sequence[tuple[str, str]]) -> tuple[str, bytes]:
    """A form of several parts (RFC 7578), with names escaped as browsers do."""
    boundary = uuid4().hex
    lines: list[str] = []
    for name, text in pairs:
        escaped = name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        lines += [f"--{boundary}", f'Content-Disposition: form-data; name="{escaped}"', "", text]
    body = "\r\n".join([*lines, f"--{boundary}--", ""]).encode()
    return f"{PARTS}; boundary={boundary}", body


def _quoted(value: object) -> str:
    return quote(_text(value), safe="")


def _text(value: object) -> str:
    """A single value as it stands in an address, a header or a form."""
    match value:
        case str():
            return value
        case None:
            return ""
        case _:
            return _json(value)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _is_list(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
