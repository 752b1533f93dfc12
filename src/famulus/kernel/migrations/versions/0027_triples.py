"""Triples: what a model has found in texts, which chunks have those texts, and the edges of the graph by it."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0027"
down_revision: str | None = "0026"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

STATES = "state IN ('running', 'done', 'stopped', 'cancelled', 'failed')"


def upgrade() -> None:
    _runs()
    op.create_table(
        "triple_answers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("organization_id", sa.String(length=40), nullable=False),
        sa.Column("hash", sa.String(length=32), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("prompt", sa.String(length=16), nullable=False),
        sa.Column("triples", sa.Text(), nullable=False),
        _of("triple_answers", "organization_id", "organizations.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triple_answers")),
    )
    op.create_index(
        "uq_triple_answers_text",
        "triple_answers",
        ["organization_id", "hash", "model", "prompt"],
        unique=True,
    )
    _by_chunk()


def _by_chunk() -> None:
    op.create_table(
        "triple_readings",
        sa.Column("chunk", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("answer", sa.Integer(), nullable=False),
        _of("triple_readings", "chunk", "chunks.number"),
        _of("triple_readings", "answer", "triple_answers.id"),
        sa.PrimaryKeyConstraint("chunk", name=op.f("pk_triple_readings")),
    )
    op.create_index(op.f("ix_triple_readings_answer"), "triple_readings", ["answer"])
    op.create_table(
        "relations",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.Column("scope", sa.BigInteger(), nullable=False),
        sa.Column("subject", sa.BigInteger(), nullable=False),
        sa.Column("object", sa.BigInteger(), nullable=False),
        sa.Column("said", sa.Text(), nullable=False),
        _of("relations", "chunk", "triple_readings.chunk"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_relations")),
    )
    op.create_index(op.f("ix_relations_chunk"), "relations", ["chunk"])
    op.create_index("ix_relations_scope_subject", "relations", ["scope", "subject"])
    op.create_index("ix_relations_scope_object", "relations", ["scope", "object"])


def _runs() -> None:
    op.create_table(
        "triple_runs",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.String(length=40), nullable=False),
        sa.Column("model", sa.String(length=200), nullable=False),
        sa.Column("state", sa.String(length=16), nullable=False),
        sa.Column("error", sa.String(length=1000), nullable=True),
        sa.Column("token_budget", sa.BigInteger(), nullable=False),
        sa.Column("input_tokens", sa.BigInteger(), nullable=False),
        sa.Column("output_tokens", sa.BigInteger(), nullable=False),
        sa.Column("reserved", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(STATES, name=op.f("ck_triple_runs_state")),
        _of("triple_runs", "organization_id", "organizations.id"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_triple_runs")),
        sa.UniqueConstraint("organization_id", name=op.f("uq_triple_runs_organization_id")),
    )


def _of(table: str, column: str, target: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{target.partition('.')[0]}")
    return sa.ForeignKeyConstraint([column], [target], name=name, ondelete="CASCADE")


def downgrade() -> None:
    for table in ("relations", "triple_readings", "triple_answers", "triple_runs"):
        op.drop_table(table)
