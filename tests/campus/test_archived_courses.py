"""Nobody is put into a course that has been put away, by no way of doing it; the answer says why."""

import pytest
from sqlalchemy import text

from tests.support.rooms import World


async def put_away(world: World) -> None:
    assert (await world["admin"].post(f"/api/v1/courses/{world.course}/archive", None)).status_code == 200


async def enrolments(world: World) -> int:
    async with world.database.read() as session:
        query = text("SELECT count(*) FROM enrolments WHERE course_id = :id")
        return int((await session.execute(query, {"id": world.course})).scalar_one())


@pytest.mark.parametrize("who", ["admin", "teacher", "site"])
async def test_one_or_many(world: World, who: str) -> None:
    await put_away(world)
    before, place = await enrolments(world), f"/api/v1/courses/{world.course}/enrolments"
    for answer in (
        await world[who].post(place, {"user_id": world["idle"].id}),
        await world[who].post(f"{place}/bulk", {"people": [{"user_id": world["idle"].id}]}),
        await world[who].post(f"{place}/bulk", {"people": [{"user_id": world["idle"].id}], "mode": "valid"}),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "archived"), answer.text
        assert "'Robots' is archived" in answer.json()["detail"]
    assert await enrolments(world) == before


async def test_by_invitation(world: World) -> None:
    await put_away(world)
    wish = {"email": "new@example.org", "course_ids": [world.course]}
    for answer in (
        await world["admin"].post(
            f"/api/v1/organizations/{world.ours}/invitations", {**wish, "role": "student"}
        ),
        await world["admin"].post("/api/v1/instructors", wish),
    ):
        assert (answer.status_code, answer.json()["code"]) == (409, "archived"), answer.text
    invited = await world["admin"].get(f"/api/v1/organizations/{world.ours}/invitations")
    assert invited.json()["items"] == []


@pytest.mark.parametrize("named", ["Robots", "id"])
async def test_by_a_file(world: World, named: str) -> None:
    """The report says it of each line, as of everything that may be wrong with one."""
    await put_away(world)
    before = await enrolments(world)
    course = world.course if named == "id" else named
    data = f"email,course\nidle@famulus.local,{course}\nnew@example.org,\n".encode()
    headers = {"Authorization": f"Bearer {world['admin'].token}"}
    path, files = f"/api/v1/organizations/{world.ours}/import", {"file": ("people.csv", data)}
    whole = (await world.client.post(path, files=files, headers=headers)).json()
    [problem] = whole["problems"]

    assert (whole["applied"], problem["line"], problem["outcome"]) == (False, 2, "archived_course")
    assert "is archived; restore it" in problem["detail"]
    valid = await world.client.post(path, files=files, params={"mode": "valid"}, headers=headers)
    assert (valid.json()["applied"], valid.json()["memberships"]) == (True, 1)
    assert await enrolments(world) == before


async def test_restored_it_is_as_before(world: World) -> None:
    await put_away(world)
    assert (await world["admin"].post(f"/api/v1/courses/{world.course}/restore", None)).status_code == 200
    place = f"/api/v1/courses/{world.course}/enrolments"
    assert (await world["teacher"].post(place, {"user_id": world["idle"].id})).status_code == 201
