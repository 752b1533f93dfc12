"""Who answers where: the precedence, and the pin of a course."""

import pytest

from famulus.assistants.errors import AssistantNotFound
from famulus.assistants.resolve import resolve
from tests.assistants.test_registry import described
from tests.support.rooms import World

LADDER = ("pinned", "course", "organization", "global by role", "Famulus")


async def made(world: World, scope: str, **more: object) -> str:
    answer = await world["site"].post("/api/v1/assistants", described(world, scope, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def pin(world: World, by: str, assistant_id: str | None, course: str | None = None) -> int:
    path = f"/api/v1/courses/{course or world.course}/assistant"
    return (await world[by].put(path, {"assistant_id": assistant_id})).status_code


async def answering(world: World, name: str = "student", **where: object) -> str:
    answer = await world[name].get("/api/v1/assistants/resolve", **where)
    return answer.json()["name"] if answer.status_code == 200 else str(answer.status_code)


async def test_the_nearest_active_one_answers(world: World) -> None:
    ids = {
        "pinned": await made(world, "global", name="pinned", role="site_admin"),
        "course": await made(world, "course", name="course"),
        "organization": await made(world, "organization", name="organization", organization_id=world.ours),
        "global by role": await made(world, "global", name="global by role", role="student"),
    }
    assert await pin(world, "teacher", ids["pinned"]) in (200, 204)

    for name in LADDER:
        assert await answering(world, course_id=world.course) == name
        if name in ids:
            await world["site"].patch(f"/api/v1/assistants/{ids[name]}", {"active": False})


async def test_role_and_place_decide(world: World) -> None:
    await made(world, "organization", name="For teachers", organization_id=world.ours, role="teacher")
    await made(world, "course", name="Theirs", course_id=world.their_course)

    assert await answering(world, "teacher") == "For teachers"
    assert await answering(world, "student") == "Famulus"
    assert await answering(world, "student", role="teacher") == "For teachers"
    assert await answering(world, "stranger") == "Famulus"
    assert await answering(world, "their_admin", course_id=world.their_course) == "Theirs"
    assert await answering(world, "site", organization_id=world.ours, role="teacher") == "For teachers"


async def test_places_of_others_are_not_found(world: World) -> None:
    assert await answering(world, "student", course_id=world.their_course) == "404"
    assert await answering(world, "student", organization_id=world.theirs) == "404"
    both = {"course_id": world.course, "organization_id": world.theirs}
    assert await answering(world, "site", **both) == "404"
    assert await answering(world, "student", role="king") == "422"


async def test_without_any_active_assistant_it_is_said(world: World) -> None:
    only = (await world["site"].get("/api/v1/assistants")).json()["items"][0]["id"]
    await world["site"].patch(f"/api/v1/assistants/{only}", {"active": False})

    async with world.database.read() as session:
        with pytest.raises(AssistantNotFound, match="global"):
            await resolve(session, role="student", organization_id=None, course_id=None)


async def test_a_course_is_pinned_by_who_teaches_it(world: World) -> None:
    fitting = await made(world, "organization", organization_id=world.ours)

    assert await pin(world, "student", fitting) == 403
    assert await pin(world, "stranger", fitting) == 404
    assert await pin(world, "teacher", fitting) in (200, 204)
    course = (await world["student"].get(f"/api/v1/courses/{world.course}")).json()
    assert course["assistant_id"] == fitting
    assert await pin(world, "teacher", None) in (200, 204)
    course = (await world["student"].get(f"/api/v1/courses/{world.course}")).json()
    assert course["assistant_id"] is None


async def test_only_what_fits_can_be_pinned(world: World) -> None:
    theirs = await made(world, "organization", organization_id=world.theirs)
    other = (await world["admin"].post("/api/v1/courses", {"title": "Other"})).json()["id"]
    elsewhere = await made(world, "course", course_id=other)
    asleep = await made(world, "global")
    await world["site"].patch(f"/api/v1/assistants/{asleep}", {"active": False})

    assert await pin(world, "teacher", theirs) == 404
    assert await pin(world, "site", theirs) == 404
    assert await pin(world, "teacher", "ast_unknown") == 404
    assert await pin(world, "admin", elsewhere) in (409, 422)
    assert await pin(world, "site", asleep) == 409
    assert (await world["teacher"].put(f"/api/v1/courses/{world.course}/assistant", {})).status_code == 422
