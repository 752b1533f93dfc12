"""The matrix of rights: every place of every operation that can carry an id × whoever asks × whatever is not theirs.

places(document)      the id-bearing path, query, body and header fields, read from the OpenAPI document itself
attempts(…)           each place with each id of its kind, in an otherwise acceptable request
judge(…)              what is wrong with an answer, by the rule: nobody 401, not seen 404, seen but not allowed 403,
                      and in no answer a mark of anything that the asker may not see
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from httpx2 import Client, Response

from tests.support.cases import Case
from tests.support.openapi import body_properties, operations, resolved
from tests.support.operations import CASES, filled, own_path

KIND_OF_PATH = {"passages": "passage", "sources": "source", "documents": "document", "courses": "course"}
"""What an `{id}` is, by the word before it."""
BY_ADDRESS = {
    "POST /api/auth/signup": "anybody's own address",
    "POST /api/auth/login": "anybody's own address",
    "POST /api/v1/organizations/{organization_id}/invitations": "an admin may write to anybody",
    "POST /api/v1/instructors": "an admin may write to anybody",
    "POST /api/auth/password/forgot": "anybody's own address",
    "POST /api/auth/email": "the asker's next address",
    "POST /api/v1/organizations/{organization_id}/members": "an admin may add whoever has an account",
}
"""Operations that take an address of somebody whom the asker does not see yet, and why."""
KINDS = {"actor": "user", "thing": "anything", "org": "organization", "conversation": "thread"}
"""What ids are, that are called otherwise."""
ANYTHING = ("after", "last-event-id")
"""Fields that carry positions; foreign ids are tried in them as well."""


@dataclass(frozen=True)
class Place:
    """A field that can carry an id."""

    operation: str
    where: str
    """path, query, body or header."""
    name: str
    """Of a field in a list of objects: `people/user_id`."""
    kind: str
    """course, thread …, as the ids of an academy are named."""


@dataclass(frozen=True)
class Asker:
    """Somebody who tries; `sees` and `hidden` are ids by name, `own` completes their requests."""

    who: str | None
    own: Mapping[str, str]
    sees: Mapping[str, str] = field(default_factory=dict[str, str])
    hidden: Mapping[str, str] = field(default_factory=dict[str, str])
    marks: frozenset[str] = frozenset()
    """What must be in no answer."""


def places(document: Any, cases: Mapping[str, Case] = CASES) -> Iterator[Place]:
    """Every id-bearing field; raises KeyError for an operation that the table of cases does not have."""
    for operation, described in operations(document).items():
        if operation not in cases:
            raise KeyError(
                f"{operation} is not in the table of operations: add it, so that its rights are tried"
            )
        for parameter in described.get("parameters", ()):
            name, where = parameter["name"], parameter["in"]
            if kind := _kind(operation, name):
                yield Place(operation, where, name, kind)
            elif name in ANYTHING:
                yield Place(operation, where, name, "anything")
        yield from _in_body(document, operation)


def _in_body(document: Any, operation: str) -> Iterator[Place]:
    for name, schema in body_properties(document, operation).items():
        if kind := _kind(operation, name):
            yield Place(operation, "body", name, kind)
        if name == "email" and operation not in BY_ADDRESS:
            yield Place(operation, "body", name, "email")
        for form in schema.get("anyOf", [schema]):
            for inner in resolved(document, form.get("items", {})).get("properties", {}):
                if kind := "email" if inner == "email" else _kind(operation, inner):
                    yield Place(operation, "body", f"{name}/{inner}", kind)
            nested = resolved(document, form).get("properties", {})
            assert not [inner for inner in nested if _kind(operation, inner)], (
                f"{operation}: ids nested in {name}"
            )


def _kind(operation: str, name: str) -> str | None:
    if name == "id":
        found = re.search(r"/(\w+)/\{id\}", operation)
        return KIND_OF_PATH[found[1]] if found else "anything"
    if not name.endswith(("_id", "_ids")):
        return None
    kind = name.removesuffix("s").removesuffix("_id")
    return KINDS.get(kind, kind)


def targets(place: Place, asker: Asker) -> Iterator[tuple[str, bool]]:
    """The ids to try in a place, each with whether the asker sees what it names."""
    for ids, seen in ((asker.sees, True), (asker.hidden, False)):
        for name, value in ids.items():
            kind = "run" if place.kind == "anything" else place.kind
            if re.fullmatch(rf"(?:\w+_)?{kind}", name):
                yield value, seen


def request(client: Client, place: Place, value: str, asker: Asker, case: Case) -> Response:
    """The operation as the asker would send it in their own world, with one field that is not theirs."""
    method, _, template = place.operation.partition(" ")
    path = filled(own_path(place.operation, case), asker.own)
    query, body = filled(case.query, asker.own), filled(case.body, asker.own)
    headers = dict(case.headers)
    match place.where:
        case "path":
            path[place.name] = value
        case "query":
            query[place.name] = value
        case "header":
            headers[place.name] = value
        case _:
            outer, _, inner = place.name.partition("/")
            beside = case.beside.get(place.name, {})
            listed = [{**filled(beside, asker.own), inner: value}] if inner else [value]
            sent = listed if inner or place.name.endswith("_ids") else value
            body = {**(body or {}), **({} if inner else beside), outer: sent}
            if place.name == "email":
                body.pop("user_id", None)
    given: dict[str, Any] = {"headers": headers, "params": query}
    if case.file:
        given["files"] = {"file": ("theirs.md", b"# Not theirs to add")}
    elif body is not None:
        given["json"] = body
    return client.request(method, template.format_map(path), **given)


def judge(place: Place, response: Response, asker: Asker, case: Case, *, seen: bool) -> Iterator[str]:
    """What is wrong with an answer."""
    leaks = sorted(mark for mark in asker.marks if mark in response.text)
    if leaks:
        yield f"shows {leaks}"
    if response.status_code >= 500:
        yield f"answers {response.status_code}"
    elif asker.who is None:
        if case.who is not None and response.status_code != 401:
            yield f"answers nobody with {response.status_code}"
    elif place.kind == "anything" or place.where == "query":
        # A filter by something that one does not see finds nothing, or is refused.
        if response.status_code not in (200, 400, 403, 404, 422):
            yield f"answers {response.status_code}"
    elif "/" in place.name or place.name.endswith("_ids"):
        yield from _judge_list(place, response, seen=seen)
    elif not seen and response.status_code not in _hiding(place, case):
        yield f"answers {response.status_code} for what the asker does not see"
    elif seen and case.needs is not None and place.where == "path" and response.status_code != 403:
        yield f"answers {response.status_code} where only the role {case.needs} may"


def _judge_list(place: Place, response: Response, *, seen: bool) -> Iterator[str]:
    """An id in a list: not seen, it is a fault of the request, or of a line of it, whether it exists or not."""
    fine: tuple[int, ...] = (403, 404)
    if "/" not in place.name:
        fine = (403, 404, 409, 422)
    elif response.status_code == 200 and response.json()["enrolled"] == 0:
        fine = (200,)  # a report says line by line what was done: for this line, nothing
    if not seen and response.status_code not in fine:
        yield f"answers {response.status_code} for what the asker does not see: {response.text}"


def _hiding(place: Place, case: Case) -> tuple[int, ...]:
    """The answers that hide a thing: in a body, or below a place, the role may be asked for first, whatever the id."""
    return (403, 404) if place.where == "body" or _below_a_place(place, case) else (404,)


def _below_a_place(place: Place, case: Case) -> bool:
    """Whether an id stands in the path of another thing, in which a role is needed."""
    return case.needs is not None and "{" in place.operation.partition(f"{{{place.name}}}")[0]


def trials(
    clients: Mapping[str | None, Client],
    askers: list[Asker],
    document: Any,
    cases: Mapping[str, Case] = CASES,
) -> Iterator[str]:
    """Try everything; yields every complaint."""
    for place in places(document, cases):
        case = cases[place.operation]
        for asker in askers:
            for value, seen in targets(place, asker):
                response = request(clients[asker.who], place, value, asker, case)
                for complaint in judge(place, response, asker, case, seen=seen):
                    yield f"{place.operation} [{place.where} {place.name}={value}] as {asker.who}: {complaint}"
