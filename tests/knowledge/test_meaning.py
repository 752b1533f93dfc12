"""Meaning through and through: chunks get their vectors, searches use them, and what is not ready is said."""

import asyncio
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.knowledge import vectors
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.meaning import BATCH, Meaning, Progress
from famulus.knowledge.retrieve import Answer, Retriever
from famulus.knowledge.store import Owner
from famulus.llm.embedding.choose import Embedders, Places
from tests.knowledge.papers import write
from tests.support.embedding_server import EmbeddingServer
from tests.support.rooms import World

DIE = """
import asyncio, sys
from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.knowledge.meaning import Meaning
from famulus.llm.embedding.choose import Embedders, Places
from pathlib import Path

async def main(url, address):
    embedders = Embedders("compatible:letters", Places(Path("nowhere"), address))
    await Meaning(Database(url), embedders, CrashPoints("embedding.batch_written:1")).handle({})

asyncio.run(main(*sys.argv[1:]))
"""


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingServer]:
    async with EmbeddingServer() as running:
        yield running


class Room:
    """One instance of the server, as far as meaning goes."""

    def __init__(self, database: Database, choice: str, base_url: str, folder: Path) -> None:
        self.embedders = Embedders(choice, Places(folder, base_url))
        self.meaning = Meaning(database, self.embedders)
        self.retriever = Retriever(database, self.meaning)

    async def embed(self) -> None:
        await self.meaning.handle({})


@pytest.fixture
async def room(world: World, server: EmbeddingServer, tmp_path: Path) -> AsyncIterator[Room]:
    opened = Room(world.database, "compatible:letters", server.base_url, tmp_path)
    await opened.meaning.start()
    yield opened
    await opened.embedders.close()


async def ask(room: Room, world: World, question: str) -> Answer:
    return await room.retriever.search(await world.principal("student"), question, course_id=world.course)


def titles(answer: Answer) -> list[str]:
    return [passage.title for passage in answer.passages]


async def test_words_at_once_and_meaning_when_it_is_ready(
    room: Room, world: World, owner: Owner, tmp_path: Path, server: EmbeddingServer
) -> None:
    folder = write(tmp_path / "x", {"near.md": "# near\n\nqxj", "words.md": "# words\n\nA zebra."})
    await ingest_path(world.database, owner, folder)

    before = await ask(room, world, "qxj zebra")
    assert before.meaning == "pending"
    assert sorted(titles(before)) == ["near", "words"]
    assert titles(await ask(room, world, "jqx")) == []

    await room.embed()
    after = await ask(room, world, "jqx")
    assert after.meaning == "ready"
    assert titles(after)[0] == "near"
    assert after.passages[0].nearness == pytest.approx(1, abs=0.01)
    assert after.passages[0].words == ()

    write(folder, {"later.md": "# later\n\njqx jqx"})
    await ingest_path(world.database, owner, folder)
    partly = await ask(room, world, "jqx")
    assert partly.meaning == "partial"
    assert titles(partly)[0] == "later"  # its word counts as it did without vectors
    asked = len(server.texts)
    await room.embed()
    assert (await ask(room, world, "jqx")).meaning == "ready"
    assert [text.split("\n")[0] for text in server.texts[asked:-1]] == ["later"]


async def test_nobody_finds_by_meaning_what_is_not_theirs(
    room: Room, world: World, owner: Owner, tmp_path: Path
) -> None:
    for name, to in (("ours", owner), ("theirs", Owner(world.theirs, world.their_course))):
        await ingest_path(world.database, to, write(tmp_path / name, {f"{name}.md": f"# {name}\n\nqxj"}))
    await room.embed()

    for who, wanted in (("student", ["ours"]), ("their_admin", ["theirs"]), ("idle", []), ("stranger", [])):
        answer = await room.retriever.search(await world.principal(who), "jqx", limit=20)
        assert titles(answer) == wanted, who


async def test_another_model_takes_over_when_it_is_done(
    room: Room, world: World, owner: Owner, tmp_path: Path, server: EmbeddingServer
) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "x", {"near.md": "qxj", "far.md": "zw"}))
    await room.embed()

    async with EmbeddingServer(30) as larger:
        new = Room(world.database, "compatible:larger", server.base_url, tmp_path)
        await new.meaning.start()
        asked = len(server.requests)
        assert titles(await ask(new, world, "jqx"))[0] == "near"
        assert {request["model"] for request in server.requests[asked:]} == {"letters"}
        await new.embedders.close()

        new = Room(world.database, "compatible:larger", larger.base_url, tmp_path)
        await new.embed()
        answer = await ask(new, world, "jqx")
        assert (titles(answer)[0], answer.meaning) == ("near", "ready")
        assert {request["model"] for request in larger.requests} == {"larger"}
        await new.embedders.close()
    async with world.database.read() as session:
        rows = (await session.execute(text("SELECT name, dimension FROM vector_models"))).all()
        assert [tuple(row) for row in rows] == [("compatible:larger", 30)]
        assert await session.scalar(text("SELECT count(*) FROM chunk_vectors")) == 2


async def test_a_model_that_fails_leaves_the_words(
    room: Room, world: World, owner: Owner, tmp_path: Path, server: EmbeddingServer
) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "x", {"a.md": "A gyroscope."}))
    await room.embed()
    asked = len(server.requests)
    server.fail(500)

    answer = await ask(room, world, "gyroscope")
    assert (titles(answer), answer.meaning) == (["a"], "unavailable")
    # For a while nobody else is kept waiting for it.
    assert (await ask(room, world, "gyroscope")).meaning == "unavailable"
    assert len(server.requests) == asked


async def test_nobody_waits_for_a_model_where_there_is_nothing_to_compare(
    room: Room, world: World, owner: Owner, tmp_path: Path, server: EmbeddingServer
) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "x", {"a.md": "A gyroscope."}))
    async with world.database.write() as session:
        await vectors.model_named(session, "compatible:letters", 26)
    asked = len(server.requests)

    answer = await ask(room, world, "gyroscope")

    assert (titles(answer), answer.meaning) == (["a"], "pending")
    assert len(server.requests) == asked


async def test_progress_is_told(room: Room, world: World, owner: Owner, tmp_path: Path) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "x", {"a.md": "One.", "b.md": "Two."}))
    assert (await room.meaning.progress()).waiting == 2

    await room.embed()

    assert await room.meaning.progress() == Progress("ready", "compatible:letters")


@pytest.mark.slow
async def test_a_killed_job_goes_on_where_it_was(
    world: World, owner: Owner, tmp_path: Path, server: EmbeddingServer, room: Room
) -> None:
    await ingest_path(
        world.database, owner, write(tmp_path / "x", {f"{n:03}.md": f"Number {n}." for n in range(BATCH + 5)})
    )
    url = world.database.url.render_as_string(hide_password=False)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", DIE, url, server.base_url)
    assert await child.wait() == -9
    assert len(set(server.texts) - {"length"}) == BATCH

    await room.embed()

    done = [one for one in server.texts if one != "length"]
    assert len(done) == len(set(done)) == BATCH + 5
    assert (await room.meaning.progress()).state == "ready"


async def test_the_search_of_the_api_says_what_was_found_and_why(
    world: World, owner: Owner, tmp_path: Path
) -> None:
    await ingest_path(world.database, owner, write(tmp_path / "x", {"a.md": "A gyroscope turns."}))

    found = (await world["student"].get("/api/v1/search", q="gyroscope turns")).json()

    assert found["meaning"] == "off"
    (passage,) = found["items"]
    assert passage["words"] == ["gyroscop", "turn"]
    assert passage["nearness"] is None
    assert passage["fits"] is True


async def test_a_question_in_another_language_than_the_material_is_told(
    world: World, owner: Owner, tmp_path: Path
) -> None:
    material = "The gyroscope of the robot is in the middle of it, and that is what tells how it turns."
    await ingest_path(world.database, owner, write(tmp_path / "x", {"a.md": material}))

    for question, differs in (
        ("What is the gyroscope for?", False),
        ("gyroscope", False),
        ("Was ist ein gyroscope und wie wird es benutzt?", True),
    ):
        found = (await world["student"].get("/api/v1/search", q=question)).json()
        assert (found["other_language"], len(found["items"])) == (differs, 1), question
