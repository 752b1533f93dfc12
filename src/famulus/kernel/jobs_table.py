"""Tables of background work: the jobs with their leases, and when each schedule is next due. Private to the jobs."""

from datetime import datetime

from sqlalchemy import Float, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from famulus.kernel.tables import Base, Json, UtcTime

PENDING = text("status = 'pending'")
OPEN = text("status IN ('pending', 'running')")

Payload = dict[str, str | int | bool | None]


class Job(Base):
    """One piece of work: `pending`, `running` or `failed`. A job that is done is gone."""

    __tablename__ = "jobs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    kind: Mapped[str] = mapped_column(String(100))
    payload: Mapped[Payload] = mapped_column(Json)
    unique_key: Mapped[str | None] = mapped_column(String(255))
    """At most one pending job has it, and at most one with it runs at a time."""
    status: Mapped[str] = mapped_column(String(16), default="pending")
    run_at: Mapped[float] = mapped_column(Float(53))
    """Not before, by the database's clock, seconds since 1970."""
    attempts: Mapped[int] = mapped_column(default=0)
    """How often it was begun."""
    holder: Mapped[str | None] = mapped_column(String(100))
    """The worker that runs it and which of that worker's claims this is."""
    lease_until: Mapped[float] = mapped_column(Float(53), default=0)
    error: Mapped[str | None] = mapped_column(Text)
    """What went wrong the last time."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    finished_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (
        Index(
            "uq_jobs_unique_key_pending",
            "unique_key",
            unique=True,
            sqlite_where=PENDING,
            postgresql_where=PENDING,
        ),
        Index("ix_jobs_open", "run_at", sqlite_where=OPEN, postgresql_where=OPEN),
    )


class ScheduleRow(Base):
    """When a schedule is next due; whoever moves `next_at` on has the tick."""

    __tablename__ = "schedules"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    cron: Mapped[str] = mapped_column(String(100))
    next_at: Mapped[float] = mapped_column(Float(53))
    """By the database's clock, seconds since 1970."""
