"""A Python process beside the server, asked over its stdin and stdout: it may be slow, fat or killed, the server not.

Frames are four bytes of length, then the payload; each is answered by one before the next is sent. The process is told
where the code is and none of the server's secrets, and dies of itself when its stdin ends, so also with the server.
"""

import asyncio
import contextlib
import os
import struct
import sys
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Iterator
from typing import BinaryIO

LENGTH = struct.Struct(">I")


class Broken(Exception):
    """The process has ended, or ended its side of the conversation."""


class Beside:
    """One process and its two pipes. Not for two askers at once."""

    def __init__(self, process: Process) -> None:
        assert process.stdin is not None, "asked to be a pipe"
        assert process.stdout is not None, "asked to be a pipe"
        self._process, self._stdin, self._stdout = process, process.stdin, process.stdout

    @classmethod
    async def start(cls, module: str, first: bytes) -> "Beside":
        """Run `main()` of a module; `first` is a frame that it reads before it is asked, and does not answer."""
        environment = {"PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "LC_ALL": "C.UTF-8"}
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", f"from {module} import main; main()"),
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            env=environment,
        )
        beside = cls(process)
        beside._send(first)
        return beside

    async def ask(self, frame: bytes, seconds: float) -> bytes:
        """The answer to a frame. Raises TimeoutError or Broken, after either of which it has to be stopped."""
        try:
            async with asyncio.timeout(seconds):
                self._send(frame)
                await self._stdin.drain()
                (length,) = LENGTH.unpack(await self._stdout.readexactly(LENGTH.size))
                return await self._stdout.readexactly(length)
        except (asyncio.IncompleteReadError, ConnectionError):
            raise Broken() from None

    def _send(self, frame: bytes) -> None:
        self._stdin.write(LENGTH.pack(len(frame)) + frame)

    async def stop(self) -> None:
        """Kill it and wait until it is gone."""
        with contextlib.suppress(ProcessLookupError):
            self._process.kill()
        await self._process.wait()
        # Its pipes are closed with it; otherwise they would be found open when the loop ends.
        self._stdin.close()
        with contextlib.suppress(ConnectionError):
            await self._stdin.wait_closed()


def frames(stream: BinaryIO) -> Iterator[bytes]:
    """Inside the process: what is sent to it, until there is no more."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        yield stream.read(LENGTH.unpack(head)[0])


def answer(stream: BinaryIO, frame: bytes) -> None:
    """Inside the process: one answer."""
    stream.write(LENGTH.pack(len(frame)) + frame)
    stream.flush()
