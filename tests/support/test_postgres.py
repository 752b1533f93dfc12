"""The PostgreSQL that other tests stand on: copies are apart, templates are built once, the leftovers go."""

import asyncpg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine

from tests.support.postgres import Postgres
from tests.support.reused import Reused

pytestmark = pytest.mark.postgres


async def _build(url: str) -> None:
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.execute(text("CREATE TABLE note (body text)"))
        await connection.execute(text("INSERT INTO note VALUES ('from the template')"))
    await engine.dispose()


async def _notes(url: str) -> list[str]:
    engine = create_async_engine(url)
    async with engine.connect() as connection:
        rows = list(await connection.scalars(text("SELECT body FROM note ORDER BY body")))
    await engine.dispose()
    return rows


async def test_copies_of_a_template_are_apart(postgres: Postgres) -> None:
    template = await postgres.template("support: notes", _build)

    async with postgres.database(template) as one, postgres.database(template) as other:
        engine = create_async_engine(one)
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO note VALUES ('only here')"))
        await engine.dispose()

        assert await _notes(one) == ["from the template", "only here"]
        assert await _notes(other) == ["from the template"]


async def test_a_template_is_built_once(postgres: Postgres) -> None:
    name = await postgres.template("support: notes", _build)

    async def never(url: str) -> None:
        raise AssertionError(f"built again at {url}")

    assert await postgres.template("support: notes", never) == name


async def test_a_database_of_a_dead_process_is_swept_and_ours_stay(postgres: Postgres) -> None:
    connection = await asyncpg.connect(postgres.dsn())
    await connection.execute('CREATE DATABASE "test_999999999_1"')
    ours = await postgres.create()

    await postgres.sweep()

    names = {row["datname"] for row in await connection.fetch("SELECT datname FROM pg_database")}
    await connection.close()
    assert "test_999999999_1" not in names
    assert ours in names
    await postgres.drop(ours)


async def test_a_database_is_used_again_when_it_is_as_new(reused: Reused) -> None:
    async with reused.borrowed() as url:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.execute(text("INSERT INTO attempts VALUES ('left behind', 1, 0)"))
        # It is not closed: whoever still holds on to a database is cut off when the next test gets it.

    async with reused.borrowed() as again:
        assert again == url
        other = create_async_engine(again)
        async with other.connect() as connection:
            assert await connection.scalar(text("SELECT count(*) FROM attempts")) == 0
            assert await connection.scalar(text("SELECT count(*) FROM alembic_version")) == 1
        await other.dispose()
        with pytest.raises(DBAPIError):
            async with engine.connect() as connection:
                await connection.execute(text("SELECT 1"))
    await engine.dispose()


@pytest.mark.parametrize(
    "change",
    [
        "DROP TABLE attempts",
        "ALTER TABLE organizations ADD COLUMN more text",
        "UPDATE alembic_version SET version_num = '0001'",
        "INSERT INTO attempts SELECT 'x' || n, 1, 0 FROM generate_series(1, 100000) AS n",
    ],
)
async def test_a_database_that_is_not_as_new_is_not_used_again(reused: Reused, change: str) -> None:
    async with reused.borrowed() as url:
        engine = create_async_engine(url)
        async with engine.begin() as connection:
            await connection.execute(text(change))
        await engine.dispose()

    async with reused.borrowed() as again:
        assert again != url
