"""`/chatkit` as one of the doors that lead to a thread."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

from httpx2 import Client

from tests.support.chatkit import ChatKit, Event, Screen, events_of, request, said, text_of
from tests.support.door import BEGINNING, Heard

FOLLOW = {"type": "run.follow"}


class Kit:
    """ChatKit. It has no event ids: whoever comes back looks at the thread, and follows what is still coming about."""

    name = "chatkit"

    def __init__(self, client: Client) -> None:
        self.kit = ChatKit(client)

    def start(self, message: str) -> Heard:
        return self._heard("threads.create", input=said(message))

    def go_on(self, thread: str, message: str) -> Heard:
        return self._heard("threads.add_user_message", thread_id=thread, input=said(message))

    def break_off(self, thread: str, message: str) -> Heard:
        given = {"thread_id": thread, "input": said(message)}
        return self._heard("threads.add_user_message", stop=BEGINNING, **given)

    def resume(self, heard: Heard) -> Heard:
        screen = Screen(self.kit.items(heard.thread))
        for event in self.kit.events("threads.custom_action", thread_id=heard.thread, action=FOLLOW):
            screen.take(event)
        later = Screen(self.kit.items(heard.thread))
        assert heard.run not in screen.words or screen.words[heard.run] == later.words[heard.run]
        return Heard(heard.thread, heard.run, later.words[heard.run], "", ended=True)

    def read(self, thread: str) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for item in self.kit.json("items.list", thread_id=thread, order="asc", limit=100)["data"]:
            if item["type"] == "user_message":
                found.append(("user", "".join(each["text"] for each in item["content"])))
            elif item["type"] == "assistant_message":
                found.append(("assistant", text_of(item)))
        return found

    def _heard(self, op: str, *, stop: int | None = None, **params: Any) -> Heard:
        screen, body = Screen(), request(op, None, **params)
        with self.kit.client.stream("POST", "/chatkit", json=body) as response:
            events: Iterator[Event] = events_of(response)
            for event in islice(events, stop):
                screen.take(event)
            run, thread = response.headers["x-run-id"], response.headers["x-thread-id"]
        return Heard(thread, run, screen.words.get(run, ""), "", ended=stop is None)
