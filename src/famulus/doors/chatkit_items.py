"""Messages as items of a ChatKit thread. Pure: plain values in, plain values out, as the wire has them.

A person's message is one item, under its own id. An answer becomes as many as it has segments, numbered in their order
under the id of its run, so that a segment has the same id while it is written, in history, and after a restart:

    text ─▶ assistant_message (citations are its annotations)     thoughts ─▶ workflow of one thought
    calls in a row ─▶ workflow, a task for each
    a call that the client carries out ─▶ client_tool_call        questions ─▶ structured_input
    a call that waits for a yes ─▶ widget, under the approval's id     what can be taken back ─▶ widget
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast

import msgspec

from famulus.conversations.parts import (
    Attached,
    Citation,
    Failure,
    MessageView,
    Original,
    Part,
    Reasoning,
    Text,
    Tool,
)
from famulus.doors.chatkit_widgets import Item, Place, undo_item

TITLE = 60
CONTENT = 600
"""Characters of what a call came to that are shown with it; the whole is in the answer's parts."""
_ITEM = re.compile(r"(run_[A-Za-z0-9]{1,60})\.(\d{1,4}|undo)", re.ASCII)
Segment = Text | Reasoning | Tool
_RUNNING: dict[str, str] = {"called": "loading", "ok": "complete"}


@dataclass(frozen=True, slots=True)
class ItemId:
    """What the id of an item of an answer says: its run, and which of its segments."""

    run_id: str
    segment: str


def read_item_id(text: str) -> ItemId | None:
    """The run and the segment of an answer's item; None for any other id."""
    found = _ITEM.fullmatch(text)
    return ItemId(found[1], found[2]) if found else None


def items_of(message: MessageView, base_url: str, *, failure: bool = True) -> list[Item]:
    """A message's items, at least one. Without `failure` an answer's reason to fail is left to whoever tells of it."""
    place = Place(message.thread_id, message.created_at)
    if message.role == "user":
        return [_user_item(message, place)]
    run_id = message.run_id or message.id
    items = [
        _segment(place, f"{run_id}.{n}", segment, message.parts, base_url)
        for n, segment in enumerate(_segments(message.parts))
    ]
    if failure:
        reasons = [part.detail for part in message.parts if isinstance(part, Failure)]
        items += [text_item(place, f"{run_id}.{len(items) + n}", each) for n, each in enumerate(reasons)]
    if widget := undo_item(place, f"{run_id}.undo", message.parts):
        items.append(widget)
    return items or [text_item(place, f"{run_id}.0", "")]


def text_item(place: Place, id: str, text: str, annotations: Sequence[Item] = ()) -> Item:
    """Something that the assistant said."""
    content = {"type": "output_text", "text": text, "annotations": list(annotations)}
    return {**place.item(id, "assistant_message"), "content": [content]}


def annotation_of(citation: Citation, text: str, base_url: str) -> Item:
    """A citation at the place of its mark in the text."""
    mark = f"[{citation.number}]"
    found = text.find(mark)
    source: Item = {"type": "url", "title": citation.title, "url": base_url + citation.url}
    if citation.quote:
        source["description"] = citation.quote
    if citation.heading_path:
        source["attribution"] = " › ".join(citation.heading_path)
    at: Item = {"index": found + len(mark)} if found >= 0 else {}
    return {"type": "annotation", "source": source, **at}


def workflow_item(place: Place, id: str, calls: Iterable[Tool]) -> Item:
    """Calls of tools, one after another."""
    tasks = [task_of(call) for call in calls]
    done = all(task["status_indicator"] != "loading" for task in tasks)
    workflow: Item = {"type": "custom", "tasks": tasks, "expanded": False}
    if done:
        steps = "1 step" if len(tasks) == 1 else f"{len(tasks)} steps"
        workflow["summary"] = {"title": f"Worked through {steps}", "icon": "bolt"}
    return {**place.item(id, "workflow"), "workflow": workflow}


def reasoning_item(place: Place, id: str, part: Reasoning, *, done: bool = True) -> Item:
    """What the model has thought aloud."""
    task: Item = {"type": "thought", "title": "Thought", "content": part.text}
    task["status_indicator"] = "complete" if done else "loading"
    workflow: Item = {"type": "reasoning", "tasks": [task], "expanded": False}
    if done:
        seconds = round(part.seconds)
        workflow["summary"] = {"duration": seconds} if seconds else {"title": "Thought"}
    return {**place.item(id, "workflow"), "workflow": workflow}


def task_of(call: Tool) -> Item:
    """A call as one task of a workflow."""
    task: Item = {
        "type": "custom",
        "title": title_of(call.name),
        "status_indicator": _RUNNING.get(call.status, "none"),
    }
    if call.result:
        task["content"] = _said(call.result)[:CONTENT]
    return task


def call_item(place: Place, id: str, call: Tool) -> Item:
    """A call that the client carries out, or questions that it puts to the person."""
    return _client_call(place, id, call) if call.wants == "result" else _questions(place, id, call)


def title_of(name: str) -> str:
    """A tool's name as people read it."""
    return name.replace("_", " ").strip().capitalize()[:TITLE]


def question_ids(arguments: str) -> dict[str, Item]:
    """The questions of a call by the ids that they have on the wire."""
    asked = cast(list[Item], _object(arguments).get("questions") or [])
    return {f"q{n}": question for n, question in enumerate(asked, 1)}


def _segments(parts: Sequence[Part]) -> list[list[Segment]]:
    """Text, thoughts and calls of an answer: each, and each call of the client's, by itself, other calls in rows."""
    segments: list[list[Segment]] = []
    for part in parts:
        if isinstance(part, Text | Reasoning) or (isinstance(part, Tool) and part.wants != "yes"):
            segments.append([part])
        elif isinstance(part, Tool):
            last = segments[-1][-1] if segments else None
            if isinstance(last, Tool) and last.wants == "yes":
                segments[-1].append(part)
            else:
                segments.append([part])
    return segments


def _segment(place: Place, id: str, segment: Sequence[Segment], parts: Sequence[Part], base_url: str) -> Item:
    first = segment[0]
    if isinstance(first, Reasoning):
        return reasoning_item(place, id, first)
    if isinstance(first, Tool):
        if first.wants != "yes":
            return call_item(place, id, first)
        return workflow_item(place, id, [part for part in segment if isinstance(part, Tool)])
    cited = [part for part in parts if isinstance(part, Citation)]
    texts = [part for part in parts if isinstance(part, Text)]
    here = [each for each in cited if first is _home(each, texts)]
    return text_item(place, id, first.text, [annotation_of(each, first.text, base_url) for each in here])


def _home(citation: Citation, texts: Sequence[Text]) -> Text | None:
    """The text in which a citation's mark stands first."""
    return next((text for text in texts if f"[{citation.number}]" in text.text), None)


def _user_item(message: MessageView, place: Place) -> Item:
    original = next((part for part in message.parts if isinstance(part, Original)), None)
    composed = original or Original(({"type": "input_text", "text": message.text},))
    item: Item = {
        **place.item(message.id, "user_message"),
        "content": list(composed.content),
        "attachments": [
            _attached(part, message.thread_id) for part in message.parts if isinstance(part, Attached)
        ],
        "inference_options": composed.inference_options,
    }
    if composed.quoted_text:
        item["quoted_text"] = composed.quoted_text
    return item


def _attached(part: Attached, thread_id: str) -> Item:
    kind = "image" if part.mime_type.startswith("image/") else "file"
    return {
        "type": kind,
        "id": part.id,
        "name": part.name,
        "mime_type": part.mime_type,
        "thread_id": thread_id,
    }


def _client_call(place: Place, id: str, call: Tool) -> Item:
    item: Item = {
        **place.item(id, "client_tool_call"),
        "status": "pending" if call.status == "called" else "completed",
        "call_id": call.call_id,
        "name": call.name,
        "arguments": _object(call.arguments),
    }
    if call.status != "called":
        item["output"] = _output(call.result)
    return item


def _questions(place: Place, id: str, call: Tool) -> Item:
    answered = _data(call.result) if call.status == "ok" else {}
    answers = cast(Item, answered.get("answers") or {})
    inputs = [_input(id, question, answers.get(id)) for id, question in question_ids(call.arguments).items()]
    status: Literal["pending", "answered", "skipped"] = "pending"
    if call.status != "called":
        status = "answered" if answered.get("status") == "answered" else "skipped"
    return {**place.item(id, "structured_input"), "status": status, "inputs": inputs}


def _input(id: str, question: Item, answer: Item | None) -> Item:
    options = cast(list[str], question.get("options") or [])
    asked: Item = {"id": id, "question": question.get("question", "")}
    if options:
        asked |= {"type": "multiple_choice", "multiple": bool(question.get("multiple"))}
        asked["options"] = [{"value": option} for option in options]
    else:
        asked["type"] = "freeform"
    return asked if answer is None else {**asked, "answer": answer}


def _said(result: str) -> str:
    """The sentence that a call came to, for people."""
    said = _object(result).get("said")
    return said if isinstance(said, str) else result


def _data(result: str | None) -> Item:
    data = _object(result or "{}").get("data")
    return cast(Item, data) if isinstance(data, dict) else {}


def _output(result: str | None) -> object:
    """What the client has sent; where it was no object, it was put into one under `value`."""
    data = _data(result)
    if not data:
        return result
    return data["value"] if set(data) == {"value"} else data


def _object(text: str) -> Item:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        return {}
