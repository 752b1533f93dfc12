"""Attachments outlive their owner's account, until a job has removed their bytes."""

from collections.abc import Sequence

from alembic import op

revision: str = "0025"
down_revision: str | None = "0024"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None
OWNER = "fk_attachments_user_id_users"


def upgrade() -> None:
    _owner(ondelete="SET NULL", nullable=True)


def downgrade() -> None:
    op.execute("DELETE FROM attachments WHERE user_id IS NULL")
    _owner(ondelete="CASCADE", nullable=False)


def _owner(*, ondelete: str, nullable: bool) -> None:
    with op.batch_alter_table("attachments") as table:
        table.drop_constraint(OWNER, type_="foreignkey")
        table.alter_column("user_id", nullable=nullable)
        table.create_foreign_key(OWNER, "users", ["user_id"], ["id"], ondelete=ondelete)
