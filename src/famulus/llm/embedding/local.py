"""all-MiniLM-L6-v2 on this machine's processor, in processes of their own: one for questions, one for passages.

A question takes milliseconds and must not wait behind a thousand passages, whose process has the lowest priority and
ends when it has nothing to do. Neither makes the server larger or holds it up.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import structlog

from famulus.kernel.beside import Beside, Broken
from famulus.llm.embedding.build import MODEL
from famulus.llm.embedding.process import Done, Failed, Order
from famulus.llm.embedding.protocol import Kind, Vectors
from famulus.llm.errors import EmbeddingFailed

T = TypeVar("T")
log = structlog.get_logger(__name__)
MODEL_ID = f"local:{MODEL}-int8"
DIMENSION = 384
AT_ONCE = 32
"""Texts that one frame carries: a second or two of work."""
MOST_CHARACTERS = 4_000
"""Of a text; what comes after 256 tokens does not count anyway."""
PATIENCE = 180.0
"""Seconds for one frame. The first one may include making the model, and a busy machine leaves it little time."""
ATTEMPTS = 2
"""A process may have been killed for somebody else's sake, such as by the kernel for want of memory."""
IDLE = 60.0
"""Seconds without work after which the process for passages ends."""
_ANSWER = msgspec.msgpack.Decoder(Done | Failed)


class LocalEmbedder:
    """Runs the model whose files lie, or are made, in a folder."""

    def __init__(self, models: Path, *, idle: float = IDLE) -> None:
        self._lanes: dict[Kind, _Lane] = {
            "query": _Lane(Order(str(models), "query"), None),
            "passage": _Lane(Order(str(models), "passage"), idle),
        }

    @property
    def model_id(self) -> str:
        """See `Embedder.model_id`."""
        return MODEL_ID

    @property
    def dimension(self) -> int:
        """See `Embedder.dimension`."""
        return DIMENSION

    async def embed(self, texts: Sequence[str], kind: Kind = "passage") -> Vectors:
        """See `Embedder.embed`. Raises EmbeddingFailed."""
        cut = [text[:MOST_CHARACTERS] for text in texts]
        parts = [await self._lanes[kind].embed(cut[at : at + AT_ONCE]) for at in range(0, len(cut), AT_ONCE)]
        return Vectors(DIMENSION, b"".join(parts))

    async def close(self) -> None:
        """See `Embedder.close`."""
        for lane in self._lanes.values():
            await lane.close()


class _Lane:
    """A process that is there while it is needed, and one asker at a time."""

    def __init__(self, order: Order, idle: float | None) -> None:
        self._order, self._idle = msgspec.msgpack.encode(order), idle
        self._kind = order.kind
        self._turn = asyncio.Lock()
        self._process: Beside | None = None
        self._tasks: set[asyncio.Task[Any]] = set()
        self._timer: asyncio.TimerHandle | None = None

    async def embed(self, texts: Sequence[str]) -> bytes:
        # Whoever gives up waiting must not leave half an answer in the pipe, nor the model half loaded.
        return await asyncio.shield(self._begin(self._in_turn(msgspec.msgpack.encode(texts))))

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._rest()
        await self._stop()

    def _begin(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # is read, though whoever asked may have gone

    async def _in_turn(self, frame: bytes) -> bytes:
        async with self._turn:
            self._rest()
            try:
                return await self._ask(frame)
            finally:
                if self._idle is not None:
                    self._timer = asyncio.get_running_loop().call_later(self._idle, self._retire)

    async def _ask(self, frame: bytes) -> bytes:
        for _ in range(ATTEMPTS):
            try:
                if self._process is None:
                    self._process = await Beside.start("famulus.llm.embedding.process", self._order)
                said = _ANSWER.decode(await self._process.ask(frame, PATIENCE))
            except (Broken, TimeoutError, OSError) as error:
                log.warning("embedding_process_died", kind=self._kind, reason=type(error).__name__)
                await self._stop()
                continue
            if isinstance(said, Failed):
                await self._stop()
                raise EmbeddingFailed(f"The embedding model on this machine does not work: {said.reason}.")
            return said.data
        raise EmbeddingFailed("The process with the embedding model broke down again and again.")

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _retire(self) -> None:
        self._begin(self._stop_in_turn())

    async def _stop_in_turn(self) -> None:
        async with self._turn:
            await self._stop()

    async def _stop(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            await process.stop()
