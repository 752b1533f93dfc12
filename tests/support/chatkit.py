"""A ChatKit client: sends requests, and holds every answer and every event against the protocol's own types."""

import json
from collections.abc import Iterable, Iterator
from typing import Any
from uuid import uuid4

from chatkit.types import Page, Thread, ThreadItem, ThreadStreamEvent
from httpx2 import Client, Response
from pydantic import TypeAdapter

EVENTS: TypeAdapter[Any] = TypeAdapter(ThreadStreamEvent)
ITEMS: TypeAdapter[Any] = TypeAdapter(Page[ThreadItem])
THREADS: TypeAdapter[Any] = TypeAdapter(Page[Thread])
THREAD: TypeAdapter[Any] = TypeAdapter(Thread)
Event = dict[str, Any]


def said(text: str, **more: object) -> dict[str, Any]:
    """What a client sends as a message."""
    content = [{"type": "input_text", "text": text}]
    return {"content": content, "quoted_text": "", "attachments": [], "inference_options": {}, **more}


def paper() -> str:
    """The name of a task that nothing else has."""
    return f"paper{uuid4().hex[:10]}"


class ChatKit:
    """The protocol at the hands of one person."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def post(self, op: str, metadata: object = None, **params: object) -> Response:
        """One request as it is answered."""
        return self.client.post("/chatkit", json=request(op, metadata, **params))

    def json(self, op: str, **params: object) -> Any:
        """The answer of an operation that does not stream."""
        response = self.post(op, **params)
        assert response.status_code == 200, response.text
        assert response.headers["content-type"] == "application/json"
        return response.json()

    def events(self, op: str, metadata: object = None, **params: object) -> list[Event]:
        """All events of a stream."""
        body = request(op, metadata, **params)
        with self.client.stream("POST", "/chatkit", json=body) as response:
            return list(events_of(response))

    def create(self, text: str, metadata: object = None, **more: object) -> tuple[str, list[Event]]:
        """A thread with its first message answered; returns its id and the events."""
        events = self.events("threads.create", metadata, input=said(text, **more))
        return events[0]["thread"]["id"], events

    def add(self, thread: str, text: str, **more: object) -> list[Event]:
        """Another message answered."""
        return self.events("threads.add_user_message", thread_id=thread, input=said(text, **more))

    def items(self, thread: str) -> list[Any]:
        """The first items of a thread, as a reload shows them."""
        found = self.json("threads.get_by_id", thread_id=thread)
        THREAD.validate_python(found)
        return found["items"]["data"]


class Screen:
    """What a client shows: the items, put together from events by their ids as the protocol has it."""

    def __init__(self, items: Iterable[Any] = ()) -> None:
        self.items: dict[str, Any] = {item["id"]: item for item in items}

    @property
    def words(self) -> dict[str, str]:
        """What the assistant says, by run."""
        found: dict[str, str] = {}
        for id, item in self.items.items():
            if item["type"] == "assistant_message":
                run = id.partition(".")[0]
                found[run] = found.get(run, "") + text_of(item)
        return found

    def take(self, event: Event) -> None:
        """Show what an event brings."""
        if event["type"] in ("thread.item.added", "thread.item.done", "thread.item.replaced"):
            self.items[event["item"]["id"]] = event["item"]
        elif event["type"] == "thread.item.removed":
            self.items.pop(event["item_id"], None)
        elif event["type"] == "thread.item.updated":
            self._change(self.items[event["item_id"]], event["update"])

    @staticmethod
    def _change(item: Any, update: Any) -> None:
        match update["type"]:
            case "assistant_message.content_part.added":
                item["content"].append(update["content"])
            case "assistant_message.content_part.text_delta":
                item["content"][update["content_index"]]["text"] += update["delta"]
            case "assistant_message.content_part.done":
                item["content"][update["content_index"]] = update["content"]
            case _:
                pass


def request(op: str, metadata: object = None, **params: object) -> dict[str, Any]:
    """The body of a request."""
    return {"type": op, "params": params, **({"metadata": metadata} if metadata is not None else {})}


def events_of(response: Response) -> Iterator[Event]:
    """The events of a stream as they come, each of them one that the protocol has."""
    assert response.status_code == 200, response.read()
    assert response.headers["content-type"].startswith("text/event-stream")
    waiting = b""
    for piece in response.iter_bytes():
        waiting += piece
        *whole, waiting = waiting.split(b"\n\n")
        for raw in whole:
            if raw.startswith(b":"):
                continue
            assert raw.startswith(b"data: "), raw
            event = json.loads(raw.removeprefix(b"data: "))
            assert not list(nothings(event)), "what is not there is left away"
            EVENTS.validate_python(event)
            yield event
    assert waiting == b"", waiting


def kinds(events: list[Event]) -> list[str]:
    """What happened, in words: updates by what they update."""
    return [event["update"]["type"] if "update" in event else event["type"] for event in events]


def done(events: list[Event], kind: str) -> list[Any]:
    """The finished items of a kind, each as it was last."""
    found = {
        event["item"]["id"]: event["item"]
        for event in events
        if event["type"] in ("thread.item.done", "thread.item.replaced") and event["item"]["type"] == kind
    }
    return list(found.values())


def words(events: list[Event]) -> str:
    """All pieces of text, put together."""
    return "".join(
        event["update"]["delta"]
        for event in events
        if event.get("update", {}).get("type", "").endswith("text_delta")
    )


def text_of(item: Any) -> str:
    """What an assistant's item says."""
    return "".join(content["text"] for content in item["content"])


def nothings(value: Any, path: str = "") -> Iterator[str]:
    """Where there is a null, but for values that are others' own."""
    if value is None:
        yield path
    elif isinstance(value, dict):
        for name, each in value.items():
            if name not in ("data", "arguments", "payload", "output"):
                yield from nothings(each, f"{path}.{name}")
    elif isinstance(value, list):
        for each in value:
            yield from nothings(each, path)
