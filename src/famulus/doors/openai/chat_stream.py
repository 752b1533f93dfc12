"""A run's events as chunks of a chat completion. A piece of text is put together from parts that are made once.

    chunk with the role, chunks of text, one for each call of the client's tools, the reason of the end, [DONE]

The protocol knows no taking back: an answer that begins again after some of it was lost ends with an error.
"""

from typing import assert_never

import msgspec

from famulus.conversations.parts import ClientCall, MessageView, cut_of
from famulus.doors.following import Batch
from famulus.doors.openai.shapes import spoken, statuses
from famulus.doors.sse import KEEP_ALIVE
from famulus.runs.events import (
    AnswerRestarted,
    ApprovalAnswered,
    ApprovalRequested,
    CitationAdded,
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

_encode = msgspec.json.Encoder().encode
DONE = b"data: [DONE]\n\n"
_MARK = "\ue000"
RESTARTED = "The server stopped while answering, and the answer has begun again; send the request once more."


def waiting_note(title: str) -> str:
    """What is said of a call that waits for a person."""
    return f"This waits for a person to confirm it in Famulus: {title}"


class ChatWriter:
    """The chunks of one completion."""

    def __init__(self, id: str, created: int, model: str, *, with_usage: bool) -> None:
        self._head: dict[str, object] = {
            "id": id,
            "object": "chat.completion.chunk",
            "created": created,
            "model": model,
            "system_fingerprint": None,
        }
        self._with_usage = with_usage
        before, _, after = self._chunk({"content": _MARK}).partition(_encode(_MARK))
        self._before, self._after = before, after
        self._length = 0
        self._reason = "stop"
        """Of the end, once the answer is known."""
        self._over = False

    def frames(self, batch: Batch) -> bytes:
        """What goes out for some events; with None, the end."""
        if batch is None:
            return b"" if self._over else self._end("stop", None)
        if self._over:
            return KEEP_ALIVE
        if len(batch) == 1 and isinstance(event := batch[0].event, TextDelta):
            self._length += len(event.text)
            return b"%b%b%b" % (self._before, _encode(event.text), self._after)
        return b"".join([self._frame(entry.event) for entry in batch if not self._over]) or KEEP_ALIVE

    def _frame(self, event: Event) -> bytes:
        match event:
            case TextDelta(text=text):
                self._length += len(text)
                return b"%b%b%b" % (self._before, _encode(text), self._after)
            case RunStarted():
                return self._chunk({"role": "assistant", "content": "", "refusal": None})
            case MessageCompleted(message=message):
                return self._called(message)
            case ApprovalRequested(approval=card):
                return self._chunk({"content": f"\n\n{waiting_note(card.title)}"})
            case AnswerRestarted(text=text):
                return self._restarted(len(text))
            case RunCompleted(usage=usage):
                return self._end(self._reason, usage)
            case RunFailed(error=error):
                return self._fail(error.code, error.detail)
            case RunCancelled():
                return self._end("stop", None)
            case (
                ThreadTitled()
                | RetrievalFinished()
                | ReasoningDelta()
                | CitationAdded()
                | ToolCalled()
                | ToolFinished()
                | ApprovalAnswered()
            ):
                return b""
            case _:
                assert_never(event)

    def _called(self, message: MessageView) -> bytes:
        calls = [part for part in message.parts if isinstance(part, ClientCall)]
        self._reason = "tool_calls" if calls else cut_of(message.parts) or "stop"
        return b"".join(
            self._chunk({"tool_calls": [{"index": number, **call_of(call)}]})
            for number, call in enumerate(calls)
        )

    def _restarted(self, length: int) -> bytes:
        return b"" if self._over or length == self._length else self._fail("answer_restarted", RESTARTED)

    def _fail(self, code: str, message: str) -> bytes:
        if self._over:
            return b""
        self._over = True
        return b"data: %b\n\n" % _encode({"error": spoken(code, message, statuses().get(code, 500))})

    def _end(self, reason: str, usage: Usage | None) -> bytes:
        if self._over:
            return b""
        self._over = True
        last = self._chunk({}, reason)
        if self._with_usage:
            counted = usage_of(usage or Usage())
            last += b"data: %b\n\n" % _encode({**self._head, "choices": [], "usage": counted})
        return last + DONE

    def _chunk(self, delta: dict[str, object], reason: str | None = None) -> bytes:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": reason}
        beside = {"usage": None} if self._with_usage else {}
        return b"data: %b\n\n" % _encode({**self._head, "choices": [choice], **beside})


def call_of(call: ClientCall) -> dict[str, object]:
    """A call as chat completions tell it."""
    function = {"name": call.name, "arguments": call.arguments}
    return {"id": call.call_id, "type": "function", "function": function}


def usage_of(usage: Usage) -> dict[str, int]:
    """Tokens as chat completions count them."""
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
