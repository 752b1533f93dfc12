"""The live relay over PostgreSQL's LISTEN/NOTIFY: what is told on one instance wakes listeners on all."""

import asyncio
import secrets
from collections.abc import Callable
from contextlib import suppress

import structlog

from famulus.kernel.lane_postgres import LOST, Connection, connect

CHANNEL = "famulus_live"
BACKLOG = 10_000
BATCH = 200
PAYLOAD = 7_000
"""PostgreSQL takes payloads below 8,000 bytes; a longer one wakes without its content."""
KEEPALIVE = 10.0
"""Seconds without a word after which the connection is tried, so that a silent loss is noticed."""
PATIENCE = 1.0
"""Seconds between two attempts to reach a lost database."""
log = structlog.get_logger(__name__)


class PostgresRelay:
    """One connection that listens and notifies; it reconnects by itself, and what is told meanwhile may be lost."""

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._me = secrets.token_hex(4)
        self._outbox: asyncio.Queue[tuple[str, str]] = asyncio.Queue(BACKLOG)
        self._task: asyncio.Task[None] | None = None

    async def start(self, receive: Callable[[str, str], None]) -> None:
        """Connect in the background and hand what others tell to `receive`."""
        self._task = asyncio.create_task(self._work(receive))

    async def close(self) -> None:
        """Stop; what is still in the outbox is lost."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def send(self, topic: str, payload: str) -> None:
        """Queue one telling; a full queue drops it."""
        with suppress(asyncio.QueueFull):
            self._outbox.put_nowait((topic, payload if len(payload.encode()) < PAYLOAD else ""))

    async def _work(self, receive: Callable[[str, str], None]) -> None:
        while True:
            try:
                await self._session(receive)
            except LOST as error:
                log.warning("live_relay_lost", error=type(error).__name__)
                await asyncio.sleep(PATIENCE)

    async def _session(self, receive: Callable[[str, str], None]) -> None:
        def hear(_connection: object, _pid: int, _channel: str, message: object) -> None:
            sender, topic, payload = str(message).split(" ", 2)
            if sender != self._me:
                receive(topic, payload)

        connection = await connect(self._dsn)
        try:
            await connection.add_listener(CHANNEL, hear)
            while True:
                await self._send(connection)
        finally:
            connection.terminate()

    async def _send(self, connection: Connection) -> None:
        try:
            first = await asyncio.wait_for(self._outbox.get(), KEEPALIVE)
        except TimeoutError:
            await connection.execute("SELECT 1")
            return
        batch = {first: None}
        while not self._outbox.empty() and len(batch) < BATCH:
            batch[self._outbox.get_nowait()] = None
        messages = [f"{self._me} {topic} {payload}" for topic, payload in batch]
        await connection.execute("SELECT pg_notify($1, m) FROM unnest($2::text[]) AS m", CHANNEL, messages)
