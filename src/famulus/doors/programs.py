"""What the doors for others' user interfaces share: the rooms behind them, and threads that their clients name.

Such a client makes up the name of a conversation before the server has heard of it. Where that is no id of ours, it is
kept with the thread that it begins, and means that thread for this person alone. Both ways lead to any thread.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Annotated, cast

from fastapi import Depends, Request

from famulus.conversations.attachments import Attachments
from famulus.conversations.beginning import Beginning
from famulus.conversations.errors import ThreadKeyReused, ThreadNotFound
from famulus.conversations.parts import ClientCall, ClientResult, MessageView
from famulus.conversations.threads import (
    ThreadCard,
    begun_with,
    find_message,
    get_thread,
    has_begun,
    list_messages,
)
from famulus.doors.bodies import text
from famulus.doors.settled import read_call
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.paging import MAX_LIMIT, Paging
from famulus.kernel.settings import Settings
from famulus.runs.approvals import Approvals
from famulus.runs.ask import Ask, Started
from famulus.runs.exchanges import Exchanges
from famulus.runs.service import Runs

LONGEST_NAME = 200
_OURS = re.compile(r"thr_[A-Za-z0-9]{1,60}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rooms:
    """What these doors ask."""

    settings: Settings
    database: Database
    runs: Runs
    exchanges: Exchanges
    approvals: Approvals
    attachments: Attachments


async def _rooms(request: Request) -> Rooms:
    state = request.app.state
    return Rooms(
        cast(Settings, state.settings),
        cast(Database, state.database),
        cast(Runs, state.runs),
        cast(Exchanges, state.exchanges),
        cast(Approvals, state.approvals),
        cast(Attachments, state.attachments),
    )


RoomsDep = Annotated[Rooms, Depends(_rooms)]


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a new thread is to be, and with whom; of one that there is, it says what it must be."""

    course_id: str | None = None
    assistant_id: str | None = None

    def require(self, card: ThreadCard) -> None:
        """Raise ThreadKeyReused where a thread is elsewhere, or with somebody else."""
        thread = card.thread
        if self.course_id not in (None, thread.course_id) or self.assistant_id not in (
            None,
            thread.assistant_id,
        ):
            raise ThreadKeyReused("This conversation is in another place, or with another assistant.")


@dataclass(frozen=True, slots=True)
class Name:
    """What a client calls a thread."""

    said: str

    @classmethod
    def of(cls, said: str, path: str) -> "Name":
        """The name in a request; raises Invalid for what cannot be one."""
        return cls(text(said, path, LONGEST_NAME, line=True))

    @property
    def ours(self) -> bool:
        """Whether it is an id of ours."""
        return _OURS.fullmatch(self.said) is not None

    @property
    def key(self) -> str:
        """What is kept with the thread that the name begins."""
        return f"client:{self.said}"


async def find_named(rooms: Rooms, principal: Principal, name: Name) -> ThreadCard | None:
    """The thread that is named; None where a client's own name has begun none. Raises ThreadNotFound."""
    if not name.ours and not await has_begun(rooms.database, principal, name.key):
        return None
    async with rooms.database.read() as session:
        if name.ours:
            return await get_thread(session, principal, name.said)
        return await begun_with(session, principal, name.key)


async def require_named(rooms: Rooms, principal: Principal, name: Name) -> ThreadCard:
    """The thread that is named; raises ThreadNotFound."""
    card = await find_named(rooms, principal, name)
    if card is None:
        raise ThreadNotFound()
    return card


async def ask_in(rooms: Rooms, principal: Principal, name: Name, seat: Seat, ask: Ask) -> Started:
    """Have a message accepted in the thread that is named, which it may begin; refused, it leaves none behind."""
    if name.ours and seat == Seat():
        return await rooms.runs.start(principal, replace(ask, thread_id=name.said))
    card = await find_named(rooms, principal, name)
    if card is not None:
        seat.require(card)
        return await rooms.runs.start(principal, replace(ask, thread_id=card.thread.id))
    how = Beginning(seat.course_id, seat.assistant_id, key=name.key)
    return (await rooms.exchanges.begin(principal, ask, how))[1]


async def results_in(
    rooms: Rooms, principal: Principal, name: Name, brought: Sequence[tuple[str, str]]
) -> tuple[ClientResult, ...]:
    """What came of the calls that a thread's last answer ended with, of all results that a client brings.

    Results of calls of ours come along, and those that were answered before; they are in the thread already.
    """
    if not brought:
        return ()
    card = await require_named(rooms, principal, name)
    if card.thread.head_id is None:
        return ()
    async with rooms.database.read() as session:
        head = await find_message(session, principal, card.thread.head_id)
    asked = {part.call_id for part in head.parts if isinstance(part, ClientCall)}
    calls = [(read_call(id), output) for id, output in brought]
    found = {call[1]: output for call, output in calls if call and call[0] == head.run_id}
    return tuple(ClientResult(id, output) for id, output in found.items() if id in asked)


async def newest_messages(
    rooms: Rooms, principal: Principal, card: ThreadCard, most: int, before: str | None = None
) -> tuple[list[MessageView], str | None]:
    """The newest messages of a thread, oldest first, but for an answer that is coming about; and where they go on."""
    said: list[MessageView] = []
    after = before
    async with rooms.database.read() as session:
        while len(said) < most:
            paging = Paging(min(MAX_LIMIT, most - len(said)), after)
            page = await list_messages(session, principal, card.thread.id, paging, newest_first=True)
            said += page.items
            after = page.next
            if after is None:
                break
    live = card.live_run_id
    kept = [
        each for each in reversed(said) if live is None or (each.role, each.run_id) != ("assistant", live)
    ]
    return kept, after
