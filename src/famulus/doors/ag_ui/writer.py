"""A run's events as those of AG-UI 1.0. A piece of text is put together from parts that are made once.

    RUN_STARTED
      → thoughts: REASONING_START → REASONING_MESSAGE_START → …CONTENT* → …END → REASONING_END
      → words: TEXT_MESSAGE_START → TEXT_MESSAGE_CONTENT* → TEXT_MESSAGE_END, which carries the citations
      → a call: TOOL_CALL_START → TOOL_CALL_ARGS → TOOL_CALL_END, then TOOL_CALL_RESULT unless it is the client's
      → what was read: STEP_STARTED → CUSTOM `retrieval` → STEP_FINISHED; CUSTOM `citation`, `title`, `assistant`
    → RUN_FINISHED: success, with the calls left to the client; interrupt; cancelled — or RUN_ERROR

A run of ours that waits for a person is, here, several runs one after another: each ends with what it waits for, the
next brings the answers. The writer of a later one is told the events before it, and says nothing of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

import msgspec

from famulus.conversations.parts import Citation, ClientCall, MessageView
from famulus.doors.ag_ui.messages import Item, citation, citations, result_id, segment_id, thought_id
from famulus.doors.settled import GONE, UNKNOWN, shown_call, shown_question
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
    Usage,
)

VERSION = "1.0"
"""Of the protocol."""
RESTARTED = (
    "The server stopped while answering, and the answer has begun again; connect to the thread to read it."
)
REASONS = {"yes": "tool_approval", "result": "tool_result", "answers": "questions"}
APPROVAL: Item = {
    "type": "object",
    "required": ["approved"],
    "properties": {
        "approved": {"type": "boolean"},
        "reason": {"type": "string", "maxLength": 1000},
        "arguments": {"type": "object", "description": "What to carry out instead."},
    },
}
_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Names:
    """What a run is called: by the client, and by us."""

    thread: str
    run: str
    our_thread: str
    our_run: str
    base_url: str


def frame(kind: str, /, **fields: Any) -> bytes:
    """An event as it goes over the wire."""
    return b"data: %b\n\n" % _encode({"type": kind, **fields})


class AgUiWriter:
    """The events of one run as the client sees it."""

    def __init__(self, names: Names) -> None:
        self._names = names
        self._preface = b""
        self._number = -1
        self._open = False
        """Whether words are being written."""
        self._called = False
        """Whether the newest stretch has a call, so that further words begin another."""
        self._apart = False
        """Whether something was thought since, so that words and calls begin another."""
        self._text: list[str] = []
        """The words of the newest stretch."""
        self._head = b""
        """The beginning of every frame with a piece of them."""
        self._length = 0
        self._thoughts = 0
        self._thinking = ""
        """The id of what is being thought."""
        self._cited: list[Citation] = []
        self._calls: dict[str, bool] = {}
        """Calls that were told, and whether what came of them was."""
        self._waiting: dict[str, ApprovalCard] = {}
        self._left: list[str] = []
        """Calls that the client carries out itself."""
        self._over = False

    def begin(self, messages: Sequence[Item] | None = None) -> None:
        """Have the run begin, perhaps with everything that was said, before whatever comes first."""
        names = self._names
        ours = {"threadId": names.our_thread, "runId": names.our_run}
        self._preface = frame(
            "RUN_STARTED",
            threadId=names.thread,
            runId=names.run,
            protocolVersion=VERSION,
            metadata={"famulus": ours},
        )
        if messages is not None:
            self._preface += frame("MESSAGES_SNAPSHOT", messages=messages)

    def take_up(self, entries: list[Entry]) -> None:
        """Go on after these events, of which the client knows."""
        if entries:
            self.frames(entries)
        self._open, self._thinking = False, ""

    def frames(self, batch: list[Entry] | None) -> bytes:
        """What goes out for some events; with None, the end."""
        if batch is not None and len(batch) == 1 and self._open and not self._preface:
            event = batch[0].event
            if isinstance(event, TextDelta):
                return self._piece(event.text)
        if self._over:
            return b""
        out = [self._preface]
        self._preface = b""
        if batch is None:
            out.append(self._rest())
        out += (self._tell(entry.event) for entry in batch or () if not self._over)
        return b"".join(out) or (b"" if batch is None else KEEP_ALIVE)

    def _tell(self, event: Event) -> bytes:
        match event:
            case ReasoningDelta(text=text):
                return self._think(text)
            case TextDelta(text=text):
                return (b"" if self._open else self._open_words()) + self._piece(text)
            case ToolCalled(call_id=id, name=name, arguments=arguments):
                return self._call(id, name, arguments)
            case ToolFinished():
                return self._finish(event)
            case ApprovalRequested(approval=card):
                self._waiting[card.id] = card
                return self._call(card.call_id, card.name, card.arguments)
            case ApprovalAnswered(approval_id=id):
                self._waiting.pop(id, None)
                return b""
            case AnswerRestarted(text=text):
                return self._restart(text)
            case MessageCompleted(message=message):
                return self._complete(message)
            case RunCompleted() | RunFailed() | RunCancelled():
                return self._end(event)
            case _:
                return self._beside(event)

    def _restart(self, text: str) -> bytes:
        """Another attempt: what was thought is over; words cannot be taken back."""
        same = len(text) == self._length
        return self._close_thoughts() if same else self._fail("answer_restarted", RESTARTED)

    def _beside(self, event: RunStarted | ThreadTitled | RetrievalFinished | CitationAdded) -> bytes:
        match event:
            case RunStarted(assistant=assistant, model=model):
                value = {"id": assistant.id, "name": assistant.name, "model": model}
                return _custom("assistant", value)
            case ThreadTitled(title=title):
                return _custom("title", {"title": title})
            case RetrievalFinished(passages=passages):
                read = [
                    {"number": each.number, "passageId": each.passage_id, "title": each.title}
                    for each in passages
                ]
                step = {"stepName": "retrieval"}
                return (
                    frame("STEP_STARTED", **step)
                    + _custom("retrieval", read)
                    + frame("STEP_FINISHED", **step)
                )
            case CitationAdded(citation=cited):
                self._cited.append(cited)
                value = {**citation(cited, self._names.base_url), "messageId": self._segment()}
                return _custom("citation", value)
            case _:
                assert_never(event)

    # Words

    def _segment(self) -> str:
        return segment_id(self._names.our_run, max(self._number, 0))

    def _next(self) -> None:
        self._number += 1
        self._called = self._apart = False
        self._text = []
        id = _encode(self._segment())
        self._head = b'data: {"type":"TEXT_MESSAGE_CONTENT","messageId":%b,"delta":' % id

    def _think(self, text: str) -> bytes:
        begun = b""
        if not self._thinking:
            begun = self._close_words()
            self._apart = True
            self._thoughts += 1
            id = self._thinking = thought_id(self._names.our_run, self._thoughts)
            begun += frame("REASONING_START", messageId=id)
            begun += frame("REASONING_MESSAGE_START", messageId=id, role="reasoning")
        return begun + frame("REASONING_MESSAGE_CONTENT", messageId=self._thinking, delta=text)

    def _close_thoughts(self) -> bytes:
        id, self._thinking = self._thinking, ""
        if not id:
            return b""
        return frame("REASONING_MESSAGE_END", messageId=id) + frame("REASONING_END", messageId=id)

    def _open_words(self) -> bytes:
        ended = self._close_thoughts()
        if self._number < 0 or self._called or self._apart:
            self._next()
        self._open = True
        return ended + frame("TEXT_MESSAGE_START", messageId=self._segment(), role="assistant")

    def _piece(self, text: str) -> bytes:
        self._text.append(text)
        self._length += len(text)
        return b"%b%b}\n\n" % (self._head, _encode(text))

    def _close_words(self) -> bytes:
        if not self._open:
            return self._close_thoughts()
        self._open = False
        said = "".join(self._text)
        cited = [each for each in self._cited if f"[{each.number}]" in said]
        told = {"metadata": {"citations": citations(cited, self._names.base_url)}} if cited else {}
        return frame("TEXT_MESSAGE_END", messageId=self._segment(), **told)

    # Calls

    def _call(self, call_id: str, name: str, arguments: str) -> bytes:
        """A call, unless it was told before it had to wait."""
        if call_id in self._calls:
            return b""
        closed = self._close_words()
        if self._number < 0 or self._apart:
            self._next()
        self._called = True
        self._calls[call_id] = False
        id = shown_call(self._names.our_run, call_id)
        begun = {"toolCallId": id, "toolCallName": name, "parentMessageId": self._segment()}
        return b"".join(
            (
                closed,
                frame("TOOL_CALL_START", **begun),
                frame("TOOL_CALL_ARGS", toolCallId=id, delta=arguments),
                frame("TOOL_CALL_END", toolCallId=id),
            )
        )

    def _finish(self, event: ToolFinished) -> bytes:
        told = self._call(event.call_id, event.name, "{}")
        self._calls[event.call_id] = True
        return told + self._result(event.call_id, event.result, event.status)

    def _result(self, call_id: str, result: str, status: str) -> bytes:
        id = shown_call(self._names.our_run, call_id)
        return frame(
            "TOOL_CALL_RESULT",
            messageId=result_id(id),
            toolCallId=id,
            role="tool",
            content=result,
            metadata={"status": status},
        )

    # The end

    def _complete(self, message: MessageView) -> bytes:
        self._cited = [part for part in message.parts if isinstance(part, Citation)]
        theirs = [part for part in message.parts if isinstance(part, ClientCall)]
        self._left = [shown_call(self._names.our_run, part.call_id) for part in theirs]
        closed = self._close_words()
        return closed + b"".join(self._call(part.call_id, part.name, part.arguments) for part in theirs)

    def _end(self, event: RunCompleted | RunFailed | RunCancelled) -> bytes:
        match event:
            case RunCompleted(usage=usage):
                left = {"pendingToolCallIds": self._left} if self._left else {}
                return self._finished({"type": "success", **left}, usage)
            case RunFailed(error=error):
                return self._fail(error.code, error.detail)
            case RunCancelled():
                return self._finished({"type": "cancelled"})

    def _rest(self) -> bytes:
        """The run waits for a person, or its events were never told to their end."""
        if not self._waiting:
            return self._fail("thread_not_found", GONE)
        interrupts = [self._interrupt(card) for card in self._waiting.values()]
        return self._finished({"type": "interrupt", "interrupts": interrupts})

    def _interrupt(self, card: ApprovalCard) -> Item:
        shown: Item = {"effect": card.effect, "changes": card.changes, "notes": card.notes}
        schema = {"responseSchema": APPROVAL} if card.wants == "yes" else {}
        return {
            "id": shown_question(card),
            "reason": REASONS[card.wants],
            "message": card.title,
            "toolCallId": shown_call(self._names.our_run, card.call_id),
            "expiresAt": card.expires_at,
            **schema,
            "metadata": {"famulus": {**shown, "tool": card.name, "arguments": card.arguments}},
        }

    def _finished(self, outcome: Item, usage: Usage | None = None) -> bytes:
        self._over = True
        waiting = {card.call_id for card in self._waiting.values()}
        lost = [
            id
            for id, told in self._calls.items()
            if not told and id not in waiting and shown_call(self._names.our_run, id) not in self._left
        ]
        unknown = [self._result(id, UNKNOWN, "unknown") for id in lost]
        counted = {"usage": [_usage(usage)]} if usage and (usage.input_tokens or usage.output_tokens) else {}
        names = {"threadId": self._names.thread, "runId": self._names.run}
        last = frame("RUN_FINISHED", **names, outcome=outcome, **counted)
        return b"".join((self._close_words(), *unknown, last))

    def _fail(self, code: str, message: str) -> bytes:
        self._over = True
        return frame("RUN_ERROR", message=message, code=code)


def _custom(name: str, value: object) -> bytes:
    return frame("CUSTOM", name=name, value=value)


def _usage(usage: Usage) -> Item:
    return {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.input_tokens + usage.output_tokens,
    }
