"""Accounts and sessions through the front door: cookies, token pairs, refusals that tell nobody anything."""

import json
from datetime import timedelta

import pytest
from httpx2 import AsyncClient, Response
from sqlalchemy import update

from famulus.doors.rest import IDENTITY
from famulus.identity import administration
from famulus.identity.accounts import find_by_email
from famulus.identity.events import AccountChanged, SignedOut
from famulus.identity.models import Session
from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings
from famulus.kernel.tables import utc_now
from tests.support.rooms import serving

ADA = {"email": "Ada@Famulus.local", "password": "correct horse", "name": " Ada Lovelace "}
LOGIN = {"email": "ada@famulus.local", "password": "correct horse"}


async def sign_up(client: AsyncClient, **more: str) -> Response:
    return await client.post("/api/auth/signup", json={**ADA, **more})


async def log_in(client: AsyncClient, **more: str) -> Response:
    return await client.post("/api/auth/login", json={**LOGIN, **more})


async def me(client: AsyncClient, token: str) -> Response:
    return await client.get("/api/auth/me", headers={"Authorization": f"Bearer {token}"})


def signed_out(database: Database) -> list[str]:
    """The sessions that end from now on."""
    ended: list[str] = []
    database.bus.subscribe(SignedOut, lambda event: ended.append(event.session_id))
    return ended


async def test_signing_up_signs_in_with_a_cookie(client: AsyncClient) -> None:
    answer = await sign_up(client)

    assert answer.status_code == 201
    assert answer.json()["user"] == {
        "id": answer.json()["user"]["id"],
        "email": "ada@famulus.local",
        "name": "Ada Lovelace",
        "email_verified": False,
        "locale": "en",
        "profile": {},
    }
    cookie = answer.headers["set-cookie"]
    assert cookie.startswith("famulus_session=fms_")
    for attribute in ("HttpOnly", "Max-Age=1209600", "Path=/", "SameSite=lax"):
        assert attribute in cookie
    assert (await client.get("/api/auth/me")).json()["role"] is None


async def test_an_address_can_be_taken_once_in_whatever_case(client: AsyncClient) -> None:
    await sign_up(client)

    again = await sign_up(client, email="ADA@famulus.LOCAL")

    assert (again.status_code, again.json()["code"]) == (409, "email_taken")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("email", "nobody"),
        ("email", "a@b"),
        ("email", "a@b..local"),
        ("email", "a" * 310 + "@famulus.local"),
        ("password", "seven77"),
        ("password", "x" * 201),
        ("name", " "),
        ("name", "two\nlines"),
        ("name", "nul\0"),
        ("name", "half \ud800"),
        ("site_admin", True),
        ("session_mode", "forever"),
    ],
)
async def test_unacceptable_fields_are_named(client: AsyncClient, field: str, value: object) -> None:
    body = json.dumps({**ADA, field: value})
    answer = await client.post("/api/auth/signup", content=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 422
    assert [problem["path"] for problem in answer.json()["fields"]] == [field]


async def test_signing_up_can_be_closed(database: Database) -> None:
    async with serving(database, *IDENTITY, settings=load_settings(sign_up=False)) as client:
        answer = await sign_up(client)

    assert (answer.status_code, answer.json()["code"]) == (403, "sign_up_closed")


async def test_over_https_the_cookie_is_bound_to_the_host(database: Database) -> None:
    settings = load_settings(public_url="https://learn.example.org")
    async with serving(database, *IDENTITY, settings=settings) as client:
        cookie = (await sign_up(client)).headers["set-cookie"]

    assert cookie.startswith("__Host-famulus_session=")
    assert "Secure" in cookie


@pytest.mark.parametrize("more", [{"session_mode": "api"}, {"issuance_policy": "tokens"}])
async def test_tokens_are_given_on_request(client: AsyncClient, more: dict[str, str]) -> None:
    await sign_up(client)
    client.cookies.clear()

    answer = await log_in(client, **more)

    pair = answer.json()
    assert "set-cookie" not in answer.headers
    assert (pair["token_type"], pair["expires_in"]) == ("bearer", 3600)
    assert (await me(client, pair["access_token"])).json()["user"]["name"] == "Ada Lovelace"


async def test_two_words_that_contradict_each_other_are_refused(client: AsyncClient) -> None:
    answer = await log_in(client, session_mode="web", issuance_policy="tokens")

    assert answer.status_code == 422


async def test_unknown_person_and_wrong_password_get_one_answer(client: AsyncClient) -> None:
    await sign_up(client)

    wrong = await log_in(client, password="wrong horse")
    unknown = await log_in(client, email="eve@famulus.local")

    assert wrong.status_code == unknown.status_code == 401
    assert wrong.json() == unknown.json()


async def test_guessing_is_slowed_down(client: AsyncClient) -> None:
    await sign_up(client)

    answers = [(await log_in(client, password=f"guess {n} here")).status_code for n in range(6)]
    held = await log_in(client)

    assert answers == [401] * 5 + [429]
    assert (held.status_code, held.json()["code"]) == (429, "too_many_failures")
    assert int(held.headers["retry-after"]) >= 1


async def test_refreshing_replaces_both_tokens(client: AsyncClient) -> None:
    first = (await sign_up(client, session_mode="api")).json()

    second = (await client.post("/api/auth/refresh", json={"refresh_token": first["refresh_token"]})).json()

    assert (await me(client, first["access_token"])).status_code == 401
    assert (await me(client, second["access_token"])).status_code == 200


@pytest.mark.parametrize("generation", [0, 1])
async def test_a_spent_refresh_token_ends_the_session(
    client: AsyncClient, database: Database, generation: int
) -> None:
    pairs = [(await sign_up(client, session_mode="api")).json()]
    for _ in range(2):
        refresh_token = pairs[-1]["refresh_token"]
        pairs.append((await client.post("/api/auth/refresh", json={"refresh_token": refresh_token})).json())
    ended = signed_out(database)

    spent = pairs[generation]["refresh_token"]
    answer = await client.post("/api/auth/refresh", json={"refresh_token": spent})

    assert (answer.status_code, answer.json()["code"]) == (401, "refresh_refused")
    assert len(ended) == 1
    assert (await me(client, pairs[-1]["access_token"])).status_code == 401
    newest = {"refresh_token": pairs[-1]["refresh_token"]}
    assert (await client.post("/api/auth/refresh", json=newest)).status_code == 401


@pytest.mark.parametrize("token", ["nonsense", "fmr_.", "fmr_made.up", "é" * 10])
async def test_a_refresh_token_that_was_never_given_out_is_refused(client: AsyncClient, token: str) -> None:
    answer = await client.post("/api/auth/refresh", json={"refresh_token": token})

    assert answer.status_code == 401


async def test_sessions_expire(client: AsyncClient, database: Database) -> None:
    pair = (await sign_up(client, session_mode="api")).json()
    past = utc_now() - timedelta(seconds=1)
    async with database.write() as session:
        await session.execute(update(Session).values(expires_at=past, refresh_expires_at=past))

    answer = await client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]})

    assert (await me(client, pair["access_token"])).status_code == 401
    assert answer.status_code == 401


async def test_signing_out_ends_this_session_only(client: AsyncClient, database: Database) -> None:
    ours = (await sign_up(client, session_mode="api")).json()["access_token"]
    other = (await log_in(client, session_mode="api")).json()["access_token"]
    ended = signed_out(database)

    for _ in range(2):
        answer = await client.post("/api/auth/logout", headers={"Authorization": f"Bearer {ours}"})
        assert answer.status_code == 204

    assert len(ended) == 1
    assert (await me(client, ours)).status_code == 401
    assert (await me(client, other)).status_code == 200


async def test_signing_out_of_the_web_takes_the_cookie_away(client: AsyncClient) -> None:
    await sign_up(client)

    await client.post("/api/auth/logout")

    assert "famulus_session" not in client.cookies
    assert (await client.post("/api/auth/logout")).status_code == 204


async def test_a_suspended_account_is_shut_out_at_once(client: AsyncClient, database: Database) -> None:
    pair = (await sign_up(client, session_mode="api")).json()
    assert (await me(client, pair["access_token"])).status_code == 200
    changed: list[str] = []
    database.bus.subscribe(AccountChanged, lambda event: changed.append(event.user_id))

    async with database.write() as session:
        account = await find_by_email(session, "ada@famulus.local")
        assert account is not None
        await administration.suspend(session, None, account.id)

    assert changed == [account.id]
    assert (await me(client, pair["access_token"])).status_code == 401
    assert (await log_in(client)).json()["code"] == "suspended"
    assert (await log_in(client, password="wrong horse")).json()["code"] == "wrong_credentials"
    answer = await client.post("/api/auth/refresh", json={"refresh_token": pair["refresh_token"]})
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 204),
        ({"Origin": "http://famulus.test"}, 204),
        ({"Sec-Fetch-Site": "same-origin", "Origin": "http://proxy.example"}, 204),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
    ],
)
async def test_a_cookie_acts_only_from_our_own_pages(
    client: AsyncClient, headers: dict[str, str], status: int
) -> None:
    await sign_up(client)

    answer = await client.post("/api/auth/logout", headers=headers)

    assert answer.status_code == status
    if status == 403:
        assert answer.json()["code"] == "cross_origin"
        assert (await client.get("/api/auth/me", headers=headers)).status_code == 200


@pytest.mark.parametrize("value", ["Basic abc", "Bearer", "Bearer  ", "Bearer fma_unknown"])
async def test_other_credentials_are_refused_even_beside_a_good_cookie(
    client: AsyncClient, value: str
) -> None:
    await sign_up(client)

    answer = await client.get("/api/auth/me", headers={"Authorization": value})

    assert answer.status_code == 401
