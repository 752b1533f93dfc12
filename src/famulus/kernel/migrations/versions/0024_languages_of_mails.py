"""The language that a mail is written in."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0024"
down_revision: str | None = "0023"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column("mails", sa.Column("language", sa.String(length=35), nullable=False, server_default="en"))


def downgrade() -> None:
    op.drop_column("mails", "language")
