"""Accounts in each order of their list, with what is looked for; the few that are shut out by themselves.

The index of people by address tells their roles, too.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0028"
down_revision: str | None = "0027"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PEOPLE = {
    "name": ["name_key", "id", "email"],
    "address": ["email", "id", "name_key"],
    "time": ["id", "name_key", "email"],
}
SUSPENDED = {"name": ["name_key", "id"], "address": ["email"], "time": ["id"]}
BEFORE = ("name_key", "email")
PLACES = {"memberships": "organization_id", "enrolments": "course_id"}


def upgrade() -> None:
    for column in BEFORE:
        op.drop_index(f"ix_users_{column}_id", "users")
    for order, columns in PEOPLE.items():
        _create(f"ix_users_by_{order}", columns, "service = 0", "NOT service")
    for order, columns in SUSPENDED.items():
        _create(f"ix_users_suspended_by_{order}", columns, "suspended = 1", "suspended")
    for table, place in PLACES.items():
        _instead(table, [place, "email_key", "user_id"], [place, "email_key", "user_id", "role"])


def downgrade() -> None:
    for table, place in PLACES.items():
        _instead(table, [place, "email_key", "user_id", "role"], [place, "email_key", "user_id"])
    for order in SUSPENDED:
        op.drop_index(f"ix_users_suspended_by_{order}", "users")
    for order in PEOPLE:
        op.drop_index(f"ix_users_by_{order}", "users")
    for column in BEFORE:
        op.create_index(f"ix_users_{column}_id", "users", [column, "id"])


def _create(name: str, columns: list[str], sqlite: str, postgresql: str) -> None:
    op.create_index(
        name, "users", columns, sqlite_where=sa.text(sqlite), postgresql_where=sa.text(postgresql)
    )


def _instead(table: str, before: list[str], after: list[str]) -> None:
    op.drop_index(f"ix_{table}_{'_'.join(before)}", table)
    op.create_index(f"ix_{table}_{'_'.join(after)}", table, after)
