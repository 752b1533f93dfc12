"""The graph stage through and through: chains of names, how they are told, and that nobody is led out of reach."""

import random
from collections.abc import Sequence
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from famulus.campus import lessons
from famulus.campus.models import Course
from famulus.campus.schemas.courses import LessonChange, NewLesson
from famulus.kernel.database import Database
from famulus.knowledge.graph import STARTS, Start, lead
from famulus.knowledge.index import Scope, scope_word
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.mentions import filed_under, places
from famulus.knowledge.models import Chunk, Mention
from famulus.knowledge.names import key_of, number_of
from famulus.knowledge.retrieve import Passage, Retriever, fits, search
from famulus.knowledge.sources import delete_source
from famulus.knowledge.store import Owner
from tests.knowledge.papers import write
from tests.support.rooms import SITE, World

CHAIN = {
    "pump.md": "# The greenhouse pump\n\nThe pump that waters the greenhouse was drawn by Ada Lowe.",
    "ada.md": "# Ada Lowe\n\nAn engineer, who grew up in a house beside the sea in Port Ellery.",
    "port.md": "# Port Ellery\n\nA town in the north with two thousand people and a lighthouse.",
    "sensor.md": "# The sensor\n\nIt tells how moist the soil of the greenhouse is.",
    "links.md": "# The reading list\n\nThe watering plan is explained in [the next part](plans/timing.md).",
    "plans/timing.md": "# Seconds and minutes\n\nEvery bed gets ninety seconds.",
    "small.md": "# The greenhouse roof\n\nIt is opened when dew point control says so.",
    "dew.md": "# Dew Point Control\n\nCold glass collects droplets.",
}
QUESTION = "Where did the engineer of the Greenhouse Pump grow up?"


async def ask(world: World, question: str, who: str = "student", limit: int = 8) -> list[Passage]:
    return await search(world.database, await world.principal(who), question, limit=limit)


def at(found: Sequence[Passage], title: str) -> Passage:
    return next(passage for passage in found if passage.title == title)


@pytest.fixture
async def chain(world: World, tmp_path: Path, owner: Owner) -> str:
    report = await ingest_path(world.database, owner, write(tmp_path / "chain", CHAIN))
    assert report.source_id is not None
    return report.source_id


@pytest.mark.usefixtures("chain")
async def test_a_passage_without_a_word_of_the_question_is_led_to(world: World) -> None:
    found = await ask(world, "How many people live where the one who drew the Greenhouse Pump grew up?")

    titles = [passage.title for passage in found]
    assert titles[0] == "The greenhouse pump"
    assert {"Ada Lowe", "Port Ellery"} <= set(titles[:4])


@pytest.mark.usefixtures("chain")
async def test_what_was_found_far_down_leads_on_once_the_walk_has_lifted_it(
    world: World, owner: Owner, tmp_path: Path
) -> None:
    fillers = {f"f{n}.md": f"# Filler {n}\n\nNothing of interest, number {n}." for n in range(STARTS)}
    await ingest_path(world.database, owner, write(tmp_path / "fillers", fillers))
    async with world.database.read() as session:
        rows = await session.execute(select(Chunk.title, Chunk.number, Chunk.text))
        found = {row[0]: row for row in rows}
        titles = ["The greenhouse pump", *(f"Filler {n}" for n in range(STARTS)), "Ada Lowe"]
        starts = [Start(found[title][1], 1 - n / 20, -n, found[title][2]) for n, title in enumerate(titles)]
        led = await lead(session, QUESTION, starts, Scope(((world.course, True),)), most=20)

    assert led is not None
    assert found["Port Ellery"][1] in [number for number, _ in led.ranking]


@pytest.mark.usefixtures("chain")
async def test_the_way_is_told(world: World) -> None:
    found = await ask(world, "Who drew the Greenhouse Pump?")

    ada = at(found, "Ada Lowe")
    assert [(step.title, step.name) for step in ada.path] == [("The greenhouse pump", "Ada Lowe")]
    assert ada.path[0].passage_id == at(found, "The greenhouse pump").id
    assert ada.coverage == 0
    assert fits(ada)
    assert at(found, "The greenhouse pump").path == ()


@pytest.mark.usefixtures("chain")
async def test_it_leads_to_what_is_wanted_alone(world: World, tmp_path: Path, owner: Owner) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "code", {"ada.py": "# Ada Lowe\nlens = 1\n"}))
    principal, asked = await world.principal("student"), "Who drew the Greenhouse Pump? Ada Lowe?"

    code = await Retriever(world.database).search(principal, asked, kinds=("code",))
    documents = await Retriever(world.database).search(principal, asked, kinds=("document",))

    assert {passage.title.partition(":")[0] for passage in code.passages} == {"ada.py"}
    assert {"The greenhouse pump", "Ada Lowe"} <= {passage.title for passage in documents.passages}


@pytest.mark.usefixtures("chain")
async def test_a_link_leads_to_its_document(world: World) -> None:
    found = await ask(world, "What does the Reading List say of the watering plan?")

    assert [step.title for step in at(found, "Seconds and minutes").path] == ["The reading list"]


@pytest.mark.usefixtures("chain")
async def test_what_the_material_is_about_is_known_in_small_letters(world: World) -> None:
    found = await ask(world, "When is the Greenhouse Roof opened?")

    assert [step.title for step in at(found, "Dew Point Control").path] == ["The greenhouse roof"]


@pytest.mark.usefixtures("chain")
async def test_a_question_that_names_nothing_is_not_led_anywhere(world: World) -> None:
    found = await ask(world, "what is drawn?")

    assert [passage.title for passage in found] == ["The greenhouse pump"]


async def test_what_is_removed_leaves_no_name_behind(world: World, chain: str) -> None:
    await delete_source(world.database, await world.principal("teacher"), chain)

    async with world.database.read() as session:
        assert (await session.execute(select(Mention).limit(1))).first() is None


async def test_a_name_follows_its_lesson_in_and_out_of_publication(world: World) -> None:
    async with world.database.write() as session:
        for title, body in (("Tower", "The Tower was built by Tom Reed."), ("Tom Reed", "A mason.")):
            new = NewLesson(title=title, path=f"{title[:5]}.md", body=body, published=title == "Tower")
            made = await lessons.create_lesson(session, SITE, world.course, new)
    await sync_course_lessons(world.database, world.course)
    assert [passage.title for passage in await ask(world, "Who built the Tower?")] == ["Tower"]
    assert "Tom Reed" in [passage.title for passage in await ask(world, "Who built the Tower?", "teacher")]

    async with world.database.write() as session:
        await lessons.change_lesson(session, SITE, made.id, LessonChange(published=True))
    await sync_course_lessons(world.database, world.course)
    assert "Tom Reed" in [passage.title for passage in await ask(world, "Who built the Tower?")]


async def test_nobody_is_led_into_what_is_not_theirs(world: World, tmp_path: Path, owner: Owner) -> None:
    ours = {"pump.md": CHAIN["pump.md"]}
    theirs = {"ada.md": CHAIN["ada.md"], "port.md": CHAIN["port.md"], "pump.md": CHAIN["pump.md"]}
    await ingest_path(world.database, owner, write(tmp_path / "ours", ours))
    before = await ask(world, QUESTION)
    await ingest_path(
        world.database, Owner(world.theirs, world.their_course), write(tmp_path / "theirs", theirs)
    )

    after = await ask(world, QUESTION)
    assert [(passage.id, passage.score) for passage in after] == [
        (passage.id, passage.score) for passage in before
    ]
    assert len(await ask(world, QUESTION, "their_admin")) == 3


NAMES = [number_of(key_of(f"Name {n}")) for n in range(120)]
SCOPES = [scope_word("org_1", f"crs_{n}", published=bool(n % 3)) for n in range(40)]


@pytest.fixture
async def crowd(database: Database, world: World, tmp_path: Path) -> dict[int, str]:
    """1,000 chunks strewn over scopes at random, each with names at random; their scopes by number."""
    chosen = random.Random(7)
    await ingest_path(database, Owner(world.ours), write(tmp_path / "one", {"a.md": "# One\n\nLines."}))
    async with database.write() as session:
        document_id = await session.scalar(text("SELECT id FROM documents"))
        scopes = {number: chosen.choice(SCOPES) for number in range(1_000, 2_000)}
        columns: dict[str, object] = {
            "heading_path": [],
            "title": "One",
            "anchor": "",
            "page": None,
            "parts": "",
        }
        chunks = [
            {
                "number": n,
                "id": f"chk_{n}",
                "document_id": document_id,
                "ordinal": n,
                "scope": word,
                **columns,
            }
            for n, word in scopes.items()
        ]
        await session.execute(insert(Chunk.__table__), [{**row, "text": "Name 1 Name 2"} for row in chunks])  # pyright: ignore[reportArgumentType]
        mentions = [
            {"scope": filed_under(word), "name": name, "passing": chosen.random() < 0.8, "chunk": n}
            for n, word in scopes.items()
            for name in chosen.sample(NAMES, 6)
        ]
        await session.execute(insert(Mention.__table__), mentions)  # pyright: ignore[reportArgumentType]
    return scopes


def reach(chosen: random.Random) -> Scope:
    courses = chosen.sample(range(40), chosen.randint(1, 12))
    return Scope(tuple((f"crs_{n}", chosen.random() < 0.5) for n in courses), "org_1")


async def test_a_hundred_thousand_looks_at_random_see_nothing_out_of_reach(
    database: Database, crowd: dict[int, str]
) -> None:
    chosen = random.Random(11)
    looks = seen = 0
    async with database.read() as session:
        while looks < 100_000:
            scope = reach(chosen)
            found = await places(session, NAMES, scope.words)
            assert all(crowd[place.passage] in scope.words for those in found.values() for place in those)
            looks += len(NAMES) * len(scope.words)
            seen += sum(map(len, found.values()))
    assert seen > 10_000, "and they do see something"


async def test_walks_at_random_never_leave_what_is_in_reach(
    database: Database, crowd: dict[int, str]
) -> None:
    chosen = random.Random(13)
    led_on = 0
    async with database.read() as session:
        for _ in range(40):
            scope = reach(chosen)
            within = [number for number, word in crowd.items() if word in scope.words]
            starts = [
                Start(number, score := chosen.random(), 20 * score, "Name 3")
                for number in chosen.sample(within, min(10, len(within)))
            ]
            question = " or ".join(f"Name {chosen.randrange(120)}" for _ in range(3))
            led = await lead(session, question, starts, scope, most=50)
            for number, _ in led.ranking if led else []:
                assert crowd[number] in scope.words
                led_on += number not in {start.number for start in starts}
    assert led_on > 100


@pytest.mark.usefixtures("chain")
async def test_the_neighbourhood_of_a_name(world: World) -> None:
    answer = await world["student"].get("/api/v1/graph", entity="ada lowe")

    about, passing = answer.json()["items"]
    assert (about["title"], about["about"]) == ("Ada Lowe", True)
    assert "Port Ellery" in about["names"]
    assert (passing["title"], passing["about"]) == ("The greenhouse pump", False)
    assert answer.json()["next"] is None


@pytest.mark.usefixtures("chain")
async def test_a_neighbourhood_by_pages_within_what_one_may_read(world: World) -> None:
    first = (await world["student"].get("/api/v1/graph", entity="Ada Lowe", limit=1)).json()
    second = (
        await world["student"].get("/api/v1/graph", entity="Ada Lowe", limit=1, after=first["next"])
    ).json()

    assert [page["items"][0]["title"] for page in (first, second)] == ["Ada Lowe", "The greenhouse pump"]
    assert second["next"] is None
    assert (await world["stranger"].get("/api/v1/graph", entity="Ada Lowe")).json()["items"] == []
    elsewhere = await world["stranger"].get("/api/v1/graph", entity="Ada Lowe", course_id=world.course)
    assert elsewhere.status_code == 404


@pytest.mark.usefixtures("chain")
async def test_a_neighbourhood_for_an_admin_of_thousands_of_courses(world: World) -> None:
    """More than a statement may have values: PostgreSQL takes 32,767, and a course has two scopes."""
    async with world.database.write() as session:
        pattern = dict((await session.execute(select(Course.__table__).limit(1))).mappings().one())
        many = [{**pattern, "id": f"crs_{n}", "title": f"{n}", "title_key": f"{n}"} for n in range(17_000)]
        await session.execute(insert(Course.__table__), many)  # pyright: ignore[reportArgumentType] – a Table

    found = (await world["admin"].get("/api/v1/graph", entity="Ada Lowe")).json()["items"]
    assert [each["title"] for each in found] == ["Ada Lowe", "The greenhouse pump"]


@pytest.mark.parametrize("query", [{}, {"entity": ""}, {"entity": "x" * 201}, {"entity": "a\0b"}])
async def test_a_name_that_is_none(world: World, query: dict[str, str]) -> None:
    answer = await world["student"].get("/api/v1/graph", **query)

    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
