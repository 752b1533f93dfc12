"""Tables of the campus. Private to this room; others hold foreign keys by name.

A `…_key` is the name as it is compared: databases disagree on what lower case is, `kernel.text.fold` does not.
"""

from datetime import datetime
from typing import Literal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, validates

from famulus.kernel.tables import Base, UtcTime
from famulus.kernel.text import fold

MemberRole = Literal["organization_admin", "teacher", "student"]
CourseRole = Literal["teacher", "student"]


class Organization(Base):
    """A tenant: a school, a company, a club. Names are unique without regard to case."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(Text, unique=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    @validates("name")
    def _fold(self, _field: str, name: str) -> str:
        self.name_key = fold(name)
        return name


class Membership(Base):
    """A person's one role in an organization."""

    __tablename__ = "memberships"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[MemberRole] = mapped_column(String(32))
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id"),)


class Course(Base):
    """Lessons under one roof. An unpublished course is seen by those who teach or administer it."""

    __tablename__ = "courses"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    published: Mapped[bool] = mapped_column(default=False)
    assistant_id: Mapped[str | None] = mapped_column(
        ForeignKey("assistants.id", ondelete="SET NULL", use_alter=True)
    )
    """The assistant this course is pinned to, if any."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("organization_id", "title_key"),)

    @validates("title")
    def _fold(self, _field: str, title: str) -> str:
        self.title_key = fold(title)
        return title


class Lesson(Base):
    """A page of a course, in Markdown. A draft is invisible to students and to their retrieval."""

    __tablename__ = "lessons"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    path: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    published: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("course_id", "path"), Index(None, "course_id", "position", "id"))


class Enrolment(Base):
    """A person in a course, learning (`student`) or teaching (`teacher`) it."""

    __tablename__ = "enrolments"

    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[CourseRole] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id"),)
