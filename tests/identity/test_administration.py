"""The site's accounts: found, suspended, restored, vouched for; and always somebody left who can."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from sqlalchemy import select

from famulus.doors.rest import CAMPUS, IDENTITY
from famulus.identity import administration
from famulus.identity.administration import LastSiteAdmin, OwnAccount
from famulus.identity.models import AuditEntry
from famulus.kernel.database import Database
from tests.support.rooms import World, build_world, serving, sign_in

SITE_ADMINS_ONLY = {"site": 200, "admin": 404, "teacher": 404, "student": 404, "their_admin": 404}


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with serving(database, *IDENTITY, *CAMPUS) as client:
        yield await build_world(database, client)


async def names(world: World, **query: object) -> list[str]:
    found = await world["site"].get("/api/v1/accounts", **query)
    assert found.status_code == 200, found.text
    return [item["name"] for item in found.json()["items"]]


async def test_accounts_are_found_by_how_they_begin(world: World) -> None:
    assert await names(world, q="ST") == ["Stranger", "Student"]
    assert await names(world, q="student@") == ["Student"]
    assert await names(world, q="%") == []
    assert await names(world, q="_") == []
    assert await names(world, sort="-name") == list(reversed(await names(world)))
    assert (await names(world, sort="created_at"))[0] == "Site"
    assert (await names(world, sort="email"))[0] == "Admin"
    await world["site"].post(f"/api/v1/accounts/{world['idle'].id}/suspend", {})
    assert await names(world, suspended=True) == ["Idle"]
    assert "Idle" not in await names(world, suspended=False)


@pytest.mark.parametrize("sort", ["name", "-name", "email", "-email", "created_at", "-created_at"])
async def test_pages_follow_each_other_in_every_order(world: World, sort: str) -> None:
    whole = await names(world, sort=sort)
    paged: list[str] = []
    after = None
    while True:
        more = {"after": after} if after else {}
        page = (await world["site"].get("/api/v1/accounts", sort=sort, limit=2, **more)).json()
        paged += [item["name"] for item in page["items"]]
        after = page["next"]
        if after is None:
            break
    assert paged == whole


@pytest.mark.parametrize(("who", "status"), SITE_ADMINS_ONLY.items())
async def test_only_site_admins_see_accounts_of_others(world: World, who: str, status: int) -> None:
    victim = world["idle"].id
    assert (await world[who].get(f"/api/v1/accounts/{victim}")).status_code == status
    for action in ("verify", "suspend", "restore"):
        answer = await world[who].post(f"/api/v1/accounts/{victim}/{action}", {})
        assert answer.status_code == status, action
    assert (await world[who].get("/api/v1/accounts")).status_code == (200 if who == "site" else 403)
    assert (await world[who].get("/api/v1/mails")).status_code == (200 if who == "site" else 403)
    assert (await world[who].get("/api/v1/mails/mai_1")).status_code == 404


async def test_ones_own_account_is_seen_but_not_suspended(world: World) -> None:
    mine = f"/api/v1/accounts/{world['student'].id}"
    assert (await world["student"].get(mine)).json()["email"] == "student@famulus.local"
    for action in ("suspend", "verify"):
        refused = await world["student"].post(f"{mine}/{action}", {})
        assert refused.status_code == 403
        assert "site_admin" in refused.json()["detail"]


async def test_suspending_and_restoring(world: World) -> None:
    student = world["student"]
    path = f"/api/v1/accounts/{student.id}"
    for _ in range(2):
        assert (await world["site"].post(f"{path}/suspend", {})).json()["suspended"] is True
    assert (await student.get("/api/auth/me")).status_code == 401
    for _ in range(2):
        assert (await world["site"].post(f"{path}/restore", {})).json()["suspended"] is False
    assert (await student.get("/api/auth/me")).status_code == 401, "what was stolen stays ended"
    assert (await world["site"].post("/api/v1/accounts/usr_none/suspend", {})).status_code == 404
    async with world.database.read() as session:
        done = select(AuditEntry.action).where(AuditEntry.thing_id == student.id).order_by(AuditEntry.id)
        assert list(await session.scalars(done)) == ["account.suspend", "account.restore"]


async def test_a_site_admin_stays(world: World) -> None:
    refused = await world["site"].post(f"/api/v1/accounts/{world['site'].id}/suspend", {})
    assert (refused.status_code, refused.json()["code"]) == (409, "own_account")
    for change in (administration.suspend, lambda *given: administration.set_site_admin(*given, False)):
        with pytest.raises(LastSiteAdmin):
            async with world.database.write() as session:
                await change(session, None, world["site"].id)


async def test_two_who_shut_each_other_out_at_one_moment_do_not_both(world: World) -> None:
    other = await sign_in(world.database, world.client, "second")
    async with world.database.write() as session:
        await administration.set_site_admin(session, None, other.id, True)
    one = await world.principal("site")
    two = replace(one, user_id=other.id)

    async def suspend(actor: object, victim: str) -> None:
        async with world.database.write() as session:
            await administration.suspend(session, actor, victim)  # type: ignore[arg-type]

    results = await asyncio.gather(
        suspend(one, two.user_id), suspend(two, one.user_id), return_exceptions=True
    )

    assert sorted(type(result).__name__ for result in results) == ["LastSiteAdmin", "NoneType"]
    with pytest.raises(OwnAccount):
        await suspend(one, one.user_id)
