"""What can be archived, the orders of lists, and the names that they sort by."""

import unicodedata
from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)
INDEXES = (
    ("users", ["name_key", "id"]),
    ("sessions", ["user_id", "id"]),
    ("memberships", ["organization_id", "person_key", "user_id"]),
    ("memberships", ["organization_id", "role", "person_key", "user_id"]),
    ("memberships", ["organization_id", "created_at", "user_id"]),
    ("enrolments", ["course_id", "person_key", "user_id"]),
    ("enrolments", ["course_id", "role", "person_key", "user_id"]),
    ("enrolments", ["course_id", "created_at", "user_id"]),
    ("courses", ["track_id", "position", "id"]),
    ("courses", ["organization_id", "id"]),
    ("courses", ["title_key", "id"]),
    ("threads", ["organization_id"]),
    ("runs", ["user_id", "id"]),
    ("invitations", ["organization_id", "state", "id"]),
    ("tasks", ["user_id", "done_at", "id"]),
    ("audit_entries", ["action", "id"]),
    ("audit_entries", ["organization_id", "actor_id", "id"]),
)


def upgrade() -> None:
    for table, column in _columns():
        op.add_column(table, column)
    _put_courses_into_tracks()
    for table, columns in INDEXES:
        op.create_index(f"ix_{table}_{'_'.join(columns)}", table, columns)
    op.drop_index("ix_runs_user_id", "runs")  # the one by user and id does its work as well
    op.drop_index("ix_sessions_user_id", "sessions")  # likewise
    _compare_addresses_by_code_points("C")
    _sort_people()
    _sort_lessons()
    _trust_who_taught_before()


def downgrade() -> None:
    _compare_addresses_by_code_points("default")
    op.create_index("ix_runs_user_id", "runs", ["user_id"])
    op.create_index("ix_sessions_user_id", "sessions", ["user_id"])
    for table, columns in INDEXES:
        op.drop_index(f"ix_{table}_{'_'.join(columns)}", table)
    if op.get_bind().dialect.name == "postgresql":
        op.drop_constraint("fk_courses_track_id_tracks", "courses")
    op.drop_column("courses", "track_id")
    for table, column in _columns():
        op.drop_column(table, column.name)


def _columns() -> list[tuple[str, sa.Column[Any]]]:
    """What known tables get, made anew for each use."""
    return [
        ("users", sa.Column("name_key", sa.Text(), nullable=False, server_default="")),
        ("users", sa.Column("service", sa.Boolean(), nullable=False, server_default=sa.false())),
        ("sessions", sa.Column("method", sa.String(length=16), nullable=False, server_default="password")),
        ("sessions", sa.Column("address", sa.String(length=64), nullable=True)),
        ("sessions", sa.Column("user_agent", sa.String(length=300), nullable=True)),
        ("sessions", sa.Column("used_at", TIME, nullable=True)),
        ("organizations", sa.Column("archived_at", TIME, nullable=True)),
        ("memberships", sa.Column("person_key", _folded(), nullable=False, server_default="")),
        ("enrolments", sa.Column("person_key", _folded(), nullable=False, server_default="")),
        ("courses", sa.Column("position", sa.Integer(), nullable=False, server_default="0")),
        ("courses", sa.Column("archived_at", TIME, nullable=True)),
        ("lessons", sa.Column("archived_at", TIME, nullable=True)),
        ("lessons", sa.Column("title_key", sa.Text(), nullable=False, server_default="")),
        ("runs", sa.Column("cited", sa.Integer(), nullable=False, server_default="0")),
    ]


def _folded(length: int | None = None) -> sa.types.TypeEngine[str]:
    """Text that is compared by code points; SQLite does nothing else."""
    return sa.String(length, collation="C" if op.get_bind().dialect.name == "postgresql" else None)


def _compare_addresses_by_code_points(collation: str) -> None:
    """So that addresses that begin with something are a range of their index."""
    if op.get_bind().dialect.name == "postgresql":
        op.execute(f'ALTER TABLE users ALTER COLUMN email TYPE VARCHAR(320) COLLATE "{collation}"')


def _put_courses_into_tracks() -> None:
    """SQLite takes a reference with its column only; making the table anew would empty those that point at it."""
    op.execute(
        "ALTER TABLE courses ADD COLUMN track_id VARCHAR(40)"
        " CONSTRAINT fk_courses_track_id_tracks REFERENCES tracks (id) ON DELETE SET NULL"
    )


def _sort_people() -> None:
    """Give accounts, memberships and enrolments the names by which they sort."""
    connection = op.get_bind()
    for id, name in connection.execute(sa.text("SELECT id, name FROM users")).all():
        values = {"id": id, "key": _fold(name)}
        connection.execute(sa.text("UPDATE users SET name_key = :key WHERE id = :id"), values)
        connection.execute(sa.text("UPDATE memberships SET person_key = :key WHERE user_id = :id"), values)
        connection.execute(sa.text("UPDATE enrolments SET person_key = :key WHERE user_id = :id"), values)


def _sort_lessons() -> None:
    """Give lessons the titles by which they are compared."""
    connection = op.get_bind()
    for id, title in connection.execute(sa.text("SELECT id, title FROM lessons")).all():
        values = {"id": id, "key": _fold(title)}
        connection.execute(sa.text("UPDATE lessons SET title_key = :key WHERE id = :id"), values)


def _fold(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())


def _trust_who_taught_before() -> None:
    """Teaching takes a verified address from now on; whoever taught already goes on without a break."""
    op.execute(
        "UPDATE users SET email_verified_at = created_at WHERE email_verified_at IS NULL"
        " AND id IN (SELECT user_id FROM memberships WHERE role <> 'student')"
    )
