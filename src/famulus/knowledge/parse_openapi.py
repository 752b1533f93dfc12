"""An OpenAPI document by operation: each with what it takes, answers and asks for, its schemas written out as lists."""

import json
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import Any

from famulus.kernel.openapi_document import BadDocument, Node, listed, node, read_document, text_of
from famulus.kernel.openapi_schemas import Find, Method, listed_operations, references, resolved, whole
from famulus.knowledge.blocks import Block, Content, Section, Unparsable, one_line, slug
from famulus.knowledge.cut import LONGEST

MOST_OPERATIONS = 5_000
DEPTHS = (3, 2, 1, 0)
"""Levels of fields within fields, tried until the operation is short enough for one chunk."""
DEEPEST_REFERENCE = 3
MOST_REFERENCES = 40
"""Of one operation, to schemas within schemas, so deep and so many."""
SAID = 400
"""Characters of one description."""
ENDINGS = (".json", ".yaml", ".yml")


def is_openapi(path: str) -> bool:
    """Whether a file's name says that it is such a document."""
    name = PurePosixPath(path).name.lower()
    return name.endswith(ENDINGS) and ("openapi" in name or "swagger" in name)


def parse_openapi(text: str, place: str = "openapi.json") -> Content:
    """One section an operation of the document at `place`; raises `Unparsable` for another kind of document."""
    try:
        document = read_document(text)
    except BadDocument as error:
        raise Unparsable(str(error)) from error
    title = one_line(text_of(node(document.get("info")).get("title")), 200) or "API"
    content = Content(title if "api" in title.lower().split() else f"{title} API", [])
    find = references(document)
    for path, method, item, described in listed_operations(find, node(document["paths"])):
        if len(content.sections) == MOST_OPERATIONS:
            content.notes.append(f"Only the first {MOST_OPERATIONS:,} operations were read.")
            break
        try:
            section = _section(find, document, (method, path), item, described)
            section.defines, section.refers = _edges(find, place, section.symbol, described)
            content.sections.append(section)
        except BadDocument as error:
            content.notes.append(f"{method.upper()} {path}: {error}"[:300])
    return content


def _section(find: Find, document: Node, where: tuple[Method, str], place: Node, described: Node) -> Section:
    method, path = where
    id = one_line(text_of(described.get("operationId")), 200) or f"{method.upper()} {path}"
    head = [f"**{method.upper()} {path}** (operation `{id}`)"]
    head += [
        said for key in ("summary", "description") if (said := text_of(described.get(key)).strip()[:1_000])
    ]
    if described.get("deprecated") is True:
        head.append("Deprecated.")
    head.append(_security(document, described))
    parameters = [*listed(place.get("parameters")), *listed(described.get("parameters"))]
    found = ""
    for depth in DEPTHS:
        parts = [*head, *_takes(find, parameters, described, depth), *_answers(find, described, depth)]
        found = "\n\n".join(part for part in parts if part)
        if len(found) <= LONGEST:
            break
    text = found if len(found) <= LONGEST else found[: LONGEST - 1].rsplit("\n", 1)[0] + "\n…"
    return Section(heading_path=(id,), anchor=slug(id)[:300], blocks=[Block(text, whole=True)], symbol=id)


def _edges(find: Find, place: str, id: str, described: Node) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What an operation is, and what it refers to.

    It *is* its own id, and stands for the schema that it takes. What it gives, what is inside of either, and the
    operations that its answers link to, it refers to: where all that give a thing stood for it, none would stand out.
    """
    answers = [each for status, each in node(described.get("responses")).items() if status.startswith("2")]
    taken = dict.fromkeys(_references(find, described.get("requestBody"), 1))
    given = dict.fromkeys(ref for each in answers for ref in _references(find, each, DEEPEST_REFERENCE))
    inner = dict.fromkeys(
        ref for each in taken for ref in _references(find, {"$ref": each}, DEEPEST_REFERENCE)
    )
    linked = [
        f":{text_of(node(link).get('operationId'))}"
        for each in answers
        for link in node(node(each).get("links")).values()
    ]
    wanted = dict.fromkeys((*linked, *given, *inner))
    refers = [f"{place}{ref}" for ref in wanted if ref != ":" and ref not in taken]
    return (f"{place}:{id}", *(f"{place}{ref}" for ref in taken)), tuple(refers[:MOST_REFERENCES])


def _references(find: Find, value: object, depth: int) -> Iterator[str]:
    """The references in a part of the document, and within what those point at, `depth` of them deep."""
    waiting: list[tuple[object, int]] = [(value, 0)]
    seen: set[str] = set()
    while waiting and len(seen) < MOST_REFERENCES:
        found, level = waiting.pop(0)
        waiting += [
            (each, level) for each in (*node(found).values(), *listed(found)) if isinstance(each, dict | list)
        ]
        ref = node(found).get("$ref")
        if isinstance(ref, str) and ref not in seen:
            seen.add(ref)
            yield ref
            if level + 1 < depth:
                waiting.append((resolved(find, {"$ref": ref}), level + 1))


def _security(document: Node, described: Node) -> str:
    """Who may call it, as far as the document says."""
    demanded = described.get("security", document.get("security"))
    if demanded is None:
        return ""
    schemes = node(node(document.get("components")).get("securitySchemes"))
    ways = [
        " and ".join(_scheme(name, node(schemes.get(name)), listed(scopes)) for name, scopes in way.items())
        for each in listed(demanded)
        if (way := node(each))
    ]
    return (
        f"Permission: sign in by {', or '.join(ways)}."
        if ways
        else "Permission: anybody, without signing in."
    )


def _scheme(name: str, scheme: Node, scopes: list[Any]) -> str:
    kind = " ".join(filter(None, (text_of(scheme.get("scheme")), text_of(scheme.get("type")))))
    said = one_line(text_of(scheme.get("description")), 200)
    where = f" in {text_of(scheme.get('in'))} `{text_of(scheme.get('name'))}`" if "in" in scheme else ""
    needs = f", with the scopes {', '.join(map(str, scopes))}" if scopes else ""
    return f"{name} ({kind}{where}{': ' + said if said else ''}{needs})"


def _takes(find: Find, parameters: list[Any], described: Node, depth: int) -> Iterator[str]:
    rows: list[str] = []
    for each in parameters:
        parameter = resolved(find, each)
        schema = whole(find, node(parameter.get("schema")))
        said = text_of(parameter.get("description")) or text_of(schema.get("description"))
        needed = parameter.get("required") is True
        rows.append(_row(text_of(parameter.get("name")), text_of(parameter.get("in")), schema, said, needed))
        rows += _fields(schema, depth - 1, "  ")
    if rows:
        yield "Parameters:\n" + "\n".join(rows)
    body = resolved(find, described.get("requestBody"))
    for media, content in list(node(body.get("content")).items())[:1]:
        schema = whole(find, node(node(content).get("schema")))
        needed = ", required" if body.get("required") is True else ""
        said = one_line(text_of(body.get("description")) or text_of(schema.get("description")), SAID)
        lines = [
            f"Body ({media}, {_type(schema)}{needed}){': ' + said if said else ':'}",
            *_fields(schema, depth, ""),
        ]
        yield "\n".join(lines)


def _answers(find: Find, described: Node, depth: int) -> Iterator[str]:
    rows: list[str] = []
    for status, each in node(described.get("responses")).items():
        response = resolved(find, each)
        rows.append(f"- {status}: {one_line(text_of(response.get('description')), SAID)}")
        content = list(node(response.get("content")).values())
        if content and status.startswith("2"):
            schema = whole(find, node(node(content[0]).get("schema")))
            rows += _fields(_without_times(schema), depth, "  ")
    if rows:
        yield "Answers:\n" + "\n".join(rows)


def _without_times(schema: Any) -> Node:
    """A schema of answers without the times that servers note of everything.

    Where each operation answers `created_at`, none would stand out any more as the one that creates.
    """
    found = node(schema)
    kept = {
        key: _without_times(each) for key, each in node(found.get("properties")).items() if not _is_time(each)
    }
    inner = {"items": _without_times(found["items"])} if isinstance(found.get("items"), dict) else {}
    return {**found, **({"properties": kept} if kept else {}), **inner}


def _is_time(schema: Any) -> bool:
    kinds = [node(schema), *(node(each) for each in listed(node(schema).get("anyOf")))]
    return any(each.get("format") == "date-time" for each in kinds)


def _fields(schema: Node, depth: int, indent: str) -> Iterator[str]:
    """The fields of an object, or of the objects in a list, each with its own."""
    inner = node(schema.get("items")) or schema
    needed = listed(inner.get("required"))
    for name, each in node(inner.get("properties")).items():
        field = node(each)
        yield indent + _row(name, "", field, text_of(field.get("description")), name in needed)
        if depth > 0:
            yield from _fields(field, depth - 1, indent + "  ")


def _row(name: str, place: str, schema: Node, said: str, needed: bool) -> str:
    facts = ", ".join(filter(None, (place, _type(schema), "required" if needed else "")))
    said = one_line(said, SAID)
    return f"- `{name}` ({facts})" + (f": {said}" if said else "")


def _type(schema: Node) -> str:
    """Such as `string`, `list of integer`, `"a" or "b"`."""
    if values := listed(schema.get("enum")):
        return " or ".join(json.dumps(each, ensure_ascii=False) for each in values[:20])
    if parts := [*listed(schema.get("anyOf")), *listed(schema.get("oneOf"))]:
        return " or ".join(dict.fromkeys(_type(node(each)) for each in parts[:10]))
    kind: object = schema.get("type")
    if kinds := listed(kind):
        return " or ".join(map(str, kinds))
    if kind == "array":
        return f"list of {_type(node(schema.get('items')))}"
    return text_of(kind) or "any"
