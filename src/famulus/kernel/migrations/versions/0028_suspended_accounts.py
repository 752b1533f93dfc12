"""The few accounts that are shut out, found without walking along all others."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ORDERS = {"name": ["name_key", "id"], "address": ["email"], "time": ["id"]}


def upgrade() -> None:
    for order, columns in ORDERS.items():
        op.create_index(
            f"ix_users_suspended_by_{order}",
            "users",
            columns,
            sqlite_where=sa.text("suspended = 1"),
            postgresql_where=sa.text("suspended"),
        )


def downgrade() -> None:
    for order in ORDERS:
        op.drop_index(f"ix_users_suspended_by_{order}", "users")
