"""API keys: shown once, kept as digests, ended by time or by hand, and never more than what they were made for."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from sqlalchemy import event, text

from famulus.assistants.routes import router as assistants
from famulus.campus.events import RightsChanged
from famulus.conversations.routes import router as conversations
from famulus.doors.rest import CAMPUS
from famulus.identity.keys import MOST
from famulus.identity.routes.keys import router as keys
from famulus.identity.routes.sign_in import router as sign_in
from famulus.kernel.database import Database
from famulus.knowledge.routes import router as knowledge
from tests.support.rooms import World, build_world, serving

OWN = "/api/v1/api-keys"
NEW = {"name": "Export", "scopes": ["read"]}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    routers = (keys, sign_in, assistants, conversations, knowledge, *CAMPUS)
    async with serving(database, *routers) as client:
        yield await build_world(database, client)


def of(world: World) -> str:
    return f"/api/v1/organizations/{world.ours}/api-keys"


async def made(world: World, who: str, path: str = OWN, **more: Any) -> dict[str, Any]:
    answer = await world[who].post(path, {**NEW, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def ask(client: AsyncClient, key: str, method: str, path: str, json: object = None) -> Response:
    return await client.request(method, path, json=json, headers={"Authorization": f"Bearer {key}"})


async def test_a_key_is_shown_once_and_kept_as_a_digest(world: World) -> None:
    answer = await world["student"].post(OWN, NEW)
    key = answer.json()["key"]

    assert answer.headers["cache-control"] == "no-store"
    assert key.startswith("fmk_")
    assert key.startswith(answer.json()["hint"])
    assert len(key) - len(answer.json()["hint"]) > 30
    listed = await world["student"].get(OWN)
    assert [each["id"] for each in listed.json()["items"]] == [answer.json()["id"]]
    assert key not in listed.text
    async with world.database.read() as session:
        row = (await session.execute(text("SELECT * FROM api_keys"))).one()
        entries = (await session.execute(text("SELECT * FROM audit_entries"))).all()
    assert key not in repr(row)
    assert key not in repr(entries)
    assert "api_key.create" in repr(entries)


async def test_both_ways_to_send_it(world: World) -> None:
    key = (await made(world, "student"))["key"]
    for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
        me = await world.client.get("/api/auth/me", headers=headers)
        assert me.json()["user"]["id"] == world["student"].id
    for headers in ({"Cookie": f"famulus_session={key}"}, {"Authorization": f"Basic {key}"}):
        assert (await world.client.get("/api/auth/me", headers=headers)).status_code == 401


@pytest.mark.parametrize(
    ("scopes", "allowed"),
    [
        (["read"], {"see", "look"}),
        (["chat"], {"list", "talk"}),
        (["write"], set()),  # whatever is changed has to be found first
        (["read", "write"], {"see", "look", "change"}),
        (["read", "chat"], {"see", "look", "list", "talk", "talk there"}),
        (["read", "write", "chat"], {"see", "look", "change", "list", "talk", "talk there"}),
    ],
)
async def test_scopes(world: World, scopes: list[str], allowed: set[str]) -> None:
    key = (await made(world, "teacher", scopes=scopes))["key"]
    requests = {
        "see": ("GET", "/api/v1/courses", None),
        "look": ("GET", "/api/v1/assistants", None),
        "change": ("PATCH", f"/api/v1/courses/{world.course}", {"description": "New."}),
        "list": ("GET", "/api/v1/threads", None),
        "talk": ("POST", "/api/v1/threads", {"assistant_id": None}),
        "talk there": ("POST", "/api/v1/threads", {"course_id": world.course}),
    }
    statuses: dict[str, Response] = {
        name: await ask(world.client, key, method, path, body and {k: v for k, v in body.items() if v})
        for name, (method, path, body) in requests.items()
    }
    passed = {name for name, answer in statuses.items() if answer.status_code in (200, 201)}
    passed |= {
        name for name, answer in statuses.items() if answer.json().get("code") == "assistant_not_found"
    }
    refused = {answer.json()["code"] for name, answer in statuses.items() if name not in passed}

    assert passed == allowed
    assert refused <= {"scope_missing"}
    assert all(answer.status_code == 403 for name, answer in statuses.items() if name not in passed)


async def test_a_refusal_names_the_scope(world: World) -> None:
    key = (await made(world, "teacher"))["key"]

    answer = await ask(world.client, key, "PATCH", f"/api/v1/courses/{world.course}", {"title": "New"})

    assert "'write'" in answer.json()["detail"]


async def test_revoked_expired_and_suspended(world: World) -> None:
    first, second = await made(world, "student"), await made(world, "student")
    assert (await ask(world.client, first["key"], "GET", "/api/v1/courses")).status_code == 200
    assert (await world["student"].delete(f"{OWN}/{first['id']}")).status_code == 204
    assert (await world["student"].delete(f"{OWN}/{first['id']}")).status_code == 204, (
        "again it changes nothing"
    )
    assert (await ask(world.client, first["key"], "GET", "/api/v1/courses")).status_code == 401, "at once"
    async with world.database.write() as session:
        past = datetime.now(UTC) - timedelta(seconds=1)
        statement = text("UPDATE api_keys SET expires_at = :past WHERE id = :id")
        value = past if world.database.dialect == "postgresql" else past.replace(tzinfo=None).isoformat(" ")
        await session.execute(statement, {"past": value, "id": second["id"]})
    assert (await ask(world.client, second["key"], "GET", "/api/v1/courses")).status_code == 401


@pytest.mark.parametrize(
    ("days", "status"), [(1, 201), (364, 201), (366, 422), (-1, 422), (0, 422), (40_000, 422)]
)
async def test_every_key_ends(world: World, days: int, status: int) -> None:
    end = (datetime.now(UTC) + timedelta(days=days)).isoformat()

    assert (await world["student"].post(OWN, {**NEW, "expires_at": end})).status_code == status


@pytest.mark.parametrize(
    "wrong",
    [
        {"expires_at": None},
        {"expires_at": "2030-01-01T00:00:00"},
        {"expires_at": "never"},
        {"scopes": []},
        {"scopes": ["admin"]},
        {"scopes": ["*"]},
        {"scopes": ["read"] * 4},
        {"scopes": "read"},
        {"name": " "},
        {"role": "student"},
        {"user_id": "usr_x"},
        {"key": "fmk_mine"},
    ],
    ids=str,
)
async def test_what_no_key_can_be(world: World, wrong: dict[str, Any]) -> None:
    assert (await world["student"].post(OWN, {**NEW, **wrong})).status_code == 422


async def test_without_a_word_it_lasts_ninety_days(world: World) -> None:
    end = datetime.fromisoformat((await made(world, "student"))["expires_at"])

    assert timedelta(days=89) < end - datetime.now(UTC) < timedelta(days=91)


async def test_there_are_only_so_many(world: World) -> None:
    ids = [(await made(world, "student"))["id"] for _ in range(MOST)]
    refused = await world["student"].post(OWN, NEW)
    await world["student"].delete(f"{OWN}/{ids[0]}")

    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_keys")
    assert (await world["student"].post(OWN, NEW)).status_code == 201


async def test_use_is_noted_now_and_then(world: World) -> None:
    key = await made(world, "student")
    written: list[str] = []

    def note(_c: object, _cursor: object, statement: str, *_more: object) -> None:
        if statement.startswith(("UPDATE", "INSERT")):
            written.append(statement)

    event.listen(world.database.engine.sync_engine, "before_cursor_execute", note)
    for _ in range(3):
        assert (await ask(world.client, key["key"], "GET", "/api/v1/courses")).status_code == 200
        await world.database.bus.publish(RightsChanged("usr_x"))  # so that the next request looks again

    assert len(written) == 1
    assert (await world["student"].get(OWN)).json()["items"][0]["used_at"] is not None


async def test_an_organization_s_key_is_a_member(world: World) -> None:
    key = await made(world, "admin", of(world), name="LMS bridge", scopes=["read", "write"], role="teacher")
    me = (await ask(world.client, key["key"], "GET", "/api/auth/me")).json()
    members = (await world["admin"].get(f"/api/v1/organizations/{world.ours}/members")).json()["items"]

    assert (me["organization"]["id"], me["role"]) == (world.ours, "teacher")
    assert {each["name"]: each["service"] for each in members}["LMS bridge"] is True
    assert [each["service"] for each in members if each["user_id"] != key["user_id"]] == [False] * 4
    assert (await ask(world.client, key["key"], "GET", f"/api/v1/courses/{world.course}")).status_code == 404
    enrolled = {"user_id": key["user_id"], "role": "teacher"}
    await world["admin"].post(f"/api/v1/courses/{world.course}/enrolments", enrolled)
    changed = await ask(
        world.client, key["key"], "PATCH", f"/api/v1/courses/{world.course}", {"title": "By key"}
    )
    assert changed.status_code == 200
    other = await ask(world.client, key["key"], "GET", f"/api/v1/courses/{world.their_course}")
    assert other.status_code == 404


async def test_revoking_an_organization_s_key_shuts_its_account(world: World) -> None:
    key = await made(world, "admin", of(world))
    assert (await ask(world.client, key["key"], "GET", "/api/v1/courses")).status_code == 200

    assert (await world["admin"].delete(f"{of(world)}/{key['id']}")).status_code == 204

    assert (await ask(world.client, key["key"], "GET", "/api/v1/courses")).status_code == 401
    async with world.database.read() as session:
        query = text("SELECT suspended FROM users WHERE id = :id")
        assert (await session.execute(query, {"id": key["user_id"]})).scalar_one()


async def test_a_service_account_that_is_put_out_of_its_organization_is_nowhere(world: World) -> None:
    key = await made(world, "admin", of(world))
    await world["admin"].delete(f"/api/v1/organizations/{world.ours}/members/{key['user_id']}")

    assert (await ask(world.client, key["key"], "GET", "/api/auth/me")).status_code == 401


async def test_a_key_acts_where_it_was_made(world: World) -> None:
    """Who leaves the organization takes no key along into another one."""
    await world["their_admin"].post(
        f"/api/v1/organizations/{world.theirs}/members", {"email": "teacher@famulus.local"}
    )
    key = (await made(world, "teacher"))["key"]
    assert (await ask(world.client, key, "GET", "/api/auth/me")).json()["organization"]["id"] == world.ours
    await world["admin"].delete(f"/api/v1/organizations/{world.ours}/members/{world['teacher'].id}")

    assert (await ask(world.client, key, "GET", "/api/auth/me")).status_code == 401


async def test_nobody_signs_in_as_a_service_account(world: World) -> None:
    key = await made(world, "admin", of(world))
    async with world.database.read() as session:
        query = text("SELECT email FROM users WHERE id = :id")
        email = (await session.execute(query, {"id": key["user_id"]})).scalar_one()
    for password in ("", "password", key["key"]):
        answer = await world.client.post("/api/auth/login", json={"email": email, "password": password})
        assert answer.status_code in (401, 422)


STATUSES = {
    "site": 201, "admin": 201, "teacher": 403, "student": 403, "idle": 403, "stranger": 404, "their_admin": 404,
}  # fmt: skip


@pytest.mark.parametrize(("who", "status"), STATUSES.items())
async def test_who_makes_keys_of_an_organization(world: World, who: str, status: int) -> None:
    answer = await world[who].post(of(world), NEW)
    listed = await world[who].get(of(world))
    kept = await made(world, "admin", of(world))
    ended = await world[who].delete(f"{of(world)}/{kept['id']}")

    assert (answer.status_code, listed.status_code, ended.status_code) == {
        201: (201, 200, 204), 403: (403, 403, 403), 404: (404, 404, 404)
    }[status]  # fmt: skip


async def test_a_key_is_its_owner_s_alone(world: World) -> None:
    own, ours = await made(world, "student"), await made(world, "admin", of(world))
    for who in ("admin", "teacher", "site", "their_admin"):
        assert (await world[who].delete(f"{OWN}/{own['id']}")).status_code == 404
        assert own["id"] not in (await world[who].get(OWN)).text
    assert (await world["admin"].delete(f"{of(world)}/{own['id']}")).status_code == 404
    assert (await world["admin"].delete(f"{OWN}/{ours['id']}")).status_code == 404
    theirs = f"/api/v1/organizations/{world.theirs}/api-keys/{ours['id']}"
    assert (await world["their_admin"].delete(theirs)).status_code == 404
    assert own["id"] not in (await world["admin"].get(of(world))).text
