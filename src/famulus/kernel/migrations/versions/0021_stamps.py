"""Stamps of documents: how a file looked from outside when it was last read. And the sources that are being read."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0021"
down_revision: str | None = "0020"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


OPEN = sa.text("state IN ('waiting', 'indexing')")


def upgrade() -> None:
    op.add_column("documents", sa.Column("stamp", sa.String(length=100), nullable=False, server_default=""))
    op.create_index("ix_sources_open", "sources", ["state"], sqlite_where=OPEN, postgresql_where=OPEN)


def downgrade() -> None:
    op.drop_index("ix_sources_open", "sources")
    op.drop_column("documents", "stamp")
