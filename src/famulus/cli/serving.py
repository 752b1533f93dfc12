"""`famulus serve`: prepare if asked to, then uvicorn with uvloop and httptools in this one process."""

import asyncio
import gc
import socket
import warnings
from contextlib import AsyncExitStack

import uvicorn
from pydantic.warnings import UnsupportedFieldAttributeWarning

from famulus.app import create_app
from famulus.cli.demo import SIGN_INS, seed_demo
from famulus.cli.direct import DirectHttp
from famulus.cli.own_api import seed_api
from famulus.cli.sockets import Sockets
from famulus.kernel.database import Database
from famulus.kernel.logs import configure
from famulus.kernel.migrate import reach, upgrade
from famulus.kernel.settings import Settings, load_settings

FRAME = 65_536
"""Bytes of the largest frame that a WebSocket takes."""
GRACE = 3
"""Seconds that open streams get when the server is told to stop; their runs go on at the next start."""


def run_server(*, migrate_first: bool, seed_first: bool, host: str | None, port: int | None) -> None:
    """Serve until SIGINT or SIGTERM. Raises a FamulusError that says why a start is not possible."""
    given = {"host": host, "port": port}
    settings = load_settings(**{key: value for key, value in given.items() if value is not None})
    configure(settings)
    # FastAPI keeps this back around each field, which fails where two threads do so: the demo describes the API in one.
    warnings.filterwarnings("ignore", category=UnsupportedFieldAttributeWarning)
    server = Server(settings, demo=seed_first and settings.local)
    gc.enable()  # nothing is loaded any more

    async def everything() -> None:
        await _prepare(settings, migrate_first=migrate_first, seed_first=seed_first)
        await server.serve()

    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(everything())


async def _prepare(settings: Settings, *, migrate_first: bool, seed_first: bool) -> None:
    if migrate_first:
        database = Database(settings.database)
        try:
            await reach(database)
            await upgrade(database)
        finally:
            await database.close()
    if seed_first and settings.local:
        database = Database(settings.database)
        try:
            await seed_demo(database, api=False)
        finally:
            await database.close()


class Server(uvicorn.Server):
    """Says where it listens and how to sign in, once it really does."""

    def __init__(self, settings: Settings, *, demo: bool = False) -> None:
        self.app = create_app(settings)
        config = uvicorn.Config(
            self.app,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=DirectHttp,
            ws=Sockets,
            ws_max_size=FRAME,
            ws_per_message_deflate=False,
            ws_ping_interval=20,
            ws_ping_timeout=20,
            lifespan="off",  # see startup
            log_config=None,
            access_log=False,
            server_header=False,
            date_header=True,
            proxy_headers=False,
            timeout_graceful_shutdown=GRACE,
            timeout_keep_alive=75,
            backlog=4096,
        )
        super().__init__(config)
        self._settings = settings
        self._demo = demo
        self._open = AsyncExitStack()
        self._later: asyncio.Task[bool] | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Open the application here rather than by uvicorn's protocol: what stops it is an error like any other."""
        await self._open.enter_async_context(self.app.router.lifespan_context(self.app))
        try:
            await super().startup(sockets)
        finally:
            if not self.started:
                await self._open.aclose()
        _settle()
        print(greeting(self._settings, self.port, demo=self._demo), flush=True)
        if self._demo:  # nobody has to wait for it
            self._later = asyncio.create_task(seed_api(self.app.state.database, anew=False))

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        if self._later is not None:
            self._later.cancel()
            await asyncio.gather(self._later, return_exceptions=True)
        await super().shutdown(sockets)
        if not self.force_exit:
            await self._open.aclose()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self.servers[0].sockets[0].getsockname()[1])


def _settle() -> None:
    """Have the collector leave alone what the start has made, and look less often: a stream makes little garbage."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 5, 5)


def greeting(settings: Settings, port: int, *, demo: bool) -> str:
    """What a person sees when the server is ready."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    lines = [f"Famulus is ready at http://{host}:{port}"]
    if demo:
        lines += ["", "Demo sign-ins (password: password123):"]
        lines += [f"  {email:24}  {who}" for email, who in SIGN_INS]
    return "\n".join(lines)
