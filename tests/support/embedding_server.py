"""A server of embeddings, really listening: what texts mean is which letters their last lines have.

It answers as OpenAI's does, in whatever order; `fail` scripts what it says instead, once for each request.
"""

from typing import Any, Self

from aiohttp import web

LENGTH = 26


class EmbeddingServer:
    """An asynchronous context manager; see the module."""

    def __init__(self, length: int = LENGTH) -> None:
        self.base_url = ""
        """Such as `http://127.0.0.1:40123/v1`, while the server runs."""
        self.requests: list[dict[str, Any]] = []
        self.keys: list[str | None] = []
        self._length = length
        self._failures: list[web.Response] = []
        self._runner: web.AppRunner | None = None

    @property
    def texts(self) -> list[str]:
        """Every text that was asked for, in order."""
        return [text for request in self.requests for text in request["input"]]

    def fail(self, status: int, body: object = None, **headers: str) -> None:
        """Say this next time."""
        self._failures.append(web.json_response(body, status=status, headers=headers))

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_post("/v1/embeddings", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.base_url = f"http://127.0.0.1:{self._runner.addresses[0][1]}/v1"
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _handle(self, request: web.Request) -> web.Response:
        if self._failures:
            return self._failures.pop(0)
        asked = await request.json()
        self.requests.append(asked)
        self.keys.append(request.headers.get("Authorization"))
        rows = [
            {"object": "embedding", "index": n, "embedding": self._vector(text)}
            for n, text in enumerate(asked["input"])
        ]
        return web.json_response({"object": "list", "data": rows[::-1], "model": asked["model"]})

    def _vector(self, text: str) -> list[float]:
        last = text.split("\n")[-1].lower()
        return [3.0 * (chr(ord("a") + n % 26) in last) + 0.03 for n in range(self._length)]
