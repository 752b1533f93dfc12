"""Whatever is sent where something else is expected gets a clear refusal in the one shape, on every operation."""

import base64
import json
from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client

from tests.support.openapi import body_properties, operations, resolved
from tests.support.operations import CASES, filled, own_path, send
from tests.support.problems import assert_problem
from tests.support.serving import Served

pytestmark = pytest.mark.slow

REFUSED = (400, 401, 404, 413, 422)
"""401 for what is a credential: a broken one is one that nobody has."""
WITH_BODY = [name for name, case in CASES.items() if case.body is not None]
DEEP = "[" * 900 + "]" * 900
HUGE = 10**30


class Raw(str):
    """JSON text that stands for itself, for what no encoder would write."""


def written(body: dict[str, Any]) -> bytes:
    """A body as JSON, raw text as it is."""
    fields = (
        f"{json.dumps(key)}:{value if isinstance(value, Raw) else json.dumps(value)}"
        for key, value in body.items()
    )
    return ("{" + ",".join(fields) + "}").encode("utf-8", "surrogatepass")


def bad_values(document: Any, schema: Any) -> Iterator[Any]:
    """Values that a field of this schema must refuse, whatever its room makes of it."""
    forms = [resolved(document, each) for each in schema.get("anyOf", [schema])]
    forms = [resolved(document, form) for form in forms]
    kinds = {form.get("type") for form in forms}
    yield Raw(DEEP)
    yield Raw('{"\\ud800": 1}')
    if "string" in kinds:
        yield from ("a\0b", Raw('"\\ud800"'), Raw('"a\\udfffb"'), 7, True, ["x"], {"x": 1})
        longest = max((form.get("maxLength", 0) for form in forms), default=0)
        yield "é" * ((longest or 100_000) + 1)
    if kinds & {"integer", "number"}:
        yield from (HUGE, -HUGE, Raw("1e400"), Raw("NaN"), Raw("-Infinity"), "many", ["x"], Raw("9" * 5000))
    if "boolean" in kinds:
        yield from ("perhaps", 7, [True])
    if "null" not in kinds:
        yield None


def post(
    client: Client, operation: str, ids: dict[str, str], content: bytes, kind: str = "application/json"
) -> Any:
    """Send an operation with a body of one's own."""
    method, _, template = operation.partition(" ")
    path = template.format_map(filled(own_path(operation, CASES[operation]), ids))
    return client.request(method, path, content=content, headers={"Content-Type": kind})


@pytest.mark.parametrize("operation", WITH_BODY)
def test_bad_fields(embedded: Served, document: Any, embedded_ids: dict[str, str], operation: str) -> None:
    properties = body_properties(document, operation)
    good = filled(CASES[operation].body, embedded_ids)
    with embedded.client(CASES[operation].who) as client:
        for name, schema in properties.items():
            for value in bad_values(document, schema):
                if value is None and name not in operations_required(document, operation):
                    continue
                response = post(client, operation, embedded_ids, written({**good, name: value}))
                try:
                    assert_problem(response, REFUSED)
                except AssertionError as error:
                    raise AssertionError(f"{name} = {str(value)[:60]!r}: {error}") from error


def operations_required(document: Any, operation: str) -> list[str]:
    content = operations(document)[operation]["requestBody"]["content"]
    return list(resolved(document, content["application/json"]["schema"]).get("required", ()))


@pytest.mark.parametrize("operation", WITH_BODY)
def test_bad_bodies(embedded: Served, embedded_ids: dict[str, str], operation: str) -> None:
    good = json.dumps(filled(CASES[operation].body, embedded_ids)).encode()
    bad = [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"text"',
        b"5",
        b"\xff\xfe{}",
        b"\0",
        good[:-1],
        good + b"}",
        DEEP.encode(),
        b'{"a":' * 900 + b"1" + b"}" * 900,
        b'{"\\ud800":1}',
    ]
    with embedded.client(CASES[operation].who) as client:
        for content in bad:
            response = post(client, operation, embedded_ids, content)
            try:
                assert_problem(response, REFUSED)
            except AssertionError as error:
                raise AssertionError(f"{content[:40]!r}: {error}") from error
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data; boundary=x",
            "nonsense",
        ):
            assert_problem(post(client, operation, embedded_ids, good, kind), REFUSED)


def test_big_bodies_get_small_answers(embedded: Served) -> None:
    """Many or long unknown names are refused without being read back."""
    many = b"{" + b",".join(b'"k%d":1' % n for n in range(20_000)) + b"}"
    with embedded.client("student") as client:
        for content in (
            many,
            b'{"' + b"k" * 100_000 + b'":1}',
            b"[" * 100_000,
            b'{"title":' + b"9" * 100_000 + b"}",
        ):
            response = client.post(
                "/api/v1/threads", content=content, headers={"Content-Type": "application/json"}
            )
            assert_problem(response, (400, 422))
            assert len(response.content) < 10_000


@pytest.mark.parametrize("operation", [name for name in CASES if "{" in name])
def test_bad_paths(embedded: Served, embedded_ids: dict[str, str], operation: str) -> None:
    method, _, template = operation.partition(" ")
    good = filled(own_path(operation, CASES[operation]), embedded_ids)
    body = filled(CASES[operation].body, embedded_ids)
    bad = (
        "%00",
        "a%00b",
        "%ed%a0%80",
        "%ff",
        "x" * 65,
        "x" * 5000,
        "..%2f..%2fetc",
        "%27%20OR%201=1--",
        "😀",
        "*",
        "%25",
    )
    with embedded.client(CASES[operation].who) as client:
        for name in good:
            for value in bad:
                path = template.format_map({**good, name: value})
                assert_problem(client.request(method, path, json=body), REFUSED)


@pytest.mark.parametrize("operation", [name for name in CASES if not CASES[name].endless])
def test_bad_parameters(
    embedded: Served, document: Any, embedded_ids: dict[str, str], operation: str
) -> None:
    with embedded.client(CASES[operation].who) as client:
        for parameter in operations(document)[operation].get("parameters", ()):
            if parameter["in"] != "query":
                continue
            for value in bad_parameters(document, parameter):
                response = send(client, operation, embedded_ids, query={parameter["name"]: value})
                try:
                    assert_problem(response, REFUSED)
                except AssertionError as error:
                    raise AssertionError(f"{parameter['name']} = {value[:60]!r}: {error}") from error


def bad_parameters(document: Any, parameter: Any) -> Iterator[str]:
    """Values that a query parameter must refuse."""
    name, schema = parameter["name"], parameter["schema"]
    forms = [resolved(document, form) for form in schema.get("anyOf", [schema])]
    forms = [form.get("items", form) for form in forms]  # of a list: one that is given once
    if any(form.get("type") == "integer" for form in forms):
        yield from ("0", "101", "-1", "many", "1.5", str(HUGE), "9" * 5000, "", "\0")
    elif name == "after":
        yield from ("nonsense!", "\0", "x" * 1001, "é", "1.x", "-1.0")
    elif any("pattern" in form or "enum" in form for form in forms):
        yield from ("no id", "\0", "x" * 65, "é")
    elif any(form.get("format") == "date-time" for form in forms):
        yield from ("", "yesterday", "2026-11-20", "2026-11-20T19:00:00", "\0", "é", "x" * 5000)
    elif any(form.get("format") == "date" for form in forms):
        yield from ("yesterday", "2026-13-01", "\0", "99999-01-01", "")
    elif name == "q":
        yield from ("", "  ", "a\0b", "x" * 10_001)
    elif bounds := [form["maxLength"] for form in forms if "maxLength" in form]:
        yield "x" * (bounds[0] + 1)
    else:
        assert any(form.get("type") == "boolean" for form in forms), f"nothing bad is known for {name}"
        yield "perhaps"


def key(*values: object) -> str:
    """A list's key as it is given out, with values of one's own."""
    return base64.urlsafe_b64encode(json.dumps(values).encode()).rstrip(b"=").decode()


BAD_KEYS = (
    key(),
    key("a"),
    key("a", "b", "c"),
    key("a\0", "b\0"),
    key(1, 2),
    key(HUGE, "x"),
    key(-HUGE),
    key(2**31),
    key(2**63),
    key(True, "x"),
    key(True),
    key(1.5),
    key(1.5, "x"),
    key(None, None),
    key([], {}),
    key({"t": "2020-01-01"}, "x"),
    key({"t": "2020-01-01T00:00:00"}, "x"),
    key({"t": "0001-01-01T00:00:00+14:00"}, "x"),
    key({"t": 5}, "x"),
    key({"x": 5}, "x"),
    base64.urlsafe_b64encode(b"{}").decode(),
    base64.urlsafe_b64encode(b'["\\ud800","x"]').decode(),
    base64.urlsafe_b64encode(b"[" * 700).decode(),
    "====",
    "_",
    "A",
)


def test_bad_cursors(server: Served, document: Any, ids: dict[str, str]) -> None:
    """Never a fault of ours; where a key could have been given out it may be taken for one."""
    for operation, described in operations(document).items():
        if not {"after", "limit"} <= {each["name"] for each in described.get("parameters", ())}:
            continue
        taken: list[str] = []
        with server.client(CASES[operation].who) as client:
            for value in BAD_KEYS:
                response = send(client, operation, ids, query={"after": value})
                if response.status_code == 200:
                    taken.append(value)
                else:
                    assert_problem(response, 400, "bad_cursor")
        assert len(taken) <= 3, (operation, taken)


def test_headers_are_bounded(embedded: Served, embedded_ids: dict[str, str]) -> None:
    run, thread = embedded_ids["run"], embedded_ids["thread"]
    with embedded.client("student") as client:
        for value in ("x" * 256, "with blank", "ü".encode("latin-1"), ""):
            headers = {"Idempotency-Key": value}
            body = {"message": "Hello."}
            assert_problem(
                client.post(f"/api/v1/threads/{thread}/runs", json=body, headers=headers), 422, "invalid"
            )
        for value in ("x" * 41, "x", "1", "1.2.3", "-1.1", "1.-1", "1.1.1", "١.١", str(HUGE), f"1.{HUGE}"):
            headers = {"Last-Event-ID": value.encode()}
            assert_problem(client.get(f"/api/v1/runs/{run}/events", headers=headers), (400, 422))


def test_uploads_that_are_none(embedded: Served, embedded_ids: dict[str, str]) -> None:
    path = f"/api/v1/courses/{embedded_ids['course']}/sources"
    file = ("notes.md", b"# Notes")
    with embedded.client("teacher") as client:
        assert_problem(client.post(path), (400, 422))
        assert_problem(client.post(path, json={"file": "x"}), (400, 422))
        assert_problem(client.post(path, data={"file": "x"}), (400, 422))
        assert_problem(client.post(path, files={"other": file}), 422, "unreadable_upload")
        assert_problem(client.post(path, files=[("file", file), ("file", file)]), (400, 422))
        assert_problem(client.post(path, files={"file": ("", b"# Notes")}), (400, 422))
        assert_problem(
            client.post(path, data={f"f{n}": "x" for n in range(20)}, files={"file": file}), (400, 422)
        )
        for kind in (
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=" + "x" * 5000,
        ):
            response = client.post(path, content=b"--x\r\n\r\n", headers={"Content-Type": kind})
            assert_problem(response, (400, 422))
        unended = b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.md"\r\n\r\n# A'
        response = client.post(
            path, content=unended, headers={"Content-Type": "multipart/form-data; boundary=x"}
        )
        assert_problem(response, (400, 422))
        for name in ("a.exe", "a.md\0.exe", "a.zip", "a.pdf"):
            assert_problem(client.post(path, files={"file": (name, b"MZ\0\1\2\3 no such thing")}), (400, 422))


@pytest.mark.parametrize(
    "name",
    [
        "../../notes.md",
        "/etc/passwd.md",
        "..\\..\\notes.md",
        "CON.md",
        "a\r\nb.md",
        "a\u202eb.md",
        "n" * 300 + ".md",
    ],
)
def test_an_upload_s_name_names_no_place(embedded: Served, embedded_ids: dict[str, str], name: str) -> None:
    with embedded.client("teacher") as client:
        response = client.post(
            f"/api/v1/courses/{embedded_ids['course']}/sources", files={"file": (name, b"# Notes\n\nWet.")}
        )
        if response.status_code == 201:
            source = response.json()["id"]
            shown = client.get(f"/api/v1/sources/{source}/documents").json()["items"][0]["path"]
            assert "/" not in shown
            assert "\\" not in shown
            assert ".." not in shown
            assert client.delete(f"/api/v1/sources/{source}").status_code == 204
        else:
            assert_problem(response, (400, 422))
