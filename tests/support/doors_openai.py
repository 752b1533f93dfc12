"""`/v1/conversations` and `/v1/responses` as one of the doors that lead to a thread."""

from itertools import islice

from httpx2 import Client

from tests.support.door import BEGINNING, Heard
from tests.support.sse import events_of

ENDS = ("response.completed", "response.failed", "response.incomplete")


def conversation_of(thread: str) -> str:
    """A thread's name at this door."""
    return thread.replace("thr_", "conv_", 1)


class Responses:
    """Conversations and responses. Events are numbered here in a way of their own."""

    name = "responses"

    def __init__(self, client: Client) -> None:
        self.client = client

    def start(self, message: str) -> Heard:
        made = self.client.post("/v1/conversations", json={}).json()["id"]
        return self.go_on(made.replace("conv_", "thr_", 1), message)

    def go_on(self, thread: str, message: str) -> Heard:
        return self._ask(thread, message)

    def break_off(self, thread: str, message: str) -> Heard:
        return self._ask(thread, message, stop=BEGINNING)

    def resume(self, heard: Heard) -> Heard:
        path = f"/v1/responses/{heard.run.replace('run_', 'resp_', 1)}"
        return self._heard("GET", path, heard.thread, params={"stream": "true"})

    def read(self, thread: str) -> list[tuple[str, str]]:
        path = f"/v1/conversations/{conversation_of(thread)}/items"
        found = self.client.get(path, params={"order": "asc", "limit": "100"}).json()
        return [
            (item["role"], "".join(each["text"] for each in item["content"]))
            for item in found["data"]
            if item["type"] == "message"
        ]

    def _ask(self, thread: str, message: str, stop: int | None = None) -> Heard:
        body = {"conversation": conversation_of(thread), "input": message, "stream": True}
        return self._heard("POST", "/v1/responses", thread, stop=stop, json=body)

    def _heard(
        self, method: str, path: str, thread: str, *, stop: int | None = None, **options: object
    ) -> Heard:
        run, text, ended = "", "", False
        with self.client.stream(method, path, **options) as response:
            assert response.status_code == 200, response.read()
            for event in islice(events_of(response), stop):
                if event.name == "response.created":
                    run = event.data["response"]["id"].replace("resp_", "run_", 1)
                elif event.name == "response.output_text.delta":
                    text += event.data["delta"]
                ended = event.name in ENDS
        return Heard(thread, run, text, "", ended=ended)
