"""Parsing beside the server: few simple files in a thread, all others in processes of their own.

A process can be killed: a file that takes too long or brings its parser down costs that one file, never the server.
"""

import asyncio
import math
import os
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence

import msgspec
import structlog

from famulus.kernel.beside import Beside, Broken
from famulus.knowledge.blocks import Parsed, Unreadable
from famulus.knowledge.files import FileRef, Limits, Reader
from famulus.knowledge.parse import SIMPLE, format_of

log = structlog.get_logger(__name__)
FEW = 50
MANY_BYTES = 5_000_000
"""So many files, or so much text, a thread takes without a process, which would cost a third of a second to start."""
MOST_WORKERS = 4

Outcome = Parsed | Unreadable
Deliver = Callable[[FileRef, Outcome], Awaitable[None]]
_TOO_LONG = "This file took longer than {:g} seconds to read."
_DIED = "The parser broke down over this file."


async def parse_each(
    refs: Sequence[FileRef], limits: Limits, deliver: Deliver, until: float = math.inf
) -> None:
    """Parse every file and hand each outcome to `deliver`, in no certain order.

    Once it is `until` (of `time.monotonic`) no more files are begun, but for the first one.
    """
    waiting = _in_time(refs, until)
    simple = (
        all(format_of(ref.name or ref.path) in SIMPLE for ref in refs)
        and sum(ref.size for ref in refs) < MANY_BYTES
    )
    if len(refs) <= FEW and simple:
        for ref in waiting:
            await deliver(ref, await _in_thread(ref, limits))
        return
    lanes = min(MOST_WORKERS, os.cpu_count() or 1, 1 + len(refs) // 20)
    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(lanes):
                group.create_task(_lane(waiting, limits, deliver))
    except ExceptionGroup as group_of_errors:
        raise group_of_errors.exceptions[0] from group_of_errors


def _in_time(refs: Sequence[FileRef], until: float) -> Iterator[FileRef]:
    for number, ref in enumerate(refs):
        if number and time.monotonic() > until:
            return
        yield ref


async def _in_thread(ref: FileRef, limits: Limits) -> Outcome:
    def work() -> Outcome:
        with Reader(limits) as reader:
            return reader.attempt(ref)

    try:
        return await asyncio.wait_for(asyncio.to_thread(work), limits.seconds)
    except TimeoutError:
        return Unreadable(_TOO_LONG.format(limits.seconds))


async def _lane(waiting: Iterator[FileRef], limits: Limits, deliver: Deliver) -> None:
    """One process after another takes files from the common heap."""
    worker: _Worker | None = None
    try:
        for ref in waiting:
            worker = worker or await _Worker.start(limits)
            outcome, alive = await worker.ask(ref, limits.seconds)
            if not alive:
                log.warning(
                    "parser_died",
                    path=ref.path,
                    reason=outcome.reason if isinstance(outcome, Unreadable) else "",
                )
                await worker.stop()
                worker = None
            await deliver(ref, outcome)
    finally:
        if worker is not None:
            await worker.stop()


class _Worker:
    """One process that reads files."""

    def __init__(self, process: Beside) -> None:
        self._process = process
        self._decode = msgspec.msgpack.Decoder(Parsed | Unreadable).decode

    @classmethod
    async def start(cls, limits: Limits) -> "_Worker":
        return cls(await Beside.start("famulus.knowledge.worker", msgspec.msgpack.encode(limits)))

    async def ask(self, ref: FileRef, seconds: float) -> tuple[Outcome, bool]:
        """What became of the file, and whether the process is still good for another."""
        try:
            return self._decode(await self._process.ask(msgspec.msgpack.encode(ref), seconds)), True
        except TimeoutError:
            return Unreadable(_TOO_LONG.format(seconds)), False
        except Broken:
            return Unreadable(_DIED), False

    async def stop(self) -> None:
        await self._process.stop()
