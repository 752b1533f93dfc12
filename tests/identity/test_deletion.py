"""Deleting an account: by its owner with the password, or by a site admin; never the last who administers something."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from sqlalchemy import delete, select, text, update

from famulus.campus.deletion import delete_account
from famulus.campus.memberships import add_member
from famulus.campus.organizations import create_organization
from famulus.campus.presence import principal_of
from famulus.campus.schemas.organizations import NewOrganization
from famulus.campus.schemas.people import NewMember
from famulus.doors.rest import CAMPUS, IDENTITY
from famulus.identity.accounts import create_account
from famulus.identity.models import AuditEntry, Session, User
from famulus.identity.passwords import Passwords
from famulus.identity.sessions import SignedIn
from famulus.kernel.database import Database
from famulus.kernel.tables import utc_now
from tests.support.counting import counting
from tests.support.rooms import World, build_world, serving

ME = "/api/auth/me/delete"
PASSWORD = "correct horse battery"


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    async with serving(database, *IDENTITY, *CAMPUS) as client:
        yield await build_world(database, client)


async def give_password(world: World, who: str) -> None:
    passwords = Passwords()
    hashed = await passwords.hash(PASSWORD)
    passwords.close()
    async with world.database.write() as session:
        await session.execute(
            update(User)
            .where(User.id == world[who].id)
            .values(password_hash=hashed, site_admin=who == "site")
        )


async def is_there(world: World, who: str) -> bool:
    async with world.database.read() as session:
        return await session.get(User, world[who].id) is not None


async def test_the_password_is_asked_for_once_more(world: World) -> None:
    await give_password(world, "student")
    student = world["student"]
    for body, status, code in (({}, 422, "invalid"), ({"password": "not it at all"}, 403, "wrong_password")):
        refused = await student.post(ME, body)
        assert (refused.status_code, refused.json()["code"]) == (status, code), refused.text
    assert await is_there(world, "student")

    assert (await student.post(ME, {"password": PASSWORD})).status_code == 204

    assert not await is_there(world, "student")
    assert (await student.get("/api/auth/me")).status_code == 401
    login = {"email": student.account.email, "password": PASSWORD, "session_mode": "api"}
    refused = await world.client.post("/api/auth/login", json=login)
    assert (refused.status_code, refused.json()["code"]) == (401, "wrong_credentials")


async def test_without_a_password_a_fresh_sign_in_stands_for_it(world: World) -> None:
    async with world.database.write() as session:
        await session.execute(update(User).values(password_hash=None))
        old = {"created_at": utc_now() - timedelta(minutes=11)}
        await session.execute(update(Session).where(Session.user_id == world["student"].id).values(old))

    refused = await world["student"].post(ME, {})
    assert (refused.status_code, refused.json()["code"]) == (403, "sign_in_again")
    assert (await world["idle"].post(ME, {})).status_code == 204
    assert not await is_there(world, "idle")


async def test_who_administers_alone_stays(world: World) -> None:
    account = f"/api/v1/accounts/{world['admin'].id}"
    refused = await world["site"].delete(account)
    assert (refused.status_code, refused.json()["code"]) == (409, "last_admin")
    assert "organization_admin" in refused.json()["detail"]
    members = f"/api/v1/organizations/{world.ours}/members"
    promoted = await world["admin"].patch(f"{members}/{world['teacher'].id}", {"role": "organization_admin"})
    assert promoted.status_code == 200
    assert (await world["site"].delete(account)).status_code == 204

    await give_password(world, "site")
    own = await world["site"].delete(f"/api/v1/accounts/{world['site'].id}")
    assert (own.status_code, own.json()["code"]) == (409, "own_account")
    last = await world["site"].post(ME, {"password": PASSWORD})
    assert (last.status_code, last.json()["code"]) == (409, "last_site_admin")
    assert await is_there(world, "site")


@pytest.mark.parametrize(
    ("who", "status"), {"admin": 404, "teacher": 404, "student": 404, "their_admin": 404, "idle": 403}.items()
)
async def test_only_a_site_admin_deletes_anybodys(world: World, who: str, status: int) -> None:
    assert (await world[who].delete(f"/api/v1/accounts/{world['idle'].id}")).status_code == status
    assert await is_there(world, "idle")


async def test_the_audit_keeps_an_id_and_no_name(world: World) -> None:
    """Of what somebody did, and of what was done to them; what others have is as it was."""
    student = world["student"]
    renamed = await student.patch("/api/auth/me", {"name": "Zenobia"})
    assert renamed.status_code == 200
    invited = {"email": student.account.email, "role": "teacher"}
    made = await world["their_admin"].post(f"/api/v1/organizations/{world.theirs}/invitations", invited)
    assert made.status_code == 201, made.text
    enrolled = f"/api/v1/courses/{world.course}/enrolments"
    before = len((await world["admin"].get(enrolled)).json()["items"])

    assert (await world["site"].delete(f"/api/v1/accounts/{student.id}")).status_code == 204

    async with world.database.read() as session:
        entries = list(await session.scalars(select(AuditEntry).order_by(AuditEntry.id)))
        theirs = [entry for entry in entries if student.id in (entry.actor_id, entry.thing_id)]
        assert [entry.action for entry in theirs] == ["account.change", "account.delete"]
        assert theirs[-1].actor_id == world["site"].id
        rows = (await session.execute(text("SELECT * FROM audit_entries"))).all()
    for word in ("Zenobia", student.account.email):
        assert word not in str(rows)
    assert len((await world["admin"].get(enrolled)).json()["items"]) == before - 1


async def test_who_is_deleted_elsewhere_in_this_moment_writes_nothing(world: World) -> None:
    """Another instance remembers who signed in for two seconds; what is written then would belong to nobody."""
    student = world["student"]
    assert (await student.get("/api/auth/me")).status_code == 200
    async with world.database.write() as session:
        await session.execute(delete(User).where(User.id == student.id))

    for path, body in (
        ("/api/v1/tasks", {"title": "Read on"}),
        ("/api/v1/api-keys", {"name": "Laptop", "scopes": ["read"]}),
    ):
        refused = await student.post(path, body)
        assert (refused.status_code, refused.json()["code"]) == (409, "vanished"), refused.text


async def test_deleting_asks_no_more_where_much_is_administered(world: World) -> None:
    statements: list[int] = []
    for organizations in (1, 6):
        id = await administrator_of(world, organizations)
        async with world.database.write() as session:
            with counting(world.database) as counted:
                await delete_account(session, None, id)
        statements.append(counted.statements)
    assert statements[0] == statements[1]


async def administrator_of(world: World, organizations: int) -> str:
    """Somebody who administers so many organizations, each of them beside its present admin or the site's."""
    async with world.database.write() as session:
        name = f"many{organizations}"
        account = await create_account(session, email=f"{name}@famulus.local", name=name, password_hash=None)
        site = await principal_of(session, SignedIn(world["site"].account, "", None))
        for n in range(organizations):
            made = await create_organization(session, site, NewOrganization(name=f"{name} {n}"))
            for email in (account.email, world["idle"].account.email):
                await add_member(session, site, made.id, NewMember(email=email, role="organization_admin"))
    return account.id
