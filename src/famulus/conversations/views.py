"""Stored messages as every door shows them."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import cast

from famulus.conversations.parts import MessageStatus, MessageView, Role, decode_parts, text_of
from famulus.kernel.lane import as_time

Stored = datetime | str
"""A time as the database's driver gives it; `lane.as_time` makes it one."""


@dataclass(frozen=True, slots=True)
class MessageRow:
    """A message as it is stored; `parts` is JSON."""

    id: str
    thread_id: str
    position: int
    parent_id: str | None
    run_id: str | None
    role: str
    status: str
    parts: str
    created_at: Stored

    def values(self) -> tuple[str | int | datetime | None, ...]:
        """In the order of the fields, which is the order of the turn's own statements."""
        return (
            self.id,
            self.thread_id,
            self.position,
            self.parent_id,
            self.run_id,
            self.role,
            self.status,
            self.parts,
            self.created_at,
        )


def rfc3339(value: Stored) -> str:
    """A time as the wire has it: UTC with microseconds and a Z."""
    return as_time(value).astimezone(UTC).isoformat(timespec="microseconds")[:26] + "Z"


def seconds_of(time: str) -> int:
    """A time as the wire has it in whole seconds since 1970."""
    return int(datetime.fromisoformat(time).timestamp())


def message_view(row: MessageRow) -> MessageView:
    """A stored message for a door."""
    parts = decode_parts(row.parts)
    return MessageView(
        id=row.id,
        thread_id=row.thread_id,
        position=row.position,
        parent_id=row.parent_id,
        role=cast(Role, row.role),
        status=cast(MessageStatus, row.status),
        text=text_of(parts),
        parts=parts,
        run_id=row.run_id,
        created_at=rfc3339(row.created_at),
    )
