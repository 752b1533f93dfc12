"""What ChatKit shows as cards with buttons: calls that wait for a yes, and calls that can be taken back. Pure.

A card shows what the server worked out. Its buttons carry the hash of just that, so that a yes to one thing is never a
yes to another.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from famulus.conversations.parts import Part, Tool
from famulus.runs.events import ApprovalCard

ANSWER, UNDO = "approval.answer", "call.undo"
Item = dict[str, Any]
SHOWN = 300
MOST_CHANGES = 30
SETTLED = {
    "approved": "Approved",
    "denied": "Denied",
    "expired": "Not confirmed in time",
    "withdrawn": "Withdrawn",
}


@dataclass(frozen=True, slots=True)
class Place:
    """Where and when an item is."""

    thread_id: str
    created_at: str
    """RFC 3339, UTC."""

    def item(self, id: str, type: str) -> Item:
        """What every item has."""
        return {"id": id, "thread_id": self.thread_id, "created_at": self.created_at, "type": type}


def approval_item(place: Place, card: ApprovalCard, status: str = "pending", *, mine: bool = True) -> Item:
    """A call that waits for a person, or what came of the question."""
    lines = [f"{each.field}: {_short(each.before)} → {_short(each.after)}" for each in card.changes]
    children: list[Item] = [{"type": "Title", "value": card.title, "size": "sm"}]
    children += [{"type": "Text", "value": line} for line in lines[:MOST_CHANGES]]
    children += [{"type": "Caption", "value": note} for note in card.notes]
    children.append({"type": "Caption", "value": f"{card.name} {card.arguments}"})
    widget: Item = {"type": "Card", "children": children, "key": card.hash}
    if status in SETTLED:
        widget["status"] = {"text": SETTLED[status]}
    elif mine:
        widget["confirm"] = {"label": "Approve", "action": _answer(card, "approve")}
        widget["cancel"] = {"label": "Deny", "action": _answer(card, "deny")}
    else:
        widget["status"] = {"text": "Waits for somebody else"}
    return {**place.item(card.id, "widget"), "widget": widget, "copy_text": card.title}


def undo_item(place: Place, id: str, parts: Sequence[Part]) -> Item | None:
    """What of an answer can be taken back; None where there is nothing."""
    calls = [part for part in parts if isinstance(part, Tool) and part.undo is not None]
    if not calls:
        return None
    rows = [_undo_row(call) for call in calls]
    return {**place.item(id, "widget"), "widget": {"type": "Card", "size": "sm", "children": rows}}


def _answer(card: ApprovalCard, decision: str) -> Item:
    payload = {"approval_id": card.id, "hash": card.hash, "decision": decision}
    return {"type": ANSWER, "payload": payload, "handler": "server", "loadingBehavior": "container"}


def _undo_row(call: Tool) -> Item:
    assert call.undo is not None, "only what can be taken back has a button"
    if call.undone:
        return {"type": "Caption", "value": f"Taken back: {call.undo.label}"}
    action = {"type": UNDO, "payload": {"call_id": call.call_id}, "handler": "server"}
    return {"type": "Button", "label": call.undo.label, "onClickAction": action, "size": "sm"}


def _short(value: object) -> str:
    text = "–" if value is None else str(value)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
