"""Organizations, courses, lessons and enrolments: what is kept, what is refused by name, what is announced."""

import asyncio

import pytest

from famulus.campus import courses, lessons
from famulus.campus.courses import CourseCard, CourseTitleTaken
from famulus.campus.events import CourseChanged, CourseLessonsChanged, RightsChanged
from famulus.campus.schemas.courses import LessonChange, NewCourse
from famulus.kernel.duplicates import Vanished
from famulus.kernel.errors import NotFound
from tests.support.rooms import World, sign_in


def heard(world: World, *kinds: type) -> list[object]:
    """What is announced from now on."""
    events: list[object] = []
    for kind in kinds:
        world.database.bus.subscribe(kind, events.append)
    return events


async def test_a_course_has_the_fields_of_the_contract(world: World) -> None:
    answer = await world["admin"].post("/api/v1/courses", {"title": "  Sensors ", "description": "Feel."})

    course = answer.json()
    assert answer.status_code == 201
    assert set(course) == {
        "id",
        "organization_id",
        "track_id",
        "position",
        "title",
        "description",
        "published",
        "archived_at",
        "assistant_id",
        "lesson_count",
        "my_role",
        "created_at",
        "updated_at",
    }
    assert (course["title"], course["published"], course["organization_id"]) == ("Sensors", False, world.ours)
    assert course["created_at"].endswith("Z")


@pytest.mark.parametrize("title", ["Robots", "ROBOTS", " robots "])
async def test_a_title_is_unique_in_its_organization_without_case(world: World, title: str) -> None:
    answer = await world["admin"].post("/api/v1/courses", {"title": title})

    assert (answer.status_code, answer.json()["code"]) == (409, "course_title_taken")
    assert title.strip() in answer.json()["detail"]


async def test_names_are_compared_alike_on_every_database(world: World) -> None:
    await world["site"].post("/api/v1/organizations", {"name": "Ärzte-Akademie"})

    again = await world["site"].post("/api/v1/organizations", {"name": "a\u0308RZTE-AKADEMIE"})

    assert (again.status_code, again.json()["code"]) == (409, "organization_name_taken")


async def test_of_many_at_the_same_moment_one_gets_the_title(world: World) -> None:
    admin = await world.principal("admin")

    async def create() -> None:
        async with world.database.write() as session:
            await courses.create_course(session, admin, NewCourse(title="Race"))

    results = await asyncio.gather(*(create() for _ in range(5)), return_exceptions=True)

    assert sum(isinstance(result, CourseTitleTaken) for result in results) == 4


async def test_renaming_into_a_taken_title_is_a_conflict(world: World) -> None:
    other = (await world["admin"].post("/api/v1/courses", {"title": "Sensors"})).json()["id"]

    answer = await world["admin"].patch(f"/api/v1/courses/{other}", {"title": "robots"})

    assert answer.json()["code"] == "course_title_taken"
    assert (await world["admin"].patch(f"/api/v1/courses/{other}", {"title": "SENSORS"})).status_code == 200


async def test_a_site_admin_says_where(world: World) -> None:
    answer = await world["site"].post("/api/v1/courses", {"title": "New"})

    assert answer.status_code == 422
    assert answer.json()["fields"][0]["path"] == "organization_id"


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"title": None}, "title"),
        ({"title": ""}, "title"),
        ({"title": "\u200b"}, "title"),
        ({"title": "x" * 201}, "title"),
        ({"title": 7}, "title"),
        ({"id": "crs_other"}, "id"),
        ({"organization_id": "org_other"}, "organization_id"),
        ({"created_at": "2026-01-01T00:00:00Z"}, "created_at"),
        ({"assistant_id": "ast_other"}, "assistant_id"),
        ({"color": "red"}, "color"),
        ({"description": "x" * 10_001}, "description"),
        ({"published": "perhaps"}, "published"),
    ],
)
async def test_a_change_that_cannot_be_names_its_field(
    world: World, body: dict[str, object], path: str
) -> None:
    before = (await world["admin"].get(f"/api/v1/courses/{world.course}")).json()

    answer = await world["admin"].patch(f"/api/v1/courses/{world.course}", body)

    assert (answer.status_code, [field["path"] for field in answer.json()["fields"]]) == (422, [path])
    assert (await world["admin"].get(f"/api/v1/courses/{world.course}")).json() == before


async def test_only_what_is_given_changes(world: World) -> None:
    path = f"/api/v1/lessons/{world.lesson}"
    before = (await world["teacher"].get(path)).json()

    after = (await world["teacher"].patch(path, {"body": "    indented\n"})).json()

    assert after == {**before, "body": "    indented\n", "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


async def test_lessons_come_in_their_order_without_their_text(world: World) -> None:
    path = f"/api/v1/courses/{world.course}/lessons"
    for name, position in (("last", 9), ("first", 0)):
        body = {"title": name, "path": name, "body": "", "position": position}
        assert (await world["teacher"].post(path, body)).status_code == 201

    items: list[dict[str, object]] = []
    after = None
    while True:
        page = (await world["teacher"].get(path, limit=2, **({"after": after} if after else {}))).json()
        items += page["items"]
        after = page["next"]
        if after is None:
            break

    assert [item["title"] for item in items] == ["first", "Nodes", "Topics", "last"]
    assert "body" not in items[0]


async def test_a_path_is_unique_in_its_course(world: World) -> None:
    path = f"/api/v1/courses/{world.course}/lessons"
    answer = await world["teacher"].post(path, {"title": "Again", "path": "nodes.md", "body": "x"})

    assert (answer.status_code, answer.json()["code"]) == (409, "lesson_path_taken")
    assert "nodes.md" in answer.json()["detail"]


async def test_a_lesson_has_a_largest_size(world: World) -> None:
    path = f"/api/v1/courses/{world.course}/lessons"
    most = {"title": "Long", "path": "long.md", "body": "x" * 500_000}

    assert (await world["teacher"].post(path, most)).status_code == 201
    too_long = await world["teacher"].post(path, {**most, "path": "longer.md", "body": "x" * 500_001})
    assert [field["path"] for field in too_long.json()["fields"]] == ["body"]


async def test_changes_of_lessons_are_announced_after_the_commit(world: World) -> None:
    events = heard(world, CourseLessonsChanged, CourseChanged)
    of_lessons = CourseLessonsChanged(world.course, world.ours)
    path = f"/api/v1/courses/{world.course}/lessons"

    created = await world["teacher"].post(path, {"title": "New", "path": "new.md", "body": "x"})
    await world["teacher"].patch(f"/api/v1/lessons/{created.json()['id']}", {"published": False})
    await world["teacher"].delete(f"/api/v1/lessons/{created.json()['id']}")
    await world["teacher"].patch(f"/api/v1/courses/{world.course}", {"description": "Better."})
    await world["student"].delete(f"/api/v1/lessons/{world.lesson}")

    assert events == [of_lessons, of_lessons, of_lessons, CourseChanged(world.course, world.ours)]


async def test_the_knowledge_room_gets_every_text(world: World) -> None:
    async with world.database.read() as session:
        texts = await lessons.lesson_texts(session, world.course)

    assert [(text.id, text.organization_id, text.published) for text in texts] == [
        (world.lesson, world.ours, True),
        (world.draft, world.ours, False),
    ]
    assert texts[0].body.startswith("# Nodes")


async def test_a_card_is_given_to_who_sees_the_course(world: World) -> None:
    async with world.database.read() as session:
        card = await courses.course_card(session, await world.principal("student"), world.course)
        mine = await courses.my_courses(session, await world.principal("student"))
        with pytest.raises(NotFound):
            await courses.course_card(session, await world.principal("idle"), world.course)

    assert card == CourseCard(world.course, world.ours, "Robots", None)
    assert mine == [card]


async def test_a_lesson_that_vanishes_while_it_is_changed_is_not_brought_back(world: World) -> None:
    teacher = await world.principal("teacher")

    async def change(title: str) -> None:
        async with world.database.write() as session:
            await lessons.change_lesson(session, teacher, world.lesson, LessonChange(title=title))

    async def delete() -> None:
        async with world.database.write() as session:
            await lessons.delete_lesson(session, teacher, world.lesson)

    work = [change("Early"), delete(), change("Late"), change("Later")]
    results = await asyncio.gather(*work, return_exceptions=True)

    assert all(result is None or isinstance(result, NotFound | Vanished) for result in results), results
    assert results[1] is None
    assert (await world["teacher"].get(f"/api/v1/lessons/{world.lesson}")).status_code == 404


async def test_enrolling_by_id_and_by_address(world: World) -> None:
    path = f"/api/v1/courses/{world.course}/enrolments"
    events = heard(world, RightsChanged)

    answer = await world["teacher"].post(path, {"email": "IDLE@famulus.local"})

    assert answer.status_code == 201
    assert (answer.json()["user_id"], answer.json()["role"]) == (world["idle"].id, "student")
    assert (await world["idle"].get(f"/api/v1/courses/{world.course}")).status_code == 200
    again = await world["teacher"].post(path, {"user_id": world["idle"].id})
    assert again.json()["code"] == "already_enrolled"
    names = [item["name"] for item in (await world["teacher"].get(path)).json()["items"]]
    assert names == ["Idle", "Student", "Teacher"]
    assert (await world["teacher"].delete(f"{path}/{world['idle'].id}")).status_code == 204
    assert (await world["teacher"].delete(f"{path}/{world['idle'].id}")).status_code == 404
    assert events == [RightsChanged(world["idle"].id)] * 2


async def test_only_members_can_be_enrolled_and_only_teachers_teach(world: World) -> None:
    path = f"/api/v1/courses/{world.course}/enrolments"

    stranger = await world["teacher"].post(path, {"user_id": world["stranger"].id})
    nobody = await world["teacher"].post(path, {"email": "nobody@famulus.local"})
    pupil = await world["teacher"].post(path, {"user_id": world["idle"].id, "role": "teacher"})
    both = await world["teacher"].post(path, {"user_id": world["idle"].id, "email": "idle@famulus.local"})

    assert stranger.status_code == nobody.status_code == 404
    assert stranger.json()["detail"] == nobody.json()["detail"]
    assert pupil.json()["code"] == "not_a_teacher"
    assert both.status_code == (await world["teacher"].post(path, {})).status_code == 422


async def test_members_are_added_once(world: World) -> None:
    path = f"/api/v1/organizations/{world.ours}/members"

    first = await world["admin"].post(path, {"email": "stranger@famulus.local", "role": "teacher"})
    again = await world["admin"].post(path, {"email": "stranger@famulus.local"})
    nobody = await world["admin"].post(path, {"email": "nobody@famulus.local"})
    names = [item["name"] for item in (await world["admin"].get(path, limit=2)).json()["items"]]

    assert first.json()["role"] == "teacher"
    assert again.json()["code"] == "already_member"
    assert nobody.status_code == 404
    assert names == ["Admin", "Idle"]


async def test_me_tells_where_one_is_and_could_be(world: World) -> None:
    path = f"/api/v1/organizations/{world.theirs}/members"
    await world["their_admin"].post(path, {"email": "student@famulus.local", "role": "teacher"})

    me = (await world["student"].get("/api/auth/me")).json()

    ours, theirs = {"id": world.ours, "name": "Ours"}, {"id": world.theirs, "name": "Theirs"}
    assert me["user"]["email"] == "student@famulus.local"
    assert (me["organization"], me["role"]) == (ours, "student")
    assert me["memberships"] == [
        {"organization": ours, "role": "student"},
        {"organization": theirs, "role": "teacher"},
    ]


async def test_switching_changes_the_rights_of_this_session(world: World) -> None:
    path = f"/api/v1/organizations/{world.theirs}/members"
    await world["their_admin"].post(path, {"email": "student@famulus.local", "role": "organization_admin"})

    me = (await world["student"].post("/api/auth/switch", {"organization_id": world.theirs})).json()

    assert (me["organization"]["id"], me["role"]) == (world.theirs, "organization_admin")
    assert (await world["student"].get("/api/auth/me")).json() == me
    assert (await world["student"].get(f"/api/v1/courses/{world.course}")).status_code == 404
    assert (await world["student"].get(f"/api/v1/courses/{world.their_course}")).status_code == 200


async def test_a_switch_is_written_down_once(world: World) -> None:
    path = f"/api/v1/organizations/{world.theirs}/members"
    await world["their_admin"].post(path, {"email": "student@famulus.local", "role": "teacher"})
    for _ in range(2):
        answer = await world["student"].post("/api/auth/switch", {"organization_id": world.theirs})
        assert answer.status_code == 200
    [entry] = (await world["their_admin"].get("/api/v1/audit", action="session.switch")).json()["items"]

    assert (entry["actor_id"], entry["thing_id"]) == (world["student"].id, world.theirs)
    assert entry["before"] == {"organization_id": world.ours}
    assert entry["after"] == {"organization_id": world.theirs}


async def test_one_switches_only_to_where_one_belongs(world: World) -> None:
    answer = await world["student"].post("/api/auth/switch", {"organization_id": world.theirs})

    assert answer.status_code == 404
    site = (await world["site"].post("/api/auth/switch", {"organization_id": world.theirs})).json()
    assert (site["organization"]["name"], site["role"]) == ("Theirs", "site_admin")
    mine = (await world["site"].get("/api/v1/courses/my")).json()["items"]
    assert [course["id"] for course in mine] == [world.their_course]


async def test_somebody_who_belongs_nowhere_sees_nothing(world: World) -> None:
    newcomer = await sign_in(world.database, world.client, "newcomer")

    me = (await newcomer.get("/api/auth/me")).json()

    assert (me["organization"], me["role"], me["memberships"]) == (None, None, [])
    for path in ("organizations", "courses", "courses/my"):
        assert (await newcomer.get(f"/api/v1/{path}")).json() == {"items": [], "next": None}
    assert (await newcomer.post("/api/v1/courses", {"title": "Mine"})).status_code == 422


@pytest.mark.parametrize("after", ["x", "WzFd", "WyJhIiwgMV0", "\u00e9"])
async def test_a_made_up_page_key_is_refused(world: World, after: str) -> None:
    answer = await world["site"].get("/api/v1/courses", after=after)

    assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor")
