"""Tables of conversations: threads, messages, attachments, feedback. Private to this room, and to the prepared SQL."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from famulus.kernel.tables import Base, UtcTime

ARCHIVED = text("archived_at IS NOT NULL")


class Thread(Base):
    """A conversation of one user with one assistant, maybe inside a course."""

    __tablename__ = "threads"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    course_id: Mapped[str | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    assistant_id: Mapped[str] = mapped_column(ForeignKey("assistants.id"))
    title: Mapped[str | None] = mapped_column(String(200))
    titled_by: Mapped[str | None] = mapped_column(String(8))
    """Whose title it is: the first `words`, the `model`'s, or the `person`'s, who has the last say."""
    preview: Mapped[str | None] = mapped_column(String(200))
    last_position: Mapped[int] = mapped_column(default=0)
    """The position of the newest message; the row is locked while one is added, so positions have no gaps."""
    head_id: Mapped[str | None] = mapped_column(String(40))
    """The newest message, parent of the next."""
    key: Mapped[str | None] = mapped_column(String(255))
    """The client's key of the request that began it, so that the same request begins no other."""
    archived_at: Mapped[datetime | None] = mapped_column(UtcTime)
    fleeting: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    """Whether it serves a program that keeps the conversation itself: in no list, and gone after a day."""
    marks: Mapped[str | None] = mapped_column(Text)
    """JSON object of the texts that a program has put on it."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index(None, "user_id", "updated_at", "id"),
        Index(None, "user_id", "key", unique=True),
        Index(
            "ix_threads_archived",
            "user_id",
            "updated_at",
            "id",
            sqlite_where=ARCHIVED,
            postgresql_where=ARCHIVED,
        ),
        Index(None, "course_id"),
        Index(None, "organization_id"),
        Index(None, "assistant_id"),
        Index(
            "ix_threads_fleeting",
            "updated_at",
            sqlite_where=text("fleeting"),
            postgresql_where=text("fleeting"),
        ),
    )


class Message(Base):
    """One turn of a thread, made of parts and linked to the message before it."""

    __tablename__ = "messages"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    position: Mapped[int]
    parent_id: Mapped[str | None] = mapped_column(String(40))
    run_id: Mapped[str | None] = mapped_column(String(40))
    role: Mapped[str] = mapped_column(String(16))
    status: Mapped[str] = mapped_column(String(16))
    parts: Mapped[str] = mapped_column(Text)
    """JSON as `conversations.parts` writes it; opaque to SQL."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (UniqueConstraint("thread_id", "position"), Index(None, "run_id"))


class Attachment(Base):
    """A file that a person sends with a message; its bytes are stored under its id."""

    __tablename__ = "attachments"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    """None once the account is deleted: the row outlives it, for it alone knows which bytes are left."""
    thread_id: Mapped[str | None] = mapped_column(ForeignKey("threads.id", ondelete="SET NULL"))
    message_id: Mapped[str | None] = mapped_column(String(40))
    name: Mapped[str] = mapped_column(String(200))
    mime_type: Mapped[str] = mapped_column(String(150))
    """By its content, once that is there."""
    size: Mapped[int]
    status: Mapped[str] = mapped_column(String(16))
    """`pending` until the bytes have come, then `ready`."""
    has_preview: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id"), Index(None, "thread_id"), Index(None, "created_at"))


class Feedback(Base):
    """What the person thinks of an answer in a thread of theirs."""

    __tablename__ = "feedback"

    message_id: Mapped[str] = mapped_column(ForeignKey("messages.id", ondelete="CASCADE"), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    rating: Mapped[str] = mapped_column(String(8))
    """`up` or `down`."""
    comment: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "thread_id"),)
