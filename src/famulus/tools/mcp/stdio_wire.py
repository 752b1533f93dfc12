"""The wire to a program of the operator's on this machine: one message a line, over its standard input and output.

It is started for one conversation and ended with it, whatever it has started itself included. Of this server's
environment it gets what a program needs to run, and no secrets but its own.
"""

import asyncio
import contextlib
import os
import signal
import tempfile
from collections.abc import Mapping, Sequence

import msgspec

from famulus.kernel.openapi_document import Node
from famulus.tools.mcp.http_wire import MAX_ANSWER, message_in, result_in
from famulus.tools.mcp.talking import NO_SUCH_METHOD, Era, WireBroken

INHERITED = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "SSL_CERT_FILE")
GOODBYE = 1.0
"""Seconds in which it may end by itself."""


class StdioWire:
    """A program that is started when it is first asked."""

    first: Era = "before"

    def __init__(self, command: Sequence[str], secrets: Mapping[str, str], *, seconds: float) -> None:
        self._command = command
        self._secrets = secrets
        self._seconds = seconds
        self._process: asyncio.subprocess.Process | None = None
        self._number = self._taken = 0

    async def ask(self, method: str, params: Node, headers: Mapping[str, str]) -> Node:
        """See `Wire`; headers are HTTP's."""
        process = await self._running()
        self._number += 1
        message = {"jsonrpc": "2.0", "id": self._number, "method": method, "params": params}
        try:
            async with asyncio.timeout(self._seconds):
                await self._write(process, message)
                return result_in(await self._answer(process, self._number))
        except TimeoutError as error:
            raise WireBroken(f"It did not answer within {self._seconds:g} seconds.") from error

    async def tell(self, method: str, headers: Mapping[str, str]) -> None:
        """See `Wire`."""
        await self._write(await self._running(), {"jsonrpc": "2.0", "method": method})

    async def close(self) -> None:
        """See `Wire`."""
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None
        process.stdin.close()
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await _ended(process)
        finally:
            # All that it has started as well, which may outlive it.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE):
                    await _ended(process)

    async def _running(self) -> asyncio.subprocess.Process:
        if self._process is None:
            environment = {name: os.environ[name] for name in INHERITED if name in os.environ}
            try:
                self._process = await asyncio.create_subprocess_exec(
                    *self._command,
                    stdin=asyncio.subprocess.PIPE,
                    stdout=asyncio.subprocess.PIPE,
                    stderr=asyncio.subprocess.DEVNULL,
                    env={**environment, **self._secrets},
                    cwd=tempfile.gettempdir(),
                    limit=MAX_ANSWER,
                    start_new_session=True,
                )
            except (OSError, ValueError) as error:
                raise WireBroken("The program cannot be started.", reached=False) from error
        return self._process

    async def _write(self, process: asyncio.subprocess.Process, message: Node) -> None:
        assert process.stdin is not None
        try:
            process.stdin.write(msgspec.json.encode(message) + b"\n")
            await process.stdin.drain()
        except (ConnectionError, RuntimeError) as error:
            raise WireBroken("The program has ended.") from error

    async def _answer(self, process: asyncio.subprocess.Process, number: int) -> Node:
        assert process.stdout is not None
        while True:
            try:
                line = await process.stdout.readline()
            except ValueError as error:
                raise WireBroken(
                    f"Its answer has more than the {MAX_ANSWER:,} bytes that are taken."
                ) from error
            self._taken += len(line)
            if not line:
                raise WireBroken("The program has ended.")
            if self._taken > MAX_ANSWER:
                raise WireBroken(f"It says more than the {MAX_ANSWER:,} bytes that are taken.")
            message = message_in(line)
            if message is None:
                continue  # programs write other things, too
            if "method" not in message and message.get("id") == number:
                return message
            if "method" in message and "id" in message:
                refusal = {"code": NO_SUCH_METHOD, "message": "Nothing is offered here."}
                await self._write(process, {"jsonrpc": "2.0", "id": message["id"], "error": refusal})


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Until it has ended, and all that hold its output have; what they still say is thrown away."""
    assert process.stdout is not None
    while await process.stdout.read(65_536):
        pass
    await process.wait()
