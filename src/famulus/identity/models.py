"""Tables of identity: accounts, and every way in to one. Private to this room."""

from datetime import datetime
from typing import Literal

from sqlalchemy import Float, ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, validates

from famulus.kernel.tables import Base, Folded, FoldedText, Json, UtcTime
from famulus.kernel.text import fold

Purpose = Literal["verify", "change", "reset"]
"""Of a mailed link."""
MailState = Literal["waiting", "sent", "kept", "failed"]


def _of_people(order: str, *columns: str) -> Index:
    """An index of the list of accounts, with what is looked for in it, so that no row is looked up for that."""
    name = f"ix_users_by_{order}"
    return Index(name, *columns, sqlite_where=text("service = 0"), postgresql_where=text("NOT service"))


def _of_suspended(order: str, *columns: str) -> Index:
    """An index of the few who are shut out, in an order of the list of accounts."""
    name = f"ix_users_suspended_by_{order}"
    return Index(name, *columns, sqlite_where=text("suspended = 1"), postgresql_where=text("suspended"))


class User(Base):
    """A person's account. E-mail addresses are stored trimmed and in lower case."""

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    email: Mapped[str] = mapped_column(Folded(320), unique=True)
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(FoldedText)
    """The name as it sorts and is looked for."""
    password_hash: Mapped[str | None] = mapped_column(String(300))
    site_admin: Mapped[bool] = mapped_column(default=False)
    suspended: Mapped[bool] = mapped_column(default=False)
    service: Mapped[bool] = mapped_column(default=False)
    """Whether this is no person but an organization's API key, which acts under an account of its own."""
    locale: Mapped[str] = mapped_column(String(35), default="en")
    profile: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    email_verified_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        _of_people("name", "name_key", "id", "email"),
        _of_people("address", "email", "id", "name_key"),
        _of_people("time", "id", "name_key", "email"),
        _of_suspended("name", "name_key", "id"),
        _of_suspended("address", "email"),
        _of_suspended("time", "id"),
    )

    @validates("name")
    def _fold(self, _field: str, name: str) -> str:
        self.name_key = fold(name)
        return name


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
    method: Mapped[str] = mapped_column(String(16), default="password")
    """How the person proved who they are: `password`, `oidc` …"""
    address: Mapped[str | None] = mapped_column(String(64))
    """Where it was opened from, so that its owner can tell it from others."""
    user_agent: Mapped[str | None] = mapped_column(String(300))
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it was last used, to some minutes."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id", "id"),)


class Ticket(Base):
    """A short way in, used once: it stands for the credential that it was asked for with, which is sealed here."""

    __tablename__ = "tickets"

    token_hash: Mapped[str] = mapped_column(String(64), primary_key=True)
    sealed: Mapped[str] = mapped_column(Text)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "expires_at"),)


class EmailToken(Base):
    """A link that was mailed: whoever has it reads that mailbox. It works once; only its digest is kept."""

    __tablename__ = "email_tokens"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    purpose: Mapped[Purpose] = mapped_column(String(16))
    """`verify`, `reset` or `change` (to the address it was sent to)."""
    email: Mapped[str] = mapped_column(String(320))
    """The address it was sent to: it proves this one and no other."""
    token_hash: Mapped[str] = mapped_column(String(64), unique=True)
    expires_at: Mapped[datetime] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id", "purpose"),)


class Attempts(Base):
    """Failed tries by key (an account, a network address), so that the brake on guessing survives a restart."""

    __tablename__ = "attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    """A digest of what is counted."""
    count: Mapped[int]
    last_at: Mapped[float] = mapped_column(Float(53))
    """By the database's clock, seconds since 1970."""

    __table_args__ = (Index(None, "last_at"),)


class Mail(Base):
    """A mail on its way: `waiting`, `sent`, `kept` (there is no SMTP server to send it by) or `failed`."""

    __tablename__ = "mails"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    recipient: Mapped[str] = mapped_column(String(320))
    subject: Mapped[str] = mapped_column(String(300))
    body: Mapped[str] = mapped_column(Text)
    """Encrypted; empty once nobody is to read it any more."""
    kind: Mapped[str] = mapped_column(String(32))
    language: Mapped[str] = mapped_column(String(35), server_default="en")
    state: Mapped[MailState] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(Text)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the link in it is no longer good: from then on, or once it is sent, nobody reads the body here."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    sent_at: Mapped[datetime | None] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "state", "id"),)


class ApiKey(Base):
    """A key that opens an account to a program, within its scopes; only its digest is kept."""

    __tablename__ = "api_keys"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    """The account it acts under: a person's own, or the service account of an organization's key."""
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    """Set for an organization's key; for a person's own it says where it acts, if only in one place."""
    name: Mapped[str] = mapped_column(String(200))
    hint: Mapped[str] = mapped_column(String(16))
    """Its first characters, by which its owner knows it."""
    key_hash: Mapped[str] = mapped_column(String(64), unique=True)
    scopes: Mapped[list[str]] = mapped_column(Json)
    expires_at: Mapped[datetime | None] = mapped_column(UtcTime)
    used_at: Mapped[datetime | None] = mapped_column(UtcTime)
    revoked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_by: Mapped[str | None] = mapped_column(ForeignKey("users.id", ondelete="SET NULL"))
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id", "id"), Index(None, "organization_id", "id"))


class ForeignIdentity(Base):
    """Who an account is to somebody else's identity provider."""

    __tablename__ = "foreign_identities"

    issuer: Mapped[str] = mapped_column(String(300), primary_key=True)
    subject: Mapped[str] = mapped_column(String(300), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="SET NULL"))
    """Where the claims have put the person: when they say something else, that membership ends."""
    claimed_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When the claims were made that last changed something: older ones change nothing any more."""
    vouched: Mapped[bool] = mapped_column(default=False)
    """Whether the issuer has called the account's address the person's. If not, anybody may have said that it is."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "user_id"), Index(None, "organization_id"))


class AuditEntry(Base):
    """Something that was done: by whom, as what, to what, from where. Only ever added."""

    __tablename__ = "audit_entries"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    """Ids sort by time."""
    at: Mapped[datetime] = mapped_column(UtcTime)
    actor_id: Mapped[str | None] = mapped_column(String(40))
    """None for the server itself and the operator's command line. No foreign key: entries outlive accounts."""
    actor_role: Mapped[str | None] = mapped_column(String(32))
    organization_id: Mapped[str | None] = mapped_column(String(40))
    """Whose affair it is; None for the site's."""
    action: Mapped[str] = mapped_column(Folded(64))
    thing_id: Mapped[str | None] = mapped_column(String(100))
    thing_name: Mapped[str | None] = mapped_column(String(320))
    before: Mapped[dict[str, object] | None] = mapped_column(Json)
    after: Mapped[dict[str, object] | None] = mapped_column(Json)
    address: Mapped[str | None] = mapped_column(String(64))
    request_id: Mapped[str | None] = mapped_column(String(128))

    __table_args__ = (
        Index(None, "organization_id", "id"),
        Index(None, "organization_id", "action", "id"),
        Index(None, "organization_id", "actor_id", "id"),
        Index(None, "action", "id"),
        Index(None, "actor_id", "id"),
        Index(None, "thing_id", "id"),
    )
