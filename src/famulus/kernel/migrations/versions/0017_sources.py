"""Chunks of code know their symbol and their lines."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LINES = ("first_line", "last_line")


def upgrade() -> None:
    op.add_column("chunks", sa.Column("symbol", sa.String(length=300), server_default="", nullable=False))
    for name in LINES:
        op.add_column("chunks", sa.Column(name, sa.Integer(), nullable=True))


def downgrade() -> None:
    for name in ("symbol", *LINES):
        op.drop_column("chunks", name)
