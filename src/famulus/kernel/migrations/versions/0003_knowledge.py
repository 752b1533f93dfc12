"""Sources, documents, chunks and the words index."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)
TABLES = ("sources", "documents", "chunks")
ON_SQLITE = (
    (
        "CREATE VIRTUAL TABLE chunk_words USING fts5(scope, title, heading_path, text, parts, "
        "content='chunks', content_rowid='number', tokenize='porter unicode61')"
    ),
    "INSERT INTO chunk_words(chunk_words, rank) VALUES ('rank', 'bm25(0.0, 2.0, 2.0, 1.0, 1.0)')",
    (
        "CREATE TRIGGER chunk_words_insert AFTER INSERT ON chunks BEGIN INSERT INTO chunk_words(rowid, "
        "scope, title, heading_path, text, parts) VALUES (new.number, new.scope, new.title, "
        "new.heading_path, new.text, new.parts); END"
    ),
    (
        "CREATE TRIGGER chunk_words_delete AFTER DELETE ON chunks BEGIN INSERT INTO "
        "chunk_words(chunk_words, rowid, scope, title, heading_path, text, parts) VALUES ('delete', "
        "old.number, old.scope, old.title, old.heading_path, old.text, old.parts); END"
    ),
    (
        "CREATE TRIGGER chunk_words_update AFTER UPDATE ON chunks BEGIN INSERT INTO "
        "chunk_words(chunk_words, rowid, scope, title, heading_path, text, parts) VALUES ('delete', "
        "old.number, old.scope, old.title, old.heading_path, old.text, old.parts); INSERT INTO "
        "chunk_words(rowid, scope, title, heading_path, text, parts) VALUES (new.number, new.scope, "
        "new.title, new.heading_path, new.text, new.parts); END"
    ),
)
ON_POSTGRESQL = (
    "ALTER TABLE chunks SET (toast_tuple_target = 8160)",
    (
        "ALTER TABLE chunks ADD COLUMN words tsvector GENERATED ALWAYS AS (array_to_tsvector(ARRAY[' ' "
        "|| scope]) || setweight(to_tsvector('pg_catalog.english'::regconfig, translate(title || ' ' || "
        "heading_path, '/\\._:@#-+=<>&%~|', '                ')), 'A') || "
        "setweight(to_tsvector('pg_catalog.english'::regconfig, translate(text || ' ' || parts, "
        "'/\\._:@#-+=<>&%~|', '                ')), 'D')) STORED"
    ),
    "CREATE INDEX ix_chunks_words ON chunks USING gin (words)",
)


def upgrade() -> None:
    _create_sources()
    _create_documents()
    _create_chunks()
    for statement in ON_SQLITE if op.get_bind().dialect.name == "sqlite" else ON_POSTGRESQL:
        op.execute(statement)


def downgrade() -> None:
    if op.get_bind().dialect.name == "sqlite":
        op.execute("DROP TABLE chunk_words")
    for table in reversed(TABLES):
        op.drop_table(table)


def _create_sources() -> None:
    op.create_table(
        "sources",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.String(length=40), nullable=False),
        sa.Column("course_id", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=16), nullable=False),
        sa.Column("name", sa.String(length=300), nullable=False),
        sa.Column("location", sa.String(length=1000), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("documents", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("failed", sa.Integer(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("kind IN ('lessons', 'folder', 'upload')", name=op.f("ck_sources_kind")),
        sa.CheckConstraint("state IN ('ready', 'indexing', 'failed')", name=op.f("ck_sources_state")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_sources_course_id_courses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_sources_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sources")),
    )
    op.create_index(op.f("ix_sources_course_id_id"), "sources", ["course_id", "id"], unique=False)
    op.create_index(
        "uq_sources_place",
        "sources",
        ["organization_id", sa.text("coalesce(course_id, '')"), "kind", "location"],
        unique=True,
    )


def _create_documents() -> None:
    op.create_table(
        "documents",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("source_id", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.String(length=40), nullable=False),
        sa.Column("course_id", sa.String(length=40), nullable=True),
        sa.Column("lesson_id", sa.String(length=40), nullable=True),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("format", sa.String(length=16), nullable=False),
        sa.Column("content_hash", sa.String(length=64), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=1000), nullable=True),
        sa.Column("published", sa.Boolean(), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.CheckConstraint("state IN ('ready', 'failed')", name=op.f("ck_documents_state")),
        sa.ForeignKeyConstraint(
            ["course_id"], ["courses.id"], name=op.f("fk_documents_course_id_courses"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["lesson_id"], ["lessons.id"], name=op.f("fk_documents_lesson_id_lessons"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_documents_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["source_id"], ["sources.id"], name=op.f("fk_documents_source_id_sources"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_documents")),
        sa.UniqueConstraint("source_id", "path", name=op.f("uq_documents_source_id_path")),
    )
    op.create_index(op.f("ix_documents_course_id"), "documents", ["course_id"], unique=False)
    op.create_index(op.f("ix_documents_lesson_id"), "documents", ["lesson_id"], unique=False)
    op.create_index(op.f("ix_documents_organization_id"), "documents", ["organization_id"], unique=False)


def _create_chunks() -> None:
    op.create_table(
        "chunks",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("document_id", sa.String(length=40), nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("scope", sa.String(length=40), nullable=False),
        sa.Column("title", sa.String(length=500), nullable=False),
        sa.Column("heading_path", sa.Text(), nullable=False),
        sa.Column("anchor", sa.String(length=300), nullable=False),
        sa.Column("page", sa.Integer(), nullable=True),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("parts", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["document_id"],
            ["documents.id"],
            name=op.f("fk_chunks_document_id_documents"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_chunks")),
        sa.UniqueConstraint("document_id", "ordinal", name=op.f("uq_chunks_document_id_ordinal")),
        sa.UniqueConstraint("id", name=op.f("uq_chunks_id")),
    )
