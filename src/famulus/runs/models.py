"""Tables of runs: the runs with their lease, and the journal of their events. Private to this room."""

from datetime import datetime

from sqlalchemy import BigInteger, Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from famulus.kernel.tables import Base, UtcTime

RUNNING = text("status = 'running'")
LIVE = text("status IN ('queued', 'running', 'awaiting')")
PENDING = text("status = 'pending'")


class Run(Base):
    """How one answer comes about. `epoch` counts the attempts; only the holder of the lease in its epoch may write."""

    __tablename__ = "runs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    thread_id: Mapped[str] = mapped_column(ForeignKey("threads.id", ondelete="CASCADE"))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    message_id: Mapped[str] = mapped_column(String(40))
    answer_id: Mapped[str | None] = mapped_column(String(40))
    status: Mapped[str] = mapped_column(String(16))
    epoch: Mapped[int] = mapped_column(default=0)
    owner: Mapped[str | None] = mapped_column(String(60))
    """The instance that works on it."""
    lease_until: Mapped[float] = mapped_column(Float(53), default=0)
    """By the database's clock, seconds since 1970."""
    cancel_requested: Mapped[bool] = mapped_column(default=False)
    idempotency_key: Mapped[str | None] = mapped_column(String(255))
    body_hash: Mapped[str] = mapped_column(String(64))
    asker: Mapped[str] = mapped_column(Text)
    """JSON of the principal and assistant it was accepted for, which a restarted server needs to go on.

    There may be a sealed token in it, so it is empty once the run has ended.
    """
    model: Mapped[str | None] = mapped_column(String(200))
    input_tokens: Mapped[int] = mapped_column(default=0)
    output_tokens: Mapped[int] = mapped_column(default=0)
    cost: Mapped[int | None] = mapped_column(BigInteger)
    """Millionths of a US dollar; null where it is not known."""
    cited: Mapped[int] = mapped_column(default=0)
    """Passages that the answer rests on; an answer in a course that rests on none is counted as unanswered."""
    error: Mapped[str | None] = mapped_column(Text)
    request_id: Mapped[str | None] = mapped_column(String(128))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index(
            "uq_runs_thread_id_running",
            "thread_id",
            unique=True,
            sqlite_where=RUNNING,
            postgresql_where=RUNNING,
        ),
        Index("uq_runs_thread_id_idempotency_key", "thread_id", "idempotency_key", unique=True),
        Index("ix_runs_live", "thread_id", sqlite_where=LIVE, postgresql_where=LIVE),
        Index(None, "user_id", "id"),
    )


class RunEvent(Base):
    """One journalled event; a row of text holds the consecutive deltas `n` to `last` as a JSON list of their texts."""

    __tablename__ = "run_events"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    epoch: Mapped[int] = mapped_column(primary_key=True)
    n: Mapped[int] = mapped_column(primary_key=True)
    last: Mapped[int]
    data: Mapped[str] = mapped_column(Text)


class Approval(Base):
    """A tool call that waits, or waited, for a person. Whether it still can be answered, its run's status says too."""

    __tablename__ = "approvals"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"))
    thread_id: Mapped[str] = mapped_column(String(40))
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """Who asked."""
    organization_id: Mapped[str | None] = mapped_column(String(40))
    call_id: Mapped[str] = mapped_column(String(200))
    tool: Mapped[str] = mapped_column(String(64))
    arguments: Mapped[str] = mapped_column(Text)
    """JSON of what will be carried out."""
    card: Mapped[str] = mapped_column(Text)
    """JSON of what is shown."""
    hash: Mapped[str] = mapped_column(String(64))
    approver: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))
    """`pending`, `approved` or `denied`."""
    edited: Mapped[str | None] = mapped_column(Text)
    """JSON of what is carried out instead, where a person has changed it."""
    reason: Mapped[str | None] = mapped_column(Text)
    answered_by: Mapped[str | None] = mapped_column(String(40))
    answered_at: Mapped[datetime | None] = mapped_column(UtcTime)
    expires_at: Mapped[float] = mapped_column(Float(53))
    """By the database's clock, seconds since 1970."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        Index(None, "run_id", "id"),
        Index(None, "user_id", "id"),
        Index("ix_approvals_waiting", "user_id", "id", sqlite_where=PENDING, postgresql_where=PENDING),
        Index(
            "ix_approvals_pending", "organization_id", "id", sqlite_where=PENDING, postgresql_where=PENDING
        ),
    )
