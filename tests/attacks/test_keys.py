"""A10: no key gets more than its maker has, by no way of making one."""

from collections.abc import Iterator
from typing import Any

import pytest
from httpx2 import Client

from tests.support.academy import PASSWORD, vouch
from tests.support.problems import assert_problem
from tests.support.serving import Served

OWN = "/api/v1/api-keys"
EVERYTHING = ["read", "write", "chat"]


@pytest.fixture
def ids(server: Served) -> dict[str, str]:
    return server.academy.ids


@pytest.fixture
def keyed(server: Served, ids: dict[str, str]) -> Iterator[dict[str, Client]]:
    """Clients with keys: of each person, and of the organization in each role."""
    clients: dict[str, Client] = {}
    for who in ("student", "teacher", "admin", "site"):
        with server.client(who) as person:
            key = person.post(OWN, json={"name": who, "scopes": EVERYTHING}).json()["key"]
        clients[who] = _with(server, key)
    for role in ("student", "teacher", "organization_admin"):
        with server.client("admin") as admin:
            body = {"name": role, "scopes": EVERYTHING, "role": role}
            path = f"/api/v1/organizations/{ids['organization']}/api-keys"
            clients[f"{role} of ours"] = _with(server, admin.post(path, json=body).json()["key"])
    yield clients
    for client in clients.values():
        client.close()


def _with(server: Served, key: str) -> Client:
    client = server.client()
    client.headers["X-API-Key"] = key
    return client


def test_a10_a_key_makes_no_key(keyed: dict[str, Client], ids: dict[str, str]) -> None:
    """Nor does it see or end one: of whatever role and scope."""
    paths = (OWN, f"/api/v1/organizations/{ids['organization']}/api-keys")
    for who, client in keyed.items():
        for path in paths:
            for answer in (
                client.post(path, json={"name": "more", "scopes": ["read"]}),
                client.get(path),
                client.delete(f"{path}/{ids['key']}"),
            ):
                assert answer.status_code == 403, f"{who}: {path} {answer.text}"
                assert_problem(answer, 403, "needs_session")


def test_a10_a_key_is_no_session(keyed: dict[str, Client], ids: dict[str, str]) -> None:
    for who, client in keyed.items():
        answer = client.post("/api/auth/switch", json={"organization_id": ids["organization"]})
        assert answer.status_code == 409, f"{who}: {answer.text}"
        assert_problem(answer, 409, "no_session")
        assert client.post("/api/auth/logout").status_code == 204
        assert client.get("/api/auth/me").status_code == 200


@pytest.mark.parametrize("role", ["site_admin", "root", "", None, "organization_admin "])
def test_a10_no_key_administers_the_site(server: Served, ids: dict[str, str], role: Any) -> None:
    path = f"/api/v1/organizations/{ids['organization']}/api-keys"
    with server.client("admin") as admin:
        assert_problem(admin.post(path, json={"name": "x", "scopes": ["read"], "role": role}), 422, "invalid")


@pytest.mark.parametrize("who", ["student", "teacher", "classmate", "peer"])
def test_a10_nobody_makes_a_key_that_may_more(server: Served, ids: dict[str, str], who: str) -> None:
    """A teacher's way to an admin's key, or a student's to a teacher's."""
    path = f"/api/v1/organizations/{ids['organization']}/api-keys"
    with server.client(who) as client:
        for role in ("student", "teacher", "organization_admin"):
            answer = client.post(path, json={"name": "x", "scopes": EVERYTHING, "role": role})
            assert_problem(answer, 403, "forbidden")
        for more in (
            {"role": "organization_admin"},
            {"organization_id": ids["organization"]},
            {"user_id": "usr_1"},
        ):
            assert_problem(client.post(OWN, json={"name": "x", "scopes": ["read"], **more}), 422, "invalid")


def test_a10_a_key_of_a_person_is_that_person(
    keyed: dict[str, Client], server: Served, ids: dict[str, str]
) -> None:
    for who in ("student", "teacher", "admin", "site"):
        with server.client(who) as person:
            assert keyed[who].get("/api/auth/me").json() == person.get("/api/auth/me").json()
    made = keyed["student"].post(
        f"/api/v1/courses/{ids['course']}/lessons", json={"title": "x", "path": "x", "body": "x"}
    )
    assert_problem(made, 403)


def test_a10_a_key_that_reads_reads_versions_where_its_person_may(
    server: Served, ids: dict[str, str]
) -> None:
    path = f"/api/v1/assistants/{ids['assistant']}/versions"
    for who, scopes, status in (
        ("teacher", ["read"], 200),
        ("student", ["read"], 403),
        ("teacher", ["write"], 403),
    ):
        with server.client(who) as person:
            key = person.post(OWN, json={"name": who, "scopes": scopes}).json()["key"]
        with _with(server, key) as program:
            answer = program.get(path)
            assert answer.status_code == status, f"{who} {scopes}: {answer.text}"
            assert (
                "read" not in scopes or program.patch(path[: -len("/versions")], json={}).status_code == 403
            )


def test_a10_a_demoted_maker_s_key_is_demoted(server: Served, ids: dict[str, str]) -> None:
    """A key of one's own asks for its rights anew each time."""
    account = {"email": "demoted@famulus.local", "password": PASSWORD, "name": "D", "session_mode": "api"}
    with server.client("admin") as admin, server.client() as client:
        token = client.post("/api/auth/signup", json=account).json()["access_token"]
        members = f"/api/v1/organizations/{ids['organization']}/members"
        with server.client("site") as site:
            vouch(site, account["email"])
        body = {"email": account["email"], "role": "organization_admin"}
        user = admin.post(members, json=body).json()["user_id"]
        bearer = {"Authorization": f"Bearer {token}"}
        key = client.post(OWN, json={"name": "x", "scopes": EVERYTHING}, headers=bearer).json()["key"]
        headers = {"X-API-Key": key}
        assert client.get(members, headers=headers).status_code == 200
        admin.patch(f"{members}/{user}", json={"role": "student"})
        assert_problem(client.get(members, headers=headers), 403)
        admin.delete(f"{members}/{user}")
        assert_problem(client.get(members, headers=headers), 401)
