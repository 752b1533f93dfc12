"""Requests that another site makes a browser send: S07 (CORS) and S08 (a WebSocket's handshake)."""

import socket

import pytest

from tests.support.academy import PASSWORD
from tests.support.serving import Served

EVIL = (
    "https://evil.example",
    "null",
    "{ours}.evil.example",
    "http://evil.example#{ours}",
    "{ours}:1",
    "http://famulus.local.evil.example",
)
WEB = {"email": "peer@famulus.local", "password": PASSWORD, "session_mode": "web"}


@pytest.mark.parametrize("origin", EVIL)
def test_s07_no_other_origin_is_let_in(embedded: Served, origin: str) -> None:
    """Nothing is ever shared with another origin, with or without credentials: not the answer, not the preflight."""
    sent = {"Origin": origin.format(ours=embedded.url)}
    preflight = {
        **sent,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization",
    }
    with embedded.client() as client:
        assert client.post("/api/auth/login", json=WEB).status_code == 200
        answers = [
            client.get("/api/auth/me", headers=sent),
            client.get("/api/v1/courses", headers=sent),
            client.post("/api/v1/threads", json={}, headers=sent),
            client.get("/healthz", headers=sent),
            client.get("/", headers=sent),
            client.get("/api/nothing", headers=sent),
            *(
                client.options(path, headers=preflight)
                for path in ("/api/v1/threads", "/api/auth/login", "/")
            ),
        ]
    for answer in answers:
        assert not [name for name in answer.headers if name.startswith("access-control-")], answer.url
        assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def handshake(port: int, path: str, *headers: str) -> bytes:
    """The first bytes that a WebSocket's handshake gets back."""
    lines = (
        f"GET {path} HTTP/1.1", "Host: x", "Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", *headers,
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall("\r\n".join((*lines, "", "")).encode())
        return connection.recv(4096)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_s08_no_socket_is_opened_for_another_site(embedded: Served, origin: str | None) -> None:
    """Nor for a token in an address, which is no credential anywhere."""
    token = embedded.academy.people["peer"].token
    with embedded.client() as client:
        assert client.post("/api/auth/login", json=WEB).status_code == 200
        cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
    sent = [f"Cookie: {cookies}", *([f"Origin: {origin}"] if origin else [])]
    for path in ("/ws/ai-assistant", "/api/v1/events", "/"):
        assert not handshake(embedded.port, path, *sent).startswith(b"HTTP/1.1 101")
    for name in ("token", "access_token", "authorization"):
        for path in ("/api/v1/events", "/ws/ai-assistant"):
            assert handshake(embedded.port, f"{path}?{name}={token}").startswith(
                (b"HTTP/1.1 401", b"HTTP/1.1 403")
            )
        with embedded.client() as nobody:
            assert nobody.get("/api/v1/threads", params={name: token}).status_code == 401


def test_s08_a_token_in_an_address_is_not_logged(embedded: Served, capfd: pytest.CaptureFixture[str]) -> None:
    token = embedded.academy.people["peer"].token
    with embedded.client() as client:
        client.get("/api/v1/threads", params={"token": token})
        client.get(f"/api/v1/nothing?access_token={token}")
    said = capfd.readouterr()
    assert token not in said.out + said.err
