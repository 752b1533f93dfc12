"""Retrieval through and through: who finds what, how well, and how a citation is opened again."""

import json
import tomllib
from pathlib import Path

import pytest

from famulus.campus import courses, lessons
from famulus.campus.schemas.courses import CourseChange, NewLesson
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.retrieve import Passage, fits, open_passage, search
from famulus.knowledge.store import Owner
from tests.knowledge.papers import write
from tests.support.rooms import SITE, World

COURSE = Path(__file__).parents[2] / "examples" / "robotics-course"


async def found_by(
    world: World, who: str, question: str = "gyroscope", course: str | None = None
) -> list[str]:
    passages = await search(world.database, await world.principal(who), question, course_id=course, limit=20)
    return sorted(passage.title for passage in passages)


@pytest.fixture
async def material(world: World, tmp_path: Path) -> None:
    """A word everywhere: in a lesson and a draft, in files of the course, of the organization and of the others."""
    for name, owner in {
        "course": Owner(world.ours, world.course),
        "general": Owner(world.ours),
        "theirs": Owner(world.theirs, world.their_course),
        "their general": Owner(world.theirs),
    }.items():
        await ingest_path(
            world.database, owner, write(tmp_path / name, {f"{name}.md": f"# {name}\n\nA gyroscope."})
        )
    async with world.database.write() as session:
        for title, published in (("lesson", True), ("draft", False)):
            new = NewLesson(
                title=title, path=f"g-{title}.md", body=f"{title}: gyroscope.", published=published
            )
            await lessons.create_lesson(session, SITE, world.course, new)
    await sync_course_lessons(world.database, world.course)


@pytest.mark.usefixtures("material")
@pytest.mark.parametrize(
    ("who", "everywhere", "in_course"),
    [
        ("student", ["course", "general", "lesson"], ["course", "general", "lesson"]),
        ("teacher", ["course", "draft", "general", "lesson"], ["course", "draft", "general", "lesson"]),
        ("admin", ["course", "draft", "general", "lesson"], ["course", "draft", "general", "lesson"]),
        ("idle", ["general"], None),
        ("stranger", ["their general"], None),
        ("their_admin", ["their general", "theirs"], None),
        ("site", ["course", "draft", "lesson", "theirs"], ["course", "draft", "general", "lesson"]),
    ],
)
async def test_who_finds_what(
    world: World, who: str, everywhere: list[str], in_course: list[str] | None
) -> None:
    assert await found_by(world, who) == everywhere
    if in_course is None:
        with pytest.raises(NotFound):
            await found_by(world, who, course=world.course)
    else:
        assert await found_by(world, who, course=world.course) == in_course


@pytest.mark.usefixtures("material")
async def test_a_search_of_some_sources_and_kinds(world: World) -> None:
    async def titles(who: str, **wanted: str | list[str]) -> list[str]:
        answer = await world[who].get("/api/v1/search", q="gyroscope", limit=20, **wanted)
        return sorted(each["title"] for each in answer.json()["items"])

    listed = (await world["student"].get("/api/v1/sources")).json()["items"]
    sources = {each["name"]: each["id"] for each in listed}
    assert await titles("student", kind="lesson") == ["lesson"]
    assert await titles("teacher", kind=["lesson", "code"]) == ["draft", "lesson"]
    assert await titles("student", kind="document") == ["course", "general"]
    assert await titles("student", source_id=sources["course"]) == ["course"]
    assert await titles("student", source_id=list(sources.values()), kind="document") == ["course", "general"]
    assert await titles("student", kind="operation") == []
    assert (
        await world["stranger"].get("/api/v1/search", q="x", source_id=sources["course"])
    ).status_code == 404
    assert (await world["student"].get("/api/v1/search", q="x", kind="poem")).status_code == 422


@pytest.mark.usefixtures("material")
async def test_an_unpublished_course_is_found_by_its_teachers(world: World) -> None:
    async with world.database.write() as session:
        await courses.change_course(session, SITE, world.course, CourseChange(published=False))

    assert await found_by(world, "student") == ["general"]
    assert await found_by(world, "teacher") == ["course", "draft", "general", "lesson"]


@pytest.mark.usefixtures("material")
async def test_a_citation_is_opened_by_those_who_may_read_it_now(world: World) -> None:
    passages = await search(world.database, await world.principal("teacher"), "gyroscope", limit=20)
    ids = {passage.title: passage.id for passage in passages}

    async def opens(who: str) -> list[str]:
        titles: list[str] = []
        for title, id in ids.items():
            try:
                async with world.database.read() as session:
                    opened = await open_passage(session, await world.principal(who), id)
            except NotFound:
                continue
            assert opened.passage.title == title
            titles.append(title)
        return sorted(titles)

    assert await opens("teacher") == ["course", "draft", "general", "lesson"]
    assert await opens("student") == ["course", "general", "lesson"]
    assert await opens("idle") == ["general"]
    assert await opens("stranger") == []
    async with world.database.write() as session:
        await courses.change_course(session, SITE, world.course, CourseChange(published=False))
    assert await opens("student") == ["general"]


async def test_an_opened_passage_has_its_neighbours(world: World, owner: Owner, tmp_path: Path) -> None:
    names = ("Wheels", "Axles", "Motors")
    texts = [f"{name}: " + f"All of {name} goes on. " * 30 for name in names]
    body = "\n\n".join(f"## {name}\n\n{text}" for name, text in zip(names, texts, strict=True))
    await ingest_path(world.database, owner, write(tmp_path / "x", {"a.md": body}))
    principal = await world.principal("student")
    (passage, *_) = await search(world.database, principal, "axles", limit=1)

    async with world.database.read() as session:
        opened = await open_passage(session, principal, passage.id)

    assert opened.passage.heading_path == ("Axles",)
    assert opened.before == texts[0].strip()
    assert opened.after == texts[2].strip()
    assert opened.passage.url == f"/passages/{passage.id}#axles"


async def test_nothing_is_found_for_nothing(world: World) -> None:
    await sync_course_lessons(world.database, world.course)
    principal = await world.principal("student")

    for question in ("", "   ", "🤖", "sourdough", "?!"):
        assert await search(world.database, principal, question) == []


async def test_quotes_are_slices_and_at_most_three_of_a_document(
    world: World, owner: Owner, tmp_path: Path
) -> None:
    parts = "\n\n".join(f"## Wheel {n}\n\n" + f"Wheel number {n} has axle {n * 3}. " * 20 for n in range(9))
    await ingest_path(world.database, owner, write(tmp_path / "x", {"a.md": parts, "b.md": "A wheel."}))

    found = await search(world.database, await world.principal("student"), "wheel axle", limit=10)

    assert sorted(passage.title for passage in found) == ["a", "a", "a", "b"]
    for passage in found:
        assert passage.quote in passage.text
        assert 0 < len(passage.quote) <= 300
        assert 0 <= passage.score <= 1


async def load_course(database: Database, course_id: str) -> dict[str, str]:
    """The demo course's lessons into a course; their ids by file."""
    plan = tomllib.loads((COURSE / "course.toml").read_text(encoding="utf-8"))
    ids: dict[str, str] = {}
    async with database.write() as session:
        for entry in plan["lesson"]:
            new = NewLesson(
                title=entry["title"],
                path=entry["file"],
                body=(COURSE / entry["file"]).read_text(encoding="utf-8"),
                published=entry["published"],
            )
            ids[entry["file"]] = (await lessons.create_lesson(session, SITE, course_id, new)).id
    await sync_course_lessons(database, course_id)
    return ids


async def test_the_demo_course_answers_its_questions_and_no_others(world: World) -> None:
    ids = await load_course(world.database, world.course)
    principal = await world.principal("student")
    hits: list[bool] = []
    fitting: list[bool] = []
    refused: list[bool] = []
    for line in (COURSE / "questions.jsonl").read_text(encoding="utf-8").splitlines():
        asked = json.loads(line)
        found: list[Passage] = await search(
            world.database, principal, asked["question"], course_id=world.course
        )
        if asked["lesson"] is None:
            refused.append(not any(fits(passage) for passage in found))
        else:
            hits.append(ids[asked["lesson"]] in {passage.lesson_id for passage in found})
            fitting.append(any(fits(passage) for passage in found))

    assert sum(hits) >= 0.95 * len(hits)
    assert sum(fitting) >= 0.95 * len(fitting)
    assert sum(refused) >= 0.9 * len(refused)
