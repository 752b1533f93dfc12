"""Names are compared by code points, so that those that begin so are a range of their index; more orders of lists."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

ARCHIVED = sa.text("archived_at IS NOT NULL")
NAMES = (
    ("users", "name_key"),
    ("organizations", "name_key"),
    ("projects", "name_key"),
    ("tracks", "name_key"),
    ("courses", "title_key"),
    ("lessons", "title_key"),
)
INDEXES = (
    ("users", ["email", "id"]),
    ("memberships", ["organization_id", "role", "created_at", "user_id"]),
    ("enrolments", ["course_id", "role", "created_at", "user_id"]),
)


def upgrade() -> None:
    _compare_names("C")
    for table, columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    op.create_index(
        "ix_courses_archived",
        "courses",
        ["organization_id", "title_key", "id"],
        sqlite_where=ARCHIVED,
        postgresql_where=ARCHIVED,
    )


def downgrade() -> None:
    op.drop_index("ix_courses_archived", "courses")
    for table, columns in INDEXES:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    _compare_names("default")


def _compare_names(collation: str) -> None:
    """SQLite does nothing else; PostgreSQL makes the indexes anew."""
    if op.get_bind().dialect.name == "postgresql":
        for table, column in NAMES:
            op.execute(f'ALTER TABLE {table} ALTER COLUMN {column} TYPE TEXT COLLATE "{collation}"')
