"""The tree of an organization: what is put where, in which order, put away and taken out again, and what is refused."""

from typing import Any

import pytest

from famulus.campus.events import CourseChanged, CourseLessonsChanged, RightsChanged
from famulus.identity import audit
from tests.support.rooms import Person, World

V1 = "/api/v1"


async def made(person: Person, path: str, /, **body: object) -> str:
    """The id of something new."""
    answer = await person.post(f"{V1}/{path}", body)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def names(person: Person, path: str, **params: object) -> list[str]:
    """What a list shows, by name or title."""
    answer = await person.get(f"{V1}/{path}", **params)
    assert answer.status_code == 200, answer.text
    return [item.get("name") or item["title"] for item in answer.json()["items"]]


async def status(person: Person, method: str, path: str, body: object = None) -> tuple[int, str]:
    """The status and the code of an answer."""
    answer = await person.ask(method, f"{V1}/{path}", body)
    found: Any = answer.json() if answer.content else {}
    return answer.status_code, found.get("code", "")


async def written(world: World) -> list[str]:
    """The actions in the audit, oldest first."""
    async with world.database.read() as session:
        return [entry.action for entry in await session.scalars(audit.entries().order_by("id"))]


async def test_a_project_and_a_track_have_the_fields_of_the_contract(world: World) -> None:
    project = (await world["admin"].post(f"{V1}/projects", {"name": " Data  Science "})).json()
    body = {"project_id": project["id"], "name": "Statistics", "level": "advanced", "description": "Numbers."}
    track = (await world["teacher"].post(f"{V1}/tracks", body)).json()

    times = {"archived_at": None, "created_at": project["created_at"], "updated_at": project["updated_at"]}
    assert project == {
        "id": project["id"],
        "organization_id": world.ours,
        "name": "Data  Science",
        "description": "",
        **times,
    }
    times = {"archived_at": None, "created_at": track["created_at"], "updated_at": track["updated_at"]}
    assert track == {"id": track["id"], "organization_id": world.ours, **body, **times}
    assert (await world["student"].get(f"{V1}/tracks/{track['id']}")).json() == track
    assert (await world["idle"].get(f"{V1}/projects/{project['id']}")).json() == project


async def test_a_name_is_unique_where_it_is_and_an_archived_holder_is_said(world: World) -> None:
    admin, site = world["admin"], world["site"]
    project = await made(admin, "projects", name="Straße")
    track = await made(admin, "tracks", project_id=project, name="Basics")
    for path, body, code in (
        ("projects", {"name": "STRASSE"}, "project_name_taken"),
        ("tracks", {"project_id": project, "name": "basics"}, "track_name_taken"),
        ("courses", {"title": "ROBOTS"}, "course_title_taken"),
    ):
        answer = await admin.post(f"{V1}/{path}", body)
        assert (answer.status_code, answer.json()["code"]) == (409, code)
        assert str(body.get("name") or body["title"]) in answer.json()["detail"]
        assert "archived" not in answer.json()["detail"]
    for path, id, body in (
        ("tracks", track, {"project_id": project, "name": "basics"}),
        ("projects", project, {"name": "STRASSE"}),
        ("courses", world.course, {"title": "ROBOTS"}),
    ):
        await admin.post(f"{V1}/{path}/{id}/archive", None)
        again = await admin.post(f"{V1}/{path}", body)
        assert again.status_code == 409
        assert "is archived: restore it" in again.json()["detail"]
    await site.post(f"{V1}/organizations/{world.theirs}/archive", None)
    again = await site.post(f"{V1}/organizations", {"name": "THEIRS"})
    assert again.json()["code"] == "organization_name_taken"
    assert "is archived" in again.json()["detail"]


async def test_the_same_name_may_stand_elsewhere(world: World) -> None:
    ours = await made(world["admin"], "projects", name="Data")
    theirs = await made(world["their_admin"], "projects", name="Data")
    await made(world["admin"], "tracks", project_id=ours, name="Basics")
    await made(world["their_admin"], "tracks", project_id=theirs, name="Basics")

    taken = await world["admin"].post(f"{V1}/projects", {"name": "Other"})
    assert await status(world["admin"], "PATCH", f"projects/{taken.json()['id']}", {"name": "DATA"}) == (
        409,
        "project_name_taken",
    )
    assert await status(world["admin"], "PATCH", f"projects/{ours}", {"name": "DATA"}) == (200, "")


async def test_lists_are_filtered_and_sorted(world: World) -> None:
    admin = world["admin"]
    first = await made(admin, "projects", name="Beta")
    await made(admin, "projects", name="alpha")
    await made(admin, "projects", name="Äpfel")
    other = await made(admin, "projects", name="beta_2")
    await made(admin, "tracks", project_id=first, name="Zwei", level="advanced")
    await made(admin, "tracks", project_id=first, name="eins")
    await made(admin, "tracks", project_id=other, name="drei")

    assert await names(admin, "projects", sort="created_at") == ["Beta", "alpha", "Äpfel", "beta_2"]
    assert await names(admin, "projects", sort="-created_at") == ["beta_2", "Äpfel", "alpha", "Beta"]
    assert set(await names(admin, "projects", q="BETA")) == {"Beta", "beta_2"}
    assert await names(admin, "projects", q="äpf") == ["Äpfel"]
    assert await names(admin, "projects", q="_") == []
    assert await names(admin, "projects", q="beta_") == ["beta_2"]
    assert await names(admin, "tracks") == ["drei", "eins", "Zwei"]
    assert await names(admin, "tracks", sort="-name") == ["Zwei", "eins", "drei"]
    assert await names(admin, "tracks", project_id=first) == ["eins", "Zwei"]
    assert await names(admin, "tracks", level="advanced") == ["Zwei"]
    assert await names(world["their_admin"], "tracks", project_id=first) == []
    assert await names(world["site"], "projects", organization_id=world.theirs) == []
    assert await names(world["site"], "organizations", sort="-name") == ["Theirs", "Ours"]
    assert await names(world["site"], "organizations", q="OU") == ["Ours"]
    assert (await admin.get(f"{V1}/projects", sort="color")).status_code == 422


async def test_an_archived_project_takes_its_tracks_with_it_and_leaves_its_courses(world: World) -> None:
    admin, student = world["admin"], world["student"]
    project = await made(admin, "projects", name="Data")
    track = await made(admin, "tracks", project_id=project, name="Basics")
    await admin.patch(f"{V1}/courses/{world.course}", {"track_id": track})

    archived = (await admin.post(f"{V1}/projects/{project}/archive", None)).json()

    assert archived["archived_at"] is not None
    assert (await admin.post(f"{V1}/projects/{project}/archive", None)).json() == archived
    assert await status(student, "GET", f"projects/{project}") == (404, "not_found")
    assert await status(student, "GET", f"tracks/{track}") == (404, "not_found")
    assert await status(student, "GET", f"courses/{world.course}") == (200, "")
    assert await names(admin, "projects") == await names(admin, "tracks") == []
    assert await names(admin, "projects", archived=True) == ["Data"]
    assert await names(admin, "tracks", archived=True) == ["Basics"]
    assert await names(student, "tracks", archived=True) == []
    for path, body in (
        ("tracks", {"project_id": project, "name": "More"}),
        ("courses", {"title": "More", "track_id": track}),
    ):
        assert await status(admin, "POST", path, body) == (409, "archived")

    await admin.post(f"{V1}/projects/{project}/restore", None)

    assert await names(student, "tracks") == ["Basics"]
    assert (await written(world))[-2:] == ["project.archive", "project.restore"]


async def test_a_track_moves_within_its_organization_only(world: World) -> None:
    site = world["site"]
    here = await made(world["admin"], "projects", name="Here")
    there = await made(world["admin"], "projects", name="There")
    gone = await made(world["admin"], "projects", name="Gone")
    theirs = await made(world["their_admin"], "projects", name="Theirs")
    track = await made(world["admin"], "tracks", project_id=here, name="Basics")
    await made(world["admin"], "tracks", project_id=there, name="BASICS")
    await world["admin"].post(f"{V1}/projects/{gone}/archive", None)
    path = f"tracks/{track}"

    assert await status(site, "PATCH", path, {"project_id": theirs}) == (409, "other_organization")
    assert await status(world["admin"], "PATCH", path, {"project_id": theirs}) == (404, "not_found")
    assert await status(world["admin"], "PATCH", path, {"project_id": there}) == (409, "track_name_taken")
    assert await status(world["admin"], "PATCH", path, {"project_id": gone}) == (409, "archived")
    assert await status(world["admin"], "PATCH", path, {"project_id": None}) == (422, "invalid")
    moved = await world["teacher"].patch(f"{V1}/{path}", {"project_id": there, "name": "Further"})
    assert (moved.json()["project_id"], moved.json()["organization_id"]) == (there, world.ours)


async def test_courses_stand_in_a_track_in_their_order(world: World) -> None:
    admin = world["admin"]
    project = await made(admin, "projects", name="Data")
    track = await made(admin, "tracks", project_id=project, name="Basics")
    other = await made(admin, "tracks", project_id=project, name="Beyond")
    a, b, c = [await made(admin, "courses", title=title, track_id=track) for title in "cab"]

    async def order(**params: object) -> list[str]:
        return await names(admin, "courses", track_id=track, sort="position", **params)

    assert await order() == ["c", "a", "b"]
    assert await status(admin, "PUT", f"tracks/{track}/courses", {"course_ids": [c, a, b]}) == (204, "")
    assert await order() == ["b", "c", "a"]
    assert await status(admin, "PUT", f"tracks/{track}/courses", {"course_ids": [c, a, b]}) == (204, "")
    moved = (await admin.patch(f"{V1}/courses/{a}", {"track_id": other})).json()
    assert (moved["track_id"], moved["position"]) == (other, 1)
    back = (await admin.patch(f"{V1}/courses/{a}", {"track_id": track, "title": "d"})).json()
    assert (back["track_id"], back["position"]) == (track, 4)
    assert await order() == ["b", "a", "d"]
    out = (await admin.patch(f"{V1}/courses/{b}", {"track_id": None})).json()
    assert (out["track_id"], out["position"]) == (None, 0)
    assert await order(published=True) == []
    assert (await admin.get(f"{V1}/courses", sort="position")).status_code == 422
    assert (await written(world)).count("track.order") == 1


async def test_an_order_names_exactly_what_is_there(world: World) -> None:
    admin = world["admin"]
    project = await made(admin, "projects", name="Data")
    track = await made(admin, "tracks", project_id=project, name="Basics")
    a = await made(admin, "courses", title="First", track_id=track)
    b = await made(admin, "courses", title="Second", track_id=track)

    async def refused(ids: list[str]) -> str:
        answer = await admin.put(f"{V1}/tracks/{track}/courses", {"course_ids": ids})
        assert (answer.status_code, answer.json()["code"]) == (409, "order_differs")
        return str(answer.json()["detail"])

    assert f"Missing: Second ({b})." in await refused([a])
    assert f"Not among them: {world.course}." in await refused([a, b, world.course])
    assert "Missing" in await refused([])
    assert await status(admin, "PUT", f"tracks/{track}/courses", {"course_ids": [a, a]}) == (422, "invalid")


async def test_who_sees_some_courses_of_a_track_puts_those_in_order(world: World) -> None:
    """What a teacher does not see keeps its place between the others, and is not told."""
    admin, teacher = world["admin"], world["teacher"]
    project = await made(admin, "projects", name="Data")
    track = await made(admin, "tracks", project_id=project, name="Basics")
    mine = [await made(teacher, "courses", title=f"Mine {n}", track_id=track) for n in (1, 2)]
    hidden = await made(admin, "courses", title="Hidden", track_id=track)
    mine.append(await made(teacher, "courses", title="Mine 3", track_id=track))

    differs = await teacher.put(f"{V1}/tracks/{track}/courses", {"course_ids": [*mine, hidden]})
    assert differs.status_code == 409
    assert "Hidden" not in differs.text
    assert await status(teacher, "PUT", f"tracks/{track}/courses", {"course_ids": mine[::-1]}) == (204, "")
    assert await names(admin, "courses", track_id=track, sort="position") == [
        "Mine 3",
        "Mine 2",
        "Hidden",
        "Mine 1",
    ]


async def test_a_course_stays_in_its_organization(world: World) -> None:
    theirs = await made(world["their_admin"], "projects", name="Data")
    track = await made(world["their_admin"], "tracks", project_id=theirs, name="Basics")
    path, body = f"courses/{world.course}", {"track_id": track}

    assert await status(world["site"], "PATCH", path, body) == (409, "other_organization")
    assert await status(world["teacher"], "PATCH", path, body) == (404, "not_found")
    new = {"title": "New", "organization_id": world.ours, "track_id": track}
    assert await status(world["site"], "POST", "courses", new) == (409, "other_organization")
    placed = await world["site"].post(f"{V1}/courses", {"title": "New", "track_id": track})
    assert placed.json()["organization_id"] == world.theirs


async def test_an_archived_course_is_gone_for_who_learns_and_there_for_who_teaches(world: World) -> None:
    events: list[object] = []
    for kind in (RightsChanged, CourseChanged):
        world.database.bus.subscribe(kind, events.append)
    student, teacher, path = world["student"], world["teacher"], f"courses/{world.course}"

    assert (await teacher.post(f"{V1}/{path}/archive", None)).json()["archived_at"] is not None

    assert events == [RightsChanged(None), CourseChanged(world.course, world.ours)]
    assert await status(student, "GET", path) == (404, "not_found")
    assert await status(student, "GET", f"lessons/{world.lesson}") == (404, "not_found")
    assert await status(teacher, "GET", f"lessons/{world.lesson}") == (200, "")
    assert await names(teacher, "courses") == await names(teacher, "courses/my") == []
    assert await names(teacher, "courses/my", archived=True) == ["Robots"]
    assert await names(student, "courses", archived=True) == []
    lesson = {"title": "New", "path": "new.md", "body": ""}
    assert await status(teacher, "POST", f"{path}/lessons", lesson) == (409, "archived")
    await teacher.post(f"{V1}/{path}/restore", None)
    assert await names(student, "courses/my") == ["Robots"]


async def test_courses_by_what_one_is_in_them(world: World) -> None:
    teacher, student = world["teacher"], world["student"]
    own = await made(teacher, "courses", title="Sensors", published=True)
    await teacher.post(f"{V1}/courses/{own}/enrolments", {"user_id": student.id})

    assert await names(teacher, "courses", role="teaching") == ["Robots", "Sensors"]
    assert await names(teacher, "courses", role="learning") == []
    assert await names(student, "courses/my", role="learning", sort="-title") == ["Sensors", "Robots"]
    assert await names(student, "courses", role="teaching") == []
    assert await names(student, "courses", q="SENS") == ["Sensors"]
    assert await names(world["admin"], "courses", role="teaching") == []
    assert await names(world["admin"], "courses", published=False) == []
    assert await names(student, "courses", sort="-created_at") == ["Sensors", "Robots"]


async def test_an_archived_lesson_is_absent(world: World) -> None:
    events: list[object] = []
    world.database.bus.subscribe(CourseLessonsChanged, events.append)
    student, teacher = world["student"], world["teacher"]
    path = f"lessons/{world.lesson}"

    assert (await teacher.post(f"{V1}/{path}/archive", None)).json()["archived_at"] is not None

    assert events == [CourseLessonsChanged(world.course, world.ours)]
    assert await status(student, "GET", path) == (404, "not_found")
    lessons = f"courses/{world.course}/lessons"
    assert await names(student, lessons) == await names(student, lessons, archived=True) == []
    assert await names(teacher, lessons) == ["Topics"]
    assert await names(teacher, lessons, archived=True) == ["Nodes"]
    counts = {
        name: (await world[name].get(f"{V1}/courses/{world.course}")).json()["lesson_count"]
        for name in ("student", "teacher")
    }
    assert counts == {"student": 0, "teacher": 1}
    await teacher.post(f"{V1}/{path}/restore", None)
    assert await names(student, lessons) == ["Nodes"]


async def test_lessons_are_put_in_order_at_once(world: World) -> None:
    teacher, lessons = world["teacher"], f"courses/{world.course}/lessons"
    third = await made(teacher, lessons, title="Services", path="services.md", body="")
    away = await made(teacher, lessons, title="Away", path="away.md", body="")
    await teacher.post(f"{V1}/lessons/{away}/archive", None)
    order = {"lesson_ids": [third, world.draft, world.lesson]}

    assert await status(world["student"], "PUT", f"{lessons}/order", order) == (403, "forbidden")
    assert await status(teacher, "PUT", f"{lessons}/order", order) == (204, "")

    assert await names(teacher, lessons) == ["Services", "Topics", "Nodes"]
    assert await names(teacher, lessons, published=True) == ["Services", "Nodes"]
    assert await names(teacher, lessons, q="no") == ["Nodes"]
    assert await status(teacher, "PUT", f"{lessons}/order", {"lesson_ids": [away]}) == (409, "order_differs")


async def test_an_archived_organization_is_nobody_s_home(world: World) -> None:
    events: list[object] = []
    world.database.bus.subscribe(RightsChanged, events.append)
    student, path = world["student"], f"organizations/{world.ours}"
    assert (await student.get("/api/auth/me")).json()["role"] == "student"

    await world["site"].post(f"{V1}/{path}/archive", None)

    assert events == [RightsChanged(None)]
    me = (await student.get("/api/auth/me")).json()
    assert (me["organization"], me["role"], me["memberships"]) == (None, None, [])
    for gone in (path, f"courses/{world.course}", f"lessons/{world.lesson}"):
        assert await status(student, "GET", gone) == (404, "not_found")
        assert await status(world["admin"], "GET", gone) == (404, "not_found")
        assert await status(world["site"], "GET", gone) == (200, "")
    assert await names(world["site"], "organizations", archived=True) == ["Ours"]
    switched = await world["site"].post("/api/auth/switch", {"organization_id": world.ours})
    assert (switched.status_code, switched.json()["code"]) == (409, "archived")
    project = {"name": "New", "organization_id": world.ours}
    assert await status(world["site"], "POST", "projects", project) == (409, "archived")
    assert await status(
        world["site"], "POST", "courses", {"title": "New", "organization_id": world.ours}
    ) == (409, "archived")

    await world["site"].post(f"{V1}/{path}/restore", None)

    assert (await student.get("/api/auth/me")).json()["role"] == "student"
    assert await status(student, "GET", f"lessons/{world.lesson}") == (200, "")


async def test_a_new_name_of_an_organization_is_known_at_once(world: World) -> None:
    admin = world["admin"]
    assert (await admin.get("/api/auth/me")).json()["organization"]["name"] == "Ours"
    path = f"organizations/{world.ours}"

    assert await status(admin, "PATCH", path, {"name": "theirs"}) == (409, "organization_name_taken")
    assert await status(admin, "PATCH", path, {"name": "House"}) == (200, "")
    assert (await admin.get("/api/auth/me")).json()["organization"]["name"] == "House"


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("projects", {"name": "x", "id": "prj_1"}, "id"),
        ("projects", {"name": " "}, "name"),
        ("projects", {"name": "x", "description": "x" * 10_001}, "description"),
        ("tracks", {"project_id": "prj_1", "name": "x", "level": "expert"}, "level"),
        ("tracks", {"project_id": "prj_1", "name": "x", "organization_id": "org_1"}, "organization_id"),
        ("tracks", {"name": "x"}, "project_id"),
    ],
)
async def test_what_cannot_be_names_its_field(
    world: World, path: str, body: dict[str, str], field: str
) -> None:
    answer = await world["admin"].post(f"{V1}/{path}", body)

    assert (answer.status_code, [each["path"] for each in answer.json()["fields"]]) == (422, [field])
