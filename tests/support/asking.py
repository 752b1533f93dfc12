"""One message, at every door that takes one: how it is sent with a key, and how the door says what came of it.

A further door is one more function and one more entry in `WAYS`.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from httpx2 import Client, Response

from tests.support import sockets
from tests.support.chatkit import request, said
from tests.support.doors_openai import conversation_of
from tests.support.serving import Served


@dataclass(frozen=True)
class Asked:
    """A message: without a thread it begins one."""

    text: str = "Hello."
    thread: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Told:
    """What a door says: the run, or a refusal in the words of its protocol."""

    run: str = ""
    status: int = 200
    code: str = ""


def body_of(way: str, asked: Asked) -> tuple[str, Any]:
    """The path and the JSON that are posted at a door over HTTP."""
    text, thread = asked.text, asked.thread
    match way:
        case "native":
            return f"/api/v1/threads/{thread}/runs", {"message": text}
        case "chats":
            return "/assistant/chats/send", _with({"message": text}, thread_id=thread)
        case "simple chat":
            return "/api/chat", _with({"message": text}, conversation_id=thread)
        case "plain text":
            return "/api/chat/message", _with({"message": text}, conversation_id=thread)
        case "chatkit" if thread is None:
            return "/chatkit", request("threads.create", None, input=said(text))
        case "chatkit":
            given = {"thread_id": thread, "input": said(text)}
            return "/chatkit", request("threads.add_user_message", None, **given)
        case "responses":
            conversation = thread and conversation_of(thread)
            return "/v1/responses", _with({"model": "famulus", "input": text}, conversation=conversation)
        case "chat completions":
            return "/v1/chat/completions", {
                "model": "famulus",
                "messages": [{"role": "user", "content": text}],
            }
        case _:
            raise AssertionError(way)


def _with(body: dict[str, Any], **more: str | None) -> dict[str, Any]:
    return body | {name: value for name, value in more.items() if value is not None}


def told_by(response: Response) -> Told:
    """What an answer over HTTP comes to; fails for one that is in no door's words."""
    kind = response.headers["content-type"].partition(";")[0]
    if kind == "application/problem+json":
        found = response.json()
        assert found["status"] == response.status_code
        return Told("", response.status_code, found["code"])
    run = response.headers.get("x-run-id", "")
    if response.status_code == 200 and kind in ("text/event-stream", "text/plain"):
        events = [json.loads(line[6:]) for line in response.text.split("\n") if line.startswith("data: {")]
        failed = next((event for event in events if event.get("type") == "error"), None)
        return Told(run, 200, "in the stream" if failed else "")
    assert kind == "application/json", response.text
    found = response.json()
    if "error" in found and found["error"] is not None and "output" not in found and not run:
        assert set(found["error"]) == {"message", "type", "param", "code"}
        return Told("", response.status_code, found["error"]["code"])
    assert response.status_code in (200, 202), response.text
    id = str(found.get("run", found).get("id", ""))
    return Told(run or id.replace("resp_", "run_").replace("chatcmpl-", "run_"), response.status_code)


def over_http(name: str) -> Callable[[Served, Client, Asked], Told]:
    """A door that is asked by one POST."""

    def ask(served: Served, client: Client, asked: Asked) -> Told:
        path, body = body_of(name, asked)
        headers = {"Idempotency-Key": asked.key} if asked.key else {}
        return told_by(client.post(path, json=body, headers=headers))

    return ask


def over_socket(served: Served, client: Client, asked: Asked) -> Told:
    """The WebSocket, with the credentials that the client has."""
    headers = {
        name: client.headers[name] for name in ("authorization", "x-api-key") if name in client.headers
    }
    given = {"thread_id": asked.thread, "client_id": asked.key}
    with sockets.opened(served, headers=headers, port=client.base_url.port) as socket:
        sockets.say(socket, "user_message", content=asked.text, **{k: v for k, v in given.items() if v})
        frames = sockets.to_the_end(socket)
    if frames[-1]["type"] == "error":
        return Told("", frames[-1]["status"], frames[-1]["code"])
    return Told(frames[0]["run_id"])


OVER_HTTP = ("native", "chats", "simple chat", "plain text", "chatkit", "responses", "chat completions")
WAYS: dict[str, Callable[[Served, Client, Asked], Told]] = {
    **{name: over_http(name) for name in OVER_HTTP},
    "websocket": over_socket,
}
IN_THREADS = tuple(name for name in WAYS if name != "chat completions")
"""Doors that go on in a thread that is named."""
BEGINNING = tuple(name for name in WAYS if name != "native")
"""Doors whose message may begin one."""
