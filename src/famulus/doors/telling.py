"""Runs as simple front ends like them told: a handful of frames that a page can show one by one.

    thinking          what is going on; `stage` says what of it
    delta             the next piece of the answer; with `replace` the answer so far is this
    action_pending    a tool call waits for a person
    action_executed   a tool has done something, or has not
    response          the answer as it is kept
    done | error      the end

Every frame has the id of its event, which is what a reader resumes after. One vocabulary for the chats and the
WebSocket, each on a wire of its own.
"""

from typing import Any, assert_never

import msgspec

from famulus.conversations.parts import Citation, MessageView, Tool
from famulus.runs.ask import Started
from famulus.runs.events import (
    AnswerRestarted,
    ApprovalAnswered,
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

KEEP_ALIVE = b": keep-alive\n\n"
Frame = dict[str, Any]
_encode = msgspec.json.Encoder().encode


def told(entry: Entry) -> Frame:
    """An event as a frame."""
    kind, fields = _told(entry.event)
    return {"type": kind, "id": str(entry.id), **fields}


def told_json(entry: Entry) -> bytes:
    """The same as JSON; a piece of text, of which there are many, goes the shortest way."""
    id, event = entry.id, entry.event
    if type(event) is TextDelta:
        return b'{"type":"delta","id":"%d.%d","text":%b}' % (id.epoch, id.n, _encode(event.text))
    return _encode(told(entry))


def told_sse(batch: list[Entry]) -> bytes:
    """Some events as one chunk of server-sent events (WHATWG HTML §9.2); else a sign of life."""
    chunk = [
        b"id: %d.%d\nevent: %b\ndata: %b\n\n" % (each.id.epoch, each.id.n, _kind(each.event), told_json(each))
        for each in batch
    ]
    return b"".join(chunk) or KEEP_ALIVE


def accepted(started: Started, **more: object) -> Frame:
    """That a message is stored; nothing of its run has been shown, so its id is the one before all events."""
    run = started.run
    return {
        "type": "thinking",
        "id": "0.0",
        "stage": "accepted",
        "run_id": run.id,
        "thread_id": run.thread_id,
        "message_id": run.message_id,
        "replayed": started.replayed,
        **more,
    }


def _kind(event: Event) -> bytes:
    return b"delta" if type(event) is TextDelta else _told(event)[0].encode()


def _told(event: Event) -> tuple[str, Frame]:
    match event:
        case TextDelta():
            return "delta", {"text": event.text}
        case AnswerRestarted():
            return "delta", {"text": event.text, "replace": True}
        case ToolFinished():
            return "action_executed", {
                "action": event.name, "result": plain(event.result), "status": event.status,
                "call_id": event.call_id, "undo": event.undo,
            }  # fmt: skip
        case ApprovalRequested():
            return "action_pending", {"approval": event.approval}
        case MessageCompleted():
            return "response", _response(event.message)
        case RunCompleted():
            return "done", {"status": "completed", "run_id": event.run_id, "usage": event.usage}
        case RunCancelled():
            return "done", {"status": "cancelled", "run_id": event.run_id}
        case RunFailed():
            why = event.error
            return "error", {
                "run_id": event.run_id, "code": why.code, "detail": why.detail, "retry": why.retry,
            }  # fmt: skip
        case _:
            return "thinking", _thinking(event)


def _response(message: MessageView) -> Frame:
    cited = [part for part in message.parts if isinstance(part, Citation)]
    return {
        "text": message.text, "status": message.status, "message_id": message.id,
        "thread_id": message.thread_id, "citations": cited,
    }  # fmt: skip


def _thinking(
    event: RunStarted
    | ThreadTitled
    | RetrievalFinished
    | ReasoningDelta
    | CitationAdded
    | ToolCalled
    | ApprovalAnswered,
) -> Frame:
    match event:
        case RunStarted():
            return {
                "stage": "started", "run_id": event.run_id, "thread_id": event.thread_id,
                "message_id": event.message_id, "assistant": event.assistant,
            }  # fmt: skip
        case ThreadTitled():
            return {"stage": "titled", "thread_id": event.thread_id, "title": event.title}
        case RetrievalFinished():
            return {"stage": "read", "passages": event.passages}
        case ReasoningDelta():
            return {"stage": "reasoning", "text": event.text}
        case CitationAdded():
            return {"stage": "cited", "citation": event.citation}
        case ToolCalled():
            return {
                "stage": "acting", "action": event.name, "arguments": plain(event.arguments),
                "call_id": event.call_id,
            }  # fmt: skip
        case ApprovalAnswered():
            return {
                "stage": "answered", "approval_id": event.approval_id, "call_id": event.call_id,
                "decision": event.decision,
            }  # fmt: skip
        case _:
            assert_never(event)


def plain(text: str | None) -> Any:
    """What a tool was given or gave back: the value where it is JSON, else the text."""
    if text is None:
        return None
    try:
        return msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError):
        return text


def tool_calls(answer: MessageView | None) -> list[Frame]:
    """What was done for an answer, in order."""
    parts = answer.parts if answer else ()
    return [
        {"tool": part.name, "arguments": plain(part.arguments), "result": plain(part.result)}
        for part in parts
        if isinstance(part, Tool)
    ]
