"""Signing in through the real server: cookies and their attributes, other sites, forged tokens, invented addresses."""

import base64
import json
from collections.abc import Iterator
from http.cookies import SimpleCookie
from pathlib import Path

import pytest
from httpx2 import Client, Response

from tests.support.academy import PASSWORD, new_thread, threads_of
from tests.support.problems import assert_problem
from tests.support.serving import Served, furnished

WEB = {"email": "student@famulus.local", "password": PASSWORD, "session_mode": "web"}


@pytest.fixture
def browser(server: Served) -> Iterator[Client]:
    """Somebody who is signed in with a cookie."""
    with server.client() as client:
        assert client.post("/api/auth/login", json=WEB).status_code == 200
        yield client


def cookie_of(response: Response) -> dict[str, str]:
    """The one cookie that a response sets, with its attributes."""
    (header,) = response.headers.get_list("set-cookie")
    ((name, morsel),) = SimpleCookie(header).items()
    return {"name": name, "value": morsel.value, **{key: str(item) for key, item in morsel.items() if item}}


def test_the_cookie(server: Served) -> None:
    with server.client() as client:
        response = client.post("/api/auth/login", json=WEB)
        cookie = cookie_of(response)
        assert cookie.pop("value").startswith("fms_")
        assert cookie == {
            "name": "famulus_session", "path": "/", "max-age": str(14 * 86400), "httponly": "True", "samesite": "lax"
        }  # fmt: skip
        assert response.headers["cache-control"] == "no-store"
        assert set(response.json()) == {"user", "expires_in"}
        assert "fms_" not in response.text
        out = client.post("/api/auth/logout")
        gone = cookie_of(out)
        assert (gone["name"], gone["value"], gone["path"]) == ("famulus_session", "", "/")
        assert gone["max-age"] in ("0", 0)
        assert not client.cookies


def test_behind_tls_the_cookie_insists_on_it(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with (
        furnished("sqlite", tmp_path, request, public_url="https://famulus.example") as served,
        served.client() as client,
    ):
        response = client.post("/api/auth/login", json=WEB)
        cookie = cookie_of(response)
        assert cookie["name"] == "__Host-famulus_session"
        assert cookie["secure"]
        assert cookie["path"] == "/"
        assert "domain" not in cookie
        assert response.headers["strict-transport-security"] == "max-age=31536000"
        held = {"Cookie": f"{cookie['name']}={cookie['value']}"}
        assert client.get("/api/auth/me", headers=held).status_code == 200
        plain = {"Cookie": f"famulus_session={cookie['value']}"}
        assert_problem(client.get("/api/auth/me", headers=plain), 401)
        ours = {**held, "Origin": "https://famulus.example"}
        assert client.post("/api/v1/threads", json={}, headers=ours).status_code == 201
        theirs = {**held, "Origin": "https://famulus.example.evil.test"}
        assert_problem(client.post("/api/v1/threads", json={}, headers=theirs), 403, "cross_origin")


def test_a_new_sign_in_is_a_new_session(server: Served) -> None:
    """A cookie that somebody planted is not taken over, and what is signed out is dead everywhere."""
    with server.client() as client:
        planted = {"Cookie": "famulus_session=fms_planted"}
        token = cookie_of(client.post("/api/auth/login", json=WEB, headers=planted))["value"]
        assert token != "fms_planted"
        client.cookies.clear()
        held = {"Cookie": f"famulus_session={token}"}
        assert client.get("/api/auth/me", headers=held).status_code == 200
        assert client.post("/api/auth/logout", headers=held).status_code == 204
        assert_problem(client.get("/api/auth/me", headers=held), 401)
        assert_problem(client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"}), 401)


def test_signing_out_ends_both_tokens(server: Served) -> None:
    with server.client() as client:
        pair = client.post("/api/auth/login", json={**WEB, "session_mode": "api"}).json()
        bearer = {"Authorization": f"Bearer {pair['access_token']}"}
        assert client.get("/api/auth/me", headers=bearer).status_code == 200
        assert client.post("/api/auth/logout", headers=bearer).status_code == 204
        assert_problem(client.get("/api/auth/me", headers=bearer), 401)
        refused = client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        assert_problem(refused, 401, "refresh_refused")


ELSEWHERE = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "nonsense"},
    {"Sec-Fetch-Site": "cross-site", "Origin": "{ours}"},
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": ""},
    {"Origin": "http://["},
    {"Origin": "{ours}.evil.example"},
    {"Origin": "http://evil.example/?{host}"},
    {"Origin": "http://{host}@evil.example"},
    {"Origin": "http://x{host}"},
)


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_other_sites_cannot_use_a_cookie(embedded: Served, headers: dict[str, str]) -> None:
    """Whatever the form of the request; nothing is done. What only reads is not answered to them by the browser."""
    sent = {
        key: value.format(ours=embedded.url, host=embedded.url.removeprefix("http://"))
        for key, value in headers.items()
    }
    course = embedded.academy.ids["course"]
    with embedded.client() as client:
        assert client.post("/api/auth/login", json=WEB).status_code == 200
        before = threads_of(client)
        for body in (
            {"json": {}},
            {"data": {"title": "x"}},
            {"content": b'{"title":"x"}', "headers": {"Content-Type": "text/plain"}},
            {"files": {"file": ("a.md", b"# A")}},
        ):
            given = {**body, "headers": {**body.get("headers", {}), **sent}}
            assert_problem(client.post("/api/v1/threads", **given), 403, "cross_origin")
            assert_problem(client.post(f"/api/v1/courses/{course}/sources", **given), 403, "cross_origin")
        run = embedded.academy.ids["run"]
        assert_problem(client.post(f"/api/v1/runs/{run}/cancel", headers=sent), 403, "cross_origin")
        assert_problem(client.delete(f"/api/v1/threads/{embedded.academy.ids['thread']}", headers=sent), 403)
        assert_problem(client.post("/api/auth/logout", headers=sent), 403, "cross_origin")
        assert threads_of(client) == before


@pytest.mark.parametrize("headers", ELSEWHERE[:5], ids=str)
def test_other_sites_cannot_sign_anybody_in(embedded: Served, headers: dict[str, str]) -> None:
    """Else somebody would type their questions into an account of somebody else's."""
    sent = {key: value.format(ours=embedded.url, host="x") for key, value in headers.items()}
    with embedded.client() as client:
        for path, body in (
            ("/api/auth/login", WEB),
            ("/api/auth/signup", {"email": "new@famulus.local", "password": PASSWORD, "name": "New"}),
        ):
            response = client.post(path, json=body, headers=sent)
            assert_problem(response, 403, "cross_origin")
            assert "set-cookie" not in response.headers


def test_our_own_pages_and_other_clients_can(browser: Client, server: Served) -> None:
    for headers in (
        {"Sec-Fetch-Site": "same-origin", "Origin": server.url},
        {"Sec-Fetch-Site": "same-origin"},
        {"Origin": server.url},
        {},
    ):
        assert browser.post("/api/v1/threads", json={}, headers=headers).status_code == 201
    with server.client("student") as client:
        # A token is put there on purpose, so it does not matter where from.
        headers = {"Origin": "https://elsewhere.example", "Sec-Fetch-Site": "cross-site"}
        assert client.post("/api/v1/threads", json={}, headers=headers).status_code == 201


def jwt(header: dict[str, object], signature: str = "") -> str:
    """A token of the kind that other servers take, unsigned or signed with nothing."""
    parts = (header, {"sub": "usr_1", "role": "site_admin", "exp": 4102444800})
    coded = [base64.urlsafe_b64encode(json.dumps(part).encode()).rstrip(b"=").decode() for part in parts]
    return ".".join([*coded, signature])


FORGED = (
    jwt({"alg": "none"}), jwt({"alg": "HS256"}, "AAAA"), jwt({"alg": "HS256", "kid": "../../dev/null"}, "AAAA"),
    jwt({"alg": "RS256", "jku": "http://127.0.0.1/keys"}, "AAAA"), jwt({"alg": "HS256", "crit": ["x"]}, "A"),
    "fma_", "fms_", "fma_" + "A" * 43, "' OR 1=1 --", "a%00b", "null", "undefined", "[object Object]", "é",
    "x" * 60_000, "%s%n", "{{7*7}}", "../../etc/passwd",
)  # fmt: skip


def test_forged_tokens(server: Served) -> None:
    """401 each, never a fault of the database's."""
    good = server.academy.people["student"].token
    altered = (good + "A", good[:-1], good.upper(), good.swapcase(), f" {good[4:]}", good[4:])
    with server.client() as client:
        pair = client.post("/api/auth/login", json={**WEB, "session_mode": "api"}).json()
        for token in (*FORGED, *altered, pair["refresh_token"]):
            bearer = {"Authorization": b"Bearer " + token.encode()}
            assert_problem(client.get("/api/auth/me", headers=bearer), 401, "unauthenticated")
            cookie = {"Cookie": b"famulus_session=" + token.encode()}
            assert_problem(client.get("/api/auth/me", headers=cookie), 401, "unauthenticated")
        for scheme in ("", "Bearer", "Basic " + good, f"Token {good}", good, "bearer\t" + good):
            assert_problem(
                client.get("/api/auth/me", headers={"Authorization": scheme}), 401, "unauthenticated"
            )
        assert client.get("/api/auth/me", headers={"Authorization": f"bearer {good}"}).status_code == 200
        # One that is wrong is not replaced by another that would do.
        both = {"Authorization": "Bearer wrong", "Cookie": f"famulus_session={good}"}
        assert_problem(client.get("/api/auth/me", headers=both), 401)
        for odd in (
            b"famulus_session=" + b"\xff\xfe",
            b"; ; =; famulus_session",
            b"famulus_session==" + good.encode(),
        ):
            assert_problem(client.get("/api/auth/me", headers={"Cookie": odd}), 401)
        assert_problem(client.get(f"/api/auth/me?access_token={good}&token={good}"), 401)


def test_an_access_token_is_no_refresh_token(server: Served) -> None:
    with server.client() as client:
        pair = client.post("/api/auth/login", json={**WEB, "session_mode": "api"}).json()
        for token in (pair["access_token"], server.academy.people["student"].token, "fmr_x.y", ".", "fmr_."):
            assert_problem(
                client.post("/api/auth/refresh", json={"refresh_token": token}), 401, "refresh_refused"
            )
        assert (
            client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]}).status_code == 200
        )


def test_invented_addresses_do_not_loosen_the_brake(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """Whoever guesses cannot be somebody else each time by saying so."""
    wrong = {**WEB, "password": "wrong password"}
    with furnished("sqlite", tmp_path, request) as served, served.client() as client:
        answers: list[Response] = []
        for n in range(40):
            headers = {
                "X-Forwarded-For": f"8.8.8.{n}", "X-Real-IP": f"9.9.9.{n}", "Forwarded": f"for=7.7.7.{n}",
            }  # fmt: skip
            email = f"nobody{n}@famulus.local"
            answers.append(client.post("/api/auth/login", json={**wrong, "email": email}, headers=headers))
        assert_problem(answers[0], 401, "wrong_credentials")
        assert_problem(answers[-1], 429, "too_many_failures")
        assert int(answers[-1].headers["retry-after"]) >= 1


def test_the_web_client_stays_itself(browser: Client) -> None:
    """Everything works with the cookie alone, as the web app uses it."""
    thread = new_thread(browser)
    accepted = browser.post(f"/api/v1/threads/{thread}/runs", json={"message": "Hello."})
    assert accepted.status_code == 202
    events = browser.get(f"/api/v1/runs/{accepted.json()['run']['id']}/events")
    assert "event: run.completed" in events.text
