"""Mentions: which names a chunk has. Material that is there already gets them when it is read again."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "mentions",
        sa.Column("scope", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("passing", sa.Boolean(), nullable=False),
        sa.Column("chunk", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["chunk"], ["chunks.number"], name=op.f("fk_mentions_chunk_chunks"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("scope", "name", "passing", "chunk", name=op.f("pk_mentions")),
        sqlite_with_rowid=False,
    )
    op.create_index(op.f("ix_mentions_chunk"), "mentions", ["chunk"])
    op.execute("UPDATE documents SET content_hash = '' WHERE state = 'ready'")


def downgrade() -> None:
    op.drop_table("mentions")
