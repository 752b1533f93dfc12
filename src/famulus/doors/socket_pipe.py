"""The way to one reader over a WebSocket: a frame for each event, pushed where it is made for as long as it fits."""

import asyncio

import msgspec
from starlette.types import Message, Send

from famulus.doors.sse import Pipe
from famulus.doors.telling import told_json
from famulus.runs.events import START, Entry, EventId, parse_id


def told_lines(batch: list[Entry]) -> bytes:
    """Some events as frames, one a line; JSON has no line breaks of its own."""
    return told_json(batch[0]) if len(batch) == 1 else b"\n".join(map(told_json, batch))


class SocketPipe(Pipe[list[Entry]]):
    """Raises TimeoutError where its reader takes nothing for as long as `patience`, in seconds."""

    def __init__(self, to: Send, patience: float) -> None:
        super().__init__(told_lines)
        self.to = to
        self._patience = patience
        self._later: list[bytes] = []
        self._last = b""

    @property
    def place(self) -> EventId:
        """The last event that went in."""
        line = self._last.rpartition(b"\n")[2]
        return parse_id(msgspec.json.decode(line)["id"]) if line else START

    def message(self, piece: bytes) -> Message:
        return {"type": "websocket.send", "text": piece.decode()}

    async def send(self, item: list[Entry]) -> None:
        if item:
            self._later = self._noted(self.encode(item)).split(b"\n")
            await self.drain()

    def push(self, piece: bytes) -> bool:
        if not piece:  # a sign of life, which the protocol has of its own
            return True
        if b"\n" not in self._noted(piece):
            return super().push(piece)
        first, *self._later = piece.split(b"\n")
        super().push(first)
        return False  # `drain` sends the others

    async def drain(self) -> None:
        async with asyncio.timeout(self._patience):
            await super().drain()
        later, self._later = self._later, []
        for piece in later:
            async with asyncio.timeout(self._patience):
                await self.to(self.message(piece))

    def _noted(self, piece: bytes) -> bytes:
        self._last = piece
        return piece
