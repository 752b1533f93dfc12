"""One's own account through the front door: name, profile, sessions, password; and what is written down of it."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from httpx2 import AsyncClient, Response
from sqlalchemy import select, update

from famulus.doors.rest import CAMPUS, IDENTITY
from famulus.identity.events import AccountChanged
from famulus.identity.last_use import LastUse
from famulus.identity.models import AuditEntry, Session
from famulus.identity.sessions import SignedIn, resolve
from famulus.identity.tidying import Tidying
from famulus.kernel.database import Database
from famulus.kernel.tables import utc_now
from tests.support.rooms import World, build_world, serving

ADA = {"email": "ada@famulus.local", "password": "correct horse", "name": "Ada"}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with serving(database, *IDENTITY, *CAMPUS) as client:
        yield await build_world(database, client)


async def sign_in(client: AsyncClient, *, new: bool = False) -> dict[str, str]:
    path = "/api/auth/signup" if new else "/api/auth/login"
    body = ADA if new else {key: ADA[key] for key in ("email", "password")}
    answer = await client.post(path, json={**body, "session_mode": "api"})
    assert answer.status_code in (200, 201), answer.text
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def actions(database: Database) -> list[str]:
    async with database.read() as session:
        return list(await session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


async def test_a_new_name_is_where_people_are_listed_at_once(world: World) -> None:
    heard: list[tuple[str, ...]] = []
    world.database.bus.subscribe(AccountChanged, lambda event: heard.append(event.changed))
    changed = await world["student"].patch("/api/auth/me", {"name": "  Aaron Aardvark "})
    assert changed.json()["user"]["name"] == "Aaron Aardvark"
    assert heard == [("name",)]
    members = await world["admin"].get(f"/api/v1/organizations/{world.ours}/members")
    assert members.json()["items"][0]["name"] == "Aaron Aardvark", "sorted by the new name"
    people = await world["teacher"].get(f"/api/v1/courses/{world.course}/enrolments")
    assert people.json()["items"][0]["name"] == "Aaron Aardvark"
    assert (await world["student"].get("/api/auth/me")).json()["user"]["name"] == "Aaron Aardvark"
    async with world.database.read() as session:
        entry = (await session.scalars(select(AuditEntry).where(AuditEntry.action == "account.change"))).one()
    assert (entry.before, entry.after) == ({"name": "Student"}, {"name": "Aaron Aardvark"})


async def test_a_profile_is_changed_fact_by_fact(world: World) -> None:
    async def change(**profile: object) -> Response:
        return await world["student"].patch("/api/auth/me", {"profile": profile})

    await change(hardware_tier="jetson", learning_goals="Build a robot.", robot_arms="two")
    kept = await change(experience_level="beginner", robot_arms=None)
    assert kept.json()["user"]["profile"] == {
        "hardware_tier": "jetson", "learning_goals": "Build a robot.", "experience_level": "beginner",
    }  # fmt: skip
    language = await world["student"].patch("/api/auth/me", {"locale": "pt-BR"})
    assert language.json()["user"]["locale"] == "pt-BR"
    many = await change(**{f"fact_{n}": "x" for n in range(17)})
    assert many.status_code == 200
    refused = await change(one_more="x")
    assert (refused.status_code, refused.json()["fields"][0]["path"]) == (422, "profile")


@pytest.mark.parametrize(
    "body",
    [
        {"profile": {"hardware_tier": "spaceship"}},
        {"profile": {"experience_level": ""}},
        {"profile": {"Robot": "x"}},
        {"profile": {"a b": "x"}},
        {"profile": {"x" * 41: "x"}},
        {"profile": {"robot": "x" * 501}},
        {"profile": {"robot": 5}},
        {"profile": {"robot": "nul\0"}},
        {"profile": {"role": "site_admin"}},
        {"profile": {"name": "Site"}},
        {"profile": {f"fact_{n}": "x" for n in range(21)}},
        {"profile": None},
        {"profile": {"preferred_language": "no language"}},
        {"locale": "x"},
        {"name": None},
        {"name": "two\nlines"},
        {"email": "eve@famulus.local"},
        {"site_admin": True},
        {"email_verified": True},
    ],
    ids=str,
)
async def test_what_no_account_can_be_is_refused(world: World, body: dict[str, object]) -> None:
    assert (await world["student"].patch("/api/auth/me", body)).status_code == 422


async def test_sessions_are_seen_and_ended(client: AsyncClient, database: Database) -> None:
    first, second, third = await sign_in(client, new=True), await sign_in(client), await sign_in(client)

    async def listed(headers: dict[str, str]) -> list[dict[str, object]]:
        return list((await client.get("/api/auth/sessions", headers=headers)).json()["items"])

    sessions = await listed(first)
    assert [each["current"] for each in sessions] == [False, False, True], "the newest first"
    assert {each["method"] for each in sessions} == {"password"}
    gone = await client.delete(f"/api/auth/sessions/{sessions[0]['id']}", headers=first)
    assert gone.status_code == 204
    assert (await client.get("/api/auth/me", headers=third)).status_code == 401
    again = await client.delete(f"/api/auth/sessions/{sessions[0]['id']}", headers=first)
    assert again.status_code == 404
    assert (await client.delete("/api/auth/sessions", headers=first)).status_code == 204
    assert (await client.get("/api/auth/me", headers=second)).status_code == 401
    assert len(await listed(first)) == 1
    everywhere = await client.delete("/api/auth/sessions", params={"all": "true"}, headers=first)
    assert everywhere.status_code == 204
    assert (await client.get("/api/auth/me", headers=first)).status_code == 401
    assert (await actions(database)).count("session.revoke") == 3


async def test_nobody_ends_a_session_of_somebody_else(world: World, database: Database) -> None:
    async with database.read() as session:
        of_admin = select(Session.id).where(Session.user_id == world["admin"].id)
        theirs = (await session.scalars(of_admin)).one()
    assert (await world["student"].delete(f"/api/auth/sessions/{theirs}")).status_code == 404
    assert (await world["admin"].get("/api/auth/me")).status_code == 200


async def test_a_new_password_keeps_this_session_alone(client: AsyncClient, database: Database) -> None:
    here, elsewhere = await sign_in(client, new=True), await sign_in(client)
    body = {"current_password": ADA["password"], "new_password": "a better horse"}
    assert (await client.post("/api/auth/password", json=body, headers=here)).status_code == 204
    assert (await client.get("/api/auth/me", headers=here)).status_code == 200
    assert (await client.get("/api/auth/me", headers=elsewhere)).status_code == 401
    old = await client.post("/api/auth/login", json={"email": ADA["email"], "password": ADA["password"]})
    assert old.status_code == 401
    *before, last = await actions(database)
    assert before == ["account.sign_up", "account.sign_in", "account.change_password"]
    assert last == "account.wrong_password"
    async with database.read() as session:
        entries = list(await session.scalars(select(AuditEntry)))
    assert not [each for each in entries if "horse" in f"{each.before}{each.after}{each.thing_name}"]


async def test_a_new_password_that_is_too_easy_costs_no_try(client: AsyncClient) -> None:
    here = await sign_in(client, new=True)
    body = {"current_password": "wrong horse", "new_password": "ada@famulus.local"}
    for _ in range(7):
        answer = await client.post("/api/auth/password", json=body, headers=here)
        assert (answer.status_code, answer.json()["fields"][0]["path"]) == (422, "new_password")


async def test_use_is_noted_once_in_minutes_and_for_many_at_once(
    client: AsyncClient, database: Database
) -> None:
    headers = await sign_in(client, new=True)
    token = headers["Authorization"].removeprefix("Bearer ")
    long_ago = utc_now() - timedelta(minutes=6)
    async with database.write() as session:
        await session.execute(update(Session).values(used_at=long_ago))
    uses = LastUse(database, gather=0.05)

    async def use() -> SignedIn:
        async with database.read() as session:
            signed_in = await resolve(session, token)
        uses.see(signed_in)
        return signed_in

    assert (await use()).used_at == long_ago
    await asyncio.sleep(0.3)
    noted = (await use()).used_at
    assert noted is not None
    assert noted > long_ago
    await asyncio.sleep(0.3)
    assert (await use()).used_at == noted, "within the minutes it stays"
    await uses.close()


async def test_ended_sessions_are_forgotten_after_a_month(client: AsyncClient, database: Database) -> None:
    headers = await sign_in(client, new=True)
    await sign_in(client)
    async with database.write() as session:
        newest = (await session.scalars(select(Session.id).order_by(Session.id.desc()).limit(1))).one()
        past = utc_now() - timedelta(days=31)
        await session.execute(update(Session).where(Session.id == newest).values(revoked_at=past))
    await Tidying(database).handle({})
    async with database.read() as session:
        assert len(list(await session.scalars(select(Session.id)))) == 1
    assert (await client.get("/api/auth/me", headers=headers)).status_code == 200
