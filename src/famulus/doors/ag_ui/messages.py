"""What was said, as AG-UI's messages. Pure.

A person's message is one, under its own id. An answer becomes as many assistant messages as it has stretches of words,
numbered under the id of its run, each with the calls that follow it; what came of a call is a tool message behind them.
A writer of events numbers them the same way, so that what streams and what is told later are the same messages.
"""

from collections.abc import Sequence
from typing import Any

from famulus.conversations.parts import (
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
from famulus.doors.settled import cited_in, shown_call

Item = dict[str, Any]


def segment_id(run_id: str, number: int) -> str:
    """The id of one stretch of an answer."""
    return f"{run_id}.{number}"


def thought_id(run_id: str, number: int) -> str:
    """The id of one stretch of what was thought."""
    return f"{run_id}.r{number}"


def result_id(call: str) -> str:
    """The id of what came of a call."""
    return f"{call}.result"


def citations(cited: Sequence[Citation], base_url: str) -> list[Item]:
    """What an answer rests on."""
    return [citation(each, base_url) for each in cited]


def citation(cited: Citation, base_url: str) -> Item:
    """A passage that an answer rests on."""
    return {
        "number": cited.number,
        "title": cited.title,
        "headings": cited.heading_path,
        "quote": cited.quote,
        "url": base_url + cited.url,
        "passageId": cited.passage_id,
        "documentId": cited.document_id,
    }


def messages_of(said: Sequence[MessageView], base_url: str) -> list[Item]:
    """A thread's messages, oldest first."""
    told: list[Item] = []
    calls: dict[str, str] = {}
    for message in said:
        if message.role == "user":
            told += _asked(message, calls)
            continue
        run_id = message.run_id or message.id
        told += answer_messages(run_id, message.parts, base_url)
        calls = {
            part.call_id: shown_call(run_id, part.call_id)
            for part in message.parts
            if isinstance(part, ClientCall)
        }
    return told


def _asked(message: MessageView, calls: dict[str, str]) -> list[Item]:
    """What somebody has sent: results of the calls that the answer before ended with, and words."""
    items: list[Item] = []
    for part in message.parts:
        if isinstance(part, ClientResult) and part.call_id in calls:
            call = calls[part.call_id]
            items.append({"id": result_id(call), "role": "tool", "toolCallId": call, "content": part.output})
    if message.text or not items:
        items.append({"id": message.id, "role": "user", "content": message.text})
    return items


def answer_messages(run_id: str, parts: Sequence[Part], base_url: str) -> list[Item]:
    """The messages of an answer, or of as much as there is of one."""
    told: list[Item] = []
    number, thoughts = -1, 0
    assistant: Item | None = None
    for part in parts:
        match part:
            case Reasoning(text=text):
                thoughts += 1
                told.append({"id": thought_id(run_id, thoughts), "role": "reasoning", "content": text})
                assistant = None
            case Text(text=text):
                if assistant is None or "toolCalls" in assistant:
                    number += 1
                    assistant = _assistant(run_id, number)
                    told.append(assistant)
                assistant["content"] += text
            case Tool() | ClientCall():
                if assistant is None:
                    number += 1
                    assistant = _assistant(run_id, number)
                    told.append(assistant)
                told += _called(run_id, part, assistant)
            case Failure(detail=detail):
                told.append({**_assistant(run_id, number := number + 1), "content": detail})
            case _:
                pass
    for each in told:
        if each["role"] == "assistant" and (cited := cited_in(parts, each["content"])):
            each["metadata"] = {"citations": citations(cited, base_url)}
    return told


def _assistant(run_id: str, number: int) -> Item:
    return {"id": segment_id(run_id, number), "role": "assistant", "content": ""}


def _called(run_id: str, part: Tool | ClientCall, assistant: Item) -> list[Item]:
    call = shown_call(run_id, part.call_id)
    function = {"name": part.name, "arguments": part.arguments}
    assistant.setdefault("toolCalls", []).append({"id": call, "type": "function", "function": function})
    if isinstance(part, ClientCall) or part.result is None:
        return []
    result: Item = {"id": result_id(call), "role": "tool", "toolCallId": call, "content": part.result}
    return [result if part.status == "ok" else {**result, "error": part.result}]
