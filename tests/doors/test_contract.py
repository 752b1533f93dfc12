"""Every operation does what its OpenAPI document says: its status, its type, its shape, field by field."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import Any

import pytest
from httpx2 import Client, Response

from tests.support.openapi import body_properties, operations, response_schema, violations
from tests.support.operations import CASES, send
from tests.support.serving import Served

pytestmark = pytest.mark.slow


def check(document: Any, operation: str, response: Response) -> None:
    """Fail unless a response is one that the document declares."""
    kind = response.headers.get("content-type", "").partition(";")[0]
    if response.status_code in (204, 302):
        assert response.content == b""
        return
    schema = response_schema(document, operation, response.status_code, kind)
    value = response.json() if kind.endswith("json") else response.text
    assert list(violations(document, schema, value)) == []


def test_the_table_has_every_operation(document: Any) -> None:
    assert set(operations(document)) == set(CASES)


def test_the_document_says_where_to_sign_in(document: Any) -> None:
    """And which operations ask nobody; that the others refuse a stranger is tried in the tests of rights."""
    public = {name for name, operation in operations(document).items() if operation.get("security") == []}

    assert document["security"] == [{"token": []}, {"cookie": []}]
    assert public == {name for name, case in CASES.items() if case.who is None}


@pytest.mark.parametrize("operation", [name for name, case in CASES.items() if not case.endless])
def test_an_operation_answers_as_declared(
    server: Served, document: Any, ids: dict[str, str], operation: str
) -> None:
    case = CASES[operation]
    with server.client(case.who) as client:
        response = send(client, operation, ids)
    assert response.status_code == case.status, response.text
    check(document, operation, response)


@pytest.mark.parametrize("operation", [name for name in CASES if "{" in name or CASES[name].body is not None])
def test_a_refusal_is_shaped_as_declared(
    server: Served, document: Any, ids: dict[str, str], operation: str
) -> None:
    """A path that no id can have, or a body with a field that nothing knows."""
    with server.client(CASES[operation].who) as client:
        body = {"surely_unknown": 1} if CASES[operation].body is not None else None
        response = (
            send(client, operation, ids, path={}, body=body) if body else refused_path(client, operation)
        )
    refusal = CASES[operation].refusal if body else 422
    assert response.status_code == refusal, response.text
    check(document, operation, response)


def refused_path(client: Client, operation: str) -> Response:
    """The operation with ids that cannot be any."""
    method, _, template = operation.partition(" ")
    names = [piece.partition("}")[0] for piece in operation.split("{")[1:]]
    return client.request(method, template.format_map(dict.fromkeys(names, "no%20id")))


def test_every_list_is_paged_in_one_shape(server: Served, document: Any, ids: dict[str, str]) -> None:
    """With a limit of one, following `next` gives every item once, in the order of the whole."""
    pages = [
        name
        for name, operation in operations(document).items()
        if {"limit", "after"} <= {each["name"] for each in operation.get("parameters", ())}
    ]
    assert len(pages) >= 11
    with ExitStack() as stack:
        for operation in pages:
            client = stack.enter_context(server.client(CASES[operation].who))
            whole = send(client, operation, ids, query={"limit": "100"}).json()
            key = (
                "ordinal" if "documents/{id}" in operation else "version" if "versions" in operation else None
            )
            identity = [_identity(item, key) for item in whole["items"]]
            assert identity == [_identity(item, key) for item in one_by_one(client, operation, ids)], (
                operation
            )
            assert len(set(identity)) == len(identity)
            assert whole["next"] is None


def one_by_one(client: Client, operation: str, ids: dict[str, str]) -> Iterator[dict[str, object]]:
    """The items of a list, one a page."""
    after: dict[str, str] = {}
    while True:
        page = send(client, operation, ids, query={"limit": "1", **after}).json()
        yield from page["items"]
        if page["next"] is None:
            return
        after = {"after": page["next"]}


def _identity(item: dict[str, object], key: str | None) -> object:
    return item[key or ("id" if "id" in item else "user_id")]


def test_no_body_takes_unknown_fields(document: Any) -> None:
    """Of the document itself: every body is closed, so that a protected field is an unknown one."""
    for operation in operations(document):
        content = operations(document)[operation].get("requestBody", {}).get("content", {})
        if "application/json" in content:
            name = content["application/json"]["schema"]["$ref"].rsplit("/", 1)[1]
            assert document["components"]["schemas"][name]["additionalProperties"] is False, name
            assert body_properties(document, operation), operation


def test_the_checker_finds_what_is_wrong(document: Any) -> None:
    """Shown offenders of each kind, so that a green test above means something."""
    schema = {"$ref": "#/components/schemas/RunOut"}
    message = {"$ref": "#/components/schemas/ThreadOut"}
    assert any("is missing" in each for each in violations(document, schema, {"id": "run_1"}))
    assert any("not declared" in each for each in violations(document, schema, {"surprise": 1}))
    assert any("none of" in each for each in violations(document, schema, {"status": "lost"}))
    assert any("not string" in each for each in violations(document, schema, {"id": 5}))
    assert any("fits none" in each for each in violations(document, schema, {"answer": 5}))
    assert any(
        "no time" in each for each in violations(document, message, {"created_at": "2026-11-20 19:00"})
    )
    assert any("[0]" in each for each in violations(document, {"type": "array", "items": schema}, [5]))
    with pytest.raises(AssertionError, match="does not declare"):
        response_schema(document, "GET /healthz", 201, "application/json")
