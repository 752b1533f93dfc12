"""Whether an issuer has vouched for the address that somebody came with."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "foreign_identities", sa.Column("vouched", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    _vouch_for_those_who_came_with_a_verified_address()


def downgrade() -> None:
    op.drop_column("foreign_identities", "vouched")


def _vouch_for_those_who_came_with_a_verified_address() -> None:
    """Of the others it is not known; the next token or sign-in that calls the address verified sets it."""
    identities = sa.table(
        "foreign_identities",
        sa.column("user_id"),
        sa.column("created_at"),
        sa.column("vouched", sa.Boolean()),
    )
    users = sa.table("users", sa.column("id"), sa.column("email_verified_at"))
    before = sa.exists().where(
        users.c.id == identities.c.user_id, users.c.email_verified_at <= identities.c.created_at
    )
    op.execute(sa.update(identities).where(before).values(vouched=sa.true()))
