"""Quizzes: drafted for those who teach the course, reviewed by them, and seen by nobody else."""

from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import event

from famulus.campus import quizzes
from famulus.campus.archive import Archived
from famulus.campus.courses import archive_course
from famulus.campus.schemas.quizzes import NewQuiz, QuizChange
from famulus.doors.rest import CAMPUS
from famulus.identity import audit
from famulus.identity.principal import NeedsPerson
from famulus.kernel.database import Database
from famulus.kernel.errors import Forbidden, NotFound
from famulus.kernel.http import BY_A_TOOL
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.retrieve import search
from famulus.knowledge.routes import router as knowledge
from tests.support.quizzes import questions
from tests.support.rooms import SITE, World, build_world, serving


@pytest.fixture
async def world(database: Database) -> AsyncIterator[World]:
    """Two tenants and their people, behind the routes of the campus and of what is known."""
    async with serving(database, *CAMPUS, knowledge) as client:
        yield await build_world(database, client)


async def drafted(world: World, course: str | None = None, **fields: Any) -> str:
    """The id of a quiz with a question of each kind."""
    new = NewQuiz.model_validate({"title": "Nodes", "questions": questions(), **fields})
    async with world.database.write() as session:
        return (await quizzes.create_quiz(session, SITE, course or world.course, new)).id


async def passage(world: World) -> str:
    """The passage that says what a node does."""
    await sync_course_lessons(world.database, world.course)
    principal = await world.principal("teacher")
    [found] = await search(world.database, principal, "What computes?", course_id=world.course)
    return found.id


async def test_a_quiz_has_the_fields_of_the_contract(world: World) -> None:
    id = await drafted(world, lesson_id=world.lesson)

    quiz = (await world["teacher"].get(f"/api/v1/quizzes/{id}")).json()
    listed = (await world["teacher"].get(f"/api/v1/courses/{world.course}/quizzes")).json()

    assert {name: value for name, value in quiz.items() if name != "questions"} == {
        "id": id,
        "course_id": world.course,
        "lesson_id": world.lesson,
        "title": "Nodes",
        "status": "draft",
        "question_count": 5,
        "archived_at": None,
        "created_at": quiz["created_at"],
        "updated_at": quiz["updated_at"],
    }
    assert quiz["questions"][2] == {
        "kind": "true_false",
        "prompt": "A node computes.",
        "options": None,
        "answer": True,
        "answers": None,
        "pairs": None,
        "explanation": "",
        "passage_id": None,
        "quote": None,
    }
    assert listed == {"items": [{name: quiz[name] for name in quiz if name != "questions"}], "next": None}


@pytest.mark.parametrize(
    ("who", "status"),
    [("site", 200), ("admin", 200), ("teacher", 200), ("student", 404), ("idle", 404), ("stranger", 404)],
)
async def test_only_those_who_teach_find_a_quiz(world: World, who: str, status: int) -> None:
    path = f"/api/v1/quizzes/{await drafted(world)}"
    person = world[who]

    answers = [
        await person.get(path),
        await person.patch(path, {"title": "New"}),
        await person.patch(path, {"questions": questions()}),
        await person.patch(path, {"status": "approved"}),
        await person.post(f"{path}/archive", None),
        await person.post(f"{path}/restore", None),
    ]
    listed = await person.get(f"/api/v1/courses/{world.course}/quizzes")

    assert [answer.status_code for answer in answers] == [status] * 6
    assert listed.status_code == {200: 200, 404: 403 if who == "student" else 404}[status]


async def test_a_quiz_is_reviewed(world: World) -> None:
    id, teacher = await drafted(world), world["teacher"]
    path = f"/api/v1/quizzes/{id}"

    changed = await teacher.patch(
        path, {"title": "All of nodes", "questions": questions()[:2], "status": "approved"}
    )
    assert changed.status_code == 200, changed.text
    assert (changed.json()["status"], changed.json()["question_count"]) == ("approved", 2)
    assert (await teacher.get(path)).json() == changed.json()
    assert (await teacher.patch(path, {"status": "discarded"})).json()["status"] == "discarded"
    assert (await teacher.patch(path, {"status": "published"})).status_code == 422

    async with world.database.read() as session:
        entries = list(
            await session.scalars(audit.entries().where(audit.Entry.thing_id == id).order_by("id"))
        )
    assert [entry.action for entry in entries] == ["quiz.create", "quiz.change", "quiz.change"]
    assert all(entry.organization_id == world.ours for entry in entries)
    assert entries[1].before is not None
    assert entries[1].before["status"] == "draft"
    assert entries[1].before["questions"].endswith("characters)")
    assert entries[2].after == {"status": "discarded"}


async def test_what_changes_nothing_is_not_written_down(world: World) -> None:
    id = await drafted(world)
    path, teacher = f"/api/v1/quizzes/{id}", world["teacher"]
    before = (await teacher.get(path)).json()

    same = await teacher.patch(path, {"title": "Nodes", "questions": questions(), "status": "draft"})

    assert same.json() == before
    async with world.database.read() as session:
        entries = list(await session.scalars(audit.entries().where(audit.Entry.thing_id == id)))
    assert [entry.action for entry in entries] == ["quiz.create"]


async def test_neither_a_program_nor_a_tool_approves(world: World) -> None:
    id = await drafted(world)
    key = replace(await world.principal("teacher"), scopes=frozenset({"read", "write"}))

    async with world.database.write() as session:
        await quizzes.change_quiz(session, key, id, QuizChange(title="By a program"))
        with pytest.raises(NeedsPerson):
            await quizzes.change_quiz(session, key, id, QuizChange(status="approved"))
    headers = {"Authorization": f"Bearer {world['teacher'].token}", BY_A_TOOL: "1"}
    for change, status in (({"title": "By a tool"}, 200), ({"status": "approved"}, 403)):
        answer = await world.client.patch(f"/api/v1/quizzes/{id}", json=change, headers=headers)
        assert answer.status_code == status
    assert (await world["teacher"].get(f"/api/v1/quizzes/{id}")).json()["status"] == "draft"


async def test_a_quiz_is_archived_and_restored(world: World) -> None:
    id, teacher = await drafted(world), world["teacher"]
    path, place = f"/api/v1/quizzes/{id}", f"/api/v1/courses/{world.course}/quizzes"

    assert (await teacher.post(f"{path}/archive", None)).json()["archived_at"] is not None
    assert (await teacher.get(place)).json()["items"] == []
    assert [each["id"] for each in (await teacher.get(place, archived="true")).json()["items"]] == [id]
    assert (await teacher.post(f"{path}/restore", None)).json()["archived_at"] is None
    assert [each["id"] for each in (await teacher.get(place)).json()["items"]] == [id]


async def test_nothing_is_drafted_where_it_does_not_belong(world: World) -> None:
    lesson = await lesson_of(world, world.their_course)
    student, teacher = await world.principal("student"), await world.principal("teacher")
    async with world.database.write() as session:
        new = NewQuiz.model_validate({"title": "Nodes", "lesson_id": lesson, "questions": questions()})
        with pytest.raises(NotFound, match="in the course"):
            await quizzes.create_quiz(session, SITE, world.course, new)
        plain = new.model_copy(update={"lesson_id": None})
        with pytest.raises(Forbidden, match="teacher in this course"):
            await quizzes.create_quiz(session, student, world.course, plain)
        with pytest.raises(NotFound):
            await quizzes.create_quiz(session, teacher, world.their_course, plain)
        await archive_course(session, SITE, world.course)
        with pytest.raises(Archived):
            await quizzes.create_quiz(session, SITE, world.course, plain)


async def test_sources_are_looked_up(world: World) -> None:
    id, known, teacher = await drafted(world), await passage(world), world["teacher"]
    path = f"/api/v1/quizzes/{id}"

    async def sent(**source: str) -> Any:
        answer = await teacher.patch(path, {"questions": [questions()[0], {**questions()[1], **source}]})
        return answer.status_code, [field["path"] for field in answer.json().get("fields", ())]

    assert await sent(passage_id="chk_none") == (404, ["questions.1.passage_id"])
    assert await sent(passage_id=known, quote="A node sleeps.") == (422, ["questions.1.quote"])
    assert await sent(quote="A node computes.") == (422, ["questions.1.quote"])
    assert await sent(passage_id=known, quote="A node\n  computes.") == (200, [])


async def test_a_source_that_is_gone_does_not_stop_the_review(world: World) -> None:
    """A passage goes with the text that it was cut from."""
    id, known, teacher = await drafted(world), await passage(world), world["teacher"]
    path = f"/api/v1/quizzes/{id}"
    sent = {"questions": questions(known, "A node computes.")}
    assert (await teacher.patch(path, sent)).status_code == 200
    await teacher.patch(f"/api/v1/lessons/{world.lesson}", {"body": "# Nodes\n\nA node reckons."})
    await sync_course_lessons(world.database, world.course)

    sent["questions"][0]["prompt"] = "What did a node do?"
    again = await teacher.patch(path, sent)

    assert again.status_code == 200, again.text
    assert again.json()["questions"][0]["quote"] == "A node computes."


async def test_a_list_is_walked_and_narrowed_down(world: World) -> None:
    ids = [await drafted(world, title=f"Quiz {n}") for n in range(5)]
    teacher, place = world["teacher"], f"/api/v1/courses/{world.course}/quizzes"
    await teacher.patch(f"/api/v1/quizzes/{ids[1]}", {"status": "approved"})

    found: list[str] = []
    after: dict[str, object] = {}
    while True:
        page = (await teacher.get(place, limit=2, **after)).json()
        found += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert found == ids[::-1]
    approved = (await teacher.get(place, status="approved")).json()["items"]
    assert [item["title"] for item in approved] == ["Quiz 1"]


async def test_a_list_does_without_the_questions(world: World) -> None:
    await drafted(world)
    asked: list[str] = []
    event.listen(
        world.database.engine.sync_engine,
        "before_cursor_execute",
        lambda _connection, _cursor, statement, *_: asked.append(statement),
    )
    await world["teacher"].get(f"/api/v1/courses/{world.course}/quizzes")

    assert [statement for statement in asked if "quizzes.question_count" in statement]
    assert not [statement for statement in asked if "quizzes.questions" in statement]


async def lesson_of(world: World, course: str) -> str:
    """The id of a lesson of some course."""
    new = {"title": "Walls", "path": "walls.md", "body": "A wall."}
    return str((await world["site"].post(f"/api/v1/courses/{course}/lessons", new)).json()["id"])
