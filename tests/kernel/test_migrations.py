"""The history builds what the tables say, on both databases."""

import importlib

import pytest

from famulus.kernel.database import Database
from famulus.kernel.migrate import differences
from famulus.kernel.tables import Base
from famulus.knowledge import ddl

ELSEWHERE = (
    ddl.TABLE, ddl.VECTORS, ddl.SCOPES, f"ix_chunks_{ddl.COLUMN}", "alembic_version", "uq_sources_place", "fk_courses_track_id_tracks"
)  # fmt: skip
"""What table metadata cannot express, or a database cannot tell of: indexes of words and of meaning, one over an expression, and the
name of a reference that SQLite got with its column."""


def compared(_thing: object, name: str | None, kind: str, _reflected: bool, _other: object) -> bool:
    nameless = kind == "foreign_key_constraint" and name is None
    return (
        not str(name).startswith(ELSEWHERE) and not (kind == "column" and name == ddl.COLUMN) and not nameless
    )


TABLES = (
    "assistants.models",
    "campus.models",
    "conversations.models",
    "identity.models",
    "kernel.jobs_table",
)


@pytest.mark.filterwarnings("ignore:Skipped unsupported reflection of expression-based index")
@pytest.mark.filterwarnings("ignore:Did not recognize type 'halfvec'")
@pytest.mark.filterwarnings("ignore:autogenerate skipping metadata-specified expression-based index")
async def test_nothing_is_left_to_migrate(database: Database) -> None:
    for module in (*TABLES, "knowledge.models", "runs.models"):
        importlib.import_module(f"famulus.{module}")
    assert await differences(database, Base.metadata, compared) == []
