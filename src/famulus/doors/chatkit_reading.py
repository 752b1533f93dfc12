"""What ChatKit reads: threads and their items, a page at a time.

An answer that is still coming about is in no message yet. Its items are written down from its run's journal, so that
whoever reloads the page in the middle of it sees what there is, with what waits for them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from famulus.conversations import threads
from famulus.conversations.attachments import Attachments
from famulus.conversations.errors import ThreadNotFound
from famulus.conversations.parts import MessageView
from famulus.conversations.threads import ThreadCard
from famulus.conversations.views import rfc3339
from famulus.doors.chatkit_items import items_of, read_item_id
from famulus.doors.chatkit_stream import Scribe
from famulus.doors.chatkit_widgets import Item, approval_item
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import NotFound
from famulus.kernel.paging import MAX_LIMIT, BadCursor, Paging, encode_key
from famulus.kernel.settings import Settings
from famulus.runs.approvals import Approvals, ApprovalView
from famulus.runs.events import START, Entry, EventId
from famulus.runs.exchanges import Exchanges
from famulus.runs.service import Runs
from famulus.runs.undoing import Undoing

PAGE = 20
MOST_PAGES = 500
"""Pages of a journal that are read for one look at a thread."""
_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Rooms:
    """What the door asks."""

    settings: Settings
    database: Database
    runs: Runs
    exchanges: Exchanges
    approvals: Approvals
    undoing: Undoing
    attachments: Attachments


class NoSuchItem(NotFound):
    """There is no item with this id in this thread."""

    code = "item_not_found"


def clamped(limit: int | None) -> int:
    """As many as are given at once, whatever is asked for."""
    return PAGE if limit is None else min(max(limit, 1), MAX_LIMIT)


def thread_item(card: ThreadCard, items: Item | None = None) -> Item:
    """A thread as the wire has it."""
    thread = card.thread
    named: Item = {"title": thread.title} if thread.title else {}
    return {
        "id": thread.id,
        **named,
        "created_at": rfc3339(thread.created_at),
        "status": {"type": "active"},
        "metadata": {},
        "items": items or {"data": [], "has_more": False},
    }


class Reading:
    """Reads for one person."""

    def __init__(self, rooms: Rooms, principal: Principal) -> None:
        self._rooms = rooms
        self._principal = principal

    async def card(self, thread_id: str) -> ThreadCard:
        """A thread of this person; raises ThreadNotFound."""
        if not _ID.fullmatch(thread_id):
            raise ThreadNotFound()
        async with self._rooms.database.read() as session:
            return await threads.get_thread(session, self._principal, thread_id)

    async def threads(self, limit: int | None, after: str | None, *, oldest_first: bool) -> Item:
        """A page of the person's threads."""
        paging = Paging(clamped(limit), after)
        async with self._rooms.database.read() as session:
            found = await threads.list_threads(session, self._principal, paging, oldest_first=oldest_first)
        return _page([thread_item(card) for card in found.items], found.next)

    async def thread(self, thread_id: str) -> Item:
        """A thread with its first items."""
        return thread_item(
            await self.card(thread_id), await self.items(thread_id, None, None, newest_first=False)
        )

    async def items(
        self, thread_id: str, limit: int | None, after: str | None, *, newest_first: bool
    ) -> Item:
        """A page of a thread's items; `after` is the id of the last one that is known. Raises BadCursor."""
        card, count = await self.card(thread_id), clamped(limit)
        tail = await self._tail(card)
        in_tail = after is not None and after in [item["id"] for item in tail]
        said: list[Item] = []
        more = None
        if newest_first or not in_tail:
            start = None if after is None or in_tail else await self._position(thread_id, after)
            found, more = await self._messages(thread_id, count, start, newest_first=newest_first)
            for message in found:
                items = self.with_files(items_of(message, self._rooms.settings.base_url))
                said += _ordered(items, newest_first=newest_first)
            if card.live_run_id in [message.run_id for message in found if message.role == "assistant"]:
                tail = []  # it has ended in the meantime
        tail = _ordered(tail, newest_first=newest_first)
        if newest_first:
            items = [*tail, *said] if after is None or in_tail else said
        else:
            items = [*said, *([] if more else tail)]
        items = _after(items, after)
        has_more = len(items) > count or more is not None
        return _page(items[:count], items[count - 1]["id"] if has_more else None)

    async def scribe(self, card: ThreadCard, run_id: str) -> tuple[Scribe, EventId]:
        """What has been written down of a run so far, and the last event of it. Raises RunNotFound."""
        run = await self._rooms.runs.get(self._principal, run_id)
        scribe = Scribe(thread_item(card), run_id, run.created_at, self._rooms.settings.base_url)
        last = START
        for _ in range(MOST_PAGES):
            entries: list[Entry] = await self._rooms.runs.events(self._principal, run_id, last)
            if not entries:
                break
            scribe.encode(entries)
            last = entries[-1].id
        scribe.keep_text()
        return scribe, last

    async def waiting(self, run_id: str) -> list[ApprovalView]:
        """What a run waits for, in the order in which it was asked."""
        async with self._rooms.database.read() as session:
            found = await self._rooms.approvals.list(
                session, self._principal, Paging(MAX_LIMIT), pending=True, run_id=run_id
            )
        return found.items[::-1]

    async def messages(self, thread_id: str, item_ids: Sequence[str]) -> list[MessageView]:
        """The messages that items of a thread belong to, each once; raises NoSuchItem."""
        runs = {id: found.run_id for id in item_ids if (found := read_item_id(id))}
        others = {id for id in item_ids if id not in runs and _ID.fullmatch(id)}
        async with self._rooms.database.read() as session:
            found = await threads.find_messages(
                session, self._principal, thread_id, ids=others, run_ids=set(runs.values())
            )
        known = {message.id for message in found} | {message.run_id for message in found}
        if not all(runs.get(id, id) in known for id in item_ids):
            raise NoSuchItem()
        return found

    def with_files(self, items: list[Item]) -> list[Item]:
        """The items, with addresses for the pictures in them that are good for a while."""
        for item in items:
            for each in item.get("attachments", ()):
                if each["type"] == "image":
                    each["preview_url"] = self._rooms.attachments.preview_url(each["id"])
        return items

    async def _tail(self, card: ThreadCard) -> list[Item]:
        """The items of an answer that is coming about."""
        if card.live_run_id is None:
            return []
        scribe, _ = await self.so_far(card, card.live_run_id)
        return list(scribe.items.values())

    async def so_far(self, card: ThreadCard, run_id: str) -> tuple[Scribe, EventId]:
        """The same as `scribe`, with what became of the cards that wait, or waited. Raises RunNotFound."""
        scribe, last = await self.scribe(card, run_id)
        waiting = {view.id: view for view in await self.waiting(run_id)} if scribe.cards else {}
        for id, shown in scribe.cards.items():
            if id in scribe.items and shown.wants == "yes":
                view = waiting.get(id)
                scribe.items[id] = approval_item(
                    scribe.place, shown, view.status if view else "approved", mine=view is None or view.mine
                )
        return scribe, last

    async def _position(self, thread_id: str, item_id: str) -> int:
        try:
            return (await self.messages(thread_id, [item_id]))[0].position
        except NoSuchItem as error:
            raise BadCursor("`after` is not the id of an item in this thread.") from error

    async def _messages(
        self, thread_id: str, count: int, start: int | None, *, newest_first: bool
    ) -> tuple[list[MessageView], str | None]:
        """So many messages from a position on, and one more: each is at least one item."""
        step = 1 if newest_first else -1
        paging = Paging(count + 1, None if start is None else encode_key([start + step]))
        async with self._rooms.database.read() as session:
            found = await threads.list_messages(
                session, self._principal, thread_id, paging, newest_first=newest_first
            )
        return found.items, found.next


def _ordered(items: list[Item], *, newest_first: bool) -> list[Item]:
    return items[::-1] if newest_first else items


def _after(items: list[Item], after: str | None) -> list[Item]:
    if after is None:
        return items
    place = next((n for n, item in enumerate(items) if item["id"] == after), None)
    if place is None:
        raise BadCursor("`after` is not the id of an item in this thread.")
    return items[place + 1 :]


def _page(data: list[Item], after: str | None) -> Item:
    more: Item = {"after": after} if after is not None else {}
    return {"data": data, "has_more": after is not None, **more}
