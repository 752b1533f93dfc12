"""Messages that are given rather than asked and answered: brought along by a program, copied, imported."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from famulus.conversations.parts import Part, Role, encode_parts
from famulus.conversations.views import MessageRow
from famulus.kernel.ids import new_id


class Given(msgspec.Struct, frozen=True):
    """One such message."""

    role: Role
    parts: tuple[Part, ...]
    at: datetime | None = None
    """When it was said; None for now."""


def given_rows(
    thread_id: str, given: Sequence[Given], position: int, head_id: str | None, at: datetime
) -> list[MessageRow]:
    """Their rows in a thread whose newest message is at `position`."""
    rows: list[MessageRow] = []
    for place, each in enumerate(given, position + 1):
        id, parts = new_id("msg"), encode_parts(each.parts)
        rows.append(
            MessageRow(id, thread_id, place, head_id, None, each.role, "complete", parts, each.at or at)
        )
        head_id = id
    return rows
