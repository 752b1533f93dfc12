"""What SQLAlchemy has compiled, kept for all engines of a process, as a server keeps it for all its requests.

A test opens an engine of its own, and compiling its statements anew took it a sixth of its time. A compiled statement
is kept by its dialect, which is another object for each engine; those of one driver do the same here, so they are equal.
"""

from typing import Any

from sqlalchemy import Engine
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.dialects.sqlite.aiosqlite import SQLiteDialect_aiosqlite
from sqlalchemy.util import LRUCache

_compiled: LRUCache[Any, Any] = LRUCache(4000)


class _Alike:
    """A dialect that shares what it has compiled with others of its kind."""

    supports_statement_cache = True

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other)

    def __hash__(self) -> int:
        return hash(type(self))

    @classmethod
    def engine_created(cls, engine: Engine) -> None:
        """Called by SQLAlchemy for each new engine."""
        engine.update_execution_options(compiled_cache=_compiled)


class Sqlite(_Alike, SQLiteDialect_aiosqlite):
    """SQLite through aiosqlite."""

    supports_statement_cache = True


class Postgresql(_Alike, PGDialect_asyncpg):
    """PostgreSQL through asyncpg."""

    supports_statement_cache = True


def share_compiled_statements() -> None:
    """Have every engine that is made from now on share what it compiles."""
    registry.register("sqlite.aiosqlite", __name__, Sqlite.__name__)
    registry.register("postgresql.asyncpg", __name__, Postgresql.__name__)
