"""Every door that leads to a thread, as one adapter each: what a test does at one of them it can do at all.

A further door is one more class and one more entry in `DOORS`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from httpx2 import Client

from tests.support import sockets
from tests.support.door import BEGINNING, NOTHING, Door, Heard
from tests.support.doors_chatkit import Kit
from tests.support.doors_interfaces import AgUiDoor, AiSdkDoor
from tests.support.doors_openai import Responses
from tests.support.serving import Served
from tests.support.sse import events_of


def _gathered(frames: Iterator[Any], begun: Heard, *, stop: int | None = None) -> Heard:
    """Frames of any wire, each with `id`, `type` and the fields of its event, put together."""
    text, last, run, thread = begun.text, begun.last, begun.run, begun.thread
    for count, frame in enumerate(frames, 1):
        last, run, thread = frame["id"], frame.get("run_id", run), frame.get("thread_id", thread)
        kind = frame["type"]
        if kind == "answer.restarted" or frame.get("replace"):
            text = frame["text"]
        elif kind in ("delta", "text.delta"):
            text += frame["text"]
        elif kind in ("done", "error", "run.completed", "run.failed", "run.cancelled"):
            return Heard(thread, run, text, last, ended=True)
        if stop is not None and count >= stop:
            break
    return Heard(thread, run, text, last, ended=False)


class _Streams:
    """What the doors of server-sent events share."""

    name: str

    def __init__(self, client: Client) -> None:
        self.client = client

    def _heard(
        self, method: str, path: str, begun: Heard, *, stop: int | None = None, **options: Any
    ) -> Heard:
        options.setdefault("headers", {})["Accept"] = "text/event-stream"
        with self.client.stream(method, path, **options) as response:
            assert response.status_code == 200, response.read()
            frames = ({**event.data, "id": event.id} for event in events_of(response))
            return _gathered(frames, begun, stop=stop)


class Native(_Streams):
    """`/api/v1`, with server-sent events."""

    name = "native"

    def start(self, message: str) -> Heard:
        return self.go_on(self.client.post("/api/v1/threads", json={}).json()["id"], message)

    def go_on(self, thread: str, message: str) -> Heard:
        return self._ask(thread, message)

    def break_off(self, thread: str, message: str) -> Heard:
        return self._ask(thread, message, stop=BEGINNING)

    def resume(self, heard: Heard) -> Heard:
        path, last = f"/api/v1/runs/{heard.run}/events", {"Last-Event-ID": heard.last}
        return self._heard("GET", path, heard.place(), headers=last)

    def read(self, thread: str) -> list[tuple[str, str]]:
        items = self.client.get(f"/api/v1/threads/{thread}/messages").json()["items"]
        return [(each["role"], each["text"]) for each in items]

    def _ask(self, thread: str, message: str, stop: int | None = None) -> Heard:
        path = f"/api/v1/threads/{thread}/runs"
        return self._heard("POST", path, NOTHING, stop=stop, json={"message": message})


class Chats(_Streams):
    """`/assistant/chats`."""

    name = "chats"

    def start(self, message: str) -> Heard:
        return self._ask({"message": message})

    def go_on(self, thread: str, message: str) -> Heard:
        return self._ask({"thread_id": thread, "message": message})

    def break_off(self, thread: str, message: str) -> Heard:
        return self._ask({"thread_id": thread, "message": message}, stop=BEGINNING)

    def resume(self, heard: Heard) -> Heard:
        path = f"/assistant/chats/stream/{heard.run}"
        return self._heard("GET", path, heard.place(), headers={"Last-Event-ID": heard.last})

    def read(self, thread: str) -> list[tuple[str, str]]:
        items = self.client.get(f"/assistant/chats/{thread}/messages").json()["items"]
        return [(each["role"], each["text"]) for each in items]

    def _ask(self, body: dict[str, str], stop: int | None = None) -> Heard:
        return self._heard("POST", "/assistant/chats/send/stream", NOTHING, stop=stop, json=body)


class Simple(Chats):
    """`/api/chat`; it has no reading and no resuming of its own, so those of the chats beside it are taken."""

    name = "simple chat"

    def start(self, message: str) -> Heard:
        return self._whole(None, message)

    def go_on(self, thread: str, message: str) -> Heard:
        return self._whole(thread, message)

    def break_off(self, thread: str, message: str) -> Heard:
        body = {"conversation_id": thread, "message": message}
        return self._heard("POST", "/api/chat?stream=true", NOTHING, stop=BEGINNING, json=body)

    def _whole(self, thread: str | None, message: str) -> Heard:
        answer = self.client.post("/api/chat", json={"conversation_id": thread, "message": message})
        assert answer.status_code == 200, answer.text
        said = answer.json()
        return Heard(said["conversation_id"], answer.headers["x-run-id"], said["response"], "", ended=True)


class Socket(Native):
    """`/ws/ai-assistant`; messages are read at the native door, for a socket has none to ask for."""

    name = "websocket"

    def __init__(self, client: Client, served: Served, who: str) -> None:
        super().__init__(client)
        self.served, self.who = served, who

    def start(self, message: str) -> Heard:
        return self._said(NOTHING, "user_message", content=message)

    def go_on(self, thread: str, message: str) -> Heard:
        return self._said(NOTHING, "user_message", content=message, thread_id=thread)

    def break_off(self, thread: str, message: str) -> Heard:
        return self._said(NOTHING, "user_message", stop=BEGINNING, content=message, thread_id=thread)

    def resume(self, heard: Heard) -> Heard:
        return self._said(heard.place(), "resume", run_id=heard.run, after=heard.last or None)

    def _said(self, begun: Heard, kind: str, *, stop: int | None = None, **fields: Any) -> Heard:
        with sockets.opened(self.served, self.who) as socket:
            sockets.say(socket, kind, **fields)
            return _gathered(iter(lambda: sockets.heard(socket), None), begun, stop=stop)


@contextmanager
def every_door(served: Served, who: str) -> Iterator[dict[str, Door]]:
    """All doors of a server, for one person."""
    with served.client(who) as client:
        doors: list[Door] = [
            Native(client),
            Chats(client),
            Simple(client),
            Socket(client, served, who),
            Kit(client),
            Responses(client),
            AgUiDoor(client),
            AiSdkDoor(client),
        ]
        yield {door.name: door for door in doors}


DOORS = ("native", "chats", "simple chat", "websocket", "chatkit", "responses", "ag-ui", "ai-sdk")
