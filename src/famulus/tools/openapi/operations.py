"""The operations of a document, each with one flat list of arguments: of its path, query, headers and body.

An operation that cannot be called from here (a file to upload, a reference that leads nowhere) is left out,
and named with the reason; the others go on.
"""

import re
from dataclasses import dataclass, replace
from typing import Any, Literal
from urllib.parse import urljoin, urlsplit

import msgspec

from famulus.kernel.openapi_document import BadDocument, Node, listed, node, text_of
from famulus.kernel.openapi_schemas import Find, Method, listed_operations, references, resolved, whole

Place = Literal["path", "query", "header", "cookie", "body"]
MOST_OPERATIONS = 1_000
NAME = 64
"""Characters of a name that models' servers take."""
IDEMPOTENCY_KEY = "idempotency-key"
OURS = frozenset(
    """
    accept authorization connection content-length content-type cookie expect famulus-tool-call forwarded host
    idempotency-key keep-alive origin proxy-authorization proxy-connection referer te trailer transfer-encoding upgrade
    user-agent x-forwarded-for x-forwarded-host x-forwarded-proto
""".split()
)
"""Headers that no argument sets."""
JSON_MEDIA = re.compile(r"application/(?:[\w.+-]+\+)?json", re.IGNORECASE)
FORM, PARTS, TEXT = "application/x-www-form-urlencoded", "multipart/form-data", "text/plain"
CHOICES = ("anyOf", "oneOf", "allOf")
_VARIABLE = re.compile(r"\{([^{}]+)\}")
_NO_NAME = re.compile(r"[^A-Za-z0-9_]+")


class _Parameter(msgspec.Struct, rename={"place": "in", "reserved": "allowReserved"}):
    """A parameter as documents write it."""

    name: str
    place: str
    required: bool = False
    style: str | None = None
    explode: bool | None = None
    reserved: bool = False
    description: str | None = None
    schema: Any = None
    content: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument, and how it is written into the request."""

    argument: str
    """What the model calls it."""
    name: str
    """What the document calls it; empty for a body that is one value."""
    place: Place
    style: str = ""
    explode: bool = False
    reserved: bool = False
    json: bool = False
    """Whether it is written as JSON, whatever its style."""


@dataclass(frozen=True, slots=True)
class Operation:
    """What can be asked of an API."""

    id: str
    """Of letters, digits and `_`; no other of the document has it."""
    method: Method
    path: str
    """As the document writes it, with variables in braces."""
    base: str
    """The address before the path."""
    summary: str
    description: str
    arguments: tuple[Argument, ...]
    schema: Node
    """JSON schema of all arguments as one object."""
    media: str = ""
    """The type of the body, if there is one."""
    knows_keys: bool = False
    """Whether it documents that a repeated request is known by its `Idempotency-Key`."""

    @property
    def title(self) -> str:
        """Such as `GET /orders/{id}`."""
        return f"{self.method.upper()} {self.path}"


@dataclass(frozen=True, slots=True)
class Described:
    """What a document describes."""

    title: str
    operations: tuple[Operation, ...]
    left_out: tuple[str, ...]
    """Operations that cannot be called from here, each with why."""


def describe(document: Node, *, source: str | None, base: str | None) -> Described:
    """The operations of a document that came from the address `source`; `base` is to be asked whatever it says.

    Raises BadDocument where none can be called.
    """
    find = references(document)
    operations: list[Operation] = []
    left_out: list[str] = []
    taken: set[str] = set()
    for path, method, place, described in listed_operations(find, node(document["paths"])):
        try:
            servers = described.get("servers") or place.get("servers") or document.get("servers")
            address = base or _address(listed(servers), source)
            operation = _operation(find, (path, method, address), place, described)
        except (BadDocument, msgspec.ValidationError) as error:
            left_out.append(f"{method.upper()} {path}: {error}"[:300])
            continue
        id = _unique(operation.id, taken, NAME)
        operations.append(replace(operation, id=id))
        if len(operations) > MOST_OPERATIONS:
            raise BadDocument(f"The document describes more than {MOST_OPERATIONS:,} operations.")
    if not operations:
        raise BadDocument(
            f"None of its operations can be called: {'; '.join(left_out[:3]) or 'there is none'}."
        )
    title = text_of(node(document.get("info")).get("title"))[:100]
    return Described(title, tuple(operations), tuple(left_out))


def _address(servers: list[Any], source: str | None) -> str:
    """The first server, with the defaults of its variables, as seen from where the document came from."""
    server = node(servers[0]) if servers else {}
    url = text_of(server.get("url")) or "/"
    variables = node(server.get("variables"))
    url = _VARIABLE.sub(lambda found: str(node(variables.get(found[1])).get("default", "")), url)
    address = urljoin(source, url) if source else url
    if urlsplit(address).scheme not in ("http", "https"):
        raise BadDocument(f"its server {url[:100]!r} is no address; give the connection a base_url")
    return address.partition("?")[0].rstrip("/")


def _operation(find: Find, where: tuple[str, Method, str], place: Node, described: Node) -> Operation:
    path, method, base = where
    parameters = _parameters(find, [*listed(place.get("parameters")), *listed(described.get("parameters"))])
    filling = _Filling(find)
    for parameter in parameters:
        filling.add(parameter)
    media = filling.add_body(resolved(find, described.get("requestBody")), method)
    missing = set(_VARIABLE.findall(path)) - {each.name for each in filling.arguments if each.place == "path"}
    if missing:
        raise BadDocument(f"its path needs {min(missing)!r}, which it does not describe")
    return Operation(
        id=_sanitized(text_of(described.get("operationId")) or f"{method}_{path.strip('/')}"),
        method=method,
        path=path,
        base=base,
        summary=text_of(described.get("summary")),
        description=text_of(described.get("description")) or text_of(place.get("description")),
        arguments=tuple(filling.arguments),
        schema=filling.schema(),
        media=media,
        knows_keys=any(
            each.place == "header" and each.name.lower() == IDEMPOTENCY_KEY for each in parameters
        ),
    )


def _parameters(find: Find, written: list[Any]) -> list[_Parameter]:
    """The parameters of an operation; its own replace those of its path."""
    found: dict[tuple[str, str], _Parameter] = {}
    for each in written:
        parameter = msgspec.convert(resolved(find, each), _Parameter)
        found[parameter.place, parameter.name] = parameter
    rank = {"path": 0, "query": 1, "header": 2, "cookie": 3}
    return sorted(found.values(), key=lambda each: rank.get(each.place, 4))


class _Filling:
    """The arguments of one operation as they come together."""

    def __init__(self, find: Find) -> None:
        self.arguments: list[Argument] = []
        self._find = find
        self._properties: Node = {}
        self._required: list[str] = []

    def schema(self) -> Node:
        """All of them as one object."""
        found: Node = {"type": "object", "properties": self._properties, "additionalProperties": False}
        return {**found, "required": self._required} if self._required else found

    def add(self, parameter: _Parameter) -> None:
        """Take a parameter, but for headers that are not for arguments to set."""
        if parameter.place == "header" and parameter.name.lower() in OURS:
            return
        if parameter.place not in ("path", "query", "header", "cookie"):
            raise BadDocument(f"its parameter {parameter.name[:100]!r} is in {parameter.place[:20]!r}")
        place: Place = parameter.place
        style = parameter.style or ("form" if place in ("query", "cookie") else "simple")
        content = list((parameter.content or {}).values())
        shape = whole(self._find, node(node(content[0]).get("schema") if content else parameter.schema))
        said = (parameter.description or "").strip()[:300]
        self._put(
            Argument(
                self._name(parameter.name, place),
                parameter.name,
                place,
                style,
                parameter.explode if parameter.explode is not None else style == "form",
                parameter.reserved,
                json=bool(content),
            ),
            {**shape, **({"description": said} if said else {})},
            required=parameter.required or place == "path",
        )

    def add_body(self, body: Node, method: Method) -> str:
        """Take the body: the fields of an object as arguments of their own, anything else as one. Returns its type."""
        content = node(body.get("content"))
        if not content or method in ("get", "head"):
            return ""
        media = _media(content)
        shape = whole(self._find, node(node(content[media]).get("schema")))
        required = body.get("required") is True
        fields = node(shape.get("properties"))
        if _plain(media) == PARTS:
            said = node(resolved(self._find, node(content[media]).get("schema")).get("properties"))
            files = {name for name, each in said.items() if _is_file(resolved(self._find, each))}
            fields = _without_files(fields, files, listed(shape.get("required")))
        if not fields or shape.keys() & {*CHOICES} or media == TEXT:
            self._put(Argument(self._name("body", "body"), "", "body"), shape, required=required)
            return media
        needed = listed(shape.get("required")) if required else []
        for name, each in fields.items():
            argument = Argument(self._name(name, "body"), name, "body")
            self._put(argument, each, required=name in needed)
        return media

    def _put(self, argument: Argument, schema: Any, *, required: bool) -> None:
        self.arguments.append(argument)
        self._properties[argument.argument] = schema
        if required:
            self._required.append(argument.argument)

    def _name(self, name: str, place: Place) -> str:
        """What the model calls it: of letters that every model's server takes, and told apart by its place."""
        plain = _sanitized(name) or place
        taken = set(self._properties)
        if plain[:NAME] in taken:
            plain = f"{plain}_{place}"
        return _unique(plain, taken, NAME)


def _media(content: Node) -> str:
    """The type in which the body is sent: JSON where it may be, else a form, else text."""
    for media in content:
        if JSON_MEDIA.fullmatch(media.partition(";")[0].strip()):
            return media
    for wanted in (FORM, PARTS, TEXT):
        for media in content:
            if _plain(media) == wanted:
                return media
    raise BadDocument(f"its body is {next(iter(content))[:60]!r}; JSON, a form or text can be sent")


def _plain(media: str) -> str:
    return media.partition(";")[0].strip().lower()


def _without_files(fields: Node, files: set[str], required: list[Any]) -> Node:
    """The fields of a form of several parts that can be written. Raises BadDocument where that is not enough."""
    kept = {name: each for name, each in fields.items() if name not in files}
    if missing := [name for name in required if name in files]:
        raise BadDocument(f"its body is {PARTS} with the file {missing[0][:100]!r}, and no file can be sent")
    if not kept:
        raise BadDocument(f"its body is {PARTS} without a field that can be written")
    return kept


def _is_file(shape: Node) -> bool:
    within = [node(shape.get("items")), *(node(each) for key in CHOICES for each in listed(shape.get(key)))]
    if shape.get("format") in ("binary", "base64") or shape.keys() & {"contentMediaType", "contentEncoding"}:
        return True
    return any(each and _is_file(each) for each in within)


def _sanitized(name: str) -> str:
    return _NO_NAME.sub("_", name).strip("_")


def _unique(name: str, taken: set[str], length: int) -> str:
    """The name, cut and numbered where another has it already."""
    found, n = name[:length], 1
    while found in taken:
        n += 1
        found = f"{name[: length - len(str(n)) - 1]}_{n}"
    taken.add(found)
    return found
