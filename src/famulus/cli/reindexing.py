"""`famulus reindex`: the index of passages made anew, or somewhere else, while the present one is searched."""

import sys
import time

from sqlalchemy import text

from famulus.cli.work import with_database
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.settings import load_settings
from famulus.knowledge.ddl import COLUMN, TABLE
from famulus.knowledge.elsewhere import from_settings
from famulus.knowledge.retrieve import index_of

EVERY = 0.5
"""Seconds between two lines of progress."""


def run_reindex(to: str | None) -> str:
    """Make the index in use anew, or one at the address `to`; returns what was done and what is left to do.

    Raises ConfigurationError for an address that is none, and where the server does not answer.
    """
    settings = load_settings()
    url = to or settings.index_url
    if to is not None and not to.startswith(("http://", "https://")):
        raise ConfigurationError("Write the address of a Qdrant server, such as --to http://localhost:6333.")

    async def work(database: Database) -> str:
        if url is None:
            return await _own(database)
        beside = from_settings(database, index_of(database.dialect), settings, url)
        try:
            count = await beside.fill(on_progress=_Progress())
        except beside.failures as error:
            raise ConfigurationError(
                f"The index at {url} could not be filled ({type(error).__name__}: {str(error)[:200]}). What is done is"
                " kept: the same command goes on from there."
            ) from error
        finally:
            await beside.close()
        after = (
            "" if url == settings.index_url else f" Set FAMULUS_INDEX_URL={url} and start each server again."
        )
        return f"{count} chunks are in the index at {url}, and it is searched from now on.{after}"

    said = with_database(work)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    return said


async def _own(database: Database) -> str:
    """The words index of the database, which reads what is committed until the new one is."""
    if database.dialect == "sqlite":
        async with database.write() as session:
            await session.execute(text(f"INSERT INTO {TABLE}({TABLE}) VALUES ('rebuild')"))  # noqa: S608 – a constant
    else:
        async with database.engine.connect() as connection:
            alone = await connection.execution_options(isolation_level="AUTOCOMMIT")
            await alone.exec_driver_sql("SET statement_timeout = 0")
            await alone.exec_driver_sql(f"REINDEX INDEX CONCURRENTLY ix_chunks_{COLUMN}")
    return "The database's own index is made anew."


class _Progress:
    """Tells a terminal how far it is."""

    def __init__(self) -> None:
        self._told = 0.0

    def __call__(self, done: int, total: int) -> None:
        if sys.stderr.isatty() and (time.monotonic() - self._told > EVERY or done == total):
            self._told = time.monotonic()
            print(f"\r{done} of {total} chunks", end="", file=sys.stderr, flush=True)
