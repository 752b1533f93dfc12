"""A gateway in front that names people: believed where the operator says so, and nowhere else."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Client

from famulus.kernel.errors import ConfigurationError
from famulus.kernel.settings import load_settings
from tests.support.problems import assert_problem
from tests.support.serving import Served, furnished

pytestmark = pytest.mark.slow

SECRET = "what only the gateway knows"
HERE = ("127.0.0.1/32", "::1/128")
ME = "/api/auth/me"


@contextmanager
def fronted(folder: Path, request: pytest.FixtureRequest, **more: Any) -> Iterator[tuple[Served, Client]]:
    with furnished("sqlite", folder, request, **more) as served, served.client() as client:
        yield served, client


def named(user: str, **more: str) -> dict[str, str]:
    return {"X-User-ID": user, **{name.replace("_", "-"): value for name, value in more.items()}}


def test_by_its_secret(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with fronted(tmp_path, request, proxy_secret=SECRET) as (served, client):
        student = served.academy.people["student"]
        for who in (student.id, student.email, student.email.upper()):
            found = client.get(ME, headers=named(who, X_Proxy_Secret=SECRET))
            assert found.json()["user"]["id"] == student.id
        for wrong in ("", "wrong", SECRET + "x", SECRET[:-1], "é"):
            headers = {"X-User-ID": student.id, "X-Proxy-Secret": wrong.encode()}
            assert_problem(client.get(ME, headers=headers), 401, "unauthenticated")
        assert_problem(client.get(ME, headers=named(student.id)), 401, "unauthenticated")


def test_by_its_address_where_that_is_meant(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with fronted(tmp_path, request, trusted_proxies=HERE, proxy_users="known") as (served, client):
        student = served.academy.people["student"]
        assert client.get(ME, headers=named(student.id)).json()["user"]["id"] == student.id
        assert_problem(client.get(ME, headers=named("nobody@x.test")), 401, "unauthenticated")
        with served.client("site") as site:
            kept = site.get("/api/v1/audit?action=account.refused").json()["items"]
        assert [each["after"]["way"] for each in kept] == ["gateway"]


def test_an_address_that_nobody_has_confirmed_is_nobody_s(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    """Anybody can sign up with anybody's, and would read along from then on."""
    with fronted(tmp_path, request, proxy_secret=SECRET) as (_, client):
        new = {"email": "dean@x.test", "name": "Not the dean", "password": "a long enough password"}
        id = client.post("/api/auth/signup", json=new).json()["user"]["id"]
        client.cookies.clear()
        assert_problem(
            client.get(ME, headers=named("dean@x.test", X_Proxy_Secret=SECRET)), 401, "unauthenticated"
        )
        assert client.get(ME, headers=named(id, X_Proxy_Secret=SECRET)).json()["user"]["id"] == id


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"trusted_proxies": HERE},  # one that only balances passes on what clients send
        {"trusted_proxies": ("192.0.2.1",), "proxy_users": "known"},
        {"trusted_proxies": ("192.0.2.1",), "proxy_secret": SECRET},
        {"trusted_proxies": HERE, "proxy_secret": SECRET, "proxy_users": "ignored"},
    ],
    ids=str,
)
def test_from_anybody_else_it_means_nothing(
    tmp_path: Path, request: pytest.FixtureRequest, settings: dict[str, Any]
) -> None:
    with fronted(tmp_path, request, **settings) as (served, client):
        people = served.academy.people
        headers = named(
            people["site"].id, X_Proxy_Secret=SECRET, X_Forwarded_For="127.0.0.1", Forwarded="for=::1"
        )
        refused = client.get(ME, headers=headers)
        assert_problem(refused, 401, "unauthenticated")
        assert refused.json()["detail"] == client.get(ME).json()["detail"], "nothing tells that it might"
        bearer = {"Authorization": f"Bearer {people['student'].token}"}
        assert client.get(ME, headers={**headers, **bearer}).json()["user"]["id"] == people["student"].id


def test_other_credentials_come_first(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    with fronted(tmp_path, request, proxy_secret=SECRET) as (served, client):
        site, student = served.academy.people["site"], served.academy.people["student"]
        headers = named(site.id, X_Proxy_Secret=SECRET)
        bearer = {"Authorization": f"Bearer {student.token}"}
        assert client.get(ME, headers={**headers, **bearer}).json()["user"]["id"] == student.id
        assert_problem(client.get(ME, headers={**headers, "Authorization": "Bearer wrong"}), 401)


def test_two_names_are_none(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    """A gateway that adds its header beside the client's own must not let the client choose."""
    with fronted(tmp_path, request, proxy_secret=SECRET) as (served, client):
        site, student = served.academy.people["site"], served.academy.people["student"]
        headers = [("X-User-ID", site.id), ("X-User-ID", student.id), ("X-Proxy-Secret", SECRET)]
        assert_problem(client.get(ME, headers=headers), 401, "unauthenticated")
        for odd in ("", "x" * 301, "' OR 1=1 --", "usr_%00"):
            assert_problem(client.get(ME, headers=named(odd, X_Proxy_Secret=SECRET)), 401, "unauthenticated")


def test_another_site_does_not_use_the_gateway_s_cookie(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    with fronted(tmp_path, request, proxy_secret=SECRET) as (served, client):
        headers = named(served.academy.people["student"].id, X_Proxy_Secret=SECRET)
        assert client.post("/api/v1/threads", json={}, headers=headers).status_code == 201
        theirs = {**headers, "Origin": "https://evil.example"}
        assert_problem(client.post("/api/v1/threads", json={}, headers=theirs), 403, "cross_origin")


def test_people_it_brings(tmp_path: Path, request: pytest.FixtureRequest) -> None:
    settings = {"proxy_secret": SECRET, "proxy_users": "provisioned"}
    with fronted(tmp_path, request, **settings) as (served, client):
        ours, student = served.academy.ids["organization"], served.academy.people["student"]

        def come(user: str, **more: str) -> Any:
            return client.get(ME, headers=named(user, X_Proxy_Secret=SECRET, **more)).json()

        told = {"X_User_Email": "new@school.example", "X_User_Name": "New", "X_Org_ID": ours}
        first = come("4711", X_User_Role="teacher", **told)
        assert (first["user"]["name"], first["organization"]["id"], first["role"]) == ("New", ours, "teacher")
        assert come("4711", X_User_Role="student", **told)["role"] == "student"
        assert come("4711", X_User_Role="site_admin", **told)["role"] == "student"
        assert come("4711")["organization"] is None
        assert come("4711", **told)["user"]["id"] == first["user"]["id"]
        assert come(student.id)["user"]["id"] == student.id
        assert come(student.email)["user"]["id"] == student.id
        assert come("intruder", X_User_Email="site@famulus.local")["code"] == "foreign_address_taken"


def test_settings_that_would_trust_everybody_stop_the_start() -> None:
    for wrong in (
        {"proxy_users": "known"},
        {"proxy_secret": "short"},
        {"trusted_proxies": ["everybody"]},
    ):
        with pytest.raises(ConfigurationError):
            load_settings(**wrong)
