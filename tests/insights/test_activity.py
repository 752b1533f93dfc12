"""Activity: what one did oneself, and the little of it that an organization's admins are told."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from famulus.campus.models import Task
from famulus.kernel.ids import moment, new_id, time_of
from famulus.kernel.tables import utc_now
from tests.insights.past import TODAY, Turn, had
from tests.support.counting import counting
from tests.support.rooms import World


async def done(world: World, who: str, *titles: str) -> None:
    """Tasks that somebody has finished, all at one moment."""
    now = utc_now()
    rows = [
        Task(
            id=f"tsk_{moment(now)}{n:016d}", user_id=world[who].id, title=title, due_at=None, done_at=now,
            created_at=now, updated_at=now,
        )
        for n, title in enumerate(titles)
    ]  # fmt: skip
    async with world.database.write() as session:
        session.add_all(rows)


async def read(world: World, who: str, path: str, limit: int = 100) -> list[dict]:
    """A list, page by page."""
    found, after = [], {}
    while True:
        page = (await world[who].get(path, limit=limit, **after)).json()
        found += page["items"]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def eventful(world: World) -> None:
    await had(world, Turn(world["teacher"].id, TODAY - timedelta(days=2), world.course))
    await had(world, Turn(world["teacher"].id, TODAY - timedelta(days=1), None))
    await world["teacher"].patch(f"/api/v1/courses/{world.course}", {"title": "Robots II"})
    await done(world, "teacher", "Grade", "Prepare", "Rest")
    await world["teacher"].patch(f"/api/v1/courses/{world.course}", {"description": "More."})


async def test_one_s_own_newest_first(world: World) -> None:
    await eventful(world)
    found = await read(world, "teacher", "/api/v1/activity")

    assert [(one["kind"], one["title"]) for one in found] == [
        ("change", "Robots II"),
        *[("task", title) for title in ("Rest", "Prepare", "Grade")],
        ("change", "Robots II"),
        ("question", "Secret words"),
        ("question", "Secret words"),
    ]
    assert [one["action"] for one in found if one["kind"] == "change"] == ["course.change"] * 2
    assert [one["course_id"] for one in found if one["kind"] == "question"] == [None, world.course]


async def test_pages_of_any_size_are_the_whole(world: World) -> None:
    await eventful(world)
    whole = await read(world, "teacher", "/api/v1/activity")

    for limit in (1, 2, 3, 4):
        assert await read(world, "teacher", "/api/v1/activity", limit) == whole


async def test_nobody_is_shown_what_others_did(world: World) -> None:
    await eventful(world)

    assert await read(world, "student", "/api/v1/activity") == []


async def test_what_admins_are_told_of_a_member(world: World) -> None:
    await eventful(world)
    path = f"/api/v1/organizations/{world.ours}/members/{world['teacher'].id}/activity"
    found = await read(world, "admin", path, 1)

    assert [(one["kind"], one["title"], one["thing_id"]) for one in found] == [
        ("change", "Robots II", world.course),
        ("change", "Robots II", world.course),
        ("question", None, None),
        ("question", None, None),
    ]
    assert [one["course_id"] for one in found[2:]] == [None, world.course]


async def test_what_a_member_does_elsewhere_is_not_told(world: World) -> None:
    members = f"/api/v1/organizations/{world.theirs}/members"
    await world["their_admin"].post(members, {"email": "teacher@famulus.local"})
    await eventful(world)

    assert await read(world, "their_admin", f"{members}/{world['teacher'].id}/activity") == []


async def test_who_may(world: World) -> None:
    path = f"/api/v1/organizations/{world.ours}/members/{world['student'].id}/activity"
    statuses = {who: (await world[who].get(path)).status_code for who in world.people}
    stranger = path.replace(world["student"].id, world["stranger"].id)

    assert statuses == {
        "site": 200,
        "admin": 200,
        "teacher": 403,
        "student": 403,
        "idle": 403,
        "stranger": 404,
        "their_admin": 404,
    }
    assert (await world["admin"].get(stranger)).status_code == 404
    assert (await world.client.get("/api/v1/activity")).status_code == 401


async def test_a_made_up_place_is_refused(world: World) -> None:
    for after in ("x", "WyJ4Il0", "WyJ6enp6enp6enp6enp6enp6enp6enp6enp6eiJd", "WzFd"):
        answer = await world["teacher"].get("/api/v1/activity", after=after)
        assert (answer.status_code, answer.json()["code"]) == (400, "bad_cursor"), after


async def test_the_same_statements_however_much_there_is(world: World) -> None:
    await eventful(world)
    await read(world, "teacher", "/api/v1/activity")

    async def cost(limit: int) -> int:
        with counting(world.database) as count:
            await world["teacher"].get("/api/v1/activity", limit=limit)
        return count.statements

    assert await cost(1) == await cost(100)


async def test_the_moment_of_an_id_is_the_time_it_was_made(world: World) -> None:
    before = datetime.now(UTC)
    made = new_id("aud")

    assert abs(time_of(made[4:14]) - before) < timedelta(seconds=1)
    assert moment(time_of(made[4:14])) == made[4:14]
    assert moment(before - timedelta(milliseconds=2)) < made[4:]
    async with world.database.read() as session:
        assert (await session.execute(text("SELECT 1"))).scalar_one() == 1
