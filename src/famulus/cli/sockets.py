"""The WebSocket protocol of uvicorn, with two things different: nothing of an address is logged, and who does not read
is let go of rather than waited for."""

import asyncio
import logging
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol


class Sockets(WebSocketsSansIOProtocol):
    """One connection."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        # We log a line of our own, without the query, in which there may be a ticket.
        self.logger = logging.getLogger("famulus.sockets")
        self.logger.setLevel(logging.WARNING)

    def on_task_complete(self, task: asyncio.Task[None]) -> None:
        super().on_task_complete(task)
        if not self.writable.is_set():
            self.transport.abort()
