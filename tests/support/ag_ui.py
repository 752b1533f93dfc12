"""An AG-UI client: sends what the protocol's own package makes of it, and holds every event against its types."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from ag_ui.core import Event, RunAgentInput
from httpx2 import Client, Response
from pydantic import TypeAdapter

EVENTS: TypeAdapter[Any] = TypeAdapter(Event)
Item = dict[str, Any]


def user(words: str) -> Item:
    """A message of the person."""
    return {"id": uuid4().hex, "role": "user", "content": words}


def request(thread: str, *messages: Item, **more: Any) -> Item:
    """The body of a request."""
    given = {"threadId": thread, "runId": uuid4().hex, "messages": list(messages), "protocolVersion": "1.0"}
    body = {**given, "state": {}, "tools": [], "context": [], "forwardedProps": {}, **more}
    return RunAgentInput.model_validate(body).model_dump(mode="json", by_alias=True)


def events_of(response: Response) -> Iterator[Item]:
    """The events of a stream as they come, each of them one that the protocol has."""
    assert response.status_code == 200, response.read()
    assert response.headers["content-type"].startswith("text/event-stream")
    waiting = b""
    for piece in response.iter_bytes():
        waiting += piece
        *whole, waiting = waiting.split(b"\n\n")
        for raw in whole:
            if not raw.startswith(b":"):
                event = json.loads(raw.removeprefix(b"data: "))
                known = EVENTS.validate_python(event)
                assert not known.model_extra, known
                yield event
    assert waiting == b"", waiting


class AgUi:
    """The protocol at the hands of one person."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def post(self, body: Item, where: str = "") -> Response:
        """One request as it is answered."""
        return self.client.post(f"/ag-ui{where}", json=body)

    def events(self, body: Item, where: str = "") -> list[Item]:
        """All events of a stream."""
        with self.client.stream("POST", f"/ag-ui{where}", json=body) as response:
            return list(events_of(response))

    def say(self, thread: str, words: str, **more: Any) -> list[Item]:
        """A message, and what comes of it."""
        return self.events(request(thread, user(words), **more))

    def connect(self, thread: str) -> list[Item]:
        """A thread as it is shown to whoever comes back."""
        return self.events(request(thread), "/connect")


def kinds(events: list[Item]) -> list[str]:
    """What happened: names of events, pieces of one text once."""
    found: list[str] = []
    for event in events:
        kind = event["name"] if event["type"] == "CUSTOM" else event["type"]
        if kind != "TEXT_MESSAGE_CONTENT" or found[-1:] != [kind]:
            found.append(kind)
    return found


def words(events: list[Item]) -> str:
    """All pieces of text, put together."""
    return "".join(event["delta"] for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


def snapshot(events: list[Item]) -> list[Item]:
    """What was said before."""
    return next(event["messages"] for event in events if event["type"] == "MESSAGES_SNAPSHOT")


def ours(events: list[Item]) -> Item:
    """Our ids of the thread and the run."""
    return events[0]["metadata"]["famulus"]


def interrupts(events: list[Item]) -> list[Item]:
    """What the run waits for."""
    last = events[-1]
    assert last["type"] == "RUN_FINISHED", last
    return last["outcome"].get("interrupts", [])
