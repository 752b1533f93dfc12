"""Of connections to MCP servers: the program that is one, and the tools that are approved."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0012"
down_revision: str | None = "0011"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("connections", sa.Column("command", sa.Text(), nullable=True))
    op.add_column("connections", sa.Column("approved", sa.Text(), nullable=False, server_default="{}"))


def downgrade() -> None:
    with op.batch_alter_table("connections") as table:
        table.drop_column("approved")
        table.drop_column("command")
