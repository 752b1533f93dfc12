"""An index elsewhere: the database says what is so, tells it what has changed, and searches itself where it fails."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.kernel.jobs import Later
from famulus.knowledge import changes
from famulus.knowledge.elsewhere import Elsewhere, elsewhere
from famulus.knowledge.index import Scope
from famulus.knowledge.index_qdrant import QdrantIndex, open_qdrant
from famulus.knowledge.retrieve import index_of
from famulus.knowledge.store import Owner, known_documents, publish, remove
from famulus.knowledge.words import read_question
from tests.knowledge.test_index_contract import embed, store
from tests.support.rooms import World

pytestmark = pytest.mark.filterwarnings("ignore:Payload indexes have no effect")


class Room:
    """An index elsewhere before a database's own."""

    def __init__(self, database: Database, owner: Owner) -> None:
        self.database, self.owner = database, owner
        self.there: QdrantIndex = open_qdrant(":memory:", None, "famulus")
        self.beside = Elsewhere(database, index_of(database.dialect), self.there, page=2)

    async def found(self, index: Elsewhere | QdrantIndex) -> int:
        """How many of the course's passages have the word."""
        assert self.owner.course_id is not None
        scope = Scope(((self.owner.course_id, False),))
        async with self.database.read() as session:
            return len((await index.search(session, read_question("gyroscope"), scope, 10)).hits)

    async def waiting(self) -> int:
        async with self.database.read() as session:
            return await changes.waiting(session)


@pytest.fixture
async def room(world: World, owner: Owner) -> AsyncIterator[Room]:
    made = Room(world.database, owner)
    yield made
    await made.beside.close()


async def test_what_is_removed_or_unpublished_is_gone_at_once_and_the_rest_a_little_later(room: Room) -> None:
    source = await store(room.database, room.owner, **{f"n{n}": "A gyroscope." for n in range(4)})
    await room.beside.fill()
    assert await room.found(room.there) == 4

    async with room.database.write() as session:
        known = await known_documents(session, source)
        await remove(session, [known[0].id])
        await publish(session, room.owner, known[1], published=False)
    assert await room.found(room.there) == 2
    assert (await room.there.count(), await room.waiting()) == (4, 2)

    await room.beside.handle({})
    assert (await room.there.count(), await room.waiting()) == (3, 0)
    assert await room.found(room.there) == 2


async def test_it_is_filled_behind_the_one_that_is_searched(room: Room) -> None:
    await store(room.database, room.owner, **{f"n{n}": "A gyroscope." for n in range(5)})
    with pytest.raises(Later):
        await room.beside.fill(until=0)
    assert await room.there.searched() is None
    assert await room.found(room.beside) == 5  # by the database's own

    seen: list[int] = []
    await room.beside.fill(on_progress=lambda done, _total: seen.append(done))
    assert seen == [2, 4, 5]
    assert await room.there.collections() == [await room.there.searched()] == ["famulus_1"]

    await embed(room.database)
    with pytest.raises(Later):
        await room.beside.fill(until=0)
    assert (await room.there.searched(), await room.found(room.there)) == ("famulus_1", 5)
    # What changes meanwhile is told to both.
    await store(room.database, room.owner, later="A gyroscope.")
    await room.beside.handle({})
    await room.beside.fill()
    assert await room.there.collections() == [await room.there.searched()] == ["famulus_2"]
    assert (await room.there.count(), await room.found(room.there)) == (6, 6)


async def test_what_a_crash_or_a_backup_left_is_put_right(room: Room) -> None:
    await store(room.database, room.owner, one="A gyroscope.", two="A gyroscope.", three="A gyroscope.")
    await room.beside.fill()
    async with room.database.write() as session:
        await session.execute(text("DELETE FROM documents WHERE path = 'one.md'"))
        await session.execute(text("DELETE FROM index_changes"))
    await room.there.remove("famulus_1", [2])

    await room.beside.fill()

    assert (await room.there.count(), await room.found(room.there)) == (2, 2)


async def test_the_databases_own_index_takes_over(room: Room) -> None:
    await store(room.database, room.owner, it="A gyroscope.")
    await room.beside.fill()
    assert (await room.beside.standing()).state == "ok"
    await room.there.close()

    assert await room.found(room.beside) == 1
    assert (await room.beside.standing()).state == "unavailable"

    nobody = elsewhere(room.database, index_of(room.database.dialect), "http://127.0.0.1:1", None, "famulus")
    await nobody.start()
    assert await room.found(nobody) == 1
    assert (await nobody.standing()).state == "unavailable"
    with pytest.raises(nobody.failures):
        await nobody.fill()
    await nobody.close()


async def test_changes_are_noted_only_while_somebody_wants_to_know(room: Room) -> None:
    await store(room.database, room.owner, before="A gyroscope.")
    assert await room.waiting() == 0

    assert await changes.watch(room.database)
    assert not await changes.watch(room.database)
    await store(room.database, room.owner, after="A gyroscope.")
    await embed(room.database)
    assert await room.waiting() == 2

    async with room.database.read() as session:
        notes = await changes.noted(session, 10)
    async with room.database.write() as session:
        await session.execute(text("UPDATE chunks SET title = 'New' WHERE number = :n"), {"n": notes[0][0]})
        await changes.told(session, notes)
    assert await room.waiting() == 1

    await changes.unwatch(room.database)
    await store(room.database, room.owner, late="A gyroscope.")
    assert await room.waiting() == 0
