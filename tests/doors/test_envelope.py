"""Around every request: its id, the bounds on its body, the headers of safety on whatever answers."""

import socket
from pathlib import Path

import pytest
from fastapi import FastAPI
from httpx2 import ASGITransport, AsyncClient

from famulus.doors import problems, web
from famulus.doors.middleware import CONTENT_POLICY, Enveloped
from famulus.kernel.settings import load_settings
from tests.support.problems import assert_problem
from tests.support.serving import Served, bare

EVERYWHERE = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "x-frame-options": "DENY",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "content-security-policy": CONTENT_POLICY,
}
STRONG = "N7rQ2vX9kLz4Wm8TbYc3Hd6Jf1Gs5Pe0aUiO"


def test_s12_headers_of_safety_on_every_kind_of_answer(embedded: Served) -> None:
    run = embedded.academy.ids["run"]
    with embedded.client("student") as client, embedded.client() as nobody:
        answers = {
            "json": client.get("/api/v1/courses"),
            "no content": client.post("/api/auth/logout", headers={"Authorization": "Bearer gone"}),
            "stream": client.get(f"/api/v1/runs/{run}/events"),
            "page": nobody.get("/"),
            "nothing": nobody.get("/api/nothing"),
            "asset": nobody.get("/assets/none.js"),
            "not signed in": nobody.get("/api/v1/courses"),
            "method": nobody.put("/healthz"),
            "invalid": client.get("/api/v1/courses?limit=0"),
            "too large": client.post("/api/v1/threads", content=b"x" * 1_000_001),
            "health": nobody.get("/healthz"),
        }
    for name, response in answers.items():
        for header, value in EVERYWHERE.items():
            assert response.headers.get_list(header) == [value], (name, header)
        assert len(response.headers.get_list("x-request-id")) == 1, name
        assert "server" not in response.headers, name
        assert "access-control-allow-origin" not in response.headers, name
        assert "strict-transport-security" not in response.headers, "without TLS it would be a lie"
    assert answers["stream"].headers["cache-control"] == "no-store"
    assert answers["stream"].headers["content-type"].startswith("text/event-stream")


def test_a_request_id_is_echoed_where_it_is_harmless(embedded: Served) -> None:
    with embedded.client() as client:
        for good in ("a", "0-9._:Az", "x" * 128):
            assert client.get("/healthz", headers={"X-Request-ID": good}).headers["x-request-id"] == good
        for bad in (
            "",
            "x" * 129,
            "with blank",
            "<script>",
            "a;b",
            "é".encode(),
            b"\xff\xfe",
            "a" * 5000,
            "%0d%0a",
        ):
            response = client.get("/api/v1/threads", headers={"X-Request-ID": bad})
            assert response.headers["x-request-id"].startswith("req_"), bad
            assert response.json()["request_id"] == response.headers["x-request-id"]
        ids = {client.get("/healthz").headers["x-request-id"] for _ in range(5)}
        assert len(ids) == 5


def test_bodies_are_bounded(embedded: Served) -> None:
    limit = embedded.settings.max_body_bytes
    course = embedded.academy.ids["course"]
    with embedded.client("teacher") as client:
        path, kind = "/api/v1/threads", {"Content-Type": "application/json"}
        title = b'{"title":"%b"}'
        just = title % (b" " * (limit - len(title) + 1) + b"x")
        assert len(just) == limit
        assert client.post(path, content=just, headers=kind).status_code == 201
        assert_problem(client.post(path, content=just + b" ", headers=kind), 413, "too_large")
        assert_problem(client.post(path, content=iter([just, b" "]), headers=kind), 413, "too_large")
        assert client.post(path, content=iter([just]), headers=kind).status_code == 201
        form = {"Content-Type": "multipart/form-data; boundary=x"}
        # A form may be larger, but only where it is one.
        response = client.post(f"/api/v1/courses/{course}/sources", content=b"x" * (limit + 1), headers=form)
        assert_problem(response, (400, 422))
        assert client.post("/api/auth/refresh", content=b"x" * (limit + 1)).status_code == 413
        assert client.get("/healthz").status_code == 200


def test_uploads_are_bounded(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """By a bound of their own, before anything is asked."""
    form = {"Content-Type": "multipart/form-data; boundary=x"}
    limits = {"max_upload_bytes": 10_000, "max_body_bytes": 20_000}
    with bare("sqlite", tmp_path, request, **limits) as served, served.client() as client:
        path = "/api/v1/courses/crs_1/sources"
        assert_problem(client.post(path, content=b"x" * 10_001, headers=form), 413, "too_large")
        assert_problem(client.post(path, content=b"x" * 10_000, headers=form), 401)


def raw(port: int, request: bytes) -> bytes:
    """The answer to bytes that no client library would send."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection:
        connection.sendall(request)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
    return answer


@pytest.mark.parametrize(
    "head",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked",
        b"Content-Length: 5\r\nContent-Length: 6",
        b"Content-Length: -1",
        b"Content-Length: 1e3",
        b"Content-Length: " + b"9" * 5000,
        b"Content-Length: 99999999999",
        b"Content-Length : 5",
        b"Transfer-Encoding: chunked, chunked",
    ],
)
def test_requests_that_two_servers_would_read_differently(embedded: Served, head: bytes) -> None:
    request = b"POST /api/auth/login HTTP/1.1\r\nHost: x\r\nConnection: close\r\n" + head + b"\r\n\r\n{}{}{}"
    status = raw(embedded.port, request).split(b" ", 2)[1]
    assert status in (b"400", b"413"), status


def test_a_host_or_a_form_of_the_address_changes_nothing(embedded: Served) -> None:
    for line, host in (
        (b"GET http://evil.example/api/v1/threads HTTP/1.1", b"evil.example"),
        (b"GET //api/v1/threads HTTP/1.1", b"x"),
        (b"GET /healthz/../api/v1/threads HTTP/1.1", b"x"),
        (b"GET /api/v1/threads HTTP/1.1", b"a/healthz?x="),
    ):
        answer = raw(embedded.port, line + b"\r\nHost: " + host + b"\r\nConnection: close\r\n\r\n")
        assert answer.split(b" ", 2)[1] in (b"400", b"401", b"404"), line
        assert b"\r\nlocation:" not in answer.lower()


def test_the_documentation_is_there_on_one_s_own_machine(embedded: Served) -> None:
    with embedded.client() as client:
        assert client.get("/openapi.json").json()["info"]["title"] == "Famulus"
        page = client.get("/docs")
        assert page.status_code == 200
        assert "content-security-policy" not in page.headers
        assert "content-security-policy" in client.get("/docs/anything").headers


@pytest.mark.parametrize("environment", ["test", "staging", "production"])
async def test_elsewhere_it_is_not(environment: str) -> None:
    settings = load_settings(environment=environment, public_url="https://famulus.example", secret_key=STRONG)
    app = Enveloped(docs_url=None, redoc_url=None, openapi_url=None)
    app.state.settings = settings
    problems.install(app)
    web.mount(app, Path("nowhere"))
    async with AsyncClient(transport=ASGITransport(app=app), base_url="https://famulus.example") as client:
        for path in ("/docs", "/openapi.json", "/redoc"):
            response = await client.get(path)
            assert_problem(response, 404)
            assert response.headers["content-security-policy"] == CONTENT_POLICY
            assert response.headers["strict-transport-security"] == "max-age=31536000"


async def test_the_web_app_is_what_nothing_else_answers_to(tmp_path: Path) -> None:
    """Files as they are, hashed ones for ever, any other path the page itself; never what lies beside the folder."""
    folder = tmp_path / "web"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_text("<title>page</title>")
    (folder / "assets" / "app-1a2b.js").write_text("run()")
    (folder / "favicon.svg").write_text("<svg/>")
    (tmp_path / "secret.key").write_text("secret")
    app = Enveloped(redirect_slashes=False)
    app.state.settings = load_settings()
    problems.install(app)
    web.mount(app, folder)
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://famulus.test") as client:
        for path in ("/", "/threads/thr_1", "/index.html", "/course/"):
            page = await client.get(path)
            assert (page.status_code, page.text) == (200, "<title>page</title>"), path
            assert page.headers["cache-control"] == "no-cache"
            assert page.headers["content-security-policy"] == CONTENT_POLICY
        script = await client.get("/assets/app-1a2b.js")
        assert script.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert script.headers["x-content-type-options"] == "nosniff"
        again = await client.get("/assets/app-1a2b.js", headers={"If-None-Match": script.headers["etag"]})
        assert again.status_code == 304
        for path in (
            "/../secret.key",
            "/..%2fsecret.key",
            "/%2e%2e/secret.key",
            "/assets/..%2f..%2fsecret.key",
            "//secret.key",
        ):
            assert "secret" not in (await client.get(path)).text.replace("secret.key", "")
        for path in ("/%00", "/" + "x" * 5000, "/assets/%00.js"):
            assert (await client.get(path)).status_code in (200, 404)
        assert_problem(await client.post("/threads"), 405)
        assert_problem(await client.get("/assets/none.js"), 404)


async def test_without_the_web_app_a_page_says_how_to_build_it(tmp_path: Path) -> None:
    app = FastAPI()
    problems.install(app)
    web.mount(app, tmp_path)
    async with AsyncClient(transport=ASGITransport(app=app), base_url="http://famulus.test") as client:
        page = await client.get("/")
        assert page.status_code == 200
        assert "npm run build" in page.text
        assert (await client.get("/elsewhere")).status_code == 404


def test_allow_names_every_method_of_an_address(server: Served, ids: dict[str, str]) -> None:
    """Though each method is a route of its own (RFC 9110 §10.2.1)."""
    with server.client("student") as client:
        refused = client.put(f"/api/v1/threads/{ids['thread']}", json={})

    assert refused.status_code == 405
    assert refused.headers["allow"] == "GET, PATCH, DELETE"
