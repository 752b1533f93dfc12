"""Sessions: one block is one transaction, events follow the commit, and a lost database is `Unavailable`."""

import asyncio
import sqlite3
from contextlib import closing
from dataclasses import dataclass

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError, ProgrammingError

from famulus.kernel.database import Database, announce, at_end, run_in
from famulus.kernel.duplicates import Vanished
from famulus.kernel.errors import Unavailable
from famulus.kernel.lane import Script, just
from tests.support.outage import cut

CREATE = (
    "CREATE TABLE places (id integer PRIMARY KEY)",
    "CREATE TABLE notes (id integer PRIMARY KEY,"
    " place integer REFERENCES places (id) DEFERRABLE INITIALLY DEFERRED)",
)
POSTGRES = pytest.mark.parametrize(
    "dialect", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True
)

SQLITE = pytest.mark.parametrize("dialect", ["sqlite"], indirect=True)
SLOW = {
    "sqlite": "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT max(i) FROM n",
    "postgresql": "SELECT pg_sleep(20)",
}


@dataclass(frozen=True)
class Noted:
    note: int


@pytest.fixture(autouse=True)
async def tables(database: Database) -> None:
    """Two tables, the reference between which is checked at the commit."""
    async with database.engine.begin() as connection:
        for statement in CREATE:
            await connection.execute(text(statement))


@pytest.fixture
def heard(database: Database) -> list[Noted]:
    """What was published."""
    events: list[Noted] = []
    database.bus.subscribe(Noted, events.append)
    return events


async def count(database: Database) -> int:
    """How many notes there are."""
    async with database.read() as session:
        return (await session.execute(text("SELECT count(*) FROM notes"))).scalar_one()


async def note(database: Database, number: int, place: int | None = None) -> None:
    """Add a note and announce it."""
    async with database.write() as session:
        await session.execute(text("INSERT INTO notes VALUES (:id, :place)"), {"id": number, "place": place})
        announce(session, Noted(number))


async def test_a_block_commits_at_its_end(database: Database, heard: list[Noted]) -> None:
    async with database.write() as session:
        await session.execute(text("INSERT INTO notes VALUES (1, NULL)"))
        announce(session, Noted(1), Noted(2))
        assert await count(database) == 0
        assert heard == []

    assert await count(database) == 1
    assert heard == [Noted(1), Noted(2)]


async def test_a_block_that_raises_changes_and_publishes_nothing(
    database: Database, heard: list[Noted]
) -> None:
    with pytest.raises(RuntimeError, match="second thoughts"):
        async with database.write() as session:
            await session.execute(text("INSERT INTO notes VALUES (1, NULL)"))
            announce(session, Noted(1))
            raise RuntimeError("second thoughts")

    assert await count(database) == 0
    assert heard == []


async def test_a_commit_that_fails_is_an_error_and_publishes_nothing(
    database: Database, heard: list[Noted]
) -> None:
    with pytest.raises(Vanished):
        await note(database, 1, place=99)

    assert await count(database) == 0
    assert heard == []
    await note(database, 2)
    assert heard == [Noted(2)]


async def test_a_block_that_is_cancelled_changes_nothing_and_frees_the_writer(database: Database) -> None:
    inside = asyncio.Event()

    async def dawdle() -> None:
        async with database.write() as session:
            await session.execute(text("INSERT INTO notes VALUES (1, NULL)"))
            inside.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(dawdle())
    await inside.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.wait_for(note(database, 2), 30)
    assert await count(database) == 1


async def test_what_a_reader_changes_is_rolled_back(database: Database) -> None:
    async with database.read() as session:
        await session.execute(text("INSERT INTO notes VALUES (1, NULL)"))

    assert await count(database) == 0


async def test_writers_wait_for_one_another(database: Database) -> None:
    await asyncio.gather(*(note(database, n) for n in range(40)))

    assert await count(database) == 40


async def test_a_listener_may_write(database: Database) -> None:
    async def echo(event: Noted) -> None:
        if event.note < 3:
            await note(database, event.note + 1)

    database.bus.subscribe(Noted, echo)
    await asyncio.wait_for(note(database, 1), 30)

    assert await count(database) == 3


async def test_a_wrong_statement_is_not_unavailable(database: Database) -> None:
    with pytest.raises((ProgrammingError, Unavailable)) as caught:
        async with database.read() as session:
            await session.execute(text("SELECT nothing FROM nowhere"))

    assert caught.type is ProgrammingError or database.dialect == "sqlite"


async def test_ping(database: Database) -> None:
    await database.ping()


async def test_a_file_that_cannot_be_opened_is_unavailable(tmp_path: object) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path}")

    with pytest.raises(Unavailable):
        await database.ping()
    await database.close()


async def test_a_server_that_is_not_there_is_unavailable() -> None:
    database = Database("postgresql+asyncpg://nobody@127.0.0.1:1/nothing")

    with pytest.raises(Unavailable):
        await database.ping()
    await database.close()


@POSTGRES
async def test_a_database_that_goes_away_is_unavailable_and_heals(
    database: Database, heard: list[Noted]
) -> None:
    with pytest.raises(Unavailable):
        async with database.write() as session:
            await session.execute(text("INSERT INTO notes VALUES (1, NULL)"))
            announce(session, Noted(1))
            await cut(database)

    assert await count(database) == 0
    assert heard == []
    await note(database, 2)
    assert await count(database) == 1


async def test_scripts_and_what_waits_for_the_end_share_the_transaction(database: Database) -> None:
    def two() -> Script:
        yield "INSERT INTO notes VALUES ($1, NULL)", (1,)
        rows = yield "SELECT id FROM notes ORDER BY id", ()
        return [row[0] for row in rows]

    async with database.write() as session:
        at_end(session, ("INSERT INTO notes VALUES ($1, NULL)", (2,)))
        assert await run_in(session, two()) == [1, 2]
        at_end(session, ("INSERT INTO notes VALUES ($1, NULL)", (3,)))
        assert await count(database) == 0
    assert await count(database) == 3

    with pytest.raises(RuntimeError, match="second thoughts"):
        async with database.write() as session:
            await run_in(session, just(("DELETE FROM notes", ())))
            at_end(session, ("INSERT INTO notes VALUES ($1, NULL)", (4,)))
            raise RuntimeError("second thoughts")
    assert await count(database) == 3


@pytest.mark.slow
async def test_a_script_that_is_cancelled_changes_nothing_and_frees_the_writer(database: Database) -> None:
    slow = SLOW[database.dialect]

    async def dawdle() -> None:
        async with database.write() as session:
            await run_in(session, just(("INSERT INTO notes VALUES (1, NULL)", ()), (slow, ())))

    task = asyncio.create_task(dawdle())
    await asyncio.sleep(0.1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task

    await asyncio.wait_for(note(database, 2), 30)
    assert await count(database) == 1


@SQLITE
async def test_a_transaction_that_could_not_begin_is_none(database: Database) -> None:
    async with database.read() as session:
        await session.execute(text("PRAGMA busy_timeout = 10"))
    with closing(sqlite3.connect(str(database.url.database), isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(Unavailable):
            async with database.write() as session:
                with pytest.raises(OperationalError):
                    await session.execute(text("INSERT INTO notes VALUES (1, NULL)"))
                await session.execute(text("INSERT INTO notes VALUES (2, NULL)"))
        other.execute("ROLLBACK")

    await note(database, 3)
    assert await count(database) == 1


@POSTGRES
async def test_connections_that_were_lost_while_idle_are_replaced(database: Database) -> None:
    await asyncio.gather(*(count(database) for _ in range(4)))

    await cut(database)

    assert await asyncio.gather(*(count(database) for _ in range(4))) == [0] * 4


@POSTGRES
async def test_a_statement_that_is_cut_off_is_unavailable(database: Database) -> None:
    with pytest.raises(Unavailable):
        async with database.write() as session:
            await session.execute(text("SET LOCAL statement_timeout = 50"))
            await session.execute(text("SELECT pg_sleep(20)"))


@POSTGRES
async def test_a_lock_that_is_not_had_is_unavailable(database: Database) -> None:
    await note(database, 1)
    async with database.write() as holding:
        await holding.execute(text("UPDATE notes SET place = NULL"))
        with pytest.raises(Unavailable):
            async with database.write() as waiting:
                await waiting.execute(text("SET LOCAL lock_timeout = 50"))
                await waiting.execute(text("UPDATE notes SET place = NULL"))


@POSTGRES
async def test_postgresql_plans_for_the_values_of_each_time(database: Database) -> None:
    """A plan for all values, from the sixth time on, would go through a hundred thousand rows for some of them."""
    async with database.read() as session:
        assert await session.scalar(text("SHOW plan_cache_mode")) == "force_custom_plan"
