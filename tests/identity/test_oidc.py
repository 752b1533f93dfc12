"""Signing in through a real provider: the whole way of a browser, and every way in which it must not lead in."""

from collections.abc import Iterator
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from httpx2 import Client, Response
from sqlalchemy import select

from famulus.identity.brake import REFUSALS_FROM
from famulus.identity.models import AuditEntry
from famulus.identity.oidc import LIFE, local_path
from famulus.identity.refusals import REFUSED
from famulus.kernel.database import Database
from famulus.kernel.secrets import Vault
from tests.support.oidc_provider import CLIENT, Claims, OidcProvider
from tests.support.serving import Served, bare, wait_for

START, BACK = "/api/auth/oidc/school/start", "/api/auth/oidc/school/callback"


@pytest.fixture(scope="module")
def running() -> Iterator[OidcProvider]:
    with OidcProvider() as provider:
        yield provider


@pytest.fixture
def provider(running: OidcProvider) -> Iterator[OidcProvider]:
    """The provider, as it was at first."""
    yield running
    running.twist, running.denies, running.down, running.code_life = dict, False, False, 60.0


@pytest.fixture(scope="module", params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, running: OidcProvider
) -> Iterator[Served]:
    more = {"create_organizations": True}
    folder = tmp_path_factory.mktemp("oidc")
    with bare(str(request.param), folder, request, **running.settings(**more)) as server:
        yield server


@pytest.fixture
def browser(served: Served) -> Iterator[Client]:
    with served.client() as client:
        yield client


def begun(browser: Client, next: str = "/") -> str:
    """Where the server sends a browser that begins."""
    return browser.get(START, params={"next": next}).headers["location"]


def consented(browser: Client, url: str) -> str:
    """Where the provider sends it back to."""
    return browser.get(url).headers["location"]


def error_of(response: Response) -> str:
    """What the sign-in page is told."""
    assert response.status_code == 302
    location = urlsplit(response.headers["location"])
    assert (location.netloc, location.path) == ("", "/")
    assert "famulus_session" not in str(response.headers.get_list("set-cookie"))
    return parse_qs(location.query)["error"][0]


def test_the_providers_are_listed(browser: Client, embedded: Served) -> None:
    assert browser.get("/api/auth/oidc").json() == {"items": [{"id": "school", "name": "School"}]}
    with embedded.client() as elsewhere:
        assert elsewhere.get("/api/auth/oidc").json() == {"items": []}


def test_the_whole_way_in(browser: Client, provider: OidcProvider, served: Served) -> None:
    provider.person = {
        "sub": "bo", "email": "bo@school.example", "email_verified": True, "name": "Bo", "school": "North",
        "roles": ["staff"],
    }  # fmt: skip
    first = browser.get(START, params={"next": "/#/c/general"})
    cookie = SimpleCookie(first.headers["set-cookie"])["famulus_oidc"]
    assert (cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, "lax", "/")
    assert int(cookie["max-age"]) == LIFE
    asked = parse_qs(urlsplit(first.headers["location"]).query)
    assert asked["redirect_uri"] == [served.url + BACK]
    assert (asked["code_challenge_method"], asked["scope"]) == (["S256"], ["openid email profile"])
    assert asked["state"][0] not in cookie.value

    back = consented(browser, first.headers["location"])
    last = browser.get(back)

    assert (last.status_code, last.headers["location"]) == (302, "/#/c/general")
    assert last.headers["cache-control"] == "no-store"
    me = browser.get("/api/auth/me").json()
    assert (me["user"]["email"], me["organization"]["name"], me["role"]) == (
        "bo@school.example",
        "North",
        "teacher",
    )
    assert not browser.cookies.get("famulus_oidc"), "what belonged to the sign-in is gone"
    assert browser.post("/api/v1/threads", json={}).status_code == 201


def test_M10_a_code_works_once(browser: Client, provider: OidcProvider) -> None:
    url = begun(browser)
    kept = {"Cookie": f"famulus_oidc={browser.cookies['famulus_oidc']}"}
    back = consented(browser, url)
    assert browser.get(back).headers["location"] == "/"
    browser.cookies.clear()
    assert error_of(browser.get(back)) == "sign_in_expired"
    assert error_of(browser.get(back, headers=kept)) == "sign_in_failed"


def test_M10_a_sign_in_belongs_to_its_browser(
    browser: Client, served: Served, provider: OidcProvider
) -> None:
    """A link that somebody has planted, with their own code in it, would sign others in as them."""
    with served.client() as attacker:
        planted = consented(attacker, begun(attacker))
        assert error_of(browser.get(planted)) == "sign_in_expired"
        begun(browser)
        assert error_of(browser.get(planted)) == "sign_in_expired", (
            "another state is in this browser's cookie"
        )
        # A stolen code, put into the victim's own answer: the verifier is another one.
        url = begun(browser)
        state = parse_qs(urlsplit(url).query)["state"][0]
        code = parse_qs(urlsplit(planted).query)["code"][0]
        answer = browser.get(BACK, params={"code": code, "state": state})
        assert error_of(answer) == "sign_in_failed"


def test_a_cookie_is_only_ours_to_write(browser: Client, provider: OidcProvider) -> None:
    url = begun(browser)
    sealed = browser.cookies["famulus_oidc"]
    back = consented(browser, url)
    others = Vault(b"another installation's secret, thirty").encrypt("{}", "oidc school")
    for value in (sealed[:-4] + "AAAA", sealed.upper(), "v1.", "", "v1.AAAA", others, "x" * 4000):
        browser.cookies.clear()
        assert error_of(browser.get(back, headers={"Cookie": f"famulus_oidc={value}"})) == "sign_in_expired"


def test_no_state_and_no_code(browser: Client, provider: OidcProvider) -> None:
    url = begun(browser)
    state = parse_qs(urlsplit(url).query)["state"][0]
    kept = {"Cookie": f"famulus_oidc={browser.cookies['famulus_oidc']}"}
    for query, wanted in (
        ({"code": "x"}, "sign_in_expired"),
        ({"code": "x", "state": ""}, "sign_in_expired"),
        ({"code": "x", "state": "é"}, "sign_in_expired"),
        ({"state": state}, "sign_in_failed"),
        ({"code": "made up", "state": state}, "sign_in_failed"),
        ({"code": "x", "state": state, "iss": "https://evil.example"}, "sign_in_failed"),
        ({"error": "server_error", "state": state}, "sign_in_failed"),
        ({"error": "access_denied", "state": "wrong"}, "sign_in_expired"),
    ):
        browser.cookies.clear()
        assert error_of(browser.get(BACK, params=query, headers=kept)) == wanted, query


def test_who_does_not_agree_is_told_so(browser: Client, provider: OidcProvider, served: Served) -> None:
    provider.denies = True

    assert error_of(browser.get(consented(browser, begun(browser)))) == "sign_in_denied"

    async def kept() -> list[str]:
        database = Database(served.settings.database)
        try:
            async with database.read() as session:
                query = (
                    select(AuditEntry.after)
                    .where(AuditEntry.action == REFUSED)
                    .order_by(AuditEntry.id.desc())
                )
                return [str(after and after["why"]) for after in await session.scalars(query)]
        finally:
            await database.close()

    found = wait_for(kept())
    assert 1 <= len(found) <= REFUSALS_FROM.free, "all tests of this server come from one address"
    assert all(why.startswith(("sign_in_", "foreign_", "suspended")) for why in found)


def test_an_old_code(browser: Client, provider: OidcProvider) -> None:
    provider.code_life = -1

    assert error_of(browser.get(consented(browser, begun(browser)))) == "sign_in_failed"


@pytest.mark.parametrize(
    "twisted",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"iss": "https://evil.example"},
        {"aud": "another-client"},
        {"aud": [CLIENT, "another-client"]},
        {"aud": [CLIENT, "another-client"], "azp": "another-client"},
        {"exp": 1},
        {"exp": None},
        {"sub": None},
        {"typ": "Refresh"},
    ],
    ids=str,
)
def test_id_tokens_that_are_not_followed(browser: Client, provider: OidcProvider, twisted: Claims) -> None:
    provider.twist = lambda claims: {**claims, **twisted}

    assert error_of(browser.get(consented(browser, begun(browser)))) == "sign_in_failed"
    assert browser.get("/api/auth/me").status_code == 401


def test_a_silent_provider(browser: Client, provider: OidcProvider) -> None:
    back = consented(browser, begun(browser))
    provider.down = True

    assert error_of(browser.get(back)) == "sign_in_failed"


def test_a_provider_that_nobody_knows(browser: Client) -> None:
    for path in (START, BACK):
        assert error_of(browser.get(path.replace("school", "nobody"))) == "unknown_provider"
    assert browser.get("/api/auth/oidc/No%20Body/start").status_code == 422


def test_an_address_that_is_taken(browser: Client, provider: OidcProvider, served: Served) -> None:
    account = {"email": "taken@school.example", "password": "correct horse battery", "name": "Taken"}
    with served.client() as client:
        assert client.post("/api/auth/signup", json=account).status_code == 201
    provider.person = {"sub": "mallory", "email": "taken@school.example", "email_verified": True}

    answer = browser.get(consented(browser, begun(browser)))

    assert error_of(answer) == "foreign_address_taken"
    assert browser.get("/api/auth/me").status_code == 401


def test_M10_the_server_is_sent_nowhere_by_a_host(browser: Client, provider: OidcProvider) -> None:
    """Without a public address the caller's Host says where people come back to; the provider knows its clients."""
    for host in ("evil.example/x?", "a@b", "a b", "evil.example#", "", "é"):
        answer = browser.get(START, headers={"Host": host.encode()})
        assert answer.status_code in (302, 400)
        if answer.status_code == 302:
            assert answer.headers["location"].startswith("/?error="), host


NEXT: list[tuple[str, str]] = [
    ("/", "/"), ("/#/c/x", "/#/c/x"), ("/passages/p_1?a=b", "/passages/p_1?a=b"), ("", "/"), ("//evil.example", "/"),
    ("/\\evil.example", "/"), ("\\\\evil.example", "/"), ("https://evil.example", "/"), ("javascript:alert(1)", "/"),
    ("/a\r\nSet-Cookie: x=y", "/"), ("/\t/evil.example", "/"), (" //evil.example", "/"), ("/a\\b", "/"),
    ("/%2F/evil.example", "/%2F/evil.example"), ("/é", "/"), ("/" + "x" * 1000, "/"), ("evil.example", "/"),
]  # fmt: skip


@pytest.mark.parametrize(("wanted", "goes"), NEXT, ids=[repr(each[0][:30]) for each in NEXT])
def test_M10_next_leads_nowhere_else(wanted: str, goes: str) -> None:
    assert local_path(wanted) == goes


def test_behind_tls(tmp_path: Any, request: pytest.FixtureRequest, running: OidcProvider) -> None:
    settings = {**running.settings(), "public_url": "https://famulus.example"}
    with bare("sqlite", tmp_path, request, **settings) as served, served.client() as client:
        first = client.get(START)
        cookie = SimpleCookie(first.headers["set-cookie"])["__Host-famulus_oidc"]
        assert cookie["secure"]
        asked = parse_qs(urlsplit(first.headers["location"]).query)
        assert asked["redirect_uri"] == [f"https://famulus.example{BACK}"]
