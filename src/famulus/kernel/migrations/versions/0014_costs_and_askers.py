"""What each run has cost; and runs that have ended keep nothing of what their asker came with."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0014"
down_revision: str | None = "0013"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("runs", sa.Column("cost", sa.BigInteger(), nullable=True))
    op.execute("UPDATE runs SET asker = '' WHERE status IN ('completed', 'failed', 'cancelled')")


def downgrade() -> None:
    op.drop_column("runs", "cost")
