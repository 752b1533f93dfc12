"""A stream at every door that has one: how it is begun with a message, followed later, and ended in its own words."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.asking import Asked, body_of
from tests.support.chatkit import Screen, request
from tests.support.doors_chatkit import FOLLOW


@dataclass(frozen=True)
class Opening:
    """A request that is answered by a stream."""

    method: str
    path: str
    body: Any = None

    def raw(self, token: str) -> bytes:
        """The same as bytes on a connection of one's own."""
        body = json.dumps(self.body).encode() if self.body is not None else b""
        head = [
            f"{self.method} {self.path} HTTP/1.1", "Host: famulus", f"Authorization: Bearer {token}",
            "Accept: text/event-stream", "Content-Type: application/json", f"Content-Length: {len(body)}",
        ]  # fmt: skip
        return "\r\n".join([*head, "", ""]).encode() + body


def opening(way: str, asked: Asked) -> Opening:
    """A message whose answer is streamed."""
    path, body = body_of(way, asked)
    match way:
        case "chats":
            path += "/stream"
        case "simple chat":
            path += "?stream=true"
        case "responses" | "chat completions":
            body = {**body, "stream": True}
        case _:
            pass
    return Opening("POST", path, body)


def following(way: str, thread: str, run: str) -> Opening:
    """A run that is followed from its beginning, or from where the protocol has it."""
    match way:
        case "native":
            return Opening("GET", f"/api/v1/runs/{run}/events")
        case "chats":
            return Opening("GET", f"/assistant/chats/stream/{run}")
        case "responses":
            return Opening("GET", f"/v1/responses/{run.replace('run_', 'resp_')}?stream=true")
        case "chatkit":
            body = request("threads.custom_action", None, thread_id=thread, action=FOLLOW)
            return Opening("POST", "/chatkit", body)
        case _:
            raise AssertionError(way)


def _data(body: str) -> Any:
    return json.loads(body.rstrip("\n").rpartition("data: ")[2])


LAST_CODE: dict[str, Callable[[str], str]] = {
    "native": lambda body: _data(body)["code"],
    "chats": lambda body: _data(body)["code"],
    "simple chat": lambda body: _data(body)["code"],
    "responses": lambda body: _data(body)["error"]["code"],
    "chat completions": lambda body: _data(body)["error"]["code"],
    "chatkit": lambda body: "stream_ended" if "Sign in again" in _data(body)["message"] else "",
    "plain text": lambda body: "stream_ended" if "Sign in again" in body else "",
}
"""By door, the code that its last words tell, or the words where it has no codes."""


def shown_at_last(way: str, run: str, data: list[str]) -> str:
    """The answer that a reader shows who was told these events, one after another, at a door."""
    events = [json.loads(each) for each in data]
    if way == "chatkit":
        screen = Screen()
        for event in events:
            screen.take(event)
        return screen.words[run]
    if way == "responses":
        output = events[-1]["response"]["output"]
        return "".join(part["text"] for item in output for part in item.get("content", ()))
    text = ""
    for event in events:
        if event["type"] == "answer.restarted" or event.get("replace"):
            text = event["text"]
        elif event["type"] in ("delta", "text.delta"):
            text += event["text"]
    return text


STREAMS = tuple(LAST_CODE)
FOLLOWED = ("native", "chats", "responses", "chatkit")
"""Doors at which a run is followed that was begun elsewhere."""
