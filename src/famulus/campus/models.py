"""Tables of the campus. Private to this room; others hold foreign keys by name.

A `…_key` is the name as it is compared: databases disagree on what lower case is, `kernel.text.fold` does not. Ids sort
by time, so a list in the order of creation goes by them; a second index for each such table is for the site's admins,
whose lists span all organizations.
"""

from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from famulus.kernel.tables import Base, Folded, FoldedText, Json, UtcTime
from famulus.kernel.text import EARLIEST, LATEST, fold

MemberRole = Literal["organization_admin", "teacher", "student"]
CourseRole = Literal["teacher", "student"]
InvitationState = Literal["open", "accepted", "withdrawn"]
QuizStatus = Literal["draft", "approved", "discarded"]
Level = Literal["beginner", "intermediate", "advanced"]
OPEN = text("state = 'open'")
ARCHIVED = text("archived_at IS NOT NULL")


class Organization(Base):
    """A tenant: a school, a company, a club. Names are unique without regard to case."""

    __tablename__ = "organizations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(FoldedText, unique=True)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """Since when it is put away: only site admins still find it, and nobody is at home in it."""
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
    person_key: Mapped[str] = mapped_column(Folded, default="")
    """The person's name as it sorts: a page of a hundred thousand members must not sort them all."""
    email_key: Mapped[str] = mapped_column(Folded(320), default="")
    """The person's address: whose begins so is seen in passing along the list."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index(None, "user_id"),
        Index(None, "organization_id", "email_key", "user_id", "role"),
        Index(None, "organization_id", "role", "person_key", "user_id"),
        # These two have all by which people are found: whoever goes along them looks up nobody.
        Index("ix_memberships_by_name", "organization_id", "person_key", "user_id", "email_key"),
        Index(
            "ix_memberships_by_time", "organization_id", "created_at", "user_id", "person_key", "email_key"
        ),
        Index(None, "organization_id", "role", "created_at", "user_id"),
    )


class Invitation(Base):
    """A place in an organization, held for an address until its owner takes it; of its link only a digest is kept."""

    __tablename__ = "invitations"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    email: Mapped[str] = mapped_column(String(320))
    name: Mapped[str | None] = mapped_column(String(200))
    role: Mapped[MemberRole] = mapped_column(String(32))
    course_ids: Mapped[list[str]] = mapped_column(Json)
    """Courses to be taught or learned from the start."""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[InvitationState] = mapped_column(String(16))
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    invited_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    accepted_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index(None, "organization_id", "id"),
        Index(None, "organization_id", "state", "id"),
        Index(
            "uq_invitations_organization_id_email_open",
            "organization_id",
            "email",
            unique=True,
            sqlite_where=OPEN,
            postgresql_where=OPEN,
        ),
    )


class Project(Base):
    """A body of work inside an organization, with tracks of its own. Names are unique there without regard to case."""

    __tablename__ = "projects"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(FoldedText)
    description: Mapped[str] = mapped_column(Text, default="")
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("organization_id", "name_key"),
        Index(None, "organization_id", "id"),
        Index(None, "name_key", "id"),
    )

    @validates("name")
    def _fold(self, _field: str, name: str) -> str:
        self.name_key = fold(name)
        return name


class Track(Base):
    """A path through courses, at one level. Its name is unique in its project; it never leaves its organization."""

    __tablename__ = "tracks"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    """The project's, for a track's rights are asked more often than its project."""
    project_id: Mapped[str] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(FoldedText)
    description: Mapped[str] = mapped_column(Text, default="")
    level: Mapped[Level] = mapped_column(String(16))
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("project_id", "name_key"),
        Index(None, "project_id", "id"),
        Index(None, "organization_id", "name_key", "id"),
        Index(None, "organization_id", "id"),
        Index(None, "name_key", "id"),
    )

    @validates("name")
    def _fold(self, _field: str, name: str) -> str:
        self.name_key = fold(name)
        return name


class Course(Base):
    """Lessons under one roof. An unpublished course is seen by those who teach or administer it."""

    __tablename__ = "courses"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    track_id: Mapped[str | None] = mapped_column(ForeignKey("tracks.id", ondelete="SET NULL"))
    position: Mapped[int] = mapped_column(default=0)
    """Its place among the courses of its track."""
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(FoldedText)
    description: Mapped[str] = mapped_column(Text, default="")
    published: Mapped[bool] = mapped_column(default=False)
    assistant_id: Mapped[str | None] = mapped_column(
        ForeignKey("assistants.id", ondelete="SET NULL", use_alter=True)
    )
    """The assistant this course is pinned to, if any."""
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """Since when it is over: who learned in it no longer finds it, who taught it does."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        UniqueConstraint("organization_id", "title_key"),
        Index(None, "track_id", "position", "id"),
        Index(None, "organization_id", "id"),
        Index(None, "title_key", "id"),
        Index(
            "ix_courses_archived",
            "organization_id",
            "title_key",
            "id",
            sqlite_where=ARCHIVED,
            postgresql_where=ARCHIVED,
        ),
    )

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
    title_key: Mapped[str] = mapped_column(FoldedText, default="")
    path: Mapped[str] = mapped_column(String(500))
    body: Mapped[str] = mapped_column(Text)
    position: Mapped[int]
    published: Mapped[bool] = mapped_column(default=True)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("course_id", "path"), Index(None, "course_id", "position", "id"))

    @validates("title")
    def _fold(self, _field: str, title: str) -> str:
        self.title_key = fold(title)
        return title


class Quiz(Base):
    """Questions about a course, drafted for a teacher to review. Only those who teach the course see it."""

    __tablename__ = "quizzes"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    lesson_id: Mapped[str | None] = mapped_column(ForeignKey("lessons.id", ondelete="SET NULL"))
    """The lesson that it is about, if it is about one."""
    title: Mapped[str] = mapped_column(String(200))
    status: Mapped[QuizStatus] = mapped_column(String(16), default="draft")
    questions: Mapped[list[dict[str, Any]]] = mapped_column(Json)
    question_count: Mapped[int]
    """For lists, which do without the questions."""
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index(None, "course_id", "id"),
        Index(None, "course_id", "status", "id"),
        Index(None, "lesson_id"),
    )


class Enrolment(Base):
    """A person in a course, learning (`student`) or teaching (`teacher`) it."""

    __tablename__ = "enrolments"

    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    role: Mapped[CourseRole] = mapped_column(String(16))
    person_key: Mapped[str] = mapped_column(Folded, default="")
    """The person's name as it sorts, as in memberships."""
    email_key: Mapped[str] = mapped_column(Folded(320), default="")
    """The person's address, as in memberships."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index(None, "user_id"),
        Index(None, "course_id", "email_key", "user_id", "role"),
        Index(None, "course_id", "role", "person_key", "user_id"),
        Index("ix_enrolments_by_name", "course_id", "person_key", "user_id", "email_key"),
        Index("ix_enrolments_by_time", "course_id", "created_at", "user_id", "person_key", "email_key"),
        Index(None, "course_id", "role", "created_at", "user_id"),
    )


class Task(Base):
    """A person's to-do. Nobody else sees it, whatever their role."""

    __tablename__ = "tasks"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    title: Mapped[str] = mapped_column(String(200))
    title_key: Mapped[str] = mapped_column(Text)
    description: Mapped[str] = mapped_column(Text, default="")
    due_at: Mapped[datetime | None] = mapped_column(UtcTime)
    due_first: Mapped[datetime] = mapped_column(UtcTime, default=LATEST)
    due_last: Mapped[datetime] = mapped_column(UtcTime, default=EARLIEST)
    """When it is due, as lists sort: soonest first by the one, latest first by the other. What is due at no time comes
    last in both, and neither is ever NULL, from which no page could go on."""
    done_at: Mapped[datetime | None] = mapped_column(UtcTime)
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index(None, "user_id", "id"),
        Index(None, "user_id", "due_first", "id"),
        Index(None, "user_id", "due_last", "id"),
        Index(None, "user_id", "done_at", "id"),
    )

    @validates("title")
    def _fold(self, _field: str, title: str) -> str:
        self.title_key = fold(title)
        return title

    @validates("due_at")
    def _sort(self, _field: str, due_at: datetime | None) -> datetime | None:
        self.due_first, self.due_last = due_at or LATEST, due_at or EARLIEST
        return due_at


def listed(name: str, email: str) -> dict[str, str]:
    """What a membership or an enrolment has of its person, to be sorted and found by."""
    return {"person_key": fold(name), "email_key": email}
