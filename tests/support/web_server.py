"""A real web server on 127.0.0.1 whose answers a test writes, and names that lead wherever a test wants."""

import socket
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Self

from aiohttp import web
from aiohttp.abc import AbstractResolver, ResolveResult

from tests.support.waiting import all_accepted

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


class WebServer:
    """An asynchronous context manager. `routes` maps a path to its answer; what was asked is in `requests`."""

    def __init__(self, routes: Mapping[str, Answer] | None = None) -> None:
        self.routes = dict(routes or {})
        self.requests: list[web.Request] = []
        self.bodies: list[bytes] = []
        self.port = 0
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 << 20)
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, shutdown_timeout=0.1, handler_cancellation=True, access_log=None)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await all_accepted()
            await self._runner.cleanup()

    @property
    def url(self) -> str:
        """Such as `http://127.0.0.1:40123`."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def paths(self) -> list[str]:
        """What was asked for, in order."""
        return [request.path for request in self.requests]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        self.requests.append(request)
        self.bodies.append(await request.read())
        answer = self.routes.get(request.path)
        return await answer(request) if answer else web.Response(text=f"this is {request.path}")


def redirect(status: int, location: str) -> Answer:
    """Answer with a redirect; `{port}` in the location is the server's."""

    async def answer(request: web.Request) -> web.StreamResponse:
        port = request.url.port
        return web.Response(status=status, headers={"Location": location.replace("{port}", str(port))})

    return answer


class Names(AbstractResolver):
    """Resolves the names it was given; a name with several answers gives each once, the last one for ever."""

    def __init__(self, **answers: Sequence[Sequence[str]]) -> None:
        self._answers = {name.replace("_", "."): list(lists) for name, lists in answers.items()}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        answers = self._answers.get(host.rstrip("."))
        if answers is None:
            raise OSError(None, f"{host} has no address")
        found = answers.pop(0) if len(answers) > 1 else answers[0]
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=socket.AF_INET6 if ":" in address else socket.AF_INET,
                proto=0,
                flags=socket.AI_NUMERICHOST,
            )
            for address in found
        ]

    async def close(self) -> None:
        pass
