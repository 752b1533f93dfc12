"""Errors have one shape, whoever makes them: the rooms, the framework, the fallback, a crash."""

from pathlib import Path
from typing import Any

import pytest

from tests.support.operations import CASES
from tests.support.problems import assert_problem
from tests.support.serving import Served, bare


def test_the_shape_is_pinned(embedded: Served) -> None:
    with embedded.client("student") as client:
        response = client.post("/api/v1/threads", json={"colour": "red"}, headers={"X-Request-ID": "me-1"})
    assert response.status_code == 422
    assert response.headers["content-type"] == "application/problem+json"
    assert response.json() == {
        "type": "urn:famulus:error:invalid",
        "title": "Not acceptable",
        "status": 422,
        "code": "invalid",
        "detail": "Not acceptable: colour.",
        "request_id": "me-1",
        "fields": [{"path": "colour", "message": "Extra inputs are not permitted"}],
    }


def test_nobody_is_told_to_sign_in(embedded: Served) -> None:
    with embedded.client() as client:
        response = client.get("/api/v1/threads")
        assert_problem(response, 401, "unauthenticated")
        assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/v1", "/api/v1/nothing", "/api/v1/threads/", "/api//v1/threads",
     "/assets/none.js", "/healthz/", "/docs/none", "/api/v1/%2e%2e/threads"],
)  # fmt: skip
def test_what_is_not_there(embedded: Served, path: str) -> None:
    """No redirect, no page of the web app, and the same for every method."""
    with embedded.client("student") as client:
        for method in ("GET", "POST", "PUT", "PATCH", "DELETE"):
            assert_problem(client.request(method, path), 404, "not_found")


def test_what_is_not_there_for_openai_s_clients(embedded: Served) -> None:
    """In the words of their protocol."""
    with embedded.client("student") as client:
        for method in ("GET", "POST", "DELETE"):
            refused = client.request(method, "/v1/nothing")
            assert refused.status_code == 404
            assert refused.json()["error"]["code"] == "not_found"


@pytest.mark.parametrize("path", sorted({name.partition(" ")[2] for name in CASES}))
def test_other_methods(embedded: Served, path: str) -> None:
    """A known path says so to a method that it does not have, and names those that it has."""
    there = {name.partition(" ")[0] for name in CASES if name.partition(" ")[2] == path}
    taken = any(  # such as `/api/v1/courses/my`, which is a course's path as well
        "{" in other and matches(other, path) for other in {name.partition(" ")[2] for name in CASES} - {path}
    )
    with embedded.client("student") as client:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - there:
            response = client.request(method, path.replace("{", "").replace("}", ""))
            if not (taken and response.status_code != 405):
                assert_problem(response, 405, "method_not_allowed")
                assert set(response.headers["allow"].split(", ")) & there


def matches(template: str, path: str) -> bool:
    pieces = list(zip(template.split("/"), path.split("/"), strict=False))
    return template.count("/") == path.count("/") and all(a == b or a.startswith("{") for a, b in pieces)


def test_strange_methods(embedded: Served) -> None:
    with embedded.client("student") as client:
        for method in ("OPTIONS", "HEAD", "TRACE"):
            response = client.request(method, "/api/v1/threads")
            assert response.status_code == 405
            assert "access-control-allow-origin" not in response.headers


def with_crash(app: Any) -> None:
    """Add a route of ours that breaks."""

    async def crash() -> None:
        raise ZeroDivisionError("inside-of-ours")

    app.add_api_route("/api/crash", crash)


def test_a_crash_tells_nothing(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with bare("sqlite", tmp_path, request, prepare=with_crash) as served, served.client() as client:
        response = client.get("/api/crash", headers={"X-Request-ID": "crash-1"})
    assert_problem(response, 500, "internal")
    assert "inside-of-ours" not in response.text
    assert response.headers["x-request-id"] == "crash-1"
    assert response.headers["x-content-type-options"] == "nosniff"


def test_not_seen_is_not_there_and_seen_is_not_allowed(embedded: Served) -> None:
    """404 is the same word for what does not exist and what is not for these eyes; 403 is for what they see."""
    ids = embedded.academy.ids
    absent = "crs_00000000000000000000000000"
    with embedded.client("peer") as peer, embedded.client("student") as student:
        hidden, nothing = peer.get(f"/api/v1/courses/{ids['course']}"), peer.get(f"/api/v1/courses/{absent}")
        assert_problem(hidden, 404, "not_found")
        assert hidden.json()["detail"].replace(ids["course"], absent) == nothing.json()["detail"]
        assert_problem(
            student.patch(f"/api/v1/courses/{ids['course']}", json={"title": "Mine"}), 403, "forbidden"
        )
        assert_problem(
            student.patch(f"/api/v1/lessons/{ids['draft']}", json={"title": "Mine"}), 404, "not_found"
        )
