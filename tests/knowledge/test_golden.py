"""Golden questions: kept by those who teach, asked when material changes, and what got worse is said."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.kernel.jobs import Later
from famulus.knowledge.golden import GOLDEN_JOB, MOST
from famulus.knowledge.golden_check import GoldenKeeper, better
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.retrieve import Retriever
from famulus.knowledge.store import Owner
from tests.knowledge.papers import write
from tests.support.rooms import World

PAGES = {
    "valves.md": "# Valves\n\nThe red valve closes at nine bar.",
    "pumps.md": "# Pumps\n\nThe green pump lifts water by suction.",
}
VALVE = {"question": "When does the red valve close?", "document": "valves.md", "passage": "at nine  BAR"}
PUMP = {"question": "How does the green pump lift water?", "document": "Pumps"}
LONG_AGO, NEVER = 0, 2**33


def place(world: World, rest: str = "") -> str:
    return f"/api/v1/courses/{world.course}/golden-questions{rest}"


async def asked_for(database: Database) -> bool:
    """Whether a check was asked for since; it is forgotten."""
    async with database.write() as session:
        gone = await session.execute(text("DELETE FROM jobs WHERE kind = :kind"), {"kind": GOLDEN_JOB})
        return bool(getattr(gone, "rowcount", 0))


async def check(world: World, until: int = LONG_AGO) -> Mapping[str, Any]:
    """Ask all of them now, and how they stand."""
    keeper = GoldenKeeper(world.database, Retriever(world.database))
    await keeper.handle({"course_id": world.course, "until": until})
    return (await world["teacher"].get(place(world, "/report"))).json()


async def test_what_gets_worse_is_said_until_it_is_mended_or_accepted(
    world: World, owner: Owner, tmp_path: Path
) -> None:
    database, teacher = world.database, world["teacher"]
    folder = write(tmp_path / "pages", PAGES)
    await ingest_path(database, owner, folder)
    for new in (VALVE, PUMP):
        assert (await teacher.post(place(world), new)).status_code == 201
    assert await asked_for(database)
    first = await check(world)
    assert (first["questions"], first["checked"], first["found"], first["worse"]) == (2, 2, 2, 0)

    write(folder, {"valves.md": "# Valves\n\nThis page is being written anew."})
    await ingest_path(database, owner, folder)
    assert await asked_for(database), "the material has changed"
    assert (await check(world))["worse"] == 1
    (row,) = (await teacher.get(place(world), worse="true")).json()["items"]
    assert (row["question"], row["place"], row["best"], row["worse"]) == (VALVE["question"], None, 1, True)
    assert (await check(world))["worse"] == 1, "still"

    write(folder, {"valves.md": PAGES["valves.md"]})
    await ingest_path(database, owner, folder)
    assert (await check(world))["worse"] == 0, "mended"

    (folder / "pumps.md").unlink()
    await ingest_path(database, owner, folder)
    assert (await check(world))["worse"] == 1
    assert (await teacher.post(place(world, "/accept"), {})).json()["worse"] == 0
    assert (await check(world))["found"] == 1


async def test_nothing_is_asked_where_nobody_wants_to_know(
    world: World, owner: Owner, tmp_path: Path
) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "pages", PAGES))

    assert not await asked_for(world.database)


async def test_general_material_concerns_every_course_of_the_organization(
    world: World, tmp_path: Path
) -> None:
    await world["teacher"].post(place(world), VALVE)
    await asked_for(world.database)
    await ingest_path(world.database, Owner(world.theirs), write(tmp_path / "theirs", PAGES))
    assert not await asked_for(world.database)

    await ingest_path(world.database, Owner(world.ours), write(tmp_path / "ours", PAGES))
    assert await asked_for(world.database)
    assert (await check(world))["found"] == 1


async def test_a_check_waits_until_everything_is_read(world: World, owner: Owner, tmp_path: Path) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "pages", PAGES))
    await world["teacher"].post(place(world), VALVE)
    async with world.database.write() as session:
        await session.execute(text("UPDATE sources SET state = 'indexing' WHERE kind = 'folder'"))

    with pytest.raises(Later):
        await check(world, until=NEVER)
    assert (await check(world, until=LONG_AGO))["found"] == 1, "but not for ever"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("set.csv", "question,document,passage\nWhy?,valves.md,nine bar\nHow?,pumps.md,\n"),
        (
            "set.jsonl",
            '{"question": "Why?", "document": "valves.md", "passage": "x"}\n\n{"question": "How?", "document": "a"}',
        ),
    ],
)
async def test_a_set_is_imported_once(world: World, name: str, content: str) -> None:
    for added in (2, 0):
        answer = await world["teacher"].post_file(place(world, "/import"), name, content.encode())
        assert answer.status_code == 200, answer.text
        assert (answer.json()["added"], answer.json()["known"]) == (added, 2 - added)


@pytest.mark.parametrize(
    ("name", "content", "field"),
    [
        ("a.csv", b"q,d\n1,2\n", "line 1"),
        ("a.csv", b"question,document\nWhy?,\n", "line 2.document"),
        ("a.jsonl", b"{", "line 1"),
        ("a.jsonl", b'{"question": "Why?", "document": "a", "x": 1}', "line 1.x"),
        ("a.jsonl", b"\xff\xfe", "line 1"),
        ("a.jsonl", b'{"question": "Why?", "document": "a"}\n' * (MOST + 1), f"line {MOST + 1}"),
    ],
)
async def test_a_set_that_cannot_be_read_says_where(
    world: World, name: str, content: bytes, field: str
) -> None:
    answer = await world["teacher"].post_file(place(world, "/import"), name, content)

    assert answer.status_code == 422
    assert answer.json()["fields"][0]["path"] == field


async def test_a_course_may_have_so_many(world: World) -> None:
    lines = "\n".join(f'{{"question": "Why {n}?", "document": "a"}}' for n in range(MOST))
    full = await world["teacher"].post_file(place(world, "/import"), "a.jsonl", lines.encode())

    assert full.json()["added"] == MOST
    answer = await world["teacher"].post(place(world), VALVE)
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_questions")


@pytest.mark.parametrize(
    ("who", "status"), [("student", 403), ("stranger", 404), ("admin", 200), ("site", 200)]
)
async def test_golden_questions_are_for_those_who_teach(world: World, who: str, status: int) -> None:
    assert (await world[who].get(place(world))).status_code == status
    changed = (await world[who].post(place(world, "/check"), {})).status_code
    assert changed == (202 if status == 200 else status)


def test_the_better_of_two_places() -> None:
    assert [better(*two) for two in ((1, 2), (None, 2), (3, None), (None, None))] == [1, 2, 3, None]
