"""Who sees and who may do what: every identity against every address of the campus, and lists at a constant price."""

from typing import Any

import pytest
from sqlalchemy import event

from famulus.campus import access, courses
from famulus.campus.schemas.courses import AllCourseFilters
from famulus.kernel.paging import Paging
from tests.support.rooms import World

PEOPLE = ("site", "admin", "teacher", "student", "idle", "stranger", "their_admin")

# Address, body, then the status that each of PEOPLE gets.
READS = [
    ("/organizations/{ours}", (200, 200, 200, 200, 200, 404, 404)),
    ("/organizations/{ours}/members", (200, 200, 403, 403, 403, 404, 404)),
    ("/courses/{course}", (200, 200, 200, 200, 404, 404, 404)),
    ("/courses/{course}/lessons", (200, 200, 200, 200, 404, 404, 404)),
    ("/courses/{course}/enrolments", (200, 200, 200, 403, 404, 404, 404)),
    ("/lessons/{lesson}", (200, 200, 200, 200, 404, 404, 404)),
    ("/lessons/{draft}", (200, 200, 200, 404, 404, 404, 404)),
    ("/organizations/{ours}/members/{student}", (200, 200, 403, 403, 403, 404, 404)),
    ("/organizations/{ours}/members.csv", (200, 200, 403, 403, 403, 404, 404)),
    ("/organizations/{ours}/invitations", (200, 200, 403, 403, 403, 404, 404)),
]
PEOPLE_SENT = {"people": [{"email": "idle@famulus.local"}]}
INVITED = {"email": "new@example.org", "role": "student"}
LESSON = {"title": "Services", "path": "services.md", "body": "Ask."}
WRITES = [
    ("POST", "/organizations", {"name": "New"}, (201, 403, 403, 403, 403, 403, 403)),
    ("POST", "/courses", {"title": "New", "organization_id": "{ours}"}, (201, 201, 201, 403, 403, 404, 404)),
    ("PATCH", "/courses/{course}", {"title": "New"}, (200, 200, 200, 403, 404, 404, 404)),
    ("POST", "/courses/{course}/lessons", LESSON, (201, 201, 201, 403, 404, 404, 404)),
    ("PATCH", "/lessons/{lesson}", {"title": "New"}, (200, 200, 200, 403, 404, 404, 404)),
    ("PATCH", "/lessons/{draft}", {"title": "New"}, (200, 200, 200, 404, 404, 404, 404)),
    ("DELETE", "/lessons/{lesson}", None, (204, 204, 204, 403, 404, 404, 404)),
    (
        "POST",
        "/courses/{course}/enrolments",
        {"email": "idle@famulus.local"},
        (201, 201, 201, 403, 404, 404, 404),
    ),
    ("DELETE", "/courses/{course}/enrolments/{student}", None, (204, 204, 204, 403, 404, 404, 404)),
    (
        "POST",
        "/organizations/{ours}/members",
        {"email": "stranger@famulus.local"},
        (201, 201, 403, 403, 403, 404, 404),
    ),
    (
        "PATCH",
        "/organizations/{ours}/members/{idle}",
        {"role": "teacher"},
        (200, 200, 403, 403, 403, 404, 404),
    ),
    ("DELETE", "/organizations/{ours}/members/{idle}", None, (204, 204, 403, 403, 403, 404, 404)),
    (
        "PATCH",
        "/courses/{course}/enrolments/{student}",
        {"role": "student"},
        (200, 200, 200, 403, 404, 404, 404),
    ),
    ("POST", "/courses/{course}/enrolments/bulk", PEOPLE_SENT, (200, 200, 200, 403, 404, 404, 404)),
    ("POST", "/organizations/{ours}/invitations", INVITED, (201, 201, 403, 403, 403, 404, 404)),
    (
        "POST",
        "/instructors",
        {"email": "new@example.org", "organization_id": "{ours}"},
        (201, 201, 403, 403, 403, 404, 404),
    ),
]
ALLOWED = [
    (method, path, body, name)
    for method, path, body, statuses in WRITES
    for name, status in zip(PEOPLE, statuses, strict=True)
    if status < 300
]


def filled(world: World, template: str) -> str:
    """A template with the world's ids."""
    ids = {name: person.id for name, person in world.people.items()}
    return template.format(
        ours=world.ours, course=world.course, lesson=world.lesson, draft=world.draft, **ids
    )


@pytest.mark.parametrize(("path", "statuses"), READS)
async def test_reading(world: World, path: str, statuses: tuple[int, ...]) -> None:
    got = [(await world[name].get(f"/api/v1{filled(world, path)}")).status_code for name in PEOPLE]

    assert dict(zip(PEOPLE, got, strict=True)) == dict(zip(PEOPLE, statuses, strict=True))


@pytest.mark.parametrize(("method", "path", "body", "statuses"), WRITES)
async def test_refused_writing(
    world: World, method: str, path: str, body: dict[str, Any] | None, statuses: tuple[int, ...]
) -> None:
    refused = {name: status for name, status in zip(PEOPLE, statuses, strict=True) if status >= 400}

    assert {name: await written(world, name, method, path, body) for name in refused} == refused


@pytest.mark.parametrize(("method", "path", "body", "name"), ALLOWED)
async def test_allowed_writing(
    world: World, method: str, path: str, body: dict[str, Any] | None, name: str
) -> None:
    assert await written(world, name, method, path, body) in (200, 201, 204)


async def written(world: World, name: str, method: str, path: str, body: dict[str, Any] | None) -> int:
    """The status that somebody gets."""
    sent = body and {
        key: filled(world, value) if isinstance(value, str) else value for key, value in body.items()
    }
    return (await world[name].ask(method, f"/api/v1{filled(world, path)}", sent)).status_code


@pytest.mark.parametrize(
    "path", ["/api/v1/courses", "/api/v1/courses/my", "/api/v1/organizations", "/api/auth/me"]
)
async def test_nobody_gets_in_unknown(world: World, path: str) -> None:
    assert (await world.client.get(path)).status_code == 401
    assert (await world.client.post("/api/v1/organizations", json={"name": "X"})).status_code == 401


@pytest.mark.parametrize("id", ["crs_unknown", "x", "crs_%00", "%F0%9F%A4%96"])
async def test_an_id_of_nothing_is_never_a_crash(world: World, id: str) -> None:
    answer = await world["site"].get(f"/api/v1/courses/{id}")

    assert answer.status_code in (404, 422)


async def test_a_course_is_seen_as_what_one_is_in_it(world: World) -> None:
    facts = {}
    for name in ("site", "admin", "teacher", "student"):
        found = (await world[name].get(f"/api/v1/courses/{world.course}")).json()
        facts[name] = (found["my_role"], found["lesson_count"])

    assert facts == {
        "site": ("site_admin", 2),
        "admin": ("organization_admin", 2),
        "teacher": ("teacher", 2),
        "student": ("student", 1),
    }


async def test_a_teacher_counts_no_drafts_where_they_learn(world: World) -> None:
    """What somebody is in one course says nothing of another."""
    body = {"title": "Sensors", "published": True}
    other = (await world["admin"].post("/api/v1/courses", body)).json()["id"]
    for draft in (False, True):
        lesson = {"title": "Light", "path": f"{draft}.md", "body": "", "published": not draft}
        await world["admin"].post(f"/api/v1/courses/{other}/lessons", lesson)
    await world["admin"].post(f"/api/v1/courses/{other}/enrolments", {"user_id": world["teacher"].id})

    found = (await world["teacher"].get(f"/api/v1/courses/{other}")).json()

    assert (found["my_role"], found["lesson_count"]) == ("student", 1)


async def test_lists_show_what_is_ones_own(world: World) -> None:
    shown = {name: await titles(world, name, "/api/v1/courses") for name in PEOPLE}
    mine = {name: await titles(world, name, "/api/v1/courses/my") for name in PEOPLE}

    assert shown == {
        "site": {world.course, world.their_course},
        "admin": {world.course},
        "teacher": {world.course},
        "student": {world.course},
        "idle": set(),
        "stranger": set(),
        "their_admin": {world.their_course},
    }
    assert mine == shown
    theirs = await world["admin"].get("/api/v1/courses", organization_id=world.theirs)
    assert theirs.json()["items"] == []


async def titles(world: World, name: str, path: str) -> set[str]:
    return {item["id"] for item in (await world[name].get(path)).json()["items"]}


async def test_unpublished_means_invisible_to_who_learns(world: World) -> None:
    await world["teacher"].patch(f"/api/v1/courses/{world.course}", {"published": False})

    assert (await world["student"].get(f"/api/v1/courses/{world.course}")).status_code == 404
    assert (await world["student"].get(f"/api/v1/lessons/{world.lesson}")).status_code == 404
    assert (await world["teacher"].get(f"/api/v1/lessons/{world.lesson}")).status_code == 200


async def test_a_teacher_who_is_one_no_longer_teaches_no_longer(world: World) -> None:
    path = f"/api/v1/organizations/{world.ours}/members/{world['teacher'].id}"
    await world["admin"].patch(path, {"role": "student"})

    found = (await world["teacher"].get(f"/api/v1/courses/{world.course}")).json()

    assert (found["my_role"], found["lesson_count"]) == ("student", 1)
    answer = await world["teacher"].patch(f"/api/v1/courses/{world.course}", {"title": "Mine"})
    assert answer.status_code == 403


async def test_leaving_the_organization_ends_the_enrolments(world: World) -> None:
    path = f"/api/v1/organizations/{world.ours}/members"
    await world["admin"].delete(f"{path}/{world['student'].id}")
    await world["admin"].post(path, {"email": "student@famulus.local"})

    assert (await world["student"].get(f"/api/v1/courses/{world.course}")).status_code == 404


async def test_a_list_costs_the_same_however_long_it_is(world: World) -> None:
    asked = 0

    def count(*_arguments: object) -> None:
        nonlocal asked
        asked += 1

    async def cost(limit: int) -> int:
        nonlocal asked
        asked = 0
        async with world.database.read() as session:
            await courses.list_courses(
                session, await world.principal("site"), AllCourseFilters(), Paging(limit)
            )
        return asked

    event.listen(world.database.engine.sync_engine, "before_cursor_execute", count)

    assert await cost(1) == await cost(100)


async def test_what_may_be_read_is_told_with_its_drafts(world: World) -> None:
    async def readable(name: str) -> dict[str, bool]:
        async with world.database.read() as session:
            query = access.readable_courses(await world.principal(name))
            return {id: bool(drafts) for id, drafts in (await session.execute(query)).all()}

    assert await readable("student") == {world.course: False}
    assert await readable("teacher") == {world.course: True}
    assert await readable("admin") == {world.course: True}
    assert await readable("idle") == {}
    assert await readable("site") == {world.course: True, world.their_course: True}
