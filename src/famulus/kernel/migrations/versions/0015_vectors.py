"""Vectors: what each chunk means, by model. Where PostgreSQL has no extension `vector`, their table is made later."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.exc import DBAPIError

revision: str = "0015"
down_revision: str | None = "0014"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

COLUMNS = (
    "model INTEGER NOT NULL REFERENCES vector_models (id) ON DELETE CASCADE, chunk INTEGER NOT NULL, "
    "scope VARCHAR(40) NOT NULL, hash VARCHAR(64) NOT NULL, "
)
REFERENCE = (
    "FOREIGN KEY (chunk, scope) REFERENCES chunks (number, scope) ON UPDATE CASCADE ON DELETE CASCADE)"
)
INDEXES = (
    "CREATE UNIQUE INDEX uq_chunk_vectors_chunk_model ON chunk_vectors (chunk, model)",
    "CREATE INDEX ix_chunk_vectors_scope_model ON chunk_vectors (scope, model)",
    "CREATE INDEX ix_chunk_vectors_hash_model ON chunk_vectors (hash, model)",
    "CREATE INDEX ix_chunk_vectors_model ON chunk_vectors (model)",
)
COUNTED = (
    "INSERT INTO vector_scopes (scope, version) VALUES ({}.scope, 1) "
    "ON CONFLICT (scope) DO UPDATE SET version = version + 1;"
)
ON_SQLITE = (
    "CREATE TABLE chunk_vectors (id INTEGER PRIMARY KEY AUTOINCREMENT, "
    + COLUMNS
    + "vector BLOB NOT NULL, "
    + REFERENCE,
    *INDEXES,
    "CREATE TABLE vector_scopes (scope VARCHAR(40) PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID",
    "CREATE TRIGGER chunk_vectors_insert AFTER INSERT ON chunk_vectors BEGIN "
    + COUNTED.format("new")
    + " END",
    "CREATE TRIGGER chunk_vectors_delete AFTER DELETE ON chunk_vectors BEGIN "
    + COUNTED.format("old")
    + " END",
    "CREATE TRIGGER chunk_vectors_update AFTER UPDATE ON chunk_vectors BEGIN "
    + COUNTED.format("old")
    + " "
    + COUNTED.format("new")
    + " END",
)
ON_POSTGRESQL = (
    "CREATE EXTENSION IF NOT EXISTS vector",
    "CREATE TABLE chunk_vectors (id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
    + COLUMNS
    + "vector HALFVEC NOT NULL, "
    + REFERENCE,
    "ALTER TABLE chunk_vectors ALTER COLUMN vector SET STORAGE MAIN",
    *INDEXES,
)


def upgrade() -> None:
    op.create_table(
        "vector_models",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("dimension", sa.Integer(), nullable=False),
        sa.Column("ready", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_vector_models")),
        sa.UniqueConstraint("name", name=op.f("uq_vector_models_name")),
    )
    op.create_index(op.f("uq_chunks_number_scope"), "chunks", ["number", "scope"], unique=True)
    bind = op.get_bind()
    if bind.dialect.name == "sqlite":
        for statement in ON_SQLITE:
            op.execute(statement)
        return
    try:
        with bind.begin_nested():
            for statement in ON_POSTGRESQL:
                op.execute(statement)
    except DBAPIError:
        pass  # not installed, or not for this user to create: search goes by words, and readiness says why


def downgrade() -> None:
    op.execute("DROP TABLE IF EXISTS chunk_vectors")
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE vector_scopes")
    op.drop_index(op.f("uq_chunks_number_scope"), table_name="chunks")
    op.drop_table("vector_models")
