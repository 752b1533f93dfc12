"""Tool calls that wait for a person, and the rules that say which do."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)
PENDING = sa.text("status = 'pending'")


def upgrade() -> None:
    _create_approvals()
    op.create_table(
        "tool_policies",
        sa.Column("organization_id", sa.String(length=40), nullable=False),
        sa.Column("rules", sa.Text(), nullable=False),
        sa.Column("updated_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["organization_id"],
            ["organizations.id"],
            name=op.f("fk_tool_policies_organization_id_organizations"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("organization_id", name=op.f("pk_tool_policies")),
    )
    _index("'queued', 'running', 'awaiting'")


def downgrade() -> None:
    _index("'queued', 'running'")
    op.drop_table("tool_policies")
    op.drop_table("approvals")


def _index(live: str) -> None:
    condition = sa.text(f"status IN ({live})")
    op.drop_index("ix_runs_live", table_name="runs")
    op.create_index("ix_runs_live", "runs", ["thread_id"], sqlite_where=condition, postgresql_where=condition)


def _create_approvals() -> None:
    op.create_table(
        "approvals",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("run_id", sa.String(length=40), nullable=False),
        sa.Column("thread_id", sa.String(length=40), nullable=False),
        sa.Column("user_id", sa.String(length=40), nullable=False),
        sa.Column("organization_id", sa.String(length=40), nullable=True),
        sa.Column("call_id", sa.String(length=200), nullable=False),
        sa.Column("tool", sa.String(length=64), nullable=False),
        sa.Column("arguments", sa.Text(), nullable=False),
        sa.Column("card", sa.Text(), nullable=False),
        sa.Column("hash", sa.String(length=64), nullable=False),
        sa.Column("approver", sa.String(length=32), nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("edited", sa.Text(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("answered_by", sa.String(length=40), nullable=True),
        sa.Column("answered_at", TIME, nullable=True),
        sa.Column("expires_at", sa.Float(precision=53), nullable=False),
        sa.Column("created_at", TIME, nullable=False),
        sa.ForeignKeyConstraint(
            ["run_id"], ["runs.id"], name=op.f("fk_approvals_run_id_runs"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["user_id"], ["users.id"], name=op.f("fk_approvals_user_id_users"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    op.create_index(op.f("ix_approvals_run_id_id"), "approvals", ["run_id", "id"])
    op.create_index(op.f("ix_approvals_user_id_id"), "approvals", ["user_id", "id"])
    for name, column in (("ix_approvals_waiting", "user_id"), ("ix_approvals_pending", "organization_id")):
        op.create_index(name, "approvals", [column, "id"], sqlite_where=PENDING, postgresql_where=PENDING)
