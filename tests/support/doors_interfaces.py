"""The doors for others' user interfaces, AG-UI and the AI SDK, in the table of doors."""

from abc import ABC, abstractmethod
from itertools import islice
from typing import Any
from uuid import uuid4

from httpx2 import Client

from tests.support import ag_ui, ai_sdk
from tests.support.door import BEGINNING, Heard


class _Interface(ABC):
    """What both share: a thread is called by a name that the client makes up."""

    def __init__(self, client: Client) -> None:
        self.client = client

    @abstractmethod
    def _say(self, thread: str, message: str, stop: int | None = None) -> Heard: ...

    def start(self, message: str) -> Heard:
        return self._say(uuid4().hex, message)

    def go_on(self, thread: str, message: str) -> Heard:
        return self._say(thread, message)

    def break_off(self, thread: str, message: str) -> Heard:
        return self._say(thread, message, stop=BEGINNING)


class AgUiDoor(_Interface):
    """`/ag-ui`; whoever comes back is shown the thread, and the rest of the answer."""

    name = "ag-ui"

    def resume(self, heard: Heard) -> Heard:
        body = ag_ui.request(heard.thread)
        with self.client.stream("POST", "/ag-ui/connect", json=body) as response:
            events = list(ag_ui.events_of(response))
        shown = [each for each in ag_ui.snapshot(events) if each["id"].startswith(heard.run)]
        text = "".join(each["content"] for each in shown if each["role"] == "assistant") + ag_ui.words(events)
        return Heard(heard.thread, heard.run, text, "", ended=events[-1]["type"] == "RUN_FINISHED")

    def read(self, thread: str) -> list[tuple[str, str]]:
        said = ag_ui.snapshot(ag_ui.AgUi(self.client).connect(thread))
        return [
            (each["role"], each["content"])
            for each in said
            if each["role"] in ("user", "assistant") and each["content"]
        ]

    def _say(self, thread: str, message: str, stop: int | None = None) -> Heard:
        body = ag_ui.request(thread, ag_ui.user(message))
        with self.client.stream("POST", "/ag-ui", json=body) as response:
            events = list(islice(ag_ui.events_of(response), stop))
        ours = ag_ui.ours(events)
        return _begun(ours, ag_ui.words(events), ended=events[-1]["type"] == "RUN_FINISHED")


class AiSdkDoor(_Interface):
    """`/ai-sdk`; whoever comes back is shown the answer from its beginning, or as it is kept."""

    name = "ai-sdk"

    def resume(self, heard: Heard) -> Heard:
        chunks = ai_sdk.AiSdk(self.client).come_back(heard.thread)
        if chunks is None:
            kept = ai_sdk.AiSdk(self.client).messages(heard.thread)
            text = next(_said(each["parts"]) for each in kept if each["id"] == heard.run)
            return Heard(heard.thread, heard.run, text, "", ended=True)
        return Heard(heard.thread, heard.run, ai_sdk.words(chunks), "", ended=chunks[-1]["type"] == "finish")

    def read(self, thread: str) -> list[tuple[str, str]]:
        kept = ai_sdk.AiSdk(self.client).messages(thread)
        return [(each["role"], _said(each["parts"])) for each in kept]

    def _say(self, thread: str, message: str, stop: int | None = None) -> Heard:
        body = ai_sdk.request(thread, ai_sdk.user(message))
        with self.client.stream("POST", "/ai-sdk", json=body) as response:
            chunks = list(islice(ai_sdk.chunks_of(response), stop))
        return _begun(ai_sdk.ours(chunks), ai_sdk.words(chunks), ended=chunks[-1]["type"] == "finish")


def _begun(ours: dict[str, str], text: str, *, ended: bool) -> Heard:
    """What was read where events have no ids: whoever goes on elsewhere begins anew."""
    return Heard(ours["threadId"], ours["runId"], text, "", ended=ended)


def _said(parts: list[Any]) -> str:
    return "".join(part["text"] for part in parts if part["type"] == "text")
