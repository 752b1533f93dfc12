"""Documents as they are out there: references, alternatives, styles of arguments, bounds, and what is refused. Pure."""

import json
from typing import Any

import pytest

from famulus.kernel.openapi_document import BadDocument, read_document
from famulus.tools.contract import Retry
from famulus.tools.openapi.operations import Described, Operation, describe
from famulus.tools.openapi.toolset import checker
from famulus.tools.openapi.wire import written

BASE = "https://api.example.org/v1"


def document(paths: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"openapi": "3.0.3", "info": {"title": "T"}, "servers": [{"url": BASE}], "paths": paths, **more}


def described(
    paths: dict[str, Any], source: str | None = None, base: str | None = None, **more: Any
) -> Described:
    return describe(read_document(json.dumps(document(paths, **more))), source=source, base=base)


def one(parameters: list[Any], path: str = "/x", **more: Any) -> Operation:
    [operation] = described({path: {"get": {"parameters": parameters}}}, **more).operations
    return operation


def body(schema: Any, media: str = "application/json", *, required: bool = True, **more: Any) -> Operation:
    content = {"content": {media: {"schema": schema}}, "required": required}
    [operation] = described({"/x": {"post": {"requestBody": content}}}, **more).operations
    return operation


def parameter(name: str, where: str = "query", schema: Any = None, **more: Any) -> dict[str, Any]:
    given = {"name": name, "in": where, "schema": schema or {"type": "string"}, **more}
    return {**given, "required": True} if where == "path" else given


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('{"swagger": "2.0", "paths": {"/x": {}}}', "version 2.0"),
        ('{"openapi": "4.0.0", "paths": {"/x": {}}}', "is not understood"),
        ('{"openapi": "3.0.0"}', "describes no operations"),
        ("[1, 2]", "no OpenAPI document"),
        ("just words", "no OpenAPI document"),
        ('{"openapi": ', "neither JSON nor YAML"),
        ("{openapi: 3.0.0}", "describes no operations"),
        ("a: [", "neither JSON nor YAML"),
        ("openapi: 3.0.0\npaths: &p\n  /x: *p\n", "too large once its aliases"),
        ('{"a":' * 200 + "1" + "}" * 200, "too deep"),
        ("x" * 2_000_001, "larger than 2,000,000 bytes"),
    ],
)
def test_what_is_no_document_says_why(text: str, why: str) -> None:
    with pytest.raises(BadDocument, match=why):
        read_document(text)


def test_yaml_is_read_with_its_dates_and_numbers_as_they_are_written() -> None:
    text = "openapi: 3.1.0\ninfo: {version: 2024-01-01}\npaths:\n  /x:\n    get:\n      responses:\n        200: {}\n"
    found = read_document(text)
    assert found["info"] == {"version": "2024-01-01"}
    assert found["paths"]["/x"]["get"]["responses"] == {"200": {}}


def test_aliases_that_stand_for_millions_are_refused() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x]\n"
    for n in range(1, 10):
        bomb += f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 8)}]\n"
    with pytest.raises(BadDocument, match="too large once"):
        read_document(bomb)


def test_nested_references_stand_in_their_places_and_recursive_ones_are_cut() -> None:
    schemas = {
        "Order": {
            "type": "object",
            "required": ["lines"],
            "properties": {
                "lines": {"type": "array", "items": {"$ref": "#/components/schemas/Line"}},
                "parent": {"$ref": "#/components/schemas/Order"},
            },
        },
        "Line": {"type": "object", "properties": {"price": {"$ref": "#/components/schemas/Price"}}},
        "Price": {"type": "number", "minimum": 0, "exclusiveMinimum": True, "nullable": True, "example": 3},
    }
    operation = body({"$ref": "#/components/schemas/Order"}, components={"schemas": schemas})
    properties = operation.schema["properties"]
    assert properties["lines"]["items"]["properties"]["price"] == {
        "type": ["number", "null"],
        "exclusiveMinimum": 0,
    }
    assert properties["parent"]["type"] == "object"
    assert "$ref" not in json.dumps(operation.schema)
    assert operation.schema["required"] == ["lines"]


def test_a_schema_that_refers_to_itself_in_every_way_stays_small() -> None:
    everything = {"$ref": "#/components/schemas/All"}
    all_of = {
        "type": "object",
        "properties": {f"p{n}": everything for n in range(30)},
        "anyOf": [everything] * 5,
    }
    operation = body(
        {"type": "object", "properties": {"a": everything}}, components={"schemas": {"All": all_of}}
    )
    assert len(json.dumps(operation.schema)) < 20_000
    assert checker(operation.schema) is not None


def test_alternatives_stay_alternatives_and_parts_become_one_object() -> None:
    cat = {"type": "object", "properties": {"purrs": {"type": "boolean"}}, "required": ["purrs"]}
    dog = {"type": "object", "properties": {"barks": {"type": "boolean"}}, "required": ["barks"]}
    operation = body({"oneOf": [cat, dog]})
    assert list(operation.schema["properties"]) == ["body"]
    check = checker(operation.schema)
    assert check is not None
    assert check({"body": {"purrs": True}})
    with pytest.raises(Retry, match="`body`"):
        check({"body": {"flies": True}})
    assert written(operation, {"body": {"purrs": True}}).body == b'{"purrs":true}'
    operation = body({"allOf": [cat, {"properties": {"name": {"type": "string"}}}]})
    assert sorted(operation.schema["properties"]) == ["name", "purrs"]
    operation = body({"properties": {"pet": {"anyOf": [cat, {"type": "null"}]}}})
    assert operation.schema["properties"]["pet"]["anyOf"][1] == {"type": "null"}


def test_what_only_answers_have_is_not_asked_for() -> None:
    schema = {
        "type": "object",
        "required": ["id", "name"],
        "properties": {"id": {"type": "string", "readOnly": True}, "name": {"type": "string"}},
    }
    assert body(schema).schema == {
        "type": "object",
        "properties": {"name": {"type": "string"}},
        "additionalProperties": False,
        "required": ["name"],
    }


@pytest.mark.parametrize(
    ("how", "value", "query"),
    [
        ({}, ["a", "b c"], "p=a&p=b%20c"),
        ({"explode": False}, ["a", "b,c"], "p=a,b%2Cc"),
        ({"style": "spaceDelimited", "explode": False}, ["a", "b"], "p=a%20b"),
        ({"style": "pipeDelimited", "explode": False}, ["a", "b"], "p=a%7Cb"),
        ({}, {"x": 1, "y": "z"}, "x=1&y=z"),
        ({"explode": False}, {"x": 1, "y": "z"}, "p=x,1,y,z"),
        ({"style": "deepObject"}, {"x": 1, "y": {"z": True}}, "p[x]=1&p[y][z]=true"),
        ({}, "ä&b", "p=%C3%A4%26b"),
        ({"allowReserved": True}, "a/b:c&d", "p=a/b:c%26d"),
        ({}, True, "p=true"),
        ({}, 1.5, "p=1.5"),
        ({"content": {"application/json": {"schema": {}}}}, {"a": [1]}, "p=%7B%22a%22%3A%5B1%5D%7D"),
    ],
)
def test_the_query_is_written_in_its_style(how: dict[str, Any], value: object, query: str) -> None:
    operation = one([parameter("p", schema={}, **how)])
    assert written(operation, {"p": value}).url == f"{BASE}/x?{query}"


@pytest.mark.parametrize(
    ("how", "value", "path"),
    [
        ({}, "a b/c", "a%20b%2Fc"),
        ({}, [3, 4], "3,4"),
        ({}, {"r": 1, "g": 2}, "r,1,g,2"),
        ({"explode": True}, {"r": 1, "g": 2}, "r=1,g=2"),
        ({"style": "label"}, [3, 4], ".3,4"),
        ({"style": "label", "explode": True}, [3, 4], ".3.4"),
        ({"style": "matrix"}, 5, ";p=5"),
        ({"style": "matrix"}, [3, 4], ";p=3,4"),
        ({"style": "matrix", "explode": True}, [3, 4], ";p=3;p=4"),
        ({"style": "matrix", "explode": True}, {"r": 1}, ";r=1"),
    ],
)
def test_the_path_is_written_in_its_style(how: dict[str, Any], value: object, path: str) -> None:
    operation = one([parameter("p", "path", {}, **how)], "/x/{p}/y")
    assert written(operation, {"p": value}).url == f"{BASE}/x/{path}/y"


def test_headers_are_arguments_but_for_those_that_are_ours() -> None:
    names = ["X-Trace", "Authorization", "Content-Type", "Host", "Idempotency-Key", "famulus-tool-call"]
    operation = one([parameter(name, "header") for name in names])
    assert list(operation.schema["properties"]) == ["X_Trace"]
    assert operation.knows_keys
    assert written(operation, {"X_Trace": "a"}).headers == {"X-Trace": "a"}
    with pytest.raises(Retry, match="one line"):
        written(operation, {"X_Trace": "a\r\nHost: evil"})


def test_arguments_of_the_same_name_are_told_apart() -> None:
    content = {"content": {"application/json": {"schema": {"properties": {"id": {}, "filter[name]": {}}}}}}
    operation = {
        "parameters": [parameter("id", "path"), parameter("id"), parameter("$top")],
        "requestBody": content,
    }
    [found] = described({"/x/{id}": {"post": operation}}).operations
    assert list(found.schema["properties"]) == ["id", "id_query", "top", "id_body", "filter_name"]
    request = written(found, {"id": 1, "id_query": 2, "id_body": 3, "filter_name": "x", "top": 4})
    assert request.url == f"{BASE}/x/1?id=2&%24top=4"
    assert json.loads(request.body or b"") == {"id": 3, "filter[name]": "x"}


def test_the_server_may_be_relative_or_have_variables_and_base_url_comes_first() -> None:
    paths: dict[str, Any] = {"/x": {"get": {}}}
    servers = [{"url": "/api/v2/"}]
    source = "https://example.org/docs/openapi.json"
    assert described(paths, source, servers=servers).operations[0].base == "https://example.org/api/v2"
    servers = [{"url": "https://{region}.example.org", "variables": {"region": {"default": "eu"}}}]
    assert described(paths, source, servers=servers).operations[0].base == "https://eu.example.org"
    assert (
        described(paths, base="https://b.example", servers=servers).operations[0].base == "https://b.example"
    )
    with pytest.raises(BadDocument, match="give the connection a base_url"):
        described(paths, servers=[{"url": "/api"}])


def test_one_operation_that_cannot_be_called_does_not_keep_the_others_away() -> None:
    upload = {"requestBody": {"content": {"multipart/form-data": {"schema": {}}}}}
    lost = {"parameters": [{"$ref": "#/components/parameters/nowhere"}]}
    abroad = {
        "requestBody": {"content": {"application/json": {"schema": {"$ref": "https://x.example/s.json"}}}}
    }
    circle = {"parameters": [{"$ref": "#/components/parameters/a"}]}
    odd = {"parameters": [{"name": 3, "in": "query"}]}
    file = {"type": "object", "properties": {"text": {"type": "string"}, "scan": {"format": "binary"}}}
    scan = {"requestBody": {"content": {"multipart/form-data": {"schema": {**file, "required": ["scan"]}}}}}
    found = described(
        {
            "/upload": {"post": upload},
            "/lost": {"get": lost},
            "/abroad": {"post": abroad},
            "/circle": {"get": circle},
            "/odd": {"get": odd},
            "/scan": {"post": scan},
            "/{a}/{b}": {"get": {"parameters": [parameter("a", "path")]}},
            "/good": {"get": {"operationId": "good"}},
        },
        components={"parameters": {"a": {"$ref": "#/components/parameters/a"}}},
    )
    assert [each.id for each in found.operations] == ["good"]
    reasons = " ".join(found.left_out)
    for why in (
        "multipart",
        "not there",
        "outside of the document",
        "in circles",
        "`str`",
        "the file 'scan'",
        "path needs 'b'",
    ):
        assert why in reasons
    with pytest.raises(BadDocument, match="None of its operations"):
        described({"/odd": {"get": odd}})


def test_three_hundred_operations_have_three_hundred_names() -> None:
    schema = {"$ref": "#/components/schemas/Thing"}
    thing = {"type": "object", "properties": {f"field{n}": {"type": "string"} for n in range(20)}}
    paths = {
        f"/things{n}": {"post": {"operationId": "a" * 100, "requestBody": {"content": {"application/json": {"schema": schema}}}}}
        for n in range(300)
    }  # fmt: skip
    found = described(paths, components={"schemas": {"Thing": thing}})
    names = [each.id for each in found.operations]
    assert len(set(names)) == 300
    assert max(map(len, names)) == 64
    many = {f"/t{n}": {"get": {}} for n in range(1001)}
    with pytest.raises(BadDocument, match="more than 1,000"):
        described(many)


def test_operations_without_an_id_are_called_by_method_and_path() -> None:
    found = described({"/users/{id}/posts.json": {"get": {"parameters": [parameter("id", "path")]}}})
    assert found.operations[0].id == "get_users_id_posts_json"


def test_a_pattern_that_cannot_be_read_or_would_never_end_does_no_harm() -> None:
    check = checker(body({"properties": {"a": {"type": "string", "pattern": "("}}}).schema)
    assert check is not None
    assert check({"a": "x"}) == {"a": "x"}
    check = checker(body({"properties": {"a": {"type": "string", "pattern": r"^(a|a)*\1?$"}}}).schema)
    assert check is not None
    with pytest.raises(Retry):
        check({"a": "a" * 60 + "!"})


def test_secrets_among_the_arguments_are_not_repeated_in_a_problem() -> None:
    check = checker(body({"properties": {"password": {"type": "string", "maxLength": 3}}}).schema)
    assert check is not None
    with pytest.raises(Retry) as retry:
        check({"password": "hunter2"})
    assert "hunter2" not in str(retry.value)
