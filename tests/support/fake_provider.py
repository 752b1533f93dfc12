"""A fake model provider: a real HTTP server on 127.0.0.1 that speaks as it is told to.

Asked under `…/messages` it speaks Anthropic's Messages (`fake_messages`), under `…/responses` OpenAI's Responses
(`fake_responses`), under every other path Chat Completions.

    async with FakeProvider() as provider:
        provider.reply("Nodes talk over topics.", pace=0.01)       # the next request gets this …
        provider.fail(503, retry_after=1)                          # … the one after it this
        model = open_model("compatible:test", base_url=provider.base_url)
        ...
        assert provider.requests[0].body["model"] == "test"

Every call of `reply`, `fail`, `body`, `raw`, `hang` or `endless` queues the answer to one more request; when
none is left, everybody gets `reply("Hello from the fake provider.")`, or what `otherwise` says to the body.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from aiohttp import web

from tests.support import fake_messages, fake_responses
from tests.support.waiting import all_accepted

CUT: Final = "cut"
"""A step of `raw`: break the connection without an end."""
HANG: Final = "hang"
"""A step of `raw`: say nothing more until the client goes."""
DONE: Final = b"data: [DONE]\n\n"

Step = bytes | float | str
Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass
class RecordedRequest:
    """What a client sent."""

    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    port: int
    """The client's port: the same for requests on one connection."""
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when the exchange is over, also when the client hung up."""
    completed: bool = False
    """Whether the answer was sent to its end."""


def event(payload: object) -> bytes:
    """One server-sent event."""
    return f"data: {json.dumps(payload, ensure_ascii=False)}\n\n".encode()


def delta(*, finish: str | None = None, **fields: object) -> bytes:
    """An event with one choice whose delta holds `fields`."""
    choice = {"index": 0, "delta": fields, "finish_reason": finish}
    return event(
        {"id": "chatcmpl-1", "object": "chat.completion.chunk", "model": "fake", "choices": [choice]}
    )


def usage(input_tokens: int, output_tokens: int) -> bytes:
    """The event that counts tokens."""
    counts = {"prompt_tokens": input_tokens, "completion_tokens": output_tokens}
    return event({"id": "chatcmpl-1", "object": "chat.completion.chunk", "choices": [], "usage": counts})


def words(text: str) -> list[str]:
    """`text` in the pieces in which it is streamed: each word with the space before it."""
    return [f" {word}" if number else word for number, word in enumerate(text.split(" "))]


def call_deltas(index: int, call_id: str, name: str, arguments: str) -> list[bytes]:
    """A tool call as OpenAI streams it: head first, then the arguments in two pieces."""
    middle = len(arguments) // 2
    head = {"index": index, "id": call_id, "type": "function", "function": {"name": name, "arguments": ""}}
    tail = [
        {"index": index, "function": {"arguments": part}} for part in (arguments[:middle], arguments[middle:])
    ]
    return [
        delta(role="assistant", content=None, tool_calls=[head]),
        *(delta(tool_calls=[part]) for part in tail),
    ]


def answer_events(
    text: str, *, tool_calls: Sequence[tuple[str, Mapping[str, object]]] = (), finish: str | None = None
) -> list[bytes]:
    """The events of a whole answer, without usage and without the mark of the end."""
    events = [delta(role="assistant", content="")]
    events += [delta(content=word) for word in words(text) if word]
    for index, (name, arguments) in enumerate(tool_calls):
        events += call_deltas(index, f"call_{index}_{name}", name, json.dumps(arguments))
    events.append(delta(finish=finish or ("tool_calls" if tool_calls else "stop")))
    return events


class FakeProvider:
    """An asynchronous context manager; see the module."""

    def __init__(self) -> None:
        self.base_url = ""
        """Such as `http://127.0.0.1:40123/v1`, while the server runs."""
        self.requests: list[RecordedRequest] = []
        self.asked = asyncio.Event()
        """Set with every request; clear it to wait for the next one."""
        self.otherwise: Callable[[Mapping[str, Any]], str] = lambda _: "Hello from the fake provider."
        self._answers: list[Answer] = []
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port: int = self._runner.addresses[0][1]
        self.base_url = f"http://127.0.0.1:{port}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await all_accepted()
            await self._runner.cleanup()

    def reply(
        self,
        text: str,
        *,
        tool_calls: Sequence[tuple[str, Mapping[str, object]]] = (),
        pace: float = 0.0,
        usage_tokens: tuple[int, int] | None = (12, 34),
        finish: str | None = None,
    ) -> None:
        """Stream `text` word by word, `pace` seconds apart, then call tools given as (name, arguments)."""

        async def answer(request: web.Request) -> web.StreamResponse:
            if _asks_for_messages(request):
                events = fake_messages.answer_events(
                    words(text), tool_calls=tool_calls, finish=finish, usage_tokens=usage_tokens
                )
                last = [fake_messages.STOP]
            elif _asks_for_responses(request):
                events = fake_responses.answer_events(
                    words(text), tool_calls=tool_calls, finish=finish, usage_tokens=usage_tokens
                )
                last = []
            else:
                events = answer_events(text, tool_calls=tool_calls, finish=finish)
                last = [usage(*usage_tokens), DONE] if usage_tokens else [DONE]
            paced: list[Step] = []
            for each in events:
                paced += [each, pace] if pace else [each]
            return await _play(request, [*paced, *last], 200)

        self._answers.append(answer)

    def fail(
        self,
        status: int,
        message: str = "It failed.",
        *,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        """Answer with an HTTP error in the customary shape."""
        headers = {"Retry-After": str(retry_after)} if retry_after is not None else {}
        error = {"type": "error", "error": {"message": message, "type": code or "error", "code": code}}
        self.body(json.dumps(error).encode(), status=status, headers=headers)

    def body(
        self,
        content: bytes,
        *,
        status: int = 200,
        content_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Answer with one body, not a stream."""

        async def answer(_: web.Request) -> web.StreamResponse:
            return web.Response(body=content, status=status, content_type=content_type, headers=headers)

        self._answers.append(answer)

    def raw(self, *steps: Step, status: int = 200) -> None:
        """Stream `steps` as they are: bytes are sent in a packet of their own, numbers are pauses in seconds,
        `CUT` breaks the connection, `HANG` waits until the client goes."""

        async def answer(request: web.Request) -> web.StreamResponse:
            return await _play(request, steps, status)

        self._answers.append(answer)

    def hang(self) -> None:
        """Take the request and never answer, not even with headers."""

        async def answer(_: web.Request) -> web.StreamResponse:
            await asyncio.Event().wait()
            raise AssertionError("never reached")

        self._answers.append(answer)

    def endless(self, word: str = "la ", *, pace: float = 0.005) -> None:
        """Stream `word` for ever."""

        async def answer(request: web.Request) -> web.StreamResponse:
            async def sing() -> AsyncIterator[Step]:
                piece = (
                    fake_messages.text(word)
                    if _asks_for_messages(request)
                    else fake_responses.text(word)
                    if _asks_for_responses(request)
                    else delta(content=word)
                )
                while True:
                    yield piece
                    yield pace

            return await _play(request, sing(), 200)

        self._answers.append(answer)

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        recorded = RecordedRequest(
            request.path, dict(request.headers), await request.json(), _client_port(request)
        )
        self.requests.append(recorded)
        self.asked.set()
        if not self._answers:
            self.reply(self.otherwise(recorded.body))
        try:
            response = await self._answers.pop(0)(request)
            recorded.completed = True
            return response
        finally:
            recorded.gone.set()


def _asks_for_messages(request: web.Request) -> bool:
    return request.path.endswith("/messages")


def _asks_for_responses(request: web.Request) -> bool:
    return request.path.endswith("/responses")


def _client_port(request: web.Request) -> int:
    return request.transport.get_extra_info("peername")[1] if request.transport else 0


async def _play(
    request: web.Request, steps: Iterable[Step] | AsyncIterator[Step], status: int
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={"Content-Type": "text/event-stream"})
    await response.prepare(request)
    async for step in _each(steps):
        if isinstance(step, bytes):
            await response.write(step)
            # Without a turn of the loop several small writes could share a packet.
            await asyncio.sleep(0)
        elif isinstance(step, (int, float)):
            await asyncio.sleep(step)
        elif step == HANG:
            await asyncio.Event().wait()
        elif request.transport is not None:
            request.transport.abort()
            return response
    await response.write_eof()
    return response


async def _each(steps: Iterable[Step] | AsyncIterator[Step]) -> AsyncIterator[Step]:
    if isinstance(steps, AsyncIterator):
        async for step in steps:
            yield step
    else:
        for step in steps:
            yield step
