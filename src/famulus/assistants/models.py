"""Tables of the registry: assistants and their immutable versions. Private to this room."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from famulus.kernel.tables import Base, Json, UtcTime
from famulus.kernel.text import fold


class Assistant(Base):
    """Who answers, for everybody (`global`), for one role of an organization, or in one course."""

    __tablename__ = "assistants"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    scope: Mapped[str] = mapped_column(String(16))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    course_id: Mapped[str | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    role: Mapped[str | None] = mapped_column(String(32))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text)
    """The name as it is compared, on every database alike."""
    active: Mapped[bool] = mapped_column(default=True)
    version: Mapped[int] = mapped_column(default=1)
    """The version that answers; a row of `assistant_versions`."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        CheckConstraint(
            "(scope = 'global' AND organization_id IS NULL AND course_id IS NULL)"
            " OR (scope = 'organization' AND organization_id IS NOT NULL AND course_id IS NULL AND role IS NOT NULL)"
            " OR (scope = 'course' AND organization_id IS NOT NULL AND course_id IS NOT NULL)",
            name="scope",
        ),
        Index(
            "uq_assistants_global_name",
            "name_key",
            unique=True,
            sqlite_where=text("scope = 'global'"),
            postgresql_where=text("scope = 'global'"),
        ),
        Index(
            "uq_assistants_organization_role",
            "organization_id",
            "role",
            unique=True,
            sqlite_where=text("scope = 'organization'"),
            postgresql_where=text("scope = 'organization'"),
        ),
        Index(
            "uq_assistants_course",
            "course_id",
            unique=True,
            sqlite_where=text("scope = 'course'"),
            postgresql_where=text("scope = 'course'"),
        ),
    )

    @validates("name")
    def _fold(self, _field: str, name: str) -> str:
        self.name_key = fold(name)
        return name


class AssistantVersion(Base):
    """What an assistant was at one time; rows are only ever added."""

    __tablename__ = "assistant_versions"

    assistant_id: Mapped[str] = mapped_column(
        ForeignKey("assistants.id", ondelete="CASCADE"), primary_key=True
    )
    version: Mapped[int] = mapped_column(primary_key=True)
    instructions: Mapped[str] = mapped_column(Text)
    """A jinja2 template, rendered in a sandbox; see the reference for its variables."""
    settings: Mapped[dict[str, object]] = mapped_column(Json)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
