"""Live runs are found by their thread. By their lease, every renewal would have to write the index as well."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

LIVE = sa.text("status IN ('queued', 'running')")


def upgrade() -> None:
    _index("thread_id")


def downgrade() -> None:
    _index("lease_until")


def _index(column: str) -> None:
    op.drop_index("ix_runs_live", table_name="runs")
    op.create_index("ix_runs_live", "runs", [column], sqlite_where=LIVE, postgresql_where=LIVE)
