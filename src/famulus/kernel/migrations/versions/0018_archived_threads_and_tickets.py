"""Threads may be archived and are begun once by the client's key; tickets open a WebSocket."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)
ARCHIVED = sa.text("archived_at IS NOT NULL")


def upgrade() -> None:
    op.add_column("threads", sa.Column("archived_at", TIME, nullable=True))
    op.add_column("threads", sa.Column("key", sa.String(length=255), nullable=True))
    op.create_index("ix_threads_user_id_key", "threads", ["user_id", "key"], unique=True)
    op.create_index(
        "ix_threads_archived",
        "threads",
        ["user_id", "updated_at", "id"],
        sqlite_where=ARCHIVED,
        postgresql_where=ARCHIVED,
    )
    op.create_table(
        "tickets",
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("expires_at", TIME, nullable=False),
        sa.PrimaryKeyConstraint("token_hash", name=op.f("pk_tickets")),
    )
    op.create_index(op.f("ix_tickets_expires_at"), "tickets", ["expires_at"])


def downgrade() -> None:
    op.drop_table("tickets")
    op.drop_index("ix_threads_archived", "threads")
    op.drop_index("ix_threads_user_id_key", "threads")
    op.drop_column("threads", "key")
    op.drop_column("threads", "archived_at")
