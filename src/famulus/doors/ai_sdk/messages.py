"""What was said, as the AI SDK's UI messages. Pure.

An answer is one message, under the id of its run; with the results of the client's calls it goes on in the same
message, as it does on the client's page.
"""

from collections.abc import Sequence
from typing import Any

from famulus.conversations.parts import (
    Attached,
    Citation,
    ClientCall,
    ClientResult,
    Failure,
    MessageView,
    Part,
    Reasoning,
    Text,
    Tool,
)
from famulus.doors.settled import UNKNOWN, shown_call
from famulus.doors.telling import plain

Item = dict[str, Any]


def messages_of(said: Sequence[MessageView], base_url: str) -> list[Item]:
    """A thread's messages, oldest first."""
    told: list[Item] = []
    for message in said:
        results = [part for part in message.parts if isinstance(part, ClientResult)]
        if message.role == "user":
            if results and told:
                _bring(told[-1]["parts"], results)
            if message.text or not results:
                told.append(_user(message, base_url))
            continue
        parts = answer_parts(message.run_id or message.id, message.parts, base_url)
        if told and told[-1]["role"] == "assistant":
            told[-1]["parts"] += parts
        else:
            told.append(_assistant(message, parts))
    return told


def source(cited: Citation, base_url: str) -> Item:
    """A passage that an answer rests on."""
    about = {
        "number": cited.number,
        "quote": cited.quote,
        "headings": cited.heading_path,
        "documentId": cited.document_id,
    }
    return {
        "type": "source-url",
        "sourceId": cited.passage_id,
        "url": base_url + cited.url,
        "title": cited.title,
        "providerMetadata": {"famulus": about},
    }


def answer_parts(run_id: str, parts: Sequence[Part], base_url: str) -> list[Item]:
    """The parts of an answer, a step for each stretch of words and the calls after it."""
    told: list[Item] = [{"type": "step-start"}]
    acted = False
    for part in parts:
        match part:
            case Text(text=text) | Reasoning(text=text):
                if acted:
                    told.append({"type": "step-start"})
                    acted = False
                kind = "text" if isinstance(part, Text) else "reasoning"
                told.append({"type": kind, "text": text, "state": "done"})
            case Tool() | ClientCall():
                told.append(_call(run_id, part))
                acted = True
            case Citation():
                told.append(source(part, base_url))
            case Failure(code=code, detail=detail, retry=retry):
                told.append({"type": "data-error", "data": {"code": code, "detail": detail, "retry": retry}})
            case _:
                pass
    return told


def _call(run_id: str, part: Tool | ClientCall) -> Item:
    call: Item = {
        "type": "dynamic-tool",
        "toolName": part.name,
        "toolCallId": shown_call(run_id, part.call_id),
        "input": plain(part.arguments),
    }
    if isinstance(part, ClientCall):
        return {**call, "state": "input-available"}
    call["providerExecuted"] = True
    if part.status == "ok":
        return {**call, "state": "output-available", "output": plain(part.result)}
    return {
        **call,
        "state": "output-error",
        "errorText": part.result or UNKNOWN,
    }


def _bring(parts: list[Item], results: Sequence[ClientResult]) -> None:
    """Put the results of the client's calls where the calls are."""
    outputs = {result.call_id: result.output for result in results}
    for part in parts:
        call_id = part.get("toolCallId", "").partition(".")[2]
        if part.get("state") == "input-available" and call_id in outputs:
            part |= {"state": "output-available", "output": plain(outputs[call_id])}


def _user(message: MessageView, base_url: str) -> Item:
    parts: list[Item] = [{"type": "text", "text": message.text}] if message.text else []
    for each in message.parts:
        if isinstance(each, Attached):
            url = f"{base_url}/api/v1/attachments/{each.id}/content"
            parts.append({"type": "file", "mediaType": each.mime_type, "filename": each.name, "url": url})
    return {"id": message.id, "role": "user", "metadata": _about(message), "parts": parts}


def _assistant(message: MessageView, parts: list[Item]) -> Item:
    id = message.run_id or message.id
    return {"id": id, "role": "assistant", "metadata": _about(message), "parts": parts}


def _about(message: MessageView) -> Item:
    return {"createdAt": message.created_at, "messageId": message.id}
