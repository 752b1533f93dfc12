"""A connection that breaks at any byte, and readers at each door that come back until they have all of an answer."""

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

from httpx2 import Client, HTTPError, Response
from websockets.exceptions import WebSocketException

from tests.support import ag_ui, ai_sdk, chatkit, sockets
from tests.support.academy import new_thread
from tests.support.doors_chatkit import FOLLOW
from tests.support.doors_openai import ENDS, conversation_of
from tests.support.serving import Served
from tests.support.sse import events_of

WORDS = " ".join(f"w{n}ü🚀é" for n in range(120))
SCRIPT = f"@rate 600\n{WORDS}"
"""An answer with more than one byte in most of its characters."""
LONGEST = 7_000
"""Bytes after which a connection breaks at the latest: fewer than a whole answer takes, more than any one event."""
PATIENCE = 200
"""Connections after which an answer should be whole."""
Frames = Iterator[dict[str, Any]]


class Cutter:
    """A way to a server on which a connection breaks after `limit` bytes from the server; None: it holds."""

    def __init__(self, port: int) -> None:
        self._target = port
        self.limit: int | None = None
        self.cuts = 0
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Take no more connections."""
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self._target))
            threading.Thread(target=self._up, args=(client, server), daemon=True).start()
            threading.Thread(target=self._down, args=(server, client, self.limit), daemon=True).start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        try:
            while data := client.recv(65_536):
                server.sendall(data)
            server.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def _down(self, server: socket.socket, client: socket.socket, left: int | None) -> None:
        try:
            while left != 0 and (data := server.recv(65_536 if left is None else min(left, 65_536))):
                client.sendall(data)
                left = None if left is None else left - len(data)
        except OSError:
            pass
        if left == 0:
            self.cuts += 1
        for each in (client, server):  # closing alone would wait for the thread that reads the other way
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()


@dataclass
class Reading:
    """One answer, as a reader puts it together who knows nothing but what it has been sent."""

    thread: str
    key: str = field(default_factory=lambda: uuid4().hex)
    run: str = ""
    last: str = ""
    text: str = ""
    ended: bool = False
    ids: list[str] = field(default_factory=list[str])

    def take(self, frames: Frames) -> None:
        """Put frames together, as far as they come."""
        for frame in frames:
            self.run = frame.get("run_id", self.run)
            if frame["id"] == "0.0":
                continue
            self.last = frame["id"]
            self.ids.append(frame["id"])
            kind = frame["type"]
            if kind in ("delta", "text.delta"):
                self.text = frame["text"] if frame.get("replace") else self.text + frame["text"]
            elif kind == "answer.restarted":
                self.text = frame["text"]
            if kind in ("done", "error", "run.completed", "run.failed"):
                self.ended = True
                return


def _stream(client: Client, method: str, path: str, reading: Reading, **options: Any) -> None:
    headers = {"Accept": "text/event-stream", "Idempotency-Key": reading.key, "Last-Event-ID": reading.last}
    with client.stream(method, path, headers=headers, **options) as response:
        assert response.status_code == 200, response.read()
        reading.take({**event.data, "id": event.id} for event in events_of(response))


def by_native(served: Served, client: Client, reading: Reading) -> None:
    """The message again until it is known to have arrived, then its run's events."""
    if reading.run:
        _stream(client, "GET", f"/api/v1/runs/{reading.run}/events", reading)
    else:
        _stream(client, "POST", f"/api/v1/threads/{reading.thread}/runs", reading, json={"message": "Go."})


def by_chats(served: Served, client: Client, reading: Reading) -> None:
    """The same request again and again, with the last id."""
    body = {"thread_id": reading.thread, "message": "Go."}
    _stream(client, "POST", "/assistant/chats/send/stream", reading, json=body)


def by_simple_chat(served: Served, client: Client, reading: Reading) -> None:
    """The message again until it is known to have arrived, then its run at the chats."""
    if reading.run:
        _stream(client, "GET", f"/assistant/chats/stream/{reading.run}", reading)
    else:
        body = {"conversation_id": reading.thread, "message": "Go."}
        _stream(client, "POST", "/api/chat?stream=true", reading, json=body)


def by_socket(served: Served, client: Client, reading: Reading) -> None:
    """The message again until it is known to have arrived, then its run after the last id."""
    port = client.base_url.port
    assert port is not None
    with sockets.opened(served, "student", port=port) as socket:
        if reading.run:
            sockets.say(socket, "resume", run_id=reading.run, after=reading.last or None)
        else:
            sockets.say(
                socket, "user_message", content="Go.", thread_id=reading.thread, client_id=reading.key
            )
        reading.take(iter(lambda: sockets.heard(socket), None))


def by_responses(served: Served, client: Client, reading: Reading) -> None:
    """The request again until it is known to have arrived, then its response after the last number."""
    if reading.run:
        after = {"starting_after": reading.last} if reading.last else {}
        given: dict[str, Any] = {"params": {"stream": "true", **after}}
        method, path = "GET", f"/v1/responses/{reading.run.replace('run_', 'resp_', 1)}"
    else:
        body = {"conversation": conversation_of(reading.thread), "input": "Go.", "stream": True}
        given = {"json": body, "headers": {"Idempotency-Key": reading.key}}
        method, path = "POST", "/v1/responses"
    with client.stream(method, path, **given) as response:
        assert response.status_code == 200, response.read()
        for event in events_of(response):
            reading.last = str(event.data["sequence_number"])
            reading.ids.append(reading.last)
            if event.name == "response.created":
                reading.run = event.data["response"]["id"].replace("resp_", "run_", 1)
            elif event.name == "response.output_text.delta":
                reading.text += event.data["delta"]
            elif event.name in ENDS:
                reading.ended = True


def by_chatkit(served: Served, client: Client, reading: Reading) -> None:
    """The message again until it is known to have arrived, then a look at the thread, and what comes about in it."""
    kit, params = chatkit.ChatKit(client), {"thread_id": reading.thread}
    if reading.run:
        screen = chatkit.Screen(kit.items(reading.thread))
        body = chatkit.request("threads.custom_action", None, **params, action=FOLLOW)
    else:
        screen = chatkit.Screen()
        body = chatkit.request("threads.add_user_message", None, **params, input=chatkit.said("Go."))
    with client.stream("POST", "/chatkit", json=body, headers={"Idempotency-Key": reading.key}) as response:
        reading.run = response.headers.get("x-run-id", reading.run)
        for event in chatkit.events_of(response):
            screen.take(event)
            shown, reading.text = reading.text, screen.words.get(reading.run, "")
            assert reading.text.startswith(shown) or shown.startswith(reading.text), (
                "nothing is told otherwise"
            )
    reading.text = chatkit.Screen(kit.items(reading.thread)).words[reading.run]
    reading.ended = True


def by_ag_ui(served: Served, client: Client, reading: Reading) -> None:
    """The same request until it is known to have arrived, then the thread, as it is shown to whoever comes back."""
    asked = ag_ui.user("Go.") if not reading.run else None
    body = ag_ui.request(reading.thread, *([asked] if asked else []), runId=reading.key)
    where = "/ag-ui" if asked else "/ag-ui/connect"
    with client.stream("POST", where, json=body) as response:
        for event in ag_ui.events_of(response):
            if event["type"] == "RUN_STARTED":
                reading.run = response.headers.get("x-run-id", reading.run)
                reading.text = ""
            elif event["type"] == "MESSAGES_SNAPSHOT":
                shown = [each for each in event["messages"] if each["id"].startswith(reading.run)]
                reading.text = "".join(each["content"] for each in shown)
            elif event["type"] == "TEXT_MESSAGE_CONTENT":
                reading.text += event["delta"]
            reading.ended = event["type"] == "RUN_FINISHED"


def by_ai_sdk(served: Served, client: Client, reading: Reading) -> None:
    """The same message until it is known to have arrived, then its stream from the beginning, then what is kept."""
    if reading.run:
        path = f"/ai-sdk/{reading.thread}/stream"
        with client.stream("GET", path) as response:
            if response.status_code != 204:
                return _from_the_start(response, reading)
        kept = ai_sdk.AiSdk(client).messages(reading.thread)[-1]
        reading.text = "".join(part["text"] for part in kept["parts"] if part["type"] == "text")
        reading.ended = True
        return None
    body = ai_sdk.request(reading.thread, ai_sdk.user("Go.", id=reading.key))
    with client.stream("POST", "/ai-sdk", json=body) as response:
        _from_the_start(response, reading)


def _from_the_start(response: Response, reading: Reading) -> None:
    reading.text = ""
    for chunk in ai_sdk.chunks_of(response):
        if chunk["type"] == "start":
            reading.run = response.headers["x-run-id"]
        elif chunk["type"] == "text-delta":
            reading.text += chunk["delta"]
        reading.ended = chunk["type"] == "finish"


Way = Callable[[Served, Client, Reading], None]
WAYS: dict[str, Way] = {
    "native": by_native,
    "chats": by_chats,
    "simple chat": by_simple_chat,
    "websocket": by_socket,
    "responses": by_responses,
    "chatkit": by_chatkit,
    "ag-ui": by_ag_ui,
    "ai-sdk": by_ai_sdk,
}
WITHOUT_IDS = (by_chatkit, by_ag_ui, by_ai_sdk)
"""Ways whose protocols have no ids of events."""


def _whole(direct: Client, way: Way, run: str) -> list[str]:
    """The ids of all that a door tells of a run that has ended; none where it has no ids."""
    if way in WITHOUT_IDS:
        return []
    if way is not by_responses:
        told = direct.get(f"/api/v1/runs/{run}/events").text
        return [line[4:] for line in told.split("\n") if line.startswith("id: ")]
    path = f"/v1/responses/{run.replace('run_', 'resp_', 1)}"
    with direct.stream("GET", path, params={"stream": "true"}) as response:
        return [str(event.data["sequence_number"]) for event in events_of(response)]


@contextmanager
def cutting(served: Served) -> Iterator[tuple[Cutter, Client]]:
    """A client of the student whose connections break."""
    cutter = Cutter(served.port)
    token = served.academy.people["student"].token
    client = Client(
        base_url=f"http://127.0.0.1:{cutter.port}", headers={"Authorization": f"Bearer {token}"}, timeout=20
    )
    try:
        yield cutter, client
    finally:
        client.close()
        cutter.close()


def read_through_cuts(served: Served, way: Way, random: Random, *, patience: int = PATIENCE) -> int:
    """An answer read at a door over connections that break at random bytes; returns how many did.

    Fails unless what was put together is, byte for byte, what is stored, and every event came once and in order.
    """
    with served.client("student") as direct:
        reading = Reading(new_thread(direct))
        with cutting(served) as (cutter, client):
            for _ in range(patience):
                cutter.limit = random.randrange(1, LONGEST)
                try:
                    way(served, client, reading)
                except (HTTPError, WebSocketException, OSError, EOFError):
                    pass
                if reading.ended:
                    break
        stored = direct.get(f"/api/v1/runs/{reading.run}").json()
        assert stored["status"] == "completed"
        assert reading.text.encode() == stored["answer"]["text"].encode()
        assert reading.ids == _whole(direct, way, reading.run)
        messages = direct.get(f"/api/v1/threads/{reading.thread}/messages").json()["items"]
        assert [each["role"] for each in messages] == ["user", "assistant"], "and it was accepted once"
        return cutter.cuts
