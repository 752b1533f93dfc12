"""The registry through its routes: scopes, rights, versions, and what is refused with which words."""

import asyncio

import pytest

from famulus.assistants.cache import AssistantCache
from famulus.assistants.errors import AssistantInactive
from famulus.assistants.models import Assistant
from famulus.assistants.registry import ensure_default
from tests.support.rooms import World

PEOPLE = ("site", "admin", "teacher", "student", "idle", "stranger", "their_admin")


def described(world: World, scope: str, **more: object) -> dict[str, object]:
    """A new assistant of a scope in our tenant."""
    places: dict[str, dict[str, object]] = {
        "global": {},
        "organization": {"role": "student"},
        "course": {"course_id": world.course},
    }
    return {"scope": scope, "name": f"Of {scope}", "instructions": "Be kind.", **places[scope], **more}


async def made(world: World, scope: str, by: str, **more: object) -> str:
    answer = await world[by].post("/api/v1/assistants", described(world, scope, **more))
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


@pytest.mark.parametrize(
    ("scope", "statuses"),
    [
        ("global", (201, 403, 403, 403, 403, 403, 403)),
        ("organization", (201, 201, 403, 403, 403, 404, 404)),
        ("course", (201, 201, 201, 403, 404, 404, 404)),
    ],
)
async def test_who_may_make_one(world: World, scope: str, statuses: tuple[int, ...]) -> None:
    place = {"organization_id": world.ours} if scope == "organization" else {}
    expected = dict(zip(PEOPLE, statuses, strict=True))

    got = {}
    for name in PEOPLE:
        answer = await world[name].post("/api/v1/assistants", described(world, scope, **place))
        got[name] = answer.status_code
        if answer.status_code == 201:
            async with world.database.write() as session:
                await session.delete(await session.get_one(Assistant, answer.json()["id"]))

    assert got == expected


@pytest.mark.parametrize(
    ("scope", "seeing", "managing"),
    [
        ("global", PEOPLE, ("site",)),
        ("organization", ("site", "admin", "teacher", "student", "idle"), ("site", "admin")),
        ("course", ("site", "admin", "teacher", "student"), ("site", "admin", "teacher")),
    ],
)
async def test_who_sees_and_who_changes_one(
    world: World, scope: str, seeing: tuple[str, ...], managing: tuple[str, ...]
) -> None:
    place = {"organization_id": world.ours} if scope == "organization" else {}
    path = f"/api/v1/assistants/{await made(world, scope, 'site', **place)}"

    for name in PEOPLE:
        found = await world[name].get(path)
        assert found.status_code == (200 if name in seeing else 404), name
        refused = 403 if name in seeing else 404
        status = 200 if name in managing else refused
        assert (await world[name].patch(path, {"instructions": f"By {name}."})).status_code == status, name
        assert (await world[name].get(f"{path}/versions")).status_code == status, name
        listed = {item["id"] for item in (await world[name].get("/api/v1/assistants")).json()["items"]}
        assert (path.rpartition("/")[2] in listed) == (name in seeing), name


async def test_instructions_are_shown_to_who_may_change_them(world: World) -> None:
    path = f"/api/v1/assistants/{await made(world, 'course', 'teacher')}"

    shown = {name: (await world[name].get(path)).json() for name in ("teacher", "student")}
    listed = (await world["student"].get("/api/v1/assistants", scope="course")).json()["items"]

    assert shown["teacher"]["instructions"] == "Be kind."
    assert shown["teacher"]["settings"]["passages"] == 5
    for seen in (shown["student"], *listed):
        assert (seen["name"], seen["instructions"], seen["settings"]) == ("Of course", None, None)


async def test_who_does_not_manage_it_sees_no_inactive_one(world: World) -> None:
    path = f"/api/v1/assistants/{await made(world, 'course', 'teacher')}"
    await world["teacher"].patch(path, {"active": False})

    assert (await world["student"].get(path)).status_code == 404
    assert (await world["teacher"].get(path)).json()["active"] is False
    active = (await world["teacher"].get("/api/v1/assistants", active="true")).json()["items"]
    assert [item["name"] for item in active] == ["Famulus"]


@pytest.mark.parametrize("scope", ["global", "organization", "course"])
async def test_a_second_of_its_kind_is_a_conflict_that_names_the_rule(world: World, scope: str) -> None:
    place = {"organization_id": world.ours} if scope == "organization" else {}
    await made(world, scope, "site", **place)

    answer = await world["site"].post(
        "/api/v1/assistants", described(world, scope, **place, name="OF GLOBAL")
    )

    assert (answer.status_code, answer.json()["code"]) == (409, "assistant_exists")
    assert "already" in answer.json()["detail"]


async def test_of_many_at_the_same_moment_one_is_made(world: World) -> None:
    body = described(world, "course")

    answers = await asyncio.gather(*(world["teacher"].post("/api/v1/assistants", body) for _ in range(5)))

    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]


@pytest.mark.parametrize(
    "more",
    [
        {"scope": "global", "organization_id": "org_x"},
        {"scope": "global", "course_id": "crs_x"},
        {"scope": "organization", "role": None},
        {"scope": "course", "course_id": None},
        {"scope": "galaxy"},
        {"name": ""},
        {"instructions": ""},
        {"instructions": "x" * 20_001},
        {"settings": {"passages": 21}},
        {"settings": {"history_messages": 0}},
        {"settings": {"temperature": 3}},
        {"settings": {"colour": "red"}},
        {"settings": {"on_second_message": "panic"}},
        {"settings": {"model": "scripted:/etc/hostname"}},
        {"settings": {"model": "openai:"}},
        {"id": "ast_mine"},
        {"version": 7},
    ],
)
async def test_what_cannot_be_is_refused(world: World, more: dict[str, object]) -> None:
    scope = more.get("scope")
    known = scope if scope in ("organization", "course") else "global"

    answer = await world["site"].post("/api/v1/assistants", {**described(world, str(known)), **more})

    assert answer.status_code == 422, answer.text
    assert answer.json()["fields"]


@pytest.mark.parametrize(
    ("instructions", "word"),
    [
        ("Hello\n{{ user.name", "Line 2"),
        ("{% if %}", "Line 1"),
        ("a\nb\n{% include 'x' %}", "Line 3"),
        ("{% import 'x' as y %}", "Line 1"),
        ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested"),
    ],
)
async def test_a_broken_template_is_refused_with_its_line(world: World, instructions: str, word: str) -> None:
    answer = await world["site"].post(
        "/api/v1/assistants", described(world, "global", instructions=instructions)
    )

    assert answer.status_code == 422
    assert answer.json()["fields"][0]["path"] == "instructions"
    assert word in answer.json()["fields"][0]["message"]


async def test_only_what_changes_how_it_answers_makes_a_version(world: World) -> None:
    path = f"/api/v1/assistants/{await made(world, 'course', 'teacher', settings={'passages': 3})}"

    renamed = (await world["teacher"].patch(path, {"name": "Robo", "instructions": "Be kind."})).json()
    tuned = (await world["teacher"].patch(path, {"settings": {"model": "openai:gpt-x"}})).json()
    reset = (await world["teacher"].patch(path, {"settings": {"model": None}})).json()

    assert (renamed["name"], renamed["version"]) == ("Robo", 1)
    assert (tuned["version"], tuned["settings"]["model"], tuned["settings"]["passages"]) == (
        2,
        "openai:gpt-x",
        3,
    )
    assert (reset["version"], reset["settings"]["model"]) == (3, None)
    versions = (await world["teacher"].get(f"{path}/versions", limit=2)).json()
    assert [version["version"] for version in versions["items"]] == [3, 2]
    assert versions["items"][1]["created_by"] == world["teacher"].id
    rest = (await world["teacher"].get(f"{path}/versions", limit=2, after=versions["next"])).json()
    assert [version["version"] for version in rest["items"]] == [1]


async def test_changes_at_the_same_moment_all_become_versions(world: World) -> None:
    path = f"/api/v1/assistants/{await made(world, 'course', 'teacher')}"

    answers = await asyncio.gather(
        *(world["teacher"].patch(path, {"instructions": f"Variant {n}."}) for n in range(5))
    )

    assert sorted(answer.json()["version"] for answer in answers) == [2, 3, 4, 5, 6]


@pytest.mark.parametrize(
    "body",
    [
        {"name": None},
        {"scope": "global"},
        {"course_id": "crs_x"},
        {"settings": {"passages": None}},
        {"role": "x"},
    ],
)
async def test_a_change_that_cannot_be_is_refused(world: World, body: dict[str, object]) -> None:
    path = f"/api/v1/assistants/{await made(world, 'course', 'teacher')}"

    assert (await world["teacher"].patch(path, body)).status_code == 422


async def test_ids_of_another_tenant_are_not_found(world: World) -> None:
    course = described(world, "course", course_id=world.their_course)
    organization = described(world, "organization", organization_id=world.theirs)

    assert (await world["admin"].post("/api/v1/assistants", course)).status_code == 404
    assert (await world["admin"].post("/api/v1/assistants", organization)).status_code == 404
    nowhere = described(world, "organization", organization_id="org_unknown")
    assert (await world["site"].post("/api/v1/assistants", nowhere)).status_code == 404


async def test_a_fresh_server_gets_one_assistant_however_many_start(world: World) -> None:
    async def start() -> None:
        async with world.database.write() as session:
            await ensure_default(session)

    await asyncio.gather(*(start() for _ in range(4)))

    found = (await world["student"].get("/api/v1/assistants")).json()["items"]
    assert [(item["name"], item["scope"], item["role"]) for item in found] == [("Famulus", "global", None)]


async def test_what_is_remembered_is_forgotten_with_a_change(world: World) -> None:
    cache = AssistantCache(world.database, world.database.bus)
    id = await made(world, "course", "teacher")

    assert (await cache.get(id)).version == 1
    await world["teacher"].patch(f"/api/v1/assistants/{id}", {"instructions": "Be brief."})
    assert ((await cache.get(id)).version, (await cache.get(id)).instructions) == (2, "Be brief.")
    await world["teacher"].patch(f"/api/v1/assistants/{id}", {"active": False})
    with pytest.raises(AssistantInactive):
        await cache.get(id)
