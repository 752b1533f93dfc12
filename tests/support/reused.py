"""Databases of PostgreSQL that tests use one after another: to copy a template takes ten times as long as to empty one."""

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import pytest

from tests.support.databases import build_schema, schema_key
from tests.support.postgres import Postgres

GROWN = 4 << 20
"""Bytes by which a database may have grown; emptied, it would still be so large, and be searched in other ways."""
SHAPE = """
SELECT md5(string_agg(line, ',' ORDER BY line)) FROM (
    SELECT attrelid::regclass || ' ' || attname || ' ' || atttypid || attnotnull || attisdropped FROM pg_attribute
        JOIN pg_class ON pg_class.oid = attrelid WHERE relnamespace = 'public'::regnamespace
    UNION ALL SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE connamespace = 'public'::regnamespace
    UNION ALL SELECT pg_get_triggerdef(pg_trigger.oid) FROM pg_trigger WHERE NOT tgisinternal
    UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
    UNION ALL SELECT version_num FROM alembic_version
) AS shape (line)
"""
EMPTY = """
SET session_replication_role = replica;
SET lock_timeout = '5s';
DO $$
DECLARE name regclass;
BEGIN
    FOR name IN SELECT oid FROM pg_class
        WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version'
    LOOP
        EXECUTE 'DELETE FROM ' || name;
    END LOOP;
    FOR name IN SELECT oid FROM pg_class WHERE relkind = 'S' AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE 'ALTER SEQUENCE ' || name || ' RESTART';
    END LOOP;
END $$
"""
END_OTHERS = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
"""


class Reused:
    """Migrated databases, each used by one test at a time."""

    def __init__(self, postgres: Postgres) -> None:
        self._postgres = postgres
        self._free: list[str] = []
        self._as_new: tuple[str, int] | None = None
        """Shape and size of one that nobody has used."""

    @contextlib.asynccontextmanager
    async def borrowed(self) -> AsyncIterator[str]:
        """An empty database for the length of a block, as an address for SQLAlchemy."""
        name = self._free.pop() if self._free else await self._new()
        try:
            yield self._postgres.url(name)
        finally:
            if await self._emptied(name):
                self._free.append(name)
            else:
                await self._postgres.drop(name)

    async def _new(self) -> str:
        name = await self._postgres.create(await self._postgres.template(schema_key(), build_schema))
        if self._as_new is None:
            async with self._connected(name) as connection:
                self._as_new = await _shape_and_size(connection)
        return name

    async def _emptied(self, name: str) -> bool:
        """Take everything out of a database that is still as the template; returns whether it was and is."""
        async with self._connected(name) as connection:
            await connection.execute(END_OTHERS)
            shape, size = await _shape_and_size(connection)
            if self._as_new is None or shape != self._as_new[0] or size > self._as_new[1] + GROWN:
                return False
            try:
                await connection.execute(EMPTY)
            except asyncpg.PostgresError:
                return False
        return True

    @contextlib.asynccontextmanager
    async def _connected(self, name: str) -> AsyncIterator[Any]:
        connection: Any = await asyncpg.connect(self._postgres.dsn(name))
        try:
            yield connection
        finally:
            await connection.close()


async def _shape_and_size(connection: Any) -> tuple[str, int]:
    return await connection.fetchval(SHAPE), await connection.fetchval(
        "SELECT pg_database_size(current_database())"
    )


@pytest.fixture(scope="session")
def reused(postgres: Postgres) -> Reused:
    """Databases of PostgreSQL that tests use one after another."""
    return Reused(postgres)
