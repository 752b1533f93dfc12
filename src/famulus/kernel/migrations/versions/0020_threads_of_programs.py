"""Threads of programs: those that are gone after a day, and the marks that programs put on theirs."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0020"
down_revision: str | None = "0019"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

FLEETING = sa.text("fleeting")


def upgrade() -> None:
    op.add_column(
        "threads", sa.Column("fleeting", sa.Boolean(), nullable=False, server_default=sa.text("false"))
    )
    op.add_column("threads", sa.Column("marks", sa.Text(), nullable=True))
    op.create_index(
        "ix_threads_fleeting", "threads", ["updated_at"], sqlite_where=FLEETING, postgresql_where=FLEETING
    )


def downgrade() -> None:
    op.drop_index("ix_threads_fleeting", "threads")
    op.drop_column("threads", "marks")
    op.drop_column("threads", "fleeting")
