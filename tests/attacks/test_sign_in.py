"""Attacks on signing in: links by mail (S04), sessions (S05), other sites (S06), guessing and finding out (S11)."""

import asyncio
import secrets
import statistics
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

import pytest
from httpx2 import AsyncClient, Client, Response
from sqlalchemy import update

from famulus.identity.models import Attempts, EmailToken
from famulus.kernel.tables import utc_now
from tests.support.academy import PASSWORD, mailed, plant, token_of
from tests.support.problems import assert_problem
from tests.support.serving import (
    Served,
    change,
    forgetting,
    migrated_database,
    serving,
    settings_for,
    wait_for,
)

DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
NEW = "an entirely new password"


@pytest.fixture(scope="module", params=DIALECTS)
def attacked(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server of this module's own."""
    with served(str(request.param), tmp_path_factory.mktemp("attacked"), request) as made:
        yield made


@pytest.fixture
def server(attacked: Served) -> Served:
    """The same for each test, with no failure counted yet."""
    return forgetting(attacked)


@contextmanager
def served(dialect: str, folder: Path, request: pytest.FixtureRequest, **more: object) -> Iterator[Served]:
    with migrated_database(dialect, folder, request) as url:
        academy = wait_for(plant(url))
        with serving(settings_for(url, folder, **more), academy) as made:
            yield made


def newcomer(server: Served) -> str:
    """The address of a new account with the usual password."""
    email = f"{secrets.token_hex(6)}@famulus.local"
    with server.client() as client:
        account = {"email": email, "password": PASSWORD, "name": "New", "session_mode": "api"}
        assert client.post("/api/auth/signup", json=account).status_code == 201
    return email


def log_in(client: Client, email: str, password: str = PASSWORD, mode: str = "api") -> Response:
    body = {"email": email, "password": password, "session_mode": mode}
    return client.post("/api/auth/login", json=body)


def bearer(response: Response) -> dict[str, str]:
    assert response.status_code in (200, 201), response.text
    return {"Authorization": f"Bearer {response.json()['access_token']}"}


def reset_token(server: Served, email: str) -> str:
    """What the newest link to set a new password holds."""
    with server.client("site") as site, server.client() as nobody:
        before = {mail["id"] for mail in site.get("/api/v1/mails").json()["items"]}
        assert nobody.post("/api/auth/password/forgot", json={"email": email}).status_code == 202
        for _ in range(200):
            mail = next(iter(site.get("/api/v1/mails").json()["items"]), None)
            if mail and mail["id"] not in before and (mail["recipient"], mail["kind"]) == (email, "reset"):
                return token_of(site.get(f"/api/v1/mails/{mail['id']}").json())
            time.sleep(0.05)
    raise AssertionError("no link came")


def verify_token(server: Served, email: str) -> str:
    with server.client("site") as site:
        return token_of(mailed(site, email, "verify"))


def reset(client: Client, token: object, password: str = NEW) -> Response:
    return client.post("/api/auth/password/reset", json={"token": token, "password": password})


def within(seconds: float, response: Any, status: int) -> Response:
    """What a request answers once it has this status, which must be soon."""
    deadline = time.monotonic() + seconds
    while (answer := response()).status_code != status and time.monotonic() < deadline:
        time.sleep(0.1)
    assert answer.status_code == status, answer.text
    return answer


# --- S04: links by mail ------------------------------------------------------------------------------------------


def test_S04_a_forgotten_password_is_replaced_and_every_session_ends(server: Served) -> None:
    email = newcomer(server)
    with server.client() as client:
        old = [bearer(log_in(client, email)) for _ in range(2)]
        assert client.get("/api/auth/me", headers=old[0]).json()["user"]["email_verified"] is False
        token = reset_token(server, email)
        assert reset(client, token).status_code == 204
        for headers in old:
            assert_problem(client.get("/api/auth/me", headers=headers), 401, "unauthenticated")
        assert_problem(log_in(client, email), 401, "wrong_credentials")
        me = client.get("/api/auth/me", headers=bearer(log_in(client, email, NEW))).json()
        assert me["user"]["email_verified"] is True, "whoever has the link reads the mailbox"
        assert_problem(reset(client, token), 400, "link_refused")


async def test_S04_of_fifty_at_one_moment_one_uses_the_link(server: Served) -> None:
    email = newcomer(server)
    token = await asyncio.to_thread(reset_token, server, email)
    passwords = [f"password number {n} of 50" for n in range(50)]
    async with AsyncClient(base_url=server.url, timeout=60, verify=False) as client:
        answers = await asyncio.gather(
            *(
                client.post("/api/auth/password/reset", json={"token": token, "password": password})
                for password in passwords
            )
        )
    statuses = [answer.status_code for answer in answers]
    assert sorted(statuses) == [204] + [400] * 49
    assert {answer.json()["code"] for answer in answers if answer.status_code == 400} == {"link_refused"}
    with server.client() as other:
        assert log_in(other, email, passwords[statuses.index(204)]).status_code == 200


async def test_S04_of_fifty_at_one_moment_one_verifies(server: Served) -> None:
    token = await asyncio.to_thread(verify_token, server, newcomer(server))
    async with AsyncClient(base_url=server.url, timeout=60, verify=False) as client:
        answers = await asyncio.gather(
            *(client.post("/api/auth/email/verify", json={"token": token}) for _ in range(50))
        )
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 49


@pytest.mark.parametrize("token", [None, "", 5, [], {}, "no token", "a" * 300, "\0", "é"])
def test_S04_what_is_no_token_is_named(server: Served, token: object) -> None:
    with server.client() as client:
        for path, more in (("password/reset", {"password": NEW}), ("email/verify", {})):
            refused = client.post(f"/api/auth/{path}", json={"token": token, **more})
            assert_problem(refused, 422, "invalid")
            assert [field["path"] for field in refused.json()["fields"]] == ["token"]
            assert_problem(client.post(f"/api/auth/{path}", json=more), 422, "invalid")


def test_S04_a_link_does_only_what_it_is_for_once_and_the_newest_alone(server: Served) -> None:
    email = newcomer(server)
    verify, first = verify_token(server, email), reset_token(server, email)
    second = reset_token(server, email)
    with server.client() as client:

        def open_link(token: str) -> Response:
            return client.post("/api/auth/email/verify", json={"token": token})

        assert_problem(reset(client, "never_given_out"), 400, "link_refused")
        assert_problem(reset(client, verify), 400, "link_refused")
        assert_problem(open_link(second), 400, "link_refused")
        assert_problem(reset(client, first), 400, "link_refused")
        assert open_link(verify).json()["email_verified"] is True
        assert_problem(open_link(verify), 400, "link_refused")
        past = update(EmailToken).where(EmailToken.email == email).values(expires_at=utc_now())
        wait_for(change(server.settings.database, past))
        assert_problem(reset(client, second), 400, "link_refused")
        assert log_in(client, email).status_code == 200, "and nothing has changed"


def test_S04_a_changed_address_voids_what_was_sent_to_the_old_one(server: Served) -> None:
    email, other = newcomer(server), f"{secrets.token_hex(6)}@famulus.local"
    with server.client() as client, server.client("site") as site:
        headers = bearer(log_in(client, email))
        reset_link, verify = reset_token(server, email), verify_token(server, email)
        wrong = {"email": other, "password": "not the password"}
        assert_problem(client.post("/api/auth/email", json=wrong, headers=headers), 403, "wrong_password")
        asked = client.post("/api/auth/email", json={"email": other, "password": PASSWORD}, headers=headers)
        assert asked.status_code == 202
        assert client.get("/api/auth/me", headers=headers).json()["user"]["email"] == email
        token = token_of(mailed(site, other, "change"))
        assert_problem(reset(client, token), 400, "link_refused")
        assert client.post("/api/auth/email/verify", json={"token": token}).json()["email"] == other
        assert "no longer" in mailed(site, email, "moved")["body"]
        assert_problem(reset(client, reset_link), 400, "link_refused")
        assert_problem(client.post("/api/auth/email/verify", json={"token": verify}), 400, "link_refused")
        assert_problem(log_in(client, email), 401)
        assert log_in(client, other).status_code == 200


def test_S04_the_link_leads_where_the_server_is_and_not_where_a_request_says(server: Served) -> None:
    email = newcomer(server)
    with server.client() as client, server.client("site") as site:
        forged = {
            "Host": "evil.example",
            "X-Forwarded-Host": "evil.example",
            "Forwarded": "host=evil.example",
        }
        asked = client.post("/api/auth/password/forgot", json={"email": email}, headers=forged)
        assert asked.status_code == 202
        mail = mailed(site, email, "reset")
        assert "evil" not in mail["body"]
        assert "http://127.0.0.1:" in mail["body"]


# --- S05: sessions -----------------------------------------------------------------------------------------------


def test_S05_a_planted_cookie_is_not_taken_over(server: Served) -> None:
    with server.client() as client:
        planted = {"Cookie": "famulus_session=fms_planted"}
        body = {"email": "student@famulus.local", "password": PASSWORD}
        response = client.post("/api/auth/login", json=body, headers=planted)
        assert response.status_code == 200
        assert client.cookies["famulus_session"] != "fms_planted"
        client.cookies.clear()
        assert_problem(client.get("/api/auth/me", headers=planted), 401)


def test_S05_after_signing_out_both_tokens_are_dead(server: Served) -> None:
    email = newcomer(server)
    with server.client() as client:
        pair = log_in(client, email).json()
        headers = {"Authorization": f"Bearer {pair['access_token']}"}
        assert client.post("/api/auth/logout", headers=headers).status_code == 204
        within(5, lambda: client.get("/api/auth/me", headers=headers), 401)
        refreshed = client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]})
        assert_problem(refreshed, 401, "refresh_refused")


@pytest.mark.parametrize("public_url", [None, "https://famulus.example"])
def test_S05_the_cookie_is_deleted_as_it_was_set(
    tmp_path: Path, request: pytest.FixtureRequest, public_url: str | None
) -> None:
    with served("sqlite", tmp_path, request, public_url=public_url) as made, made.client() as client:
        body = {"email": "student@famulus.local", "password": PASSWORD}
        given = SimpleCookie(client.post("/api/auth/login", json=body).headers["set-cookie"])
        gone = SimpleCookie(client.post("/api/auth/logout").headers["set-cookie"])
        ((name, one),), ((same, other),) = given.items(), gone.items()
        assert name == same
        assert (other.value, other["max-age"]) == ("", "0")
        for attribute in ("path", "httponly", "secure", "samesite", "domain"):
            assert one[attribute] == other[attribute], attribute


# --- S06: other sites --------------------------------------------------------------------------------------------

MUTATIONS = (
    ("POST", "/api/auth/password", {"current_password": PASSWORD, "new_password": NEW}),
    ("POST", "/api/auth/email", {"email": "eve@famulus.local", "password": PASSWORD}),
    ("POST", "/api/auth/email/verification", {}),
    ("PATCH", "/api/auth/me", {"name": "Eve"}),
    ("DELETE", "/api/auth/sessions", {}),
    ("POST", "/api/v1/threads", {}),
)
ELSEWHERE = ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"})


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_S06_a_cookie_alone_changes_nothing_for_another_site(server: Served, headers: dict[str, str]) -> None:
    email = newcomer(server)
    with server.client() as client:
        assert log_in(client, email, mode="web").status_code == 200
        before = client.get("/api/auth/me").json()
        for method, path, body in MUTATIONS:
            for given in (
                {"json": body},
                {"data": body},
                {"content": b'{"name":"Eve"}', "headers": {"Content-Type": "text/plain"}},
                {"files": {"name": ("a", b"Eve")}},
            ):
                sent = {**given, "headers": {**given.get("headers", {}), **headers}}
                assert_problem(client.request(method, path, **sent), 403, "cross_origin")
        assert client.get("/api/auth/me").json() == before
        assert len(client.get("/api/auth/sessions").json()["items"]) == 2
        assert log_in(client, email).status_code == 200


def test_S06_nothing_is_changed_by_reading(server: Served) -> None:
    with server.client("student") as client:
        for path in (
            "password", "password/forgot", "password/reset", "email", "email/verify", "email/verification", "logout",
            "login", "signup", "refresh",
        ):  # fmt: skip
            assert_problem(client.get(f"/api/auth/{path}", params={"token": "x"}), 405)
        assert_problem(client.get("/api/v1/accounts/usr_1/suspend"), 405)


@pytest.mark.parametrize("headers", ELSEWHERE, ids=str)
def test_S06_another_site_cannot_sign_anybody_in_or_open_links(
    server: Served, headers: dict[str, str]
) -> None:
    with server.client() as client:
        for path, body in (
            ("login", {"email": "student@famulus.local", "password": PASSWORD}),
            ("signup", {"email": "x@famulus.local", "password": PASSWORD, "name": "X"}),
            ("password/forgot", {"email": "student@famulus.local"}),
            ("password/reset", {"token": "x", "password": NEW}),
            ("email/verify", {"token": "x"}),
        ):
            answer = client.post(f"/api/auth/{path}", json=body, headers=headers)
            assert_problem(answer, 403, "cross_origin")
            assert "set-cookie" not in answer.headers


# --- S11: finding out and guessing -------------------------------------------------------------------------------


def test_S11_whether_there_is_an_account_shows_in_no_answer(server: Served) -> None:
    """The sign-in's own text and headers, and those of asking for a link, but for the id and the time."""
    there = newcomer(server)
    with server.client() as client:
        pairs = [
            [log_in(client, email, "a wrong password") for email in (there, "nobody@famulus.local")],
            [
                client.post("/api/auth/password/forgot", json={"email": email})
                for email in (there, "nobody2@famulus.local")
            ],
        ]
        for one, other in pairs:
            assert one.status_code == other.status_code
            assert shown(one) == shown(other)


def shown(response: Response) -> object:
    body = (
        {key: value for key, value in response.json().items() if key != "request_id"}
        if response.content
        else {}
    )
    return body or response.text, sorted(set(response.headers) - {"date", "x-request-id"})


def test_S11_whether_there_is_an_account_shows_in_no_time(server: Served) -> None:
    """Medians of many tries, one kind after the other in turns; each account has its own, so that no brake holds."""
    emails = [newcomer(server) for _ in range(12)]
    signing_in: dict[bool, list[float]] = {True: [], False: []}
    asking: dict[bool, list[float]] = {True: [], False: []}
    with server.client() as client:
        for email in emails:
            for there in (True, False):
                who = email if there else f"{secrets.token_hex(6)}@famulus.local"
                signing_in[there].append(timed(lambda who=who: log_in(client, who, "a wrong password"), 401))
                body = {"email": who}
                asking[there].append(
                    timed(lambda body=body: client.post("/api/auth/password/forgot", json=body), 202)
                )
    for times in (signing_in, asking):
        medians = {there: statistics.median(found) for there, found in times.items()}
        spread = max(statistics.quantiles(found, n=4)[2] - min(found) for found in times.values())
        assert abs(medians[True] - medians[False]) <= max(spread, 0.01), medians
    assert min(map(min, signing_in.values())) > 0.01, "each paid for a hash"


def timed(request: Any, status: int) -> float:
    began = time.perf_counter()
    assert request().status_code == status
    return time.perf_counter() - began


def test_S11_fifty_tries_at_one_moment_are_five(server: Served) -> None:
    email = newcomer(server)
    with ThreadPoolExecutor(50) as pool, server.client() as client:
        answers = list(pool.map(lambda n: log_in(client, email, f"guess number {n}").status_code, range(50)))
        assert sorted(set(answers)) == [401, 429]
        assert answers.count(401) <= 6, "the sixth, when a second has passed meanwhile"
        for n in range(
            10
        ):  # each failure holds longer, in the end for longer than a slow machine takes to try again
            if int(log_in(client, email, f"guess {n}").headers.get("retry-after", 0)) > 3:
                break
            time.sleep(0.5)
        held = log_in(client, email)
        assert_problem(held, 429, "too_many_failures")
        assert int(held.headers["retry-after"]) >= 1


def test_S11_a_class_that_signs_in_at_one_moment_gets_in(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Forty from one address; none of them is taken for a guesser."""
    with served("sqlite", tmp_path, request) as made:
        emails = [newcomer(made) for _ in range(10)]
        with ThreadPoolExecutor(40) as pool, made.client() as client:
            answers = list(pool.map(lambda n: log_in(client, emails[n % 10]).status_code, range(40)))
        assert answers == [200] * 40


def test_S11_the_current_password_is_guarded_as_well(server: Served) -> None:
    email = newcomer(server)
    with server.client() as client:
        headers = bearer(log_in(client, email))
        answers = [
            client.post(
                "/api/auth/password",
                json={"current_password": f"guess number {n}", "new_password": NEW},
                headers=headers,
            ).status_code
            for n in range(6)
        ]
        assert answers == [403] * 5 + [429]
        assert_problem(log_in(client, email), 429, "too_many_failures")


def test_S11_links_are_not_mailed_without_end(server: Served) -> None:
    for email in (newcomer(server), f"{secrets.token_hex(6)}@famulus.local"):
        with server.client() as client:
            answers = [
                client.post("/api/auth/password/forgot", json={"email": email}).status_code for _ in range(4)
            ]
            assert answers == [202, 202, 202, 429], "and the same where there is no account"


@pytest.mark.parametrize("dialect", DIALECTS)
def test_S11_a_restart_forgets_no_failure(
    dialect: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with migrated_database(dialect, tmp_path, request) as url:
        academy, settings = wait_for(plant(url)), settings_for(url, tmp_path)
        with serving(settings, academy) as made, made.client() as client:
            for n in range(5):
                assert_problem(log_in(client, "student@famulus.local", f"guess number {n}"), 401)
        # As if five more had followed, each after its wait: so long that a start fits into it.
        wait_for(change(url, update(Attempts).values(count=Attempts.count + 5)))
        with serving(settings, academy) as made, made.client() as client:
            held = log_in(client, "student@famulus.local")
            assert_problem(held, 429, "too_many_failures")
            assert 10 < int(held.headers["retry-after"]) <= 33


@pytest.mark.postgres
def test_S11_two_instances_count_together(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with migrated_database("postgresql", tmp_path, request) as url:
        academy, settings = wait_for(plant(url)), settings_for(url, tmp_path)
        with (
            serving(settings, academy) as one,
            serving(settings, academy) as two,
            one.client() as first,
            two.client() as second,
        ):
            clients = (first, second)
            answers = [
                log_in(clients[n % 2], "student@famulus.local", f"guess number {n}").status_code
                for n in range(6)
            ]
            assert answers == [401] * 5 + [429]
