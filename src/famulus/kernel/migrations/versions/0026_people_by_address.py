"""Members and people of courses are found by their address, too, without a look at their accounts."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0026"
down_revision: str | None = "0025"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

PLACES = (("memberships", "organization_id"), ("enrolments", "course_id"))
NARROW = (("person_key", "user_id"), ("created_at", "user_id"))


def upgrade() -> None:
    collation = "C" if op.get_bind().dialect.name == "postgresql" else None
    address = sa.String(320, collation)
    for table, place in PLACES:
        op.add_column(table, sa.Column("email_key", address, nullable=False, server_default=""))
        op.execute(
            f"UPDATE {table} SET email_key = (SELECT email FROM users WHERE users.id = {table}.user_id)"  # noqa: S608
        )
        for columns in NARROW:
            op.drop_index(_named(table, place, *columns), table)
        op.create_index(_named(table, place, "email_key", "user_id"), table, [place, "email_key", "user_id"])
        op.create_index(f"ix_{table}_by_name", table, [place, "person_key", "user_id", "email_key"])
        op.create_index(
            f"ix_{table}_by_time", table, [place, "created_at", "user_id", "person_key", "email_key"]
        )


def downgrade() -> None:
    for table, place in PLACES:
        for name in (
            f"ix_{table}_by_time",
            f"ix_{table}_by_name",
            _named(table, place, "email_key", "user_id"),
        ):
            op.drop_index(name, table)
        for columns in NARROW:
            op.create_index(_named(table, place, *columns), table, [place, *columns])
        op.drop_column(table, "email_key")


def _named(table: str, *columns: str) -> str:
    return f"ix_{table}_{'_'.join(columns)}"
