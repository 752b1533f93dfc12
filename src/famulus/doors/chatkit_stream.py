"""A run's events as the frames of a ChatKit stream; and, of the same events, the items that a reload shows.

A scribe is told every event of a run once and in order, and keeps the items that come of them under the ids that they
will have in history. What it returns for pieces of text is put together from bytes, for that happens with every token.
"""

from collections.abc import Sequence
from typing import Literal, assert_never

import msgspec
from msgspec.structs import replace

from famulus.conversations.parts import Reasoning, Tool, Wants
from famulus.doors.chatkit_frames import error_frame, frame
from famulus.doors.chatkit_items import (
    annotation_of,
    call_item,
    items_of,
    reasoning_item,
    text_item,
    workflow_item,
)
from famulus.doors.chatkit_widgets import Item, Place, approval_item
from famulus.doors.sse import KEEP_ALIVE
from famulus.runs.events import (
    AnswerRestarted,
    ApprovalAnswered,
    ApprovalCard,
    ApprovalRequested,
    CitationAdded,
    Entry,
    Event,
    MessageCompleted,
    ReasoningDelta,
    RetrievalFinished,
    RunCancelled,
    RunCompleted,
    RunFailed,
    RunStarted,
    TextDelta,
    ThreadTitled,
    ToolCalled,
    ToolFinished,
)

LEAST_NEWS, NEWS = 60, 32
"""A thought is told again, whole as tasks are, when it has grown by so many characters and by this part of it."""
_encode = msgspec.json.Encoder(enc_hook=str).encode


class Scribe:
    """Writes one stream down."""

    def __init__(self, thread: Item, run_id: str, created_at: str, base_url: str) -> None:
        self.items: dict[str, Item] = {}
        """What has come about so far, by id."""
        self.cards: dict[str, ApprovalCard] = {}
        """What waits, or waited, by the id of its item."""
        self._thread = thread
        self._run_id = run_id
        self.place = Place(thread["id"], created_at)
        """Where and when its items are."""
        self._base_url = base_url
        self._preface = b""
        self._calls: dict[str, Tool] = {}
        self._segments: list[list[str]] = []
        """The calls of each segment so far; of a segment of text none."""
        self._text: list[str] | None = None
        """The pieces of the text that is being written."""
        self._head = b""
        """The beginning of every frame with a piece of it."""
        self._thoughts: list[str] = []
        """The pieces of what is being thought."""
        self._untold = self._due = 0
        self._done: set[str] = set()

    def begin_with(self, *events: Item) -> None:
        """Have these events go before whatever comes first."""
        self._preface += b"".join(map(frame, events))

    def encode(self, batch: Sequence[Entry]) -> bytes:
        """The frames of some events; of none, a sign of life."""
        pieces = [self._preface] if self._preface else []
        self._preface = b""
        for entry in batch:
            event = entry.event
            if type(event) is TextDelta and self._text is not None:
                self._text.append(event.text)
                pieces.append(b"%b%b}}\n\n" % (self._head, _encode(event.text)))
            else:
                pieces.append(self.tell(event))
        if self._thoughts and self._untold >= self._due:
            pieces.append(self._think_on())
        return b"".join(pieces) or (b"" if batch else KEEP_ALIVE)

    def tell(self, event: Event) -> bytes:
        """The frames of one event."""
        match event:
            case TextDelta(text=text):
                return self._open_text(text)
            case ReasoningDelta(text=text):
                return self._think(text)
            case CitationAdded():
                return self._cite(event)
            case ToolCalled() | ToolFinished():
                return self._close_text() + self._act(event)
            case ApprovalRequested(approval=card):
                return self._close_text() + self._close_workflow() + self._ask(card)
            case ApprovalAnswered(approval_id=id):
                return self._remove(id) if id in self.items else b""
            case AnswerRestarted(text=text):
                return self._restart(text)
            case MessageCompleted():
                return self._complete(event)
            case _:
                return self._beside(event)

    def settle(self, item_id: str, result: str) -> bytes:
        """Show a call that the client has answered as such, before the run hears of it."""
        card = self.cards[item_id]
        return self._finish(ToolFinished(card.call_id, card.name, "ok", result))

    def _beside(
        self, event: RunStarted | ThreadTitled | RetrievalFinished | RunCompleted | RunFailed | RunCancelled
    ) -> bytes:
        match event:
            case ThreadTitled(title=title):
                self._thread = {**self._thread, "title": title}
                return frame({"type": "thread.updated", "thread": self._thread})
            case RetrievalFinished(passages=passages):
                read = "1 passage" if len(passages) == 1 else f"{len(passages)} passages"
                told = {"type": "progress_update", "icon": "search", "text": f"Read {read}"}
                return frame(told) if passages else b""
            case RunFailed(error=error):
                return self._close_text() + error_frame(error)
            case RunStarted() | RunCompleted() | RunCancelled():
                return b""
            case _:
                assert_never(event)

    def _next_id(self) -> str:
        return f"{self._run_id}.{len(self._segments)}"

    def _last_id(self) -> str:
        return f"{self._run_id}.{len(self._segments) - 1}"

    # Text

    def _open_text(self, text: str) -> bytes:
        if self._text is not None:
            self._text.append(text)
            return b"%b%b}}\n\n" % (self._head, _encode(text))
        closed = self._close_thoughts() + self._close_workflow()
        id = self._next_id()
        self._segments.append([])
        self._text = [text]
        self.items[id] = text_item(self.place, id, "")
        empty: Item = {"type": "output_text", "text": "", "annotations": []}
        part: Item = {"type": "assistant_message.content_part.added", "content_index": 0, "content": empty}
        self._head = (
            b'data: {"type":"thread.item.updated","item_id":%b,"update":{"type":'
            b'"assistant_message.content_part.text_delta","content_index":0,"delta":' % _encode(id)
        )
        return (
            closed
            + frame({"type": "thread.item.added", "item": {**self.items[id], "content": []}})
            + self._update(id, part)
            + b"%b%b}}\n\n" % (self._head, _encode(text))
        )

    def keep_text(self) -> None:
        """Put the text so far into its item, for whoever looks at the items now."""
        if self._thoughts:
            self._thought(done=False)
        if self._text is not None:
            self.items[self._last_id()]["content"][0]["text"] = "".join(self._text)

    def _close_text(self) -> bytes:
        if self._text is None:
            return self._close_thoughts()
        self.keep_text()
        self._text = None
        return self._text_done(self.items[self._last_id()])

    def _text_done(self, item: Item) -> bytes:
        part = {
            "type": "assistant_message.content_part.done", "content_index": 0, "content": item["content"][0],
        }  # fmt: skip
        self._done.add(item["id"])
        return self._update(item["id"], part) + frame({"type": "thread.item.done", "item": item})

    def _cite(self, event: CitationAdded) -> bytes:
        if self._text is None:
            return b""  # the finished message has it
        self.keep_text()
        id = self._last_id()
        content = self.items[id]["content"][0]
        annotation = annotation_of(event.citation, content["text"], self._base_url)
        content["annotations"].append(annotation)
        update = {
            "type": "assistant_message.content_part.annotation_added",
            "content_index": 0,
            "annotation_index": len(content["annotations"]) - 1,
            "annotation": annotation,
        }
        return self._update(id, update)

    # Thoughts

    def _think(self, text: str) -> bytes:
        if self._thoughts:
            self._thoughts.append(text)
            self._untold += len(text)
            return b""
        closed = self._close_text() + self._close_workflow()
        self._thoughts.append(text)
        self._segments.append([])
        item = self._thought(done=False)
        self._untold, self._due = 0, LEAST_NEWS
        empty: Item = {**item, "workflow": {**item["workflow"], "tasks": []}}
        return closed + frame({"type": "thread.item.added", "item": empty}) + self._task(item, "added")

    def _think_on(self) -> bytes:
        item = self._thought(done=False)
        self._untold, self._due = 0, max(LEAST_NEWS, len(item["workflow"]["tasks"][0]["content"]) // NEWS)
        return self._task(item, "updated")

    def _task(self, item: Item, what: Literal["added", "updated"]) -> bytes:
        task = {"task_index": 0, "task": item["workflow"]["tasks"][0]}
        return self._update(item["id"], {"type": f"workflow.task.{what}", **task})

    def _thought(self, *, done: bool) -> Item:
        id = self._last_id()
        self.items[id] = reasoning_item(self.place, id, Reasoning("".join(self._thoughts)), done=done)
        return self.items[id]

    def _close_thoughts(self) -> bytes:
        if not self._thoughts:
            return b""
        item = self._thought(done=True)
        self._thoughts.clear()
        self._done.add(item["id"])
        return frame({"type": "thread.item.done", "item": item})

    # Calls

    def _act(self, event: ToolCalled | ToolFinished) -> bytes:
        if isinstance(event, ToolCalled):
            return self._start(Tool(event.call_id, event.name, event.arguments, effect=event.effect))
        begun = b""
        if event.call_id not in self._calls:
            begun = self._start(Tool(event.call_id, event.name, "{}"))
        return begun + self._finish(event)

    def _start(self, call: Tool) -> bytes:
        """Show a call that has begun, with those before it if there is nothing in between."""
        self._calls[call.call_id] = call
        last = self._segments[-1] if self._segments else []
        if last and self._calls[last[0]].wants == "yes":
            last.append(call.call_id)
            return self._task_added(call)
        id = self._next_id()
        self._segments.append([call.call_id])
        item = workflow_item(self.place, id, [])
        del item["workflow"]["summary"]
        return frame({"type": "thread.item.added", "item": item}) + self._task_added(call)

    def _task_added(self, call: Tool) -> bytes:
        id = self._last_id()
        calls = self._segments[-1]
        self.items[id] = self._workflow(id, calls)
        if id in self._done:
            self._done.discard(id)
            return frame({"type": "thread.item.replaced", "item": self.items[id]})
        task = self.items[id]["workflow"]["tasks"][-1]
        added = {"type": "workflow.task.added", "task_index": len(calls) - 1, "task": task}
        return self._update(id, added)

    def _workflow(self, id: str, calls: Sequence[str]) -> Item:
        return workflow_item(self.place, id, [self._calls[each] for each in calls])

    def _close_workflow(self) -> bytes:
        """Have the calls so far be finished, where they are."""
        id = self._last_id()
        item = self.items.get(id)
        if (
            item is None
            or item["type"] != "workflow"
            or "summary" not in item["workflow"]
            or id in self._done
        ):
            return b""
        self._done.add(id)
        return frame({"type": "thread.item.done", "item": item})

    def _finish(self, event: ToolFinished) -> bytes:
        before = self._calls[event.call_id]
        call = replace(before, status=event.status, result=event.result, undo=event.undo)
        self._calls[event.call_id] = call
        n = next(n for n, calls in enumerate(self._segments) if event.call_id in calls)
        id = f"{self._run_id}.{n}"
        if call.wants != "yes":
            item = call_item(self.place, id, call)
            changed = item != self.items[id]
            self.items[id] = item
            return frame({"type": "thread.item.replaced", "item": item}) if changed else b""
        calls = self._segments[n]
        self.items[id] = self._workflow(id, calls)
        index = calls.index(event.call_id)
        task = self.items[id]["workflow"]["tasks"][index]
        updated = self._update(id, {"type": "workflow.task.updated", "task_index": index, "task": task})
        return updated + _effect(call)

    def _ask(self, card: ApprovalCard) -> bytes:
        """Show what waits: a card with buttons, a call for the client, or questions."""
        if card.wants == "yes":
            item = approval_item(self.place, card)
        else:
            item = self._waiting_call(card, card.wants)
        self.items[item["id"]], self.cards[item["id"]] = item, card
        self._done.add(item["id"])
        return frame({"type": "thread.item.done", "item": item})

    def _waiting_call(self, card: ApprovalCard, wants: Wants) -> Item:
        call = Tool(card.call_id, card.name, card.arguments, wants=wants)
        id = self._next_id()
        self._calls[call.call_id] = call
        self._segments.append([call.call_id])
        return call_item(self.place, id, call)

    # The end, and what is taken back

    def _restart(self, text: str) -> bytes:
        """Another attempt: of what was shown only finished steps stay, whose words are `text`."""
        self.keep_text()
        self._text = None
        self._thoughts.clear()
        frames = b""
        while self._segments:
            calls, id = self._segments[-1], self._last_id()
            finished = [call for call in calls if self._stays(self._calls[call])]
            if (calls and finished == calls) or (not calls and self._is_text(id) and self._said() == text):
                break
            if finished:
                self._segments[-1] = finished
                self.items[id] = self._workflow(id, finished)
                return frames + frame({"type": "thread.item.replaced", "item": self.items[id]})
            self._segments.pop()
            frames += self._remove(id)
        return frames

    def _is_text(self, id: str) -> bool:
        return self.items[id]["type"] == "assistant_message"

    @staticmethod
    def _stays(call: Tool) -> bool:
        return call.status != "called" or call.wants != "yes"

    def _said(self) -> str:
        texts = [item for item in self.items.values() if item["type"] == "assistant_message"]
        return "".join(item["content"][0]["text"] for item in texts)

    def _complete(self, event: MessageCompleted) -> bytes:
        """The answer as it is kept: whatever was shown otherwise is put right."""
        self.keep_text()
        writing = self._last_id() if self._text is not None else None
        self._text = None
        self._thoughts.clear()
        final = {item["id"]: item for item in items_of(event.message, self._base_url, failure=False)}
        gone = b"".join(self._remove(id) for id in list(self.items) if id not in final)
        said = b""
        for id, item in final.items():
            shown = self.items.get(id)
            if id == writing and shown is not None and shown["type"] == item["type"]:
                said += self._text_done(item)
            elif shown is None or id not in self._done or _differ(shown, item):
                said += frame({"type": "thread.item.done", "item": item})
        self.items = final
        return gone + said

    def _remove(self, id: str) -> bytes:
        self.items.pop(id, None)
        self._done.discard(id)
        return frame({"type": "thread.item.removed", "item_id": id})

    @staticmethod
    def _update(id: str, update: Item) -> bytes:
        return frame({"type": "thread.item.updated", "item_id": id, "update": update})


def _effect(call: Tool) -> bytes:
    """Tells the page around the conversation that something was changed; what, it asks for with the person's rights."""
    if call.effect == "reads" or call.status != "ok":
        return b""
    data = {"call_id": call.call_id, "tool": call.name}
    return frame({"type": "client_effect", "name": "famulus.changed", "data": data})


def _differ(shown: Item, item: Item) -> bool:
    return {**shown, "created_at": ""} != {**item, "created_at": ""}
