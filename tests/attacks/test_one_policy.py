"""A09: one policy, one answer: the same change is refused or allowed alike by every way in.

The ways are the cookie of a browser, the pair of tokens of an app, an API key that was made for everything, the token of
a trusted issuer, the header of a trusted gateway, and the operator's command line, where it has such a command.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from famulus.cli.main import main
from tests.support.academy import PASSWORD
from tests.support.oidc_provider import OidcProvider
from tests.support.serving import Served, furnished

SECRET = "what only the gateway knows"
PEOPLE = ("student", "teacher", "admin", "their_admin", "site")
SESSIONS = ("cookie", "pair")
"""The ways in which somebody has signed in here."""
Ways = dict[tuple[str, str], Client]


@pytest.fixture(scope="module")
def provider() -> Iterator[OidcProvider]:
    with OidcProvider() as running:
        yield running


@pytest.fixture(scope="module")
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, provider: OidcProvider
) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("policy")
    settings = {**provider.settings(link_by_email=True), "proxy_secret": SECRET}
    with furnished("sqlite", folder, request, **settings) as running:
        yield running


@pytest.fixture(scope="module")
def ways(served: Served, provider: OidcProvider) -> Iterator[Ways]:
    """Clients by person and way. No issuer's token is a site admin's, unless the operator says so."""
    made: Ways = {}
    for who in PEOPLE:
        for way, headers in _credentials(served, provider, who).items():
            client = served.client()
            client.headers.update(headers)
            assert client.get("/api/auth/me").json()["user"]["id"] == served.academy.people[who].id, way
            made[who, way] = client
    yield made
    for client in made.values():
        client.close()


def _credentials(served: Served, provider: OidcProvider, who: str) -> dict[str, dict[str, str]]:
    person = served.academy.people[who]
    login = {"email": person.email, "password": PASSWORD}
    with served.client() as client:
        client.post("/api/auth/login", json={**login, "session_mode": "web"})
        [(name, cookie)] = client.cookies.items()
    with served.client() as client:
        pair = client.post("/api/auth/login", json={**login, "session_mode": "api"}).json()
        bearer = {"Authorization": f"Bearer {pair['access_token']}"}
        wish = {"name": "all", "scopes": ["read", "write", "chat"]}
        key = client.post("/api/v1/api-keys", json=wish, headers=bearer).json()["key"]
    found = {
        "cookie": {"Cookie": f"{name}={cookie}", "Origin": served.url},
        "pair": bearer,
        "key": {"X-API-Key": key},
        "gateway": {"X-User-ID": person.id, "X-Proxy-Secret": SECRET},
    }
    if who != "site":
        claims = provider.claims(sub=who, email=person.email, email_verified=True, school=None, roles=None)
        found["foreign"] = {"Authorization": f"Bearer {provider.mint(claims)}"}
    return found


CHANGES: list[tuple[str, str, Any, dict[str, int]]] = [
    (
        "PATCH",
        "/api/v1/organizations/{organization}",
        {"name": "Ours"},
        {"student": 403, "teacher": 403, "admin": 200, "their_admin": 404, "site": 200},
    ),
    (
        "POST",
        "/api/v1/organizations",
        {"name": "ours"},
        dict.fromkeys(PEOPLE, 403) | {"site": 409},
    ),
    (
        "PATCH",
        "/api/v1/organizations/{organization}/members/{classmate}",
        {"role": "student"},
        {"student": 403, "teacher": 403, "admin": 200, "their_admin": 404, "site": 200},
    ),
    (
        "PATCH",
        "/api/v1/courses/{course}",
        {"published": True},
        {"student": 403, "teacher": 200, "admin": 200, "their_admin": 404, "site": 200},
    ),
    (
        "POST",
        "/api/v1/courses/{course}/enrolments",
        {"user_id": "{classmate}"},
        {"student": 403, "teacher": 409, "admin": 409, "their_admin": 404, "site": 409},
    ),
    (
        "PATCH",
        "/api/v1/assistants/{assistant}",
        {"settings": {"on_second_message": "reject"}},
        {"student": 403, "teacher": 200, "admin": 200, "their_admin": 404, "site": 200},
    ),
    (
        "GET",
        "/api/v1/assistants/{assistant}/versions",
        None,
        {"student": 403, "teacher": 200, "admin": 200, "their_admin": 404, "site": 200},
    ),
    (
        "POST",
        "/api/v1/accounts/{classmate}/restore",
        None,
        dict.fromkeys(PEOPLE, 404) | {"site": 200},
    ),
    ("PATCH", "/api/v1/tasks/{task}", {"done": False}, dict.fromkeys(PEOPLE, 404) | {"student": 200}),
    ("PATCH", "/api/v1/threads/{thread}", {"title": "T"}, dict.fromkeys(PEOPLE, 404) | {"student": 200}),
    ("PATCH", "/api/auth/me", {"site_admin": True}, dict.fromkeys(PEOPLE, 422)),
]
"""A change of a setting, and what becomes of it by who asks; what is allowed changes nothing, so that all can ask it."""


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: f"{change[0]} {change[1]}")
def test_a09_a_change_is_allowed_or_refused_alike_by_every_way_in(
    served: Served, ways: Ways, change: tuple[str, str, Any, dict[str, int]]
) -> None:
    method, path, body, wanted = change
    names = served.academy.ids | {"classmate": served.academy.people["classmate"].id}
    if body and "user_id" in body:
        body = {"user_id": names["classmate"]}
    for (who, way), client in ways.items():
        answer = client.request(method, path.format_map(names), json=body)
        assert answer.status_code == wanted[who], f"{who} by {way}: {answer.status_code} {answer.text}"


def test_a09_the_lock_is_changed_by_whoever_has_signed_in_alone(served: Served, ways: Ways) -> None:
    """Passwords, addresses, profiles, sessions and keys: no key, foreign token or gateway's word is enough."""
    lock: list[tuple[str, str, Any, int]] = [
        ("PATCH", "/api/auth/me", {"locale": "en"}, 200),
        ("POST", "/api/auth/password", {"current_password": PASSWORD, "new_password": "short"}, 422),
        ("POST", "/api/auth/email", {"email": "student@famulus.local", "password": PASSWORD}, 202),
        ("POST", "/api/auth/email/verification", None, 202),
        ("GET", "/api/auth/sessions", None, 200),
        ("DELETE", "/api/auth/sessions/ses_none", None, 404),
        ("GET", "/api/v1/api-keys", None, 200),
        ("DELETE", "/api/v1/api-keys/key_none", None, 404),
    ]
    for (who, way), client in ways.items():
        for method, path, body, status in lock:
            answer = client.request(method, path, json=body)
            told = f"{who} by {way}: {method} {path} {answer.text}"
            if way in SESSIONS:
                assert answer.status_code in (status, 429), told  # mails are not sent without end
            elif answer.status_code != 422:  # what is no request at all is named as such to anybody
                assert (answer.status_code, answer.json()["code"]) == (403, "needs_session"), told
        if way not in SESSIONS:
            for path in ("/api/auth/password", "/api/auth/sessions"):
                body = {"current_password": PASSWORD, "new_password": "an entirely new password"}
                answer = client.request("POST" if "password" in path else "DELETE", path, json=body)
                assert answer.json()["code"] == "needs_session", f"{who} by {way}: {answer.text}"


@pytest.mark.parametrize("who", PEOPLE)
def test_a09_the_command_line_decides_as_the_api_does(
    served: Served,
    ways: Ways,
    who: str,
    *,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    """Where the operator acts as somebody, it is with that person's rights, in the same words."""
    monkeypatch.setenv("FAMULUS_DATABASE_URL", served.settings.database_url or "")
    organization = served.academy.ids["organization"]
    roster = tmp_path / "people.csv"
    roster.write_text("email,name,role\nnew@famulus.local,New,student\n", encoding="utf-8")
    file = {"file": ("people.csv", roster.read_bytes())}
    place = f"/api/v1/organizations/{organization}"
    for words, method, path, given in (
        (["organization", "create", "ours"], "POST", "/api/v1/organizations", {"json": {"name": "ours"}}),
        (["organization", "archive", organization, "--restore"], "POST", f"{place}/restore", {}),
        (
            ["import", "people", str(roster), "--organization", organization, "--dry-run"],
            "POST",
            f"{place}/import?dry_run=true",
            {"files": file},
        ),
    ):
        answer = ways[who, "pair"].request(method, path, **given)
        capsys.readouterr()
        status = 0
        try:
            main([*words, "--as", served.academy.people[who].email])
        except SystemExit as error:
            status = int(error.code or 0)
        told = capsys.readouterr()
        assert (status == 0) == (answer.status_code < 400), (words, answer.text, told)
        if answer.status_code in (403, 409):
            assert answer.json()["detail"] in told.err, (words, answer.text, told)
