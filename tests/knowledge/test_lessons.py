"""The lessons of a course as a source: what the campus says now can be found, and nothing else."""

import asyncio

import pytest
from sqlalchemy import text

from famulus.campus import lessons
from famulus.campus.schemas.courses import LessonChange, NewLesson
from famulus.kernel.errors import NotFound
from famulus.knowledge.ingest import Report
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.retrieve import Passage, open_passage, search
from tests.support.rooms import SITE, World


async def sync(world: World) -> tuple[int, int, int, int]:
    report: Report = await sync_course_lessons(world.database, world.course)
    return report.added, report.changed, report.unchanged, report.removed


async def finds(world: World, question: str, who: str = "student") -> list[Passage]:
    return await search(
        world.database, await world.principal(who), question, course_id=world.course, limit=20
    )


async def change(world: World, lesson_id: str, **fields: object) -> None:
    async with world.database.write() as session:
        await lessons.change_lesson(session, SITE, lesson_id, LessonChange.model_validate(fields))


async def add(world: World, title: str, body: str, path: str) -> str:
    async with world.database.write() as session:
        new = NewLesson(title=title, body=body, path=path, published=True)
        return (await lessons.create_lesson(session, SITE, world.course, new)).id


async def test_lessons_are_found_with_a_way_to_them(world: World) -> None:
    assert await sync(world) == (2, 0, 0, 0)

    (passage,) = await finds(world, "What computes?")

    assert passage.title == "Nodes"
    assert passage.lesson_id == world.lesson
    assert passage.url == f"/courses/{world.course}/lessons/{world.lesson}#nodes"
    assert passage.quote == "A node computes."


async def test_a_draft_is_found_by_those_who_teach(world: World) -> None:
    await sync(world)

    assert await finds(world, "topics soon") == []
    assert [passage.title for passage in await finds(world, "topics soon", "teacher")] == ["Topics"]
    assert [passage.title for passage in await finds(world, "topics soon", "admin")] == ["Topics"]


async def test_publication_is_followed_though_the_text_stays(world: World) -> None:
    await sync(world)
    await change(world, world.draft, published=True)
    await change(world, world.lesson, published=False)

    assert await sync(world) == (0, 0, 2, 0)

    assert [passage.title for passage in await finds(world, "topics soon computes")] == ["Topics"]


async def test_a_changed_lesson_is_the_same_document(world: World) -> None:
    await sync(world)
    (before,) = await finds(world, "computes")
    await change(world, world.lesson, body="# Nodes\n\nA node reckons.", title="Nodes and more")

    assert await sync(world) == (0, 1, 1, 0)

    (after,) = await finds(world, "reckons")
    assert after.title == "Nodes and more"
    assert (after.document_id, after.id) == (before.document_id, after.id)
    assert await finds(world, "computes") == []


async def test_an_archived_lesson_is_found_by_nobody_until_it_is_restored(world: World) -> None:
    await sync(world)
    (passage,) = await finds(world, "computes", "teacher")

    async def put_away(away: bool) -> tuple[int, int, int, int]:
        async with world.database.write() as session:
            await lessons.archive_lesson(session, SITE, world.lesson, away=away)
        return await sync(world)

    assert await put_away(True) == (0, 0, 1, 1)
    assert await finds(world, "computes", "teacher") == []
    async with world.database.read() as session:
        with pytest.raises(NotFound):
            await open_passage(session, await world.principal("teacher"), passage.id)
    assert await put_away(False) == (1, 0, 1, 0)
    assert [found.title for found in await finds(world, "computes")] == ["Nodes"]


async def test_a_deleted_lesson_is_gone_at_once(world: World) -> None:
    await sync(world)
    async with world.database.write() as session:
        await lessons.delete_lesson(session, SITE, world.lesson)
    assert await finds(world, "computes") == []

    await sync(world)

    async with world.database.read() as session:
        row = (await session.execute(text("SELECT documents, chunks FROM sources"))).one()
    assert tuple(row) == (1, 1)


async def test_lessons_may_swap_their_paths(world: World) -> None:
    first = await add(world, "First", "Round one.", "1.md")
    second = await add(world, "Second", "Round two.", "2.md")
    await sync(world)
    await change(world, first, path="3.md")
    await change(world, second, path="1.md")
    await change(world, first, path="2.md")

    await sync(world)

    found = {passage.title: passage.lesson_id for passage in await finds(world, "round")}
    assert found == {"First": first, "Second": second}


async def test_a_lesson_without_text_is_found_by_its_title(world: World) -> None:
    lesson = await add(world, "Gyroscopes", "", "g.md")
    await sync(world)

    assert [passage.lesson_id for passage in await finds(world, "gyroscope")] == [lesson]


async def test_a_course_without_lessons_and_a_course_that_is_none(world: World) -> None:
    report = await sync_course_lessons(world.database, world.their_course)
    assert (report.source_id, report.added) == (None, 0)
    assert (await sync_course_lessons(world.database, "crs_nowhere")).source_id is None


@pytest.mark.parametrize("at_once", [2, 5])
async def test_several_at_once_agree_with_the_campus_in_the_end(world: World, at_once: int) -> None:
    ids = [await add(world, f"Lesson {n}", f"Round {n}.", f"{n}.md") for n in range(12)]

    async def edit() -> None:
        for n, id in enumerate(ids):
            await change(world, id, body=f"Square {n}.")
            if n % 4 == 0:
                await asyncio.sleep(0.01)

    outcomes = await asyncio.gather(
        edit(),
        *(sync_course_lessons(world.database, world.course) for _ in range(at_once)),
        return_exceptions=True,
    )
    assert [type(outcome).__name__ for outcome in outcomes if outcome is not None][:1] in (
        ["Report"],
        ["LessonsMoving"],
    )
    await sync(world)

    assert len({passage.lesson_id for passage in await finds(world, "square")}) == 12
    assert await finds(world, "round") == []
    assert await sync(world) == (0, 0, 14, 0)
