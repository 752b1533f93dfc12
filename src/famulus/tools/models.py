"""Tables of tools: an organization's rules for them. Private to this room."""

from datetime import datetime

from sqlalchemy import ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from famulus.kernel.tables import Base, Json, UtcTime


class ToolPolicy(Base):
    """What an organization allows its assistants to do, as a list of rules."""

    __tablename__ = "tool_policies"

    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), primary_key=True
    )
    rules: Mapped[list[dict[str, str]]] = mapped_column(Json)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)
