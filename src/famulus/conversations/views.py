"""Stored messages as every door shows them."""

from datetime import UTC, datetime
from typing import Protocol, cast

from famulus.conversations.parts import MessageStatus, MessageView, Role, decode_parts, text_of
from famulus.kernel.lane import as_time


class StoredMessage(Protocol):
    """A message as the table or the turn's own statements give it."""

    @property
    def id(self) -> str: ...
    @property
    def thread_id(self) -> str: ...
    @property
    def position(self) -> int: ...
    @property
    def parent_id(self) -> str | None: ...
    @property
    def run_id(self) -> str | None: ...
    @property
    def role(self) -> str: ...
    @property
    def status(self) -> str: ...
    @property
    def parts(self) -> str: ...
    @property
    def created_at(self) -> datetime | str: ...


def rfc3339(value: datetime | str) -> str:
    """A time as the wire has it: UTC with microseconds and a Z."""
    return as_time(value).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def message_view(row: StoredMessage) -> MessageView:
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
