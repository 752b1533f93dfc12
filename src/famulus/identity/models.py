"""Tables of identity: accounts and their sessions. Private to this room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from famulus.kernel.tables import Base, Json, UtcTime


class User(Base):
    """A person's account. E-mail addresses are stored trimmed and in lower case."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str] = mapped_column(String(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    password_hash: Mapped[str | None] = mapped_column(String(300))
    site_admin: Mapped[bool] = mapped_column(default=False)
    suspended: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str] = mapped_column(String(35), default="en")
    profile: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class Session(Base):
    """One sign-in. `web` holds a cookie; `api` holds an access and a rotating refresh token; only digests are kept."""

    __tablename__ = "sessions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    mode: Mapped[str] = mapped_column(String(8))
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    refresh_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    refresh_family_hash: Mapped[str | None] = mapped_column(String(64), unique=True)
    """What all refresh tokens of this session share: one of the family that is not the newest has been spent before,
    and whoever shows it has stolen it, or was stolen from."""
    refresh_expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
    """The active organization, where the person chose one: a fact of the session, not of the user."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id"),)
