"""The schema's version: bring a database to the newest, or say that it is not.

The newest is known by the file names of the history, so a start that has nothing to do never loads Alembic.
"""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, MetaData, inspect, text

from famulus.kernel.database import WRITES, Database
from famulus.kernel.errors import ConfigurationError, Unavailable

FOLDER = Path(__file__).parent / "migrations"
VERSIONS = FOLDER / "versions"
LOCK = 0x66616D756C7573
"""PostgreSQL's advisory lock for migrations: the word "famulus" as a number."""
IncludeObject = Callable[[object, str | None, str, bool, object], bool]


class SchemaBehind(ConfigurationError):
    """The database's schema is not the one of this release; run `famulus migrate` first."""

    code = "schema_behind"


class DatabaseUnreachable(ConfigurationError):
    """The database does not answer; start it, or correct FAMULUS_DATABASE_URL."""

    code = "database_unreachable"


async def reach(database: Database) -> None:
    """For whatever starts: raise DatabaseUnreachable, saying where and why, unless the database answers in time."""
    try:
        await database.ping()
    except Unavailable as error:
        where = database.url.render_as_string(hide_password=True)
        why = str(error.__cause__ or "") or "nothing came for 5 seconds"
        raise DatabaseUnreachable(
            f"The database {where} does not answer ({why}). Start it, or correct FAMULUS_DATABASE_URL."
        ) from error


def newest() -> str:
    """The newest revision: files are named `NNNN_words.py`, and `NNNN` is their revision."""
    return max(path.name.split("_")[0] for path in VERSIONS.glob("[0-9]*.py"))


async def current(database: Database) -> str | None:
    """The database's revision; None for one without a schema."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_current)


async def upgrade(database: Database) -> bool:
    """Bring the database to the newest revision, in one transaction; False when it was there already."""
    if await current(database) == newest():
        return False
    engine = database.engine.execution_options(**{WRITES: True})
    async with engine.begin() as connection:
        if database.dialect == "postgresql":
            await connection.execute(text("SET LOCAL statement_timeout = 0"))
            await connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": LOCK})
        await connection.run_sync(_upgrade)
    return True


async def require_newest(database: Database) -> None:
    """Raise SchemaBehind unless the database has this release's schema."""
    if (found := await current(database)) != newest():
        raise SchemaBehind(
            f"The database's schema is {found or 'missing'}, this release needs {newest()}; run `famulus migrate`."
        )


async def differences(database: Database, metadata: MetaData, include_object: IncludeObject) -> list[object]:
    """What autogeneration would still change to turn the database into `metadata`."""
    async with database.engine.connect() as connection:
        return await connection.run_sync(_differences, metadata, include_object)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _upgrade(connection: Connection) -> None:
    from alembic import command  # lazy: half a second that a start without work should not take
    from alembic.config import Config  # lazy: likewise

    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _differences(connection: Connection, metadata: MetaData, include_object: IncludeObject) -> list[object]:
    from alembic.autogenerate import compare_metadata  # lazy: likewise
    from alembic.migration import MigrationContext  # lazy: likewise

    options = {"compare_type": True, "include_object": include_object}
    return list(compare_metadata(MigrationContext.configure(connection, opts=options), metadata))
