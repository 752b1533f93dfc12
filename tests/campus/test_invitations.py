"""Invitations: written to an address, taken once by whoever reads it, and never a way into somebody's account."""

import asyncio
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from httpx2 import AsyncClient, Response
from sqlalchemy import text

from famulus.campus.models import Membership
from famulus.doors.rest import CAMPUS, IDENTITY
from famulus.identity.accounts import create_account
from famulus.identity.directory import Newcomer, new_user_id, open_accounts
from famulus.identity.passwords import Passwords
from famulus.kernel.database import Database
from famulus.kernel.secrets import vault_of
from famulus.kernel.settings import load_settings
from famulus.kernel.tables import utc_now
from tests.support.counting import counting
from tests.support.rooms import World, build_world, serving

PASSWORD = "correct horse battery"
NEW = "new@example.org"


@pytest.fixture
async def world(database: Database):
    """Two tenants behind the routes of the campus and of signing in; people reach the server at an address."""
    settings = load_settings(public_url="https://famulus.example/")
    async with serving(database, *IDENTITY, *CAMPUS, settings=settings) as client:
        yield await build_world(database, client)


def place(world: World, *rest: str) -> str:
    return "/".join((f"/api/v1/organizations/{world.ours}/invitations", *rest))


async def invited(world: World, email: str = NEW, role: str = "student", **fields: object) -> tuple[str, str]:
    """The id of a new invitation, and the token in its mail."""
    answer = await world["admin"].post(place(world), {"email": email, "role": role, **fields})
    assert answer.status_code == 201, answer.text
    return answer.json()["id"], await token(world, email)


async def token(world: World, email: str) -> str:
    """What the newest mail to an address has in its link."""
    async with world.database.read() as session:
        query = text("SELECT id, body FROM mails WHERE recipient = :to ORDER BY id DESC LIMIT 1")
        id, sealed = (await session.execute(query, {"to": email})).one()
    body = vault_of(load_settings()).decrypt(sealed, id)
    [found] = re.findall(r"^https://famulus\.example/invitation\?token=(\S+)$", body, re.MULTILINE)
    return found


async def accept(client: AsyncClient, token: str, bearer: str | None = None, **fields: object) -> Response:
    headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
    body = {"token": token, "session_mode": "api", **fields}
    return await client.post("/api/auth/invitation/accept", json=body, headers=headers)


async def rows(world: World, sql: str, **values: object) -> list[tuple[object, ...]]:
    async with world.database.read() as session:
        return [tuple(row) for row in (await session.execute(text(sql), values)).all()]


async def me(world: World, bearer: str) -> dict[str, Any]:
    return (await world.client.get("/api/auth/me", headers={"Authorization": f"Bearer {bearer}"})).json()


async def test_somebody_new_comes_in(world: World) -> None:
    _, found = await invited(world, role="teacher", name="Nora New", course_ids=[world.course])

    look = await world.client.post("/api/auth/invitation/look", json={"token": found})
    joined = await accept(world.client, found, password=PASSWORD)

    assert look.json()["organization"] == {"id": world.ours, "name": "Ours"}
    assert (look.json()["email"], look.json()["role"], look.json()["account"]) == (NEW, "teacher", False)
    assert joined.status_code == 200, joined.text
    assert (joined.json()["role"], joined.json()["organization"]["id"]) == ("teacher", world.ours)
    bearer = joined.json()["session"]["access_token"]
    told = await me(world, bearer)
    assert (told["role"], told["user"]["name"]) == ("teacher", "Nora New")
    changed = await world.client.patch(
        f"/api/v1/courses/{world.course}",
        json={"title": "Hers"},
        headers={"Authorization": f"Bearer {bearer}"},
    )
    assert changed.status_code == 200, "the mailbox was read, so the address is verified and teaching begins"


async def test_the_link_is_written_and_not_kept(world: World) -> None:
    await invited(world)
    [(recipient, subject, kind, state)] = await rows(
        world, "SELECT recipient, subject, kind, state FROM mails"
    )
    kept = await rows(world, "SELECT * FROM invitations")
    written = await rows(world, "SELECT * FROM audit_entries")

    assert (recipient, subject, kind, state) == (NEW, "You are invited to Ours", "invitation", "kept")
    assert await token(world, NEW) not in f"{kept} {written}"


async def test_an_invitation_is_taken_once(world: World) -> None:
    _, found = await invited(world)

    results = await asyncio.gather(
        *[accept(world.client, found, password=PASSWORD, name=f"New {n}") for n in range(50)]
    )

    assert sorted({answer.status_code for answer in results}) in (
        [200, 404],
        [200, 404, 429],
        [200, 404, 409],
    )
    assert [answer.status_code for answer in results].count(200) == 1
    assert await rows(world, "SELECT count(*) FROM users WHERE email = :email", email=NEW) == [(1,)]
    again = await world.client.post("/api/auth/invitation/look", json={"token": found})
    assert (again.status_code, again.json()["code"]) == (404, "invitation_unknown")


async def test_a_new_account_needs_a_name_and_a_password(world: World) -> None:
    _, found = await invited(world)

    answer = await accept(world.client, found)

    assert answer.status_code == 422
    assert [field["path"] for field in answer.json()["fields"]] == ["name", "password"]


async def owned(world: World, email: str) -> str:
    """An account that is somebody's; returns its id."""
    passwords = Passwords()
    hashed = await passwords.hash(PASSWORD)
    passwords.close()
    async with world.database.write() as session:
        return (await create_account(session, email=email, name="Own", password_hash=hashed)).id


async def test_the_link_alone_opens_nobody_s_account(world: World) -> None:
    await owned(world, NEW)
    _, found = await invited(world)
    before = await rows(world, "SELECT name, password_hash FROM users WHERE email = :email", email=NEW)

    look = await world.client.post("/api/auth/invitation/look", json={"token": found})
    alone = await accept(world.client, found, name="Mallory")
    guessed = await accept(world.client, found, name="Mallory", password="another password")
    other = await accept(world.client, found, world["student"].token)

    assert look.json()["account"] is True
    assert (alone.status_code, alone.json()["code"]) == (409, "sign_in_to_accept")
    assert (guessed.status_code, guessed.json()["code"]) == (401, "wrong_credentials")
    assert (other.status_code, other.json()["code"]) == (409, "sign_in_to_accept")
    assert (
        await rows(world, "SELECT name, password_hash FROM users WHERE email = :email", email=NEW) == before
    )
    assert (await accept(world.client, found, password=PASSWORD)).status_code == 200


async def test_who_is_signed_in_joins_with_their_account(world: World) -> None:
    _, found = await invited(world, "stranger@famulus.local", "organization_admin")

    joined = await accept(world.client, found, world["stranger"].token)

    assert (joined.status_code, joined.json()["session"]) == (200, None)
    told = await me(world, world["stranger"].token)
    assert [one["role"] for one in told["memberships"]] == ["student", "organization_admin"]
    assert told["organization"]["id"] == world.theirs, "what was active stays"


async def test_an_account_that_waits_is_taken_by_whoever_reads_its_mail(world: World) -> None:
    async with world.database.write() as session:
        await open_accounts(session, [Newcomer(new_user_id(), NEW, "As Imported")])
    elsewhere = f"/api/v1/organizations/{world.theirs}/members"
    await world["their_admin"].post(elsewhere, {"email": NEW})
    _, found = await invited(world, role="teacher")

    look = await world.client.post("/api/auth/invitation/look", json={"token": found})
    joined = await accept(world.client, found, password=PASSWORD, name="By Myself")

    assert look.json()["account"] is False
    assert joined.json()["session"]["access_token"]
    [(name, verified)] = await rows(
        world, "SELECT name, email_verified_at IS NOT NULL FROM users WHERE email = :email", email=NEW
    )
    assert (name, bool(verified)) == ("By Myself", True)
    beginning = await world["their_admin"].get(elsewhere, q="by m")
    assert [one["name"] for one in beginning.json()["items"]] == ["By Myself"]


async def test_an_account_without_a_password_that_is_in_use_does_not_wait(world: World) -> None:
    async with world.database.write() as session:
        await session.execute(
            text("UPDATE users SET email_verified_at = NULL WHERE id = :id"), {"id": world["stranger"].id}
        )
    _, found = await invited(world, "stranger@famulus.local")

    answer = await accept(world.client, found, password=PASSWORD, name="Mallory")

    assert (answer.status_code, answer.json()["code"]) == (401, "wrong_credentials")


async def test_courses_that_are_gone_are_left_out(world: World) -> None:
    other = (await world["admin"].post("/api/v1/courses", {"title": "Short-lived"})).json()["id"]
    _, found = await invited(world, course_ids=[world.course, other])
    async with world.database.write() as session:
        await session.execute(text("DELETE FROM courses WHERE id = :id"), {"id": other})

    assert (await accept(world.client, found, password=PASSWORD, name="New")).status_code == 200
    assert await rows(
        world,
        "SELECT course_id, role FROM enrolments e JOIN users u ON u.id = e.user_id WHERE email = :e",
        e=NEW,
    ) == [(world.course, "student")]


async def test_a_role_is_not_taken_away(world: World) -> None:
    _, found = await invited(world, "stranger@famulus.local", "student", course_ids=[world.course])
    added = {"email": "stranger@famulus.local", "role": "organization_admin"}
    await world["admin"].post(f"/api/v1/organizations/{world.ours}/members", added)

    joined = await accept(world.client, found, world["stranger"].token)

    assert joined.json()["role"] == "organization_admin"


async def test_what_can_be_invited(world: World) -> None:
    await invited(world)

    twice = await world["admin"].post(place(world), {"email": NEW.upper(), "role": "teacher"})
    member = await world["admin"].post(place(world), {"email": "idle@famulus.local", "role": "teacher"})
    course = await world["admin"].post(
        place(world), {"email": "a@example.org", "role": "teacher", "course_ids": [world.their_course]}
    )

    assert (twice.status_code, twice.json()["code"]) == (409, "already_invited")
    assert (member.status_code, member.json()["code"]) == (409, "already_member")
    assert (course.status_code, course.json()["fields"][0]["path"]) == (422, "course_ids")
    assert await rows(world, "SELECT count(*) FROM mails") == [(1,)]


async def test_withdrawn_sent_again_and_run_out(world: World) -> None:
    id, first = await invited(world)
    again = await world["admin"].post(place(world, id, "resend"), {})
    second = await token(world, NEW)

    old = await accept(world.client, first, password=PASSWORD, name="New")
    assert (again.status_code, old.status_code, second == first) == (200, 404, False)
    async with world.database.write() as session:
        long_ago = {"t": datetime(2020, 1, 1, tzinfo=UTC)}
        sql = "UPDATE invitations SET expires_at = '2020-01-01 00:00:00.000000'"
        if world.database.dialect == "postgresql":
            await session.execute(text("UPDATE invitations SET expires_at = :t"), long_ago)
        else:
            await session.execute(text(sql))
    late = await accept(world.client, second, password=PASSWORD, name="New")
    assert (late.status_code, late.json()["code"]) == (404, "invitation_unknown")
    assert [one["id"] for one in await listed(world, "expired")] == [id]
    assert await listed(world, "open") == []

    other, third = await invited(world)  # one that ran out is in nobody's way
    assert (await world["admin"].delete(place(world, other))).status_code == 204
    gone = await accept(world.client, third, password=PASSWORD, name="New")
    closed = await world["admin"].post(place(world, other, "resend"), {})
    assert (gone.status_code, closed.status_code, closed.json()["code"]) == (404, 409, "invitation_closed")
    assert [one["state"] for one in await listed(world)] == ["withdrawn", "withdrawn"]


async def listed(world: World, state: str | None = None) -> list[dict[str, Any]]:
    params = {"state": state} if state else {}
    return (await world["admin"].get(place(world), **params)).json()["items"]


async def test_invitations_of_others_are_not_there(world: World) -> None:
    id, _ = await invited(world)
    theirs = f"/api/v1/organizations/{world.theirs}/invitations/{id}"

    assert (await world["their_admin"].delete(theirs)).status_code == 404
    assert (await world["their_admin"].delete(place(world, id))).status_code == 404
    assert (await world["teacher"].delete(place(world, id))).status_code == 403
    assert (await world["site"].delete(theirs)).status_code == 404
    assert (await world["site"].delete(place(world, id))).status_code == 204


# --- Instructors ------------------------------------------------------------------------------------


async def test_nobody_teaches_before_their_address_is_verified(world: World) -> None:
    """However somebody became a teacher, but by a link that was mailed to them."""
    user_id = await owned(world, NEW)
    path = f"/api/v1/organizations/{world.ours}/members"
    early = await world["admin"].post(path, {"email": NEW, "role": "teacher"})
    assert (early.status_code, early.json()["code"]) == (409, "address_not_verified")
    async with world.database.write() as session:
        session.add(
            Membership(
                organization_id=world.ours,
                user_id=user_id,
                role="teacher",
                person_key="own",
                email_key=NEW,
                created_at=utc_now(),
            )
        )
    course = f"/api/v1/courses/{world.course}/enrolments"
    by_address = await world["admin"].post(course, {"email": NEW, "role": "teacher"})
    assert (by_address.status_code, by_address.json()["code"]) == (409, "address_not_verified")
    by_id = await world["admin"].post(course, {"user_id": user_id, "role": "teacher"})
    assert by_id.status_code == 201
    signed = await world.client.post(
        "/api/auth/login", json={"email": NEW, "password": PASSWORD, "session_mode": "api"}
    )
    headers = {"Authorization": f"Bearer {signed.json()['access_token']}"}

    refused = await world.client.patch(
        f"/api/v1/courses/{world.course}", json={"title": "Mine"}, headers=headers
    )
    instructors = (await world["admin"].get("/api/v1/instructors")).json()["items"]

    assert (refused.status_code, refused.json()["code"]) == (403, "email_not_verified")
    assert {one["name"]: one["verified"] for one in instructors} == {"Own": False, "Teacher": True}


async def test_instructors_and_what_they_teach(world: World) -> None:
    invited_one = await world["admin"].post(
        "/api/v1/instructors", {"email": NEW, "name": "Nora", "course_ids": [world.course]}
    )
    assert (invited_one.status_code, invited_one.json()["role"]) == (201, "teacher")
    assert (await accept(world.client, await token(world, NEW), password=PASSWORD)).status_code == 200

    found = (await world["admin"].get("/api/v1/instructors", organization_id=world.ours)).json()["items"]

    course = [{"id": world.course, "title": "Robots"}]
    assert [(one["name"], one["course_count"], one["courses"]) for one in found] == [
        ("Nora", 1, course),
        ("Teacher", 1, course),
    ]
    for name, status in (("teacher", 403), ("student", 403), ("their_admin", 404), ("site", 200)):
        answer = await world[name].get("/api/v1/instructors", organization_id=world.ours)
        assert answer.status_code == status, name
    assert (await world["site"].get("/api/v1/instructors")).status_code == 422


async def test_a_list_of_instructors_takes_the_same_statements(world: World) -> None:
    for n in range(3):
        await world["admin"].post("/api/v1/instructors", {"email": f"t{n}@example.org", "name": f"T{n}"})
        await accept(world.client, await token(world, f"t{n}@example.org"), password=PASSWORD)

    async def cost(limit: int) -> int:
        with counting(world.database) as count:
            assert (await world["admin"].get("/api/v1/instructors", limit=limit)).status_code == 200
        return count.statements

    await cost(1)  # whoever asks is known from here on
    assert await cost(1) == await cost(4)
