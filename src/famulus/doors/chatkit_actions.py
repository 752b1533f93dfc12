"""Buttons of ChatKit's cards: a yes or a no to a call that waits, and taking back what was done.

What a button carries is checked like anything that somebody sends: the card has to be in the thread, the thread the
person's, and the hash that of what is asked.
"""

import re
from dataclasses import dataclass
from typing import Any, cast

from fastapi import Response

from famulus.conversations.threads import ThreadCard
from famulus.doors.chatkit_frames import STREAM_OPTIONS
from famulus.doors.chatkit_items import items_of, read_item_id
from famulus.doors.chatkit_turns import Turns, shown
from famulus.doors.chatkit_widgets import ANSWER, UNDO, Item, Place, approval_item
from famulus.kernel.errors import BadRequest, Conflict, FieldProblem, Invalid
from famulus.runs.approvals import Answer, ApprovalView
from famulus.runs.errors import ApprovalNotFound

CANCEL, FOLLOW = "run.cancel", "run.follow"
_APPROVAL = re.compile(r"apr_[A-Za-z0-9]{1,60}", re.ASCII)


class NoSuchAction(Conflict):
    """There is no such action here."""

    code = "no_such_action"


@dataclass(frozen=True, slots=True)
class Action:
    """A button that was pressed, or a call of the page around the conversation."""

    thread_id: str
    item_id: str | None
    type: str
    payload: Any

    @property
    def answers(self) -> bool:
        """Whether it answers for a call that waits."""
        return self.type == ANSWER and self.item_id is not None and bool(_APPROVAL.fullmatch(self.item_id))

    def text(self, name: str) -> str:
        """A member of the payload; raises Invalid."""
        members = cast(dict[str, object], self.payload) if isinstance(self.payload, dict) else {}
        value = members.get(name)
        if not isinstance(value, str) or not 1 <= len(value) <= 300:
            raise Invalid(
                fields=(FieldProblem(f"params.action.payload.{name}", "This must be a short text."),)
            )
        return value


@dataclass(frozen=True, slots=True)
class Actions:
    """Carries actions out for one request."""

    turns: Turns

    async def streamed(self, action: Action) -> Response:
        """Do it, and show what comes of it as it comes."""
        card = await self.turns.reading.card(action.thread_id)
        if action.type == FOLLOW and action.item_id is None:
            return await self._follow(card)
        if not action.answers:
            return shown(*_replaced(await self._once(card, action)))
        view = await self._approval(action)
        scribe, last = await self.turns.reading.scribe(card, view.run_id)
        item = _widget(await self._answer(action))
        scribe.items[item["id"]] = item
        return await self.turns.follow(card, scribe, view.run_id, last, STREAM_OPTIONS, *_replaced(item))

    async def _follow(self, card: ThreadCard) -> Response:
        """The answer that is coming about, as far as it is and as it goes on, for a page that was loaded anew."""
        if card.live_run_id is None:
            return shown()
        scribe, last = await self.turns.reading.so_far(card, card.live_run_id)
        there = [event for item in scribe.items.values() for event in _replaced(item)]
        return await self.turns.follow(card, scribe, card.live_run_id, last, STREAM_OPTIONS, *there)

    async def at_once(self, action: Action) -> Item:
        """Do it, and say what has become of the card."""
        card = await self.turns.reading.card(action.thread_id)
        if action.answers:
            await self._approval(action)
            return {"updated_item": _widget(await self._answer(action))}
        item = await self._once(card, action)
        return {"updated_item": item} if item else {}

    async def _once(self, card: ThreadCard, action: Action) -> Item | None:
        """Actions that no answer follows; raises NoSuchAction, NoSuchItem or what carrying it out raises."""
        found = read_item_id(action.item_id) if action.item_id else None
        if action.item_id is not None:
            await self._exists(card, action.item_id)
        if action.type == UNDO and found is not None and found.segment == "undo":
            return await self._undo(action)
        if action.type == CANCEL and action.item_id is None:
            if card.live_run_id is not None:
                await self.turns.rooms.runs.cancel(self.turns.principal, card.live_run_id)
            return None
        raise NoSuchAction()

    async def _exists(self, card: ThreadCard, item_id: str) -> None:
        """Raise a NotFound unless the thread has this item."""
        found = read_item_id(item_id)
        if _APPROVAL.fullmatch(item_id):
            await self._approval(Action(card.thread.id, item_id, ANSWER, None))
        elif found is None or found.run_id != card.live_run_id:
            await self.turns.reading.messages(card.thread.id, [item_id])

    async def _approval(self, action: Action) -> ApprovalView:
        """What a card of this thread asks; raises ApprovalNotFound."""
        rooms = self.turns.rooms
        async with rooms.database.read() as session:
            view = await rooms.approvals.get(session, self.turns.principal, str(action.item_id))
        if view.thread_id != action.thread_id:
            raise ApprovalNotFound()
        return view

    async def _answer(self, action: Action) -> ApprovalView:
        decision = action.text("decision")
        if decision not in ("approve", "deny"):
            raise BadRequest("`decision` is approve or deny.")
        answer = Answer(decision, action.text("hash"))
        return await self.turns.rooms.approvals.answer(self.turns.principal, str(action.item_id), answer)

    async def _undo(self, action: Action) -> Item | None:
        rooms, call_id = self.turns.rooms, action.text("call_id")
        [message] = await self.turns.reading.messages(action.thread_id, [str(action.item_id)])
        async with rooms.database.write() as session:
            undone = await rooms.undoing.undo(session, self.turns.principal, message.id, call_id)
        items = items_of(undone, rooms.settings.base_url)
        return next((item for item in items if item["id"] == action.item_id), None)


def _widget(view: ApprovalView) -> Item:
    return approval_item(Place(view.thread_id, view.created_at), view.approval, view.status, mine=view.mine)


def _replaced(item: Item | None) -> list[Item]:
    return [{"type": "thread.item.replaced", "item": item}] if item else []
