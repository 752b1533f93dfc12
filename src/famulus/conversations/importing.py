"""Threads that were kept elsewhere, brought in as the person's own. The same ones again change nothing.

A thread's id is made from its owner and the id that it had, so that it is known when it comes again; and from the time
it was begun, so that it stands in its place among the others.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.beginning import Seat
from famulus.conversations.given import Given, given_rows
from famulus.conversations.models import Message, Thread
from famulus.conversations.parts import text_of
from famulus.conversations.threads import own
from famulus.conversations.views import MessageRow
from famulus.identity.principal import Principal
from famulus.kernel.ids import ALPHABET, moment

PREVIEW = 160
TITLE = 60


@dataclass(frozen=True, slots=True)
class Kept:
    """A thread as it was kept elsewhere."""

    id: str
    begun: datetime
    marks: dict[str, str]
    said: tuple[Given, ...]


async def import_threads(
    session: AsyncSession, principal: Principal, seat: Seat, kept: Sequence[Kept]
) -> int:
    """Bring threads in; returns how many were not here yet. Call it for some hundred at once."""
    by_id = {_id_of(principal, each): each for each in kept if each.said}
    here = set(await session.scalars(own(principal).with_only_columns(Thread.id).where(Thread.id.in_(by_id))))
    new = {id: each for id, each in by_id.items() if id not in here}
    rows = {id: given_rows(id, each.said, 0, None, each.begun) for id, each in new.items()}
    session.add_all(_thread(id, principal, seat, each, rows[id]) for id, each in new.items())
    await session.flush()  # threads before their messages
    session.add_all(
        Message(**{name: getattr(row, name) for name in MessageRow.__slots__})
        for some in rows.values()
        for row in some
    )
    await session.flush()
    return len(new)


async def here_already(session: AsyncSession, principal: Principal, kept: Sequence[Kept]) -> int:
    """How many of them have been brought in before."""
    ids = [_id_of(principal, each) for each in kept]
    found = await session.scalars(
        select(Thread.id).where(Thread.user_id == principal.user_id, Thread.id.in_(ids))
    )
    return len(set(found))


def _id_of(principal: Principal, kept: Kept) -> str:
    digest = int.from_bytes(sha256(f"{principal.user_id}\0{kept.id}".encode()).digest()[:10])
    rest = "".join(ALPHABET[digest >> shift & 31] for shift in range(0, 80, 5))
    return f"thr_{moment(kept.begun)}{rest}"


def _thread(id: str, principal: Principal, seat: Seat, kept: Kept, rows: Sequence[MessageRow]) -> Thread:
    first, last = text_of(kept.said[0].parts), text_of(kept.said[-1].parts)
    latest = max(each.at or kept.begun for each in kept.said)
    return Thread(
        id=id,
        user_id=principal.user_id,
        organization_id=seat.organization_id,
        course_id=seat.course_id,
        assistant_id=seat.assistant_id,
        title=" ".join(first[: TITLE * 2].split())[:TITLE] or None,
        titled_by="words",
        preview=" ".join(last[: PREVIEW * 2].split())[:PREVIEW],
        last_position=rows[-1].position,
        head_id=rows[-1].id,
        marks=msgspec.json.encode(kept.marks).decode(),
        created_at=kept.begun,
        updated_at=latest,
    )
