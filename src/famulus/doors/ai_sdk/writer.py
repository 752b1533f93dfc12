"""A run's events as a UI message stream of version 1. A piece of text is put together from parts that are made once.

    start → (start-step → reasoning-start → reasoning-delta* → reasoning-end
              → text-start → text-delta* → text-end → source-url*
              → tool-input-available → tool-output-available | tool-output-error | tool-output-denied
              → tool-approval-request → finish-step)* → finish → [DONE]

A step is a stretch of words and the calls after it. What a later attempt takes back is the step that was not finished,
which `reset-step` takes out of the message.
"""

from typing import Any, assert_never

import msgspec

from famulus.conversations.parts import ClientCall, MessageView
from famulus.doors.ai_sdk.messages import source
from famulus.doors.settled import GONE, UNKNOWN, shown_call, shown_question
from famulus.doors.sse import KEEP_ALIVE
from famulus.doors.telling import plain
from famulus.kernel.errors import FamulusError
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

DONE = b"data: [DONE]\n\n"
RESTARTED = (
    "The server stopped while answering, and the answer has begun again; load this chat anew to read it."
)
_encode = msgspec.json.Encoder().encode


def chunk(kind: str, /, **fields: Any) -> bytes:
    """A chunk as it goes over the wire."""
    return b"data: %b\n\n" % _encode({"type": kind, **fields})


def farewell(why: FamulusError, _request_id: str | None) -> bytes:
    """The last words of a stream whose reader's rights have ended."""
    return chunk("error", errorText=why.detail) + DONE


class UiWriter:
    """The chunks of one stream."""

    def __init__(self, run_id: str, thread_id: str, base_url: str) -> None:
        self._run_id = run_id
        self._thread_id = thread_id
        self._base_url = base_url
        self._preface = b""
        self._texts = 0
        self._open = False
        """Whether words are being written."""
        self._head = b""
        """The beginning of every chunk with a piece of them."""
        self._thinking = ""
        """The id of what is being thought."""
        self._thoughts = 0
        self._thought = False
        """Whether something was thought in the step that is open."""
        self._length = 0
        self._step: int | None = None
        """The length of the words before the step that is open."""
        self._acted = False
        """Whether a call of this step is done, so that further words begin another."""
        self._cited: set[int] = set()
        self._calls: dict[str, bool] = {}
        """Calls that were told, and whether what came of them was."""
        self._waiting: dict[str, ApprovalCard] = {}
        self._asked: set[str] = set()
        """Calls that somebody was asked about."""
        self._left = False
        """Whether it ends with calls that the client carries out."""
        self._over = False

    def begin(self, *, new: bool = True) -> None:
        """Have the message begin before whatever comes first; if it is not `new`, the last one goes on."""
        about = {"famulus": {"threadId": self._thread_id, "runId": self._run_id}}
        named = {"messageId": self._run_id} if new else {}
        self._preface = chunk("start", **named, messageMetadata=about)

    def take_up(self, entries: list[Entry]) -> None:
        """Go on after these events, of which the client knows."""
        if entries:
            self.frames(entries)
        self._open, self._step, self._thinking = False, None, ""

    def frames(self, batch: list[Entry] | None) -> bytes:
        """What goes out for some events; with None, the end."""
        if batch is not None and len(batch) == 1 and self._open and not self._preface:
            event = batch[0].event
            if isinstance(event, TextDelta):
                self._length += len(event.text)
                return b"%b%b}\n\n" % (self._head, _encode(event.text))
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
                begun = b"" if self._open else self._open_words()
                self._length += len(text)
                return b"%b%b%b}\n\n" % (begun, self._head, _encode(text))
            case ToolCalled(call_id=id, name=name, arguments=arguments):
                return self._call(id, name, arguments)
            case ToolFinished():
                return self._finish(event)
            case ApprovalRequested(approval=card):
                return self._ask(card)
            case ApprovalAnswered(approval_id=id):
                self._waiting.pop(id, None)
                return b""
            case AnswerRestarted(text=text):
                return self._restart(len(text))
            case MessageCompleted(message=message):
                return self._complete(message)
            case RunCompleted() | RunFailed() | RunCancelled():
                return self._end(event)
            case _:
                return self._beside(event)

    def _beside(self, event: RunStarted | ThreadTitled | RetrievalFinished | CitationAdded) -> bytes:
        match event:
            case RunStarted(assistant=assistant, model=model):
                who = {"id": assistant.id, "name": assistant.name, "model": model}
                return chunk("message-metadata", messageMetadata={"assistant": who})
            case ThreadTitled(title=title):
                return chunk("data-title", data={"title": title}, transient=True)
            case RetrievalFinished(passages=passages):
                read = [
                    {"number": each.number, "passageId": each.passage_id, "title": each.title}
                    for each in passages
                ]
                return chunk("data-retrieval", id="retrieval", data=read)
            case CitationAdded(citation=citation):
                if citation.number in self._cited:
                    return b""
                self._cited.add(citation.number)
                return b"data: %b\n\n" % _encode(source(citation, self._base_url))
            case _:
                assert_never(event)

    # Steps and words

    def _begin_step(self) -> bytes:
        """A step for what comes next: the one that is open, unless a call of it is done."""
        if self._step is not None and not self._acted:
            return b""
        ended = b"" if self._step is None else chunk("finish-step")
        self._step, self._acted, self._thought = self._length, False, False
        return ended + chunk("start-step")

    def _think(self, text: str) -> bytes:
        begun = b""
        if not self._thinking:
            begun = self._close_words() + self._begin_step()
            self._thoughts += 1
            self._thinking, self._thought = f"{self._run_id}.r{self._thoughts}", True
            begun += chunk("reasoning-start", id=self._thinking)
        return begun + chunk("reasoning-delta", id=self._thinking, delta=text)

    def _close_thoughts(self) -> bytes:
        id, self._thinking = self._thinking, ""
        return chunk("reasoning-end", id=id) if id else b""

    def _open_words(self) -> bytes:
        step = self._close_thoughts() + self._begin_step()
        self._open = True
        self._texts += 1
        id = f"{self._run_id}.{self._texts}"
        self._head = b'data: {"type":"text-delta","id":%b,"delta":' % _encode(id)
        return step + chunk("text-start", id=id)

    def _close_words(self) -> bytes:
        if not self._open:
            return self._close_thoughts()
        self._open = False
        return chunk("text-end", id=f"{self._run_id}.{self._texts}")

    def _restart(self, length: int) -> bytes:
        """Another attempt: of what was shown only finished steps stay, with so many characters."""
        if length == self._length and (self._acted or not self._thought or length != self._step):
            return b""
        if self._acted or length != self._step:
            return self._fail(RESTARTED)
        self._open, self._thinking, self._thought, self._length = False, "", False, length
        for call_id in [id for id, told in self._calls.items() if not told]:
            del self._calls[call_id]
        self._cited.clear()
        return chunk("reset-step")

    # Calls

    def _call(self, call_id: str, name: str, arguments: str, *, ours: bool = True) -> bytes:
        """A call, unless it was told before it had to wait."""
        if call_id in self._calls:
            return b""
        self._calls[call_id] = False
        closed = self._close_words() + self._begin_step()
        executed = {"providerExecuted": True} if ours else {}
        return closed + chunk(
            "tool-input-available",
            toolCallId=shown_call(self._run_id, call_id),
            toolName=name,
            input=plain(arguments),
            dynamic=True,
            **executed,
        )

    def _finish(self, event: ToolFinished) -> bytes:
        told = self._call(event.call_id, event.name, "{}")
        self._calls[event.call_id] = self._acted = True
        id = {"toolCallId": shown_call(self._run_id, event.call_id)}
        if event.status == "denied" and event.call_id in self._asked:
            return told + chunk("tool-output-denied", **id)
        how: dict[str, Any] = {"providerExecuted": True, "dynamic": True}
        if event.status == "ok":
            return told + chunk("tool-output-available", **id, output=plain(event.result), **how)
        return told + chunk("tool-output-error", **id, errorText=event.result, **how)

    def _ask(self, card: ApprovalCard) -> bytes:
        self._waiting[card.id] = card
        self._asked.add(card.call_id)
        told = self._call(card.call_id, card.name, card.arguments)
        id = shown_question(card)
        shown = {
            "title": card.title, "effect": card.effect, "arguments": plain(card.arguments),
            "changes": card.changes, "notes": card.notes, "expiresAt": card.expires_at,
        }  # fmt: skip
        asked = chunk(
            "tool-approval-request",
            approvalId=id,
            toolCallId=shown_call(self._run_id, card.call_id),
            reason=card.title,
        )
        return told + asked + chunk("data-approval", id=id, data=shown)

    # The end

    def _complete(self, message: MessageView) -> bytes:
        calls = [part for part in message.parts if isinstance(part, ClientCall)]
        self._left = bool(calls)
        told = [self._call(each.call_id, each.name, each.arguments, ours=False) for each in calls]
        for each in calls:
            self._calls[each.call_id] = True
        return self._close_words() + b"".join(told)

    def _end(self, event: RunCompleted | RunFailed | RunCancelled) -> bytes:
        match event:
            case RunCompleted(usage=usage):
                return self._finished("tool-calls" if self._left else "stop", usage)
            case RunFailed(error=error):
                return self._fail(error.detail)
            case RunCancelled():
                self._over = True
                return self._close() + chunk("abort") + DONE

    def _rest(self) -> bytes:
        """The run waits for a person, or its events were never told to their end."""
        return self._finished("tool-calls") if self._waiting else self._fail(GONE)

    def _close(self) -> bytes:
        """The end of everything that is open, but for what waits."""
        waiting = {card.call_id for card in self._waiting.values()}
        lost = [id for id, told in self._calls.items() if not told and id not in waiting]
        unknown = [
            chunk("tool-output-error", toolCallId=shown_call(self._run_id, id), errorText=UNKNOWN)
            for id in lost
        ]
        step = b"" if self._step is None else chunk("finish-step")
        return b"".join((self._close_words(), *unknown, step))

    def _finished(self, reason: str, usage: Usage | None = None) -> bytes:
        self._over = True
        counted = {"messageMetadata": {"usage": _usage(usage)}} if usage is not None else {}
        return self._close() + chunk("finish", finishReason=reason, **counted) + DONE

    def _fail(self, message: str) -> bytes:
        self._over = True
        return self._close() + chunk("error", errorText=message) + DONE


def _usage(usage: Usage) -> dict[str, Any]:
    return {
        "inputTokens": usage.input_tokens,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.input_tokens + usage.output_tokens,
        "costUsd": usage.cost_usd,
    }
