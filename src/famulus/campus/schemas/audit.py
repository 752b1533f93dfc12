"""What the audit shows."""

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class AuditEntryOut(BaseModel):
    """Something that was done."""

    id: str
    at: datetime
    actor_id: str | None
    """None for the server itself and the operator's command line."""
    actor_name: str | None
    """As the person is called now; None once there is no such account."""
    actor_role: str | None
    organization_id: str | None
    action: str
    thing_id: str | None
    thing_name: str | None
    before: dict[str, Any] | None
    after: dict[str, Any] | None
    address: str | None
    request_id: str | None


class AuditPage(BaseModel):
    """Entries, the newest first."""

    items: list[AuditEntryOut]
    next: str | None
