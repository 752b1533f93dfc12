"""Relations in the graph: where they lead, how that is told, and that nobody is led out of reach by them."""

import json
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from famulus.campus import lessons
from famulus.campus.schemas.courses import LessonChange, NewLesson
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.lessons import sync_course_lessons
from famulus.knowledge.names import key_of, number_of
from famulus.knowledge.retrieve import Passage, search
from famulus.knowledge.store import Owner
from famulus.knowledge.walking import Came, Edge, Graph, Place
from tests.knowledge.papers import write
from tests.knowledge.reading import Room, at, room_of
from tests.support.fake_provider import FakeProvider
from tests.support.rooms import SITE

CHAIN = {
    "pump.md": "# The greenhouse pump\n\nThe pump was drawn by the lady of the lighthouse.",
    "lady.md": "# An old story\n\nFor many years the lady of the lighthouse lived in the valley of mills.",
    "mills.md": "# Far away\n\nTwo thousand people call the valley of mills their home.",
    "soil.md": "# The sensor\n\nIt tells how moist the soil is.",
    "roof.md": "# The roof\n\nIt is opened when it rains.",
}
TOLD = {
    "drawn by": ["greenhouse pump", "was drawn by", "lady of the lighthouse"],
    "many years": ["lady of the lighthouse", "lived in", "valley of mills"],
    "thousand people": ["people", "call home", "valley of mills"],
}
QUESTION = "How large is the place where the one who drew the Greenhouse Pump came from?"


def tells(body: Mapping[str, Any]) -> str:
    """A model that reads the chain right."""
    asked = body["messages"][1]["content"]
    return "\n".join(json.dumps(triple) for part, triple in TOLD.items() if part in asked)


@pytest.fixture
async def room(database: Any) -> AsyncIterator[Room]:
    async with FakeProvider() as provider, room_of(database, provider) as opened:
        provider.otherwise = tells
        yield opened


async def ingest(room: Room, folder: Path, files: Mapping[str, str], owner: Owner | None = None) -> None:
    owner = owner or Owner(room.world.ours, room.world.course)
    await ingest_path(room.database, owner, write(folder, files))


@pytest.fixture
async def chain(room: Room, tmp_path: Path) -> Room:
    """The chain, read."""
    await ingest(room, tmp_path / "chain", CHAIN)
    await room.start()
    assert (await room.run())["triples"] == 3
    return room


async def ask(room: Room, question: str = QUESTION, who: str = "student") -> list[Passage]:
    return await search(room.database, await room.world.principal(who), question, limit=8)


def titles(found: list[Passage]) -> list[str]:
    return [passage.title for passage in found]


async def test_two_steps_that_only_a_model_has_seen(room: Room, tmp_path: Path) -> None:
    await ingest(room, tmp_path / "chain", CHAIN)
    before = await ask(room)
    assert not {"An old story", "Far away"} & set(titles(before))

    await room.start()
    await room.run()
    after = await ask(room)

    assert titles(after)[0] == "The greenhouse pump"
    assert {"An old story", "Far away"} <= set(titles(after)[:4])
    far = next(passage for passage in after if passage.title == "Far away")
    assert [(step.title, step.relation) for step in far.path] == [
        ("The greenhouse pump", "greenhouse pump —was drawn by→ lady of the lighthouse"),
        ("An old story", "lady of the lighthouse —lived in→ valley of mills"),
    ]
    assert [step.name for step in far.path] == ["lady of the lighthouse", "valley of mills"]
    assert far.coverage == 0

    await room.world["admin"].delete(at(room.world.ours))
    assert [(one.id, one.score) for one in await ask(room)] == [(one.id, one.score) for one in before]


async def test_the_way_is_told_over_http(chain: Room) -> None:
    answer = await chain.world["student"].get("/api/v1/search", q=QUESTION, limit=8)

    story = next(item for item in answer.json()["items"] if item["title"] == "An old story")
    assert [step["relation"] for step in story["path"]] == [
        "greenhouse pump —was drawn by→ lady of the lighthouse"
    ]


async def test_a_name_that_only_a_model_knows_is_a_beginning(chain: Room) -> None:
    found = await ask(chain, "Where did the lady of the lighthouse live?")

    assert {"The greenhouse pump", "An old story", "Far away"} <= set(titles(found))


async def test_the_neighbourhood_of_a_name_has_what_is_said_of_it(chain: Room) -> None:
    answer = await chain.world["student"].get("/api/v1/graph", entity="Lady of the Lighthouse", limit=1)
    first = answer.json()
    more = {"entity": "lady of the lighthouse", "after": first["next"]}
    second = (await chain.world["student"].get("/api/v1/graph", **more)).json()

    found = {one["title"]: one for one in (*first["items"], *second["items"])}
    assert set(found) == {"The greenhouse pump", "An old story"}
    assert second["next"] is None
    assert found["An old story"]["relations"] == [
        {"subject": "lady of the lighthouse", "relation": "lived in", "object": "valley of mills"}
    ]
    pump = (await chain.world["student"].get("/api/v1/graph", entity="Greenhouse Pump")).json()["items"]
    assert [(one["about"], len(one["relations"])) for one in pump] == [(True, 1)], "each passage once"
    stranger = await chain.world["stranger"].get("/api/v1/graph", entity="lady of the lighthouse")
    assert stranger.json()["items"] == []


async def test_nobody_is_led_on_by_what_others_have_had_read(chain: Room, tmp_path: Path) -> None:
    world = chain.world
    theirs = Owner(world.theirs, world.their_course)
    await ingest(chain, tmp_path / "theirs", {name: CHAIN[name] for name in ("pump.md", "soil.md")}, theirs)
    for who in ("their_admin", "stranger"):
        assert not {"An old story", "Far away"} & set(titles(await ask(chain, QUESTION, who)))
    pump = (await world["their_admin"].get("/api/v1/graph", entity="Greenhouse Pump")).json()["items"]
    assert [one["relations"] for one in pump] == [[]]


async def test_relations_follow_a_lesson_in_and_out_of_publication(room: Room) -> None:
    world = room.world
    async with world.database.write() as session:
        for name in ("pump.md", "lady.md"):
            title, body = CHAIN[name].removeprefix("# ").split("\n\n")
            new = NewLesson(title=title, path=name, body=body, published=name == "pump.md")
            made = await lessons.create_lesson(session, SITE, world.course, new)
    await sync_course_lessons(world.database, world.course)
    await room.start()
    assert (await room.run())["triples"] == 2
    assert "An old story" not in titles(await ask(room))
    assert "An old story" in titles(await ask(room, who="teacher"))

    async with world.database.write() as session:
        await lessons.change_lesson(session, SITE, made.id, LessonChange(published=True))
    await sync_course_lessons(world.database, world.course)
    assert "An old story" in titles(await ask(room))
    story = (await world["student"].get("/api/v1/graph", entity="lady of the lighthouse")).json()["items"]
    assert {one["title"] for one in story} == {"The greenhouse pump", "An old story"}


async def test_material_that_is_read_again_keeps_its_relations(chain: Room, tmp_path: Path) -> None:
    (tmp_path / "chain" / "lady.md").rename(tmp_path / "chain" / "story.md")
    more = f"{CHAIN['pump.md']}\n\n## New\n\n{'It is green and stands by the door. ' * 30}\n"
    await ingest(chain, tmp_path / "chain", {"pump.md": more})

    assert "An old story" in titles(await ask(chain))
    assert len(chain.asked) == 5


# --- the walk --------------------------------------------------------------------------------------

PUMP, STORY, FAR = 1, 2, 3
LADY, MILLS = number_of(key_of("lady")), number_of(key_of("mills"))
SAYS = Edge(STORY, LADY, MILLS, ("lady", "lived in", "mills"))


def test_it_goes_from_name_to_name() -> None:
    graph = Graph({LADY: [Place(PUMP, about=False)], MILLS: [Place(FAR, about=False)]})
    graph.walk({PUMP: 1.0}, ())
    assert graph.mass.get(FAR, 0.0) == 0.0

    graph.relate([SAYS, SAYS])
    graph.walk({PUMP: 1.0}, ())
    assert graph.mass[FAR] > 0
    assert graph.mass[STORY] > 0
    assert sum(graph.mass.values()) < 1
    assert graph.names[LADY] == [Place(PUMP, about=False), Place(STORY, about=False)]
    assert graph.said_of(Came(PUMP, LADY, MILLS)) == SAYS
    assert graph.said_of(Came(STORY, MILLS, MILLS)) == SAYS
    assert graph.said_of(Came(FAR, MILLS, MILLS)) is None


def test_what_is_related_may_be_all_there_is() -> None:
    graph = Graph()
    graph.relate([SAYS])
    graph.walk({PUMP: 1.0}, [LADY])

    assert graph.mass[STORY] > 0
