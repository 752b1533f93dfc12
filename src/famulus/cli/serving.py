"""`famulus serve`: prepare if asked to, then uvicorn with uvloop and httptools in this one process."""

import asyncio
import socket

import structlog
import uvicorn

from famulus.app import create_app
from famulus.cli.demo import SIGN_INS, seed_demo
from famulus.kernel.database import Database
from famulus.kernel.logs import configure
from famulus.kernel.migrate import upgrade
from famulus.kernel.settings import Settings, load_settings

GRACE = 3
"""Seconds that open streams get when the server is told to stop; their runs go on at the next start."""
log = structlog.get_logger(__name__)


def run_server(*, migrate_first: bool, seed_first: bool, host: str | None, port: int | None) -> None:
    """Serve until SIGINT or SIGTERM."""
    given = {"host": host, "port": port}
    settings = load_settings(**{key: value for key, value in given.items() if value is not None})
    configure(settings)
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=True,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE,
        timeout_keep_alive=75,
        backlog=4096,
    )
    server = _Server(config, settings, demo=seed_first and settings.local)

    async def everything() -> None:
        await _prepare(settings, migrate_first=migrate_first, seed_first=seed_first)
        await server.serve()

    with asyncio.Runner(loop_factory=config.get_loop_factory()) as runner:
        runner.run(everything())


async def _prepare(settings: Settings, *, migrate_first: bool, seed_first: bool) -> None:
    if migrate_first:
        database = Database(settings.database)
        try:
            await upgrade(database)
        finally:
            await database.close()
    if seed_first and settings.local:
        database = Database(settings.database)
        try:
            await seed_demo(database)
        finally:
            await database.close()


class _Server(uvicorn.Server):
    """Says where it listens and how to sign in, once it really does."""

    def __init__(self, config: uvicorn.Config, settings: Settings, *, demo: bool) -> None:
        super().__init__(config)
        self._settings = settings
        self._demo = demo

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            print(greeting(self._settings, self._port(), demo=self._demo), flush=True)

    def _port(self) -> int:
        return int(self.servers[0].sockets[0].getsockname()[1])


def greeting(settings: Settings, port: int, *, demo: bool) -> str:
    """What a person sees when the server is ready."""
    host = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host  # noqa: S104 - compared, not bound
    lines = [f"Famulus is ready at http://{host}:{port}"]
    if demo:
        lines += ["", "Demo sign-ins (password: password123):"]
        lines += [f"  {email:24}  {who}" for email, who in SIGN_INS]
    return "\n".join(lines)
