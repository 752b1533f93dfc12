"""People with a stubborn client: they send under a key until they are answered, and follow until the end.

A response that is lost leaves an unknown outcome, and the same key is sent again. A stream that breaks is taken up with
the last id, in either of the two customary ways.
"""

import asyncio
import random
import time
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import aiohttp

from tests.crash.history import Frames, History, Seen, Send, Stored, Stream, seen

LOST = (aiohttp.ClientError, OSError, TimeoutError)
PAUSE = 0.1
PATIENCE = 60.0
CANCELS = 0.1
"""The share of runs that their person stops half way."""
KINDS = ("slow", "tool", "write", "erase", "quick")
DENIALS = 0.3
"""The share of calls to which their person says no."""


class Client:
    """One person. `url` says where a server is at the moment."""

    def __init__(self, url: Callable[[], str], history: History, chance: random.Random) -> None:
        self.acknowledged: Callable[[], None] = lambda: None
        """Called as soon as a message is acknowledged."""
        self._url = url
        self._history = history
        self._chance = chance
        self._headers: dict[str, str] = {}
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> "Client":
        timeout = aiohttp.ClientTimeout(total=None, connect=5, sock_read=25)
        self._session = aiohttp.ClientSession(timeout=timeout)
        email = f"{uuid4().hex}@famulus.local"
        person = {"email": email, "password": "correct horse battery", "name": "Ada", "session_mode": "api"}
        tokens = await self.ask("POST", "/api/auth/signup", person)
        self._headers = {"Authorization": f"Bearer {tokens['access_token']}"}
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._session is not None
        await self._session.close()

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        *,
        settled: str = "",
    ) -> dict[str, Any]:
        """The JSON that answers a request, repeated until there is an answer; raises AssertionError after a minute.

        `settled` is the code of a refusal that says as much as an answer.
        """
        began = time.monotonic()
        while True:
            assert time.monotonic() < began + PATIENCE, f"nobody answered {method} {path}"
            try:
                status, answer = await self._once(method, path, body, headers)
            except LOST:
                await asyncio.sleep(PAUSE)
                continue
            if status < 400 or (settled and answer.get("code") == settled):
                return answer
            if status not in (502, 503):
                self._history.surprises.append(f"refused: {method} {path} got {status} {answer.get('code')}")
                raise AssertionError(self._history.surprises[-1])
            await asyncio.sleep(PAUSE)

    async def _once(
        self, method: str, path: str, body: object, headers: dict[str, str] | None
    ) -> tuple[int, dict[str, Any]]:
        assert self._session is not None
        given = {**self._headers, **(headers or {}), "Accept": "application/json"}
        async with self._session.request(method, self._url() + path, json=body, headers=given) as response:
            return response.status, await response.json(content_type=None)

    @property
    def headers(self) -> dict[str, str]:
        """What says who it is, for requests of another kind."""
        return dict(self._headers)

    async def new_thread(self) -> str:
        """The id of a thread outside any course."""
        return str((await self.ask("POST", "/api/v1/threads", {}))["id"])

    async def send(self, thread_id: str, kind: str) -> Send:
        """Have one message accepted; the history knows of it before the server does."""
        key = uuid4().hex
        send = Send(thread_id, key, f"{kind} question {key}")
        self._history.sends.append(send)
        while send.outcome == "unknown":
            send.attempts += 1
            answer = await self.ask(
                "POST", f"/api/v1/threads/{thread_id}/runs", {"message": send.text}, {"Idempotency-Key": key}
            )
            send.run_id, send.message_id = answer["run"]["id"], answer["message"]["id"]
            send.outcome = "ok"
        self.acknowledged()
        return send

    async def follow(self, run_id: str) -> Stream:
        """Follow a run to its end, over as many connections as it takes."""
        stream = Stream(run_id)
        self._history.streams.append(stream)
        while not stream.ended:
            stream.connections += 1
            try:
                await self._listen(stream)
            except LOST:
                pass  # the next connection goes on after the last id
            if stream.waiting:
                await self._answer(stream.waiting)
            if not stream.ended:
                await asyncio.sleep(PAUSE)
        return stream

    async def _answer(self, card: dict[str, Any]) -> None:
        """Say yes or no to a call; where the first answer's outcome was unknown, the second may find it settled."""
        decision = "deny" if self._chance.random() < DENIALS else "approve"
        answer = {"decision": decision, "hash": card["hash"]}
        await self.ask("POST", f"/api/v1/approvals/{card['id']}", answer, settled="approval_settled")

    async def _listen(self, stream: Stream) -> None:
        assert self._session is not None
        url, headers = f"{self._url()}/api/v1/runs/{stream.run_id}/events", dict(self._headers)
        headers["Accept"] = "text/event-stream"
        if stream.seen and self._chance.random() < 0.5:
            url += f"?after={stream.last}"
        elif stream.seen:
            headers["Last-Event-ID"] = str(stream.last)
        frames = Frames()
        async with self._session.get(url, headers=headers) as response:
            if response.status != 200:
                if response.status not in (502, 503):
                    refusal = f"refused: following {stream.run_id} after {stream.last} got {response.status}"
                    self._history.surprises.append(refusal)
                    raise AssertionError(refusal)
                return
            async for data in response.content.iter_any():
                stream.seen += frames.feed(data, time.monotonic())

    async def talk(self, over: asyncio.Event) -> None:
        """Ask and listen, thread after thread, until it is over; what has begun is seen to its end."""
        while not over.is_set():
            thread_id = await self.new_thread()
            for _ in range(self._chance.randint(1, 4)):
                send = await self.send(thread_id, self._chance.choice(KINDS))
                stopping = asyncio.create_task(self._maybe_cancel(send.run_id))
                await self.follow(send.run_id)
                await stopping
                if over.is_set():
                    return

    async def _maybe_cancel(self, run_id: str) -> None:
        if self._chance.random() < CANCELS:
            await asyncio.sleep(self._chance.uniform(0, 2))
            await self.ask("POST", f"/api/v1/runs/{run_id}/cancel")

    async def own_threads(self) -> set[str]:
        """The ids of this person's threads."""
        found: set[str] = set()
        after = ""
        while True:
            page = await self.ask("GET", f"/api/v1/threads?limit=100{after}")
            found |= {str(thread["id"]) for thread in page["items"]}
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    async def collect(self, stored: Stored, threads: set[str]) -> None:
        """Read what is stored of this person's threads: messages, runs and journals."""
        stored.tasks += await self.own_tasks()
        for thread_id in threads:
            page = await self.ask("GET", f"/api/v1/threads/{thread_id}/messages?limit=100")
            stored.messages[thread_id] = page["items"]
            for run_id in {message["run_id"] for message in page["items"]}:
                stored.runs[run_id] = await self.ask("GET", f"/api/v1/runs/{run_id}")
                stored.journals[run_id] = await self.journal(run_id)

    async def own_tasks(self) -> list[str]:
        """The titles of this person's tasks."""
        found: list[str] = []
        after = ""
        while True:
            page = await self.ask("GET", f"/api/v1/tasks?limit=100{after}")
            found += [str(task["title"]) for task in page["items"]]
            if page["next"] is None:
                return found
            after = f"&after={page['next']}"

    async def journal(self, run_id: str) -> list[Seen]:
        """Every journalled event of a run."""
        events: list[Seen] = []
        after = "0.0"
        while True:
            page = await self.ask("GET", f"/api/v1/runs/{run_id}/events?after={after}")
            events += [seen(item["id"], item["event"]) for item in page["items"]]
            if page["next"] is None:
                return events
            after = page["next"]
