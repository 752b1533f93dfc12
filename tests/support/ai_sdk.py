"""A client of the AI SDK's door: sends what its transport sends, and puts chunks together as it does."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import uuid4

from httpx2 import Client, Response

Item = dict[str, Any]


def user(words: str, **more: Any) -> Item:
    """A message of the person."""
    return {"id": uuid4().hex, "role": "user", "parts": [{"type": "text", "text": words}], **more}


def request(chat: str, *messages: Item, **more: Any) -> Item:
    """The body of a request."""
    return {"id": chat, "messages": list(messages), "trigger": "submit-message", **more}


def chunks_of(response: Response) -> Iterator[Item]:
    """The chunks of a stream as they come, up to its last word."""
    assert response.status_code == 200, response.read()
    assert response.headers["x-vercel-ai-ui-message-stream"] == "v1"
    waiting, over = b"", False
    for piece in response.iter_bytes():
        waiting += piece
        *whole, waiting = waiting.split(b"\n\n")
        for raw in whole:
            assert not over, raw
            if raw == b"data: [DONE]":
                over = True
            elif not raw.startswith(b":"):
                yield json.loads(raw.removeprefix(b"data: "))
    assert over, waiting


class AiSdk:
    """The protocol at the hands of one person."""

    def __init__(self, client: Client) -> None:
        self.client = client

    def post(self, body: Item) -> Response:
        """One request as it is answered."""
        return self.client.post("/ai-sdk", json=body)

    def chunks(self, body: Item) -> list[Item]:
        """All chunks of a stream."""
        with self.client.stream("POST", "/ai-sdk", json=body) as response:
            return list(chunks_of(response))

    def say(self, chat: str, words: str, **more: Any) -> list[Item]:
        """A message, and what comes of it."""
        return self.chunks(request(chat, user(words), **more))

    def come_back(self, chat: str) -> list[Item] | None:
        """The answer that is coming about; None where none is."""
        with self.client.stream("GET", f"/ai-sdk/{chat}/stream") as response:
            return None if response.status_code == 204 else list(chunks_of(response))

    def messages(self, chat: str) -> list[Item]:
        """What a page begins with."""
        answer = self.client.get(f"/ai-sdk/{chat}/messages")
        assert answer.status_code == 200, answer.text
        return answer.json()["messages"]


def kinds(chunks: list[Item]) -> list[str]:
    """What came, pieces of one text once."""
    found: list[str] = []
    for each in chunks:
        if each["type"] != "text-delta" or found[-1:] != ["text-delta"]:
            found.append(each["type"])
    return found


def words(chunks: list[Item]) -> str:
    """All pieces of text, put together."""
    return "".join(each["delta"] for each in chunks if each["type"] == "text-delta")


def ours(chunks: list[Item]) -> Item:
    """Our ids of the thread and the run."""
    return chunks[0]["messageMetadata"]["famulus"]


def the(chunks: list[Item], kind: str) -> Item:
    """The one chunk of a kind."""
    [found] = [each for each in chunks if each["type"] == kind]
    return found


def called(chunks: list[Item], state: str, **more: Any) -> Item:
    """The answer as the client has it, with its last call in another state."""
    call = [each for each in chunks if each["type"] == "tool-input-available"][-1]
    part = {
        "type": "dynamic-tool", "toolName": call["toolName"], "toolCallId": call["toolCallId"],
        "input": call["input"], "state": state, **more,
    }  # fmt: skip
    return {"id": chunks[0]["messageId"], "role": "assistant", "parts": [{"type": "step-start"}, part]}
