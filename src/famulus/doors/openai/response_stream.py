"""A run's events as those of a response, in the order and shape that OpenAI's clients put together again.

    response.created → response.in_progress
      → thoughts: output_item.added → reasoning_summary_part.added → reasoning_summary_text.delta* → …done → …done
                  → output_item.done
      → words: output_item.added → content_part.added → output_text.delta* (annotation.added)* → output_text.done
               → content_part.done → output_item.done
      → a tool of ours: output_item.added → mcp_call.in_progress → mcp_call_arguments.done → mcp_call.completed | failed
                        → output_item.done
      → a call of the client's: output_item.added → function_call_arguments.delta → …done → output_item.done
    → response.completed | response.failed | response.incomplete

`sequence_number` counts the events of an attempt from 0; the next attempt goes on at a number that none before it can
have reached. What was lost with an instance therefore has numbers of its own, and whoever comes back with the last one
they have seen misses nothing. The events are worked out from the run's beginning each time, and left out up to there.
"""

from typing import assert_never

import msgspec

from famulus.conversations.parts import ClientCall, MessageView, Tool, cut_of
from famulus.doors.following import Batch
from famulus.doors.openai.items import (
    CUT,
    DONE,
    Item,
    annotation,
    approval_item,
    call_item,
    message_item,
    output_items,
    reasoning_item,
    suffix_of,
    summary_part,
    text_part,
    tool_item,
)
from famulus.doors.openai.response_object import Frame
from famulus.doors.sse import KEEP_ALIVE
from famulus.runs.events import (
    AnswerRestarted,
    ApprovalAnswered,
    ApprovalRequested,
    CitationAdded,
    Entry,
    Event,
    MessageCompleted,
    Problem,
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
    Usage,
)

EPOCH_BITS = 32
"""An attempt has fewer events than this many bits can count."""
_encode = msgspec.json.Encoder().encode


class _Words:
    """An item of words while it grows."""

    def __init__(self, id: str, index: int) -> None:
        self.id, self.index = id, index
        self.pieces: list[str] = []
        self.cited: list[Item] = []
        place = {"item_id": id, "output_index": index, "content_index": 0}
        self.place = place
        whole = _encode({"type": "response.output_text.delta", **place, "logprobs": []})
        self.before = b'event: response.output_text.delta\ndata: %b,"delta":' % whole[:-1]


class _Thoughts:
    """An item of what is thought while it grows."""

    def __init__(self, id: str, index: int) -> None:
        self.id, self.index = id, index
        self.pieces: list[str] = []
        self.place: Item = {"item_id": id, "output_index": index, "summary_index": 0}


class ResponseWriter:
    """The events of one response, to a reader who has those up to a number."""

    def __init__(self, frame: Frame, after: int = -1) -> None:
        self._frame = frame
        self._after = after
        self._suffix = suffix_of(frame.run_id)
        self._number = 0
        self._epoch = 1
        self._index = 0
        self._length = 0
        self._words: _Words | None = None
        self._thoughts: _Thoughts | None = None
        self._tools: dict[str, tuple[str, int, ToolCalled]] = {}
        self._answer: MessageView | None = None
        self._begun = False
        self._over = False
        self._out: list[bytes] = []
        self.items: list[Item] = []
        """What is finished so far."""

    def frames(self, batch: Batch) -> bytes:
        """What goes out for some events; with None, the end."""
        words = self._words
        if batch is not None and len(batch) == 1 and words is not None and not self._over:
            event = batch[0].event
            if isinstance(event, TextDelta) and batch[0].id.epoch == self._epoch:
                return self._piece(words, event.text) or KEEP_ALIVE
        if batch is None:
            self._rest()
        for entry in batch or ():
            self._take(entry)
        out, self._out = self._out, []
        return b"".join(out) or KEEP_ALIVE

    def _piece(self, words: _Words, text: str) -> bytes:
        words.pieces.append(text)
        self._length += len(text)
        number = self._number
        self._number = number + 1
        if number <= self._after:
            return b""
        return b'%b%b,"sequence_number":%d}\n\n' % (words.before, _encode(text), number)

    def _take(self, entry: Entry) -> None:
        if entry.id.epoch != self._epoch:
            self._epoch = entry.id.epoch
            self._number = (self._epoch - 1) << EPOCH_BITS
        if not self._over:
            self._tell(entry.event)

    def _tell(self, event: Event) -> None:
        match event:
            case TextDelta(text=text):
                self._out.append(self._piece(self._words or self._begin_words(), text))
            case ReasoningDelta(text=text):
                self._think(text)
            case CitationAdded() | ToolCalled() | ToolFinished() | ApprovalRequested():
                self._step(event)
            case RunStarted() | AnswerRestarted():
                self._begin(event)
            case MessageCompleted(message=message):
                self._complete(message)
            case RunCompleted() | RunFailed() | RunCancelled():
                self._end(event)
            case ThreadTitled() | RetrievalFinished() | ApprovalAnswered():
                pass
            case _:
                assert_never(event)

    def _begin(self, event: RunStarted | AnswerRestarted) -> None:
        self._close_thoughts(CUT)
        if isinstance(event, AnswerRestarted) and len(event.text) != self._length:
            # What was shown of the last words is lost: they end here, and begin again as another item.
            self._close_words(CUT)
            self._length = len(event.text)
        if not self._begun:
            self._begun = True
            for name in ("response.created", "response.in_progress"):
                self._send(name, response=self._frame.response("in_progress"))

    def _step(self, event: CitationAdded | ToolCalled | ToolFinished | ApprovalRequested) -> None:
        match event:
            case CitationAdded(citation=citation):
                if (words := self._words) is not None:
                    at = "".join(words.pieces).find(f"[{citation.number}]")
                    words.cited.append(annotation(citation, max(at, 0)))
                    place = {**words.place, "annotation_index": len(words.cited) - 1}
                    name = "response.output_text.annotation.added"
                    self._send(name, **place, annotation=words.cited[-1])
            case ToolCalled():
                self._call(event)
            case ToolFinished():
                self._finish(event)
            case ApprovalRequested(approval=card):
                self._close_words()
                self._whole(approval_item(f"mcpr_{self._suffix}_{self._index}", card))

    def _think(self, text: str) -> None:
        thoughts = self._thoughts
        if thoughts is None:
            self._close_words()
            thoughts = self._thoughts = _Thoughts(f"rs_{self._suffix}_{self._index}", self._index)
            self._index += 1
            begun: Item = {**reasoning_item(thoughts.id, "", "in_progress"), "summary": []}
            self._send("response.output_item.added", output_index=thoughts.index, item=begun)
            self._send("response.reasoning_summary_part.added", **thoughts.place, part=summary_part(""))
        thoughts.pieces.append(text)
        self._send("response.reasoning_summary_text.delta", **thoughts.place, delta=text)

    def _close_thoughts(self, status: str = DONE) -> None:
        thoughts, self._thoughts = self._thoughts, None
        if thoughts is not None:
            text = "".join(thoughts.pieces)
            self._send("response.reasoning_summary_text.done", **thoughts.place, text=text)
            self._send("response.reasoning_summary_part.done", **thoughts.place, part=summary_part(text))
            self._done(thoughts.index, reasoning_item(thoughts.id, text, status))

    def _begin_words(self) -> _Words:
        self._close_thoughts()
        words = self._words = _Words(f"msg_{self._suffix}_{self._index}", self._index)
        self._index += 1
        begun: Item = {**message_item(words.id, "", (), "in_progress"), "content": []}
        self._send("response.output_item.added", output_index=words.index, item=begun)
        self._send("response.content_part.added", **words.place, part=text_part(""))
        return words

    def _close_words(self, status: str = DONE) -> None:
        self._close_thoughts(status)
        words, self._words = self._words, None
        if words is None:
            return
        text = "".join(words.pieces)
        self._send("response.output_text.done", **words.place, text=text, logprobs=[])
        self._send("response.content_part.done", **words.place, part=text_part(text, words.cited))
        self._done(words.index, message_item(words.id, text, words.cited, status))

    def _call(self, called: ToolCalled) -> None:
        self._close_words()
        id, index = f"mcp_{self._suffix}_{self._index}", self._index
        self._index += 1
        self._tools[called.call_id] = (id, index, called)
        place = {"item_id": id, "output_index": index}
        item = tool_item(id, Tool(called.call_id, called.name, called.arguments))
        self._send("response.output_item.added", output_index=index, item=item)
        self._send("response.mcp_call.in_progress", **place)
        self._send("response.mcp_call_arguments.done", **place, arguments=called.arguments)

    def _finish(self, finished: ToolFinished) -> None:
        if finished.call_id not in self._tools:
            self._call(ToolCalled(finished.call_id, finished.name, "{}"))
        id, index, called = self._tools.pop(finished.call_id)
        tool = Tool(called.call_id, called.name, called.arguments, finished.status, finished.result)
        name = "completed" if finished.status == "ok" else "failed"
        self._send(f"response.mcp_call.{name}", item_id=id, output_index=index)
        self._done(index, tool_item(id, tool))

    def _complete(self, message: MessageView) -> None:
        self._close_words(DONE if message.status == "complete" else CUT)
        self._answer = message
        for call in message.parts:
            if isinstance(call, ClientCall):
                id, index = f"fc_{self._suffix}_{self._index}", self._index
                self._index += 1
                place = {"item_id": id, "output_index": index}
                self._send(
                    "response.output_item.added", output_index=index, item=call_item(id, call, begun=True)
                )
                self._send("response.function_call_arguments.delta", **place, delta=call.arguments)
                self._send(
                    "response.function_call_arguments.done", **place, name=call.name, arguments=call.arguments
                )
                self._done(index, call_item(id, call))

    def _end(self, event: RunCompleted | RunFailed | RunCancelled) -> None:
        self._close_words(CUT)
        match event:
            case RunCompleted(usage=usage):
                name = "response.incomplete" if self._cut() else "response.completed"
                self._last(name, "completed", usage=usage)
            case RunFailed(error=error):
                self._last("response.failed", "failed", error=error)
            case RunCancelled():
                self._last("response.incomplete", "cancelled")

    def _rest(self) -> None:
        """The run waits for a person, or its events were never told to their end."""
        if not self._over:
            self._close_words()
            self._last("response.completed", "completed")

    def _last(
        self, name: str, status: str, *, usage: Usage | None = None, error: Problem | None = None
    ) -> None:
        self._over = True
        whole = self._frame.response(status, self._output(), usage=usage, error=error, cut=self._cut())
        self._send(name, response=whole)

    def _cut(self) -> str | None:
        return cut_of(self._answer.parts) if self._answer is not None else None

    def _output(self) -> list[Item]:
        if self._answer is None:
            return self.items
        status = DONE if self._answer.status == "complete" else CUT
        return output_items(self._frame.run_id, self._answer.parts, status)

    def _whole(self, item: Item) -> None:
        """An item that is there at once."""
        index = self._index
        self._index += 1
        self._send("response.output_item.added", output_index=index, item=item)
        self._done(index, item)

    def _done(self, index: int, item: Item) -> None:
        self.items.append(item)
        self._send("response.output_item.done", output_index=index, item=item)

    def _send(self, kind: str, /, **fields: object) -> None:
        number = self._number
        self._number = number + 1
        if number > self._after:
            data = _encode({"type": kind, "sequence_number": number, **fields})
            self._out.append(b"event: %b\ndata: %b\n\n" % (kind.encode(), data))
