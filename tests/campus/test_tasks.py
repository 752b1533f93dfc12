"""Tasks: one's own alone, due at a time or at none, done and not, and found by the words in their titles."""

import pytest

from famulus.campus.schemas.tasks import NewTask, TaskChange
from famulus.campus.tasks import change_task, create_task, find_tasks
from famulus.identity import audit
from famulus.kernel.errors import NotFound
from tests.support.rooms import Person, World

TASKS = "/api/v1/tasks"


async def noted(person: Person, title: str, **more: object) -> str:
    """The id of a new task."""
    answer = await person.post(TASKS, {"title": title, **more})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["id"])


async def titles(person: Person, **params: object) -> list[str]:
    """The tasks of a list, walked two at a time."""
    found: list[str] = []
    after: dict[str, object] = {}
    while True:
        page = (await person.get(TASKS, limit=2, **params, **after)).json()
        found += [item["title"] for item in page["items"]]
        if page["next"] is None:
            return found
        after = {"after": page["next"]}


async def test_a_task_has_the_fields_of_the_contract(world: World) -> None:
    task = (
        await world["student"].post(TASKS, {"title": " Read ", "due_at": "2026-11-20T20:00:00+01:00"})
    ).json()

    assert task == {
        "id": task["id"],
        "title": "Read",
        "description": "",
        "due_at": "2026-11-20T19:00:00Z",
        "done_at": None,
        "archived_at": None,
        "created_at": task["created_at"],
        "updated_at": task["updated_at"],
    }
    assert (await world["student"].get(f"{TASKS}/{task['id']}")).json() == task


async def test_a_task_is_nobody_else_s_whatever_their_role(world: World) -> None:
    path = f"{TASKS}/{await noted(world['student'], 'Secret')}"

    for name in ("site", "admin", "teacher", "idle", "their_admin"):
        other = world[name]
        answers = [
            await other.get(path),
            await other.patch(path, {"done": True}),
            await other.post(f"{path}/archive", None),
            await other.post(f"{path}/restore", None),
            await other.delete(path),
        ]
        assert [answer.status_code for answer in answers] == [404] * 5
        assert await titles(other) == []
    assert await titles(world["student"]) == ["Secret"]


async def test_the_audit_does_not_quote_a_task(world: World) -> None:
    student = world["student"]
    path = f"{TASKS}/{await noted(student, 'Secret', description='Secret too')}"
    await student.patch(path, {"title": "Secret still", "done": True})
    await student.post(f"{path}/archive", None)
    await student.delete(path)

    async with world.database.read() as session:
        entries = list(await session.scalars(audit.entries().order_by("id")))
    ours = [entry for entry in entries if entry.action.startswith("task.")]
    assert [entry.action for entry in ours] == ["task.create", "task.change", "task.archive", "task.remove"]
    assert all(entry.organization_id is None for entry in ours)
    assert not any("Secret" in repr((entry.thing_name, entry.before, entry.after)) for entry in entries)


async def test_what_is_due_at_no_time_comes_last_either_way(world: World) -> None:
    student = world["student"]
    for title, due in (
        ("never", None),
        ("later", "2027-01-01T00:00:00Z"),
        ("never ever", None),
        ("soon", "2026-12-01T00:00:00Z"),
        ("soon too", "2026-12-01T00:00:00Z"),
        ("long ago", "1900-01-01T00:00:01Z"),
    ):
        await noted(student, title, due_at=due)

    assert await titles(student) == ["long ago", "soon", "soon too", "later", "never", "never ever"]
    assert await titles(student, sort="-due_at") == [
        "later",
        "soon too",
        "soon",
        "long ago",
        "never ever",
        "never",
    ]
    assert (await titles(student, sort="created_at"))[0] == "never"
    assert (await titles(student, sort="-created_at"))[0] == "long ago"
    assert await titles(student, due_before="2026-12-01T00:00:00Z") == ["long ago"]
    assert await titles(student, due_after="2026-12-01T00:00:00Z") == ["soon", "soon too", "later"]


async def test_done_says_since_when(world: World) -> None:
    student = world["student"]
    path = f"{TASKS}/{await noted(student, 'Read')}"
    await noted(student, "Write")

    done = (await student.patch(path, {"done": True})).json()
    again = (await student.patch(path, {"done": True})).json()

    assert done["done_at"] is not None
    assert again["done_at"] == done["done_at"]
    assert await titles(student, done=True) == ["Read"]
    assert await titles(student, done=False) == ["Write"]
    assert (await student.patch(path, {"done": False})).json()["done_at"] is None


async def test_a_due_time_can_be_taken_away(world: World) -> None:
    student = world["student"]
    path = f"{TASKS}/{await noted(student, 'Read', due_at='2026-12-01T00:00:00Z')}"
    await noted(student, "Write", due_at="2027-12-01T00:00:00Z")

    assert (await student.patch(path, {"title": "Read on"})).json()["due_at"] is not None
    assert (await student.patch(path, {"due_at": None})).json()["due_at"] is None
    assert await titles(student) == ["Write", "Read on"]


async def test_a_task_is_put_away_and_removed(world: World) -> None:
    student = world["student"]
    path = f"{TASKS}/{await noted(student, 'Read')}"

    assert (await student.post(f"{path}/archive", None)).json()["archived_at"] is not None
    assert await titles(student) == []
    assert await titles(student, archived=True) == ["Read"]
    assert (await student.post(f"{path}/restore", None)).json()["archived_at"] is None
    assert await titles(student) == ["Read"]
    assert (await student.delete(path)).status_code == 204
    assert (await student.get(path)).status_code == 404


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"due_at": "2026-11-20T19:00:00"}, "due_at"),
        ({"due_at": "tomorrow"}, "due_at"),
        ({"due_at": 1_790_000_000}, "due_at"),
        ({"title": None}, "title"),
        ({"done": None}, "done"),
        ({"done_at": "2026-11-20T19:00:00Z"}, "done_at"),
        ({"user_id": "usr_1"}, "user_id"),
    ],
)
async def test_what_cannot_be_names_its_field(world: World, body: dict[str, object], field: str) -> None:
    path = f"{TASKS}/{await noted(world['student'], 'Read')}"

    answer = await world["student"].patch(path, body)

    assert (answer.status_code, [each["path"] for each in answer.json()["fields"]]) == (422, [field])


async def test_a_query_s_time_has_a_zone(world: World) -> None:
    answer = await world["student"].get(TASKS, due_before="2026-11-20T19:00:00")

    assert (answer.status_code, answer.json()["fields"][0]["path"]) == (422, "due_before (query)")


async def test_tasks_are_found_by_the_words_of_their_titles(world: World) -> None:
    student, other = await world.principal("student"), await world.principal("teacher")
    async with world.database.write() as session:
        made = [
            await create_task(session, student, NewTask(title=title))
            for title in ("Read chapter 3", "Chapter 3: EXERCISES", "Über 100% lesen")
        ]
        await create_task(session, other, NewTask(title="Read chapter 3 of somebody else"))
    async with world.database.write() as session:
        await change_task(session, student, made[1].id, TaskChange(done=True))

    async with world.database.read() as session:
        both = await find_tasks(session, student, "3 CHAPTER")
        one = await find_tasks(session, student, "über %")
        none = await find_tasks(session, student, "chapter_3")
        with pytest.raises(NotFound):
            await change_task(session, other, made[0].id, TaskChange(done=True))

    assert [task.title for task in both] == ["Read chapter 3", "Chapter 3: EXERCISES"]
    assert [task.title for task in one] == ["Über 100% lesen"]
    assert none == []
    assert await titles(world["student"], q="CHAPTER exer") == ["Chapter 3: EXERCISES"]
