"""Golden questions: what a course's material has to answer."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0022"
down_revision: str | None = "0021"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "golden_questions",
        sa.Column("id", sa.String(length=40), nullable=False),
        sa.Column("course_id", sa.String(length=40), nullable=False),
        sa.Column("question", sa.String(length=1000), nullable=False),
        sa.Column("document", sa.String(length=1000), nullable=False),
        sa.Column("passage", sa.String(length=1000), nullable=False),
        sa.Column("place", sa.Integer(), nullable=True),
        sa.Column("best", sa.Integer(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["course_id"],
            ["courses.id"],
            name=op.f("fk_golden_questions_course_id_courses"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_golden_questions")),
    )
    op.create_index(op.f("ix_golden_questions_course_id_id"), "golden_questions", ["course_id", "id"])


def downgrade() -> None:
    op.drop_table("golden_questions")
