"""Sources of more kinds, of the whole site as well, run by schedule; chunks of code know their symbol and lines."""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

TIME = sa.DateTime(timezone=True)
LINES = ("first_line", "last_line")
KINDS = "kind IN ('lessons', 'folder', 'upload')"
STATES = "state IN ('ready', 'indexing', 'failed')"
MORE_KINDS = "kind IN ('lessons', 'folder', 'upload', 'git', 'urls', 'openapi')"
MORE_STATES = "state IN ('waiting', 'ready', 'indexing', 'failed')"
OWNED = "organization_id VARCHAR(40) NOT NULL"
PLACE = "uq_sources_place"
OWNER, COURSE = sa.text("coalesce(organization_id, '')"), sa.text("coalesce(course_id, '')")


def upgrade() -> None:
    op.add_column("chunks", sa.Column("symbol", sa.String(length=300), server_default="", nullable=False))
    for name in LINES:
        op.add_column("chunks", sa.Column(name, sa.Integer(), nullable=True))
    _rule(KINDS, MORE_KINDS, STATES, MORE_STATES, owned=False)
    for column in _columns():
        op.add_column("sources", column)
    op.drop_index(PLACE, "sources")
    op.create_index(PLACE, "sources", [OWNER, COURSE, "kind", "location"], unique=True)


def downgrade() -> None:
    for table in ("documents", "sources"):
        op.execute(f"DELETE FROM {table} WHERE organization_id IS NULL")  # noqa: S608 – two names from here
    op.execute("DELETE FROM sources WHERE kind IN ('git', 'urls', 'openapi')")
    op.execute("UPDATE sources SET state = 'ready' WHERE state = 'waiting'")
    op.drop_index(PLACE, "sources")
    op.create_index(PLACE, "sources", ["organization_id", COURSE, "kind", "location"], unique=True)
    for column in _columns():
        op.drop_column("sources", column.name)
    _rule(MORE_KINDS, KINDS, MORE_STATES, STATES, owned=True)
    for name in ("symbol", *LINES):
        op.drop_column("chunks", name)


def _columns() -> list[sa.Column[object]]:
    return [
        sa.Column("settings", sa.Text(), server_default="{}", nullable=False),
        sa.Column("schedule", sa.String(length=100), nullable=True),
        sa.Column("error", sa.String(length=1000), nullable=True),
        sa.Column("remarks", sa.Text(), server_default="[]", nullable=False),
        sa.Column("done", sa.Integer(), server_default="0", nullable=False),
        sa.Column("total", sa.Integer(), server_default="0", nullable=False),
        sa.Column("checked_at", TIME, nullable=True),
    ]


def _rule(kinds: str, new_kinds: str, states: str, new_states: str, *, owned: bool) -> None:
    """Other kinds and states, and whether everything has to belong to an organization."""
    if op.get_bind().dialect.name == "sqlite":
        return _rewrite({kinds: new_kinds, states: new_states}, owned)
    for name, rule in (("kind", new_kinds), ("state", new_states)):
        op.drop_constraint(f"ck_sources_{name}", "sources", type_="check")
        op.create_check_constraint(op.f(f"ck_sources_{name}"), "sources", rule)
    for table in ("sources", "documents"):
        op.alter_column(table, "organization_id", nullable=not owned)


def _rewrite(rules: dict[str, str], owned: bool) -> None:
    """What SQLite knows no statement for: rules that bear on no stored row are edited where they are written.

    To make the tables anew would take all documents with them, which hang on their source.
    """
    free = OWNED.removesuffix(" NOT NULL")
    plain = {**rules, free: OWNED} if owned else {**rules, OWNED: free}
    version = op.get_bind().execute(sa.text("PRAGMA schema_version")).scalar_one()
    op.execute("PRAGMA writable_schema = ON")
    edit = sa.text(
        "UPDATE sqlite_master SET sql = replace(sql, :old, :new) WHERE name IN ('sources', 'documents')"
    )
    for old, new in plain.items():
        op.execute(edit.bindparams(old=old, new=new))
    op.execute(f"PRAGMA schema_version = {int(version) + 1}")
    op.execute("PRAGMA writable_schema = OFF")
