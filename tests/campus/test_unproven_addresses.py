"""Nobody gets into a place by an address that they have only claimed to have."""

from datetime import datetime

import pytest
from sqlalchemy import update

from famulus.campus.models import Membership, listed
from famulus.identity.accounts import create_account
from famulus.identity.models import User
from famulus.kernel.tables import utc_now
from tests.support.rooms import World

CLAIMED = "ada@example.org"


@pytest.fixture
async def claimed(world: World) -> str:
    """The id of an account that somebody has opened with Ada's address, unasked."""
    async with world.database.write() as session:
        return (await create_account(session, email=CLAIMED, name="Mallory", password_hash="$argon2id$")).id


async def prove(world: World, user_id: str, at: datetime | None) -> None:
    async with world.database.write() as session:
        await session.execute(update(User).where(User.id == user_id).values(email_verified_at=at))


async def members(world: World) -> list[str]:
    found = await world["admin"].get(f"/api/v1/organizations/{world.ours}/members")
    return [member["email"] for member in found.json()["items"]]


async def imported(world: World, data: str, **params: str) -> dict[str, object]:
    headers = {"Authorization": f"Bearer {world['admin'].token}"}
    files = {"file": ("people.csv", data.encode())}
    path = f"/api/v1/organizations/{world.ours}/import"
    return (await world.client.post(path, files=files, headers=headers, params=params)).json()


async def test_it_is_not_added_until_somebody_has_shown_it(world: World, claimed: str) -> None:
    path = f"/api/v1/organizations/{world.ours}/members"

    refused = await world["admin"].post(path, {"email": CLAIMED})
    assert (refused.status_code, refused.json()["code"]) == (409, "address_not_verified")
    assert CLAIMED not in await members(world)

    await prove(world, claimed, utc_now())
    assert (await world["admin"].post(path, {"email": CLAIMED})).status_code == 201


async def test_a_file_takes_nobody_by_it(world: World, claimed: str) -> None:
    report = await imported(world, f"email,name\n{CLAIMED},Ada\n")

    assert (report["applied"], report["outcomes"]) == (False, {"not_verified": 1})
    assert CLAIMED not in await members(world)


async def test_an_account_made_for_its_owner_is_theirs(world: World) -> None:
    """There is no way into it but the mail to that address."""
    assert (await imported(world, f"email,name\n{CLAIMED},Ada\n"))["applied"] is True
    path = f"/api/v1/courses/{world.course}/enrolments"

    assert (await world["admin"].post(path, {"email": CLAIMED})).status_code == 201


async def test_nor_into_a_course_by_many(world: World, claimed: str) -> None:
    """A member whose address has not been shown is named by id, which is nobody's to claim."""
    await prove(world, claimed, utc_now())
    await world["admin"].post(f"/api/v1/organizations/{world.ours}/members", {"email": CLAIMED})
    await prove(world, claimed, None)
    path = f"/api/v1/courses/{world.course}/enrolments/bulk"

    by_address = (await world["admin"].post(path, {"people": [{"email": CLAIMED}]})).json()
    assert [line["outcome"] for line in by_address["lines"]] == ["not_verified"]
    by_id = (await world["admin"].post(path, {"people": [{"user_id": claimed}]})).json()
    assert [line["outcome"] for line in by_id["lines"]] == ["enrolled"]


@pytest.fixture
async def member(world: World, claimed: str) -> str:
    """The same account, in the organization by an issuer's word."""
    async with world.database.write() as session:
        place = {"organization_id": world.ours, "user_id": claimed, **listed("Mallory", CLAIMED)}
        session.add(Membership(**place, role="student", created_at=utc_now()))
    return claimed


async def test_nor_into_a_course_alone(world: World, member: str) -> None:
    path = f"/api/v1/courses/{world.course}/enrolments"

    refused = await world["teacher"].post(path, {"email": CLAIMED})
    assert (refused.status_code, refused.json()["code"]) == (409, "address_not_verified")
    assert (await world["teacher"].post(path, {"user_id": member})).status_code == 201


@pytest.mark.parametrize("line", ["organization_admin,", ",Robots"])
async def test_a_file_gives_a_member_nothing_by_it(world: World, member: str, line: str) -> None:
    report = await imported(world, f"email,role,course\n{CLAIMED},{line}\n", update="true")

    assert (report["applied"], report["outcomes"]) == (False, {"not_verified": 1})


async def test_what_is_so_may_be_said_again(world: World, member: str) -> None:
    """A file that was written out here can be taken in again."""
    report = await imported(world, f"email,role\n{CLAIMED},student\n")

    assert (report["applied"], report["outcomes"]) == (True, {"unchanged": 1})


async def test_its_owner_is_invited(world: World, claimed: str) -> None:
    """As a member or to teach; nobody belongs anywhere before the mail was read."""
    invitations = f"/api/v1/organizations/{world.ours}/invitations"
    for who, path, body in (
        ("admin", invitations, {"email": CLAIMED, "role": "teacher"}),
        ("their_admin", "/api/v1/instructors", {"email": CLAIMED}),
    ):
        assert (await world[who].post(path, body)).status_code == 201
    assert CLAIMED not in await members(world)
