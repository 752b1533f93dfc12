"""Tables of tools: an organization's rules for them, and its connections to others. Private to this room."""

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from famulus.kernel.tables import Base, Json, UtcTime
from famulus.tools.contract import Effect


class ToolPolicy(Base):
    """What an organization allows its assistants to do, as a list of rules."""

    __tablename__ = "tool_policies"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    rules: Mapped[list[dict[str, str]]] = mapped_column(Json)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)


class Connection(Base):
    """A server of somebody else's whose operations are tools here."""

    __tablename__ = "connections"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(21))
    url: Mapped[str | None] = mapped_column(Text)
    base_url: Mapped[str | None] = mapped_column(Text)
    auth: Mapped[dict[str, object]] = mapped_column(Json)
    """What may be seen of how it signs in."""
    sealed: Mapped[str] = mapped_column(Text)
    """How it signs in, with its secret, sealed by the vault for this row's id."""
    enabled: Mapped[bool] = mapped_column(default=True)
    allow: Mapped[list[str]] = mapped_column(Json)
    effects: Mapped[dict[str, Effect]] = mapped_column(Json)
    state: Mapped[str] = mapped_column(String(8), default="new")
    problem: Mapped[str | None] = mapped_column(Text)
    notes: Mapped[list[str]] = mapped_column(Json)
    """What could not be taken from the other side."""
    checked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    tool_count: Mapped[int] = mapped_column(default=0)
    document_hash: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
    command: Mapped[list[str] | None] = mapped_column(Json)
    """The program that is started, where there is no address."""
    approved: Mapped[dict[str, str]] = mapped_column(Json, default=dict)
    """By name of a tool, what of an MCP server's admins have approved."""
    document: Mapped[str | None] = mapped_column(Text, deferred=True)
    """What was last found there; large, and read only where tools are made of it."""

    __table_args__ = (UniqueConstraint("organization_id", "name"), Index(None, "organization_id", "id"))
