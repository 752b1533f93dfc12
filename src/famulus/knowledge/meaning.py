"""Meaning: which model's vectors are searched, a question as one of them, and the job that gives chunks theirs.

chosen by the operator and ready          is searched
chosen, not ready, another one is ready   the other one goes on until it is, then its vectors are forgotten
chosen, not ready, no other               what there is of it is searched: more with every batch
"""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import structlog

from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.jobs import Later, enqueue
from famulus.knowledge import vectors
from famulus.knowledge.index import Target
from famulus.llm.embedding.choose import Embedders
from famulus.llm.embedding.protocol import Embedder
from famulus.llm.errors import ModelError

log = structlog.get_logger(__name__)
BATCH = 64
"""Chunks of one transaction: what a crash costs."""
MOST_SECONDS = 600.0
"""Of one attempt at the job, after which other jobs have their turn."""
QUESTION_PATIENCE = 2.0
PAUSE = 15.0
"""Seconds without another try after the model has failed: nobody else is kept waiting for it."""
State = Literal["ready", "partial", "pending", "off", "unavailable"]
"""Of meaning in a search: of all chunks; of some, the rest is still to come; of none yet; no model; it failed."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far vectors are."""

    state: State
    model: str | None
    waiting: int = 0
    """Chunks without a vector."""


class Meaning:
    """The vectors of one database."""

    def __init__(
        self,
        database: Database,
        embedders: Embedders,
        crash: CrashPoints | None = None,
        *,
        patience: float = QUESTION_PATIENCE,
    ) -> None:
        """`patience`: seconds that a question waits for its vector; then words have to do."""
        self._database = database
        self.embedders = embedders
        self._crash = crash or CrashPoints(None)
        self._patience = patience
        self._not_before = 0.0
        self._there = False

    async def start(self) -> None:
        """Have what lacks vectors embedded; also after the operator has chosen another model."""
        self._there = await vectors.ensure(self._database)
        if self._there and self.embedders.chosen is not None:
            async with self._database.write() as session:
                await enqueue(session, vectors.EMBED_JOB, {}, unique=vectors.EMBED_JOB)

    @property
    def possible(self) -> bool:
        """Whether there is a model, and a place for vectors."""
        return self._there and self.embedders.chosen is not None

    def searched(self, models: Sequence[vectors.Model]) -> tuple[vectors.Model, Embedder] | None:
        """The model whose vectors are searched, of those that there are vectors of."""
        chosen = self.embedders.chosen
        if chosen is None:
            return None
        mine = [model for model in models if model.name == chosen.model_id]
        if mine and mine[0].ready:
            return mine[0], chosen
        for other in models:
            if other.ready:
                try:
                    return other, self.embedders.get(other.name)
                except ConfigurationError:
                    continue  # its key or its address is gone
        return (mine[0], chosen) if mine else None

    async def target(self, question: str, model: vectors.Model, embedder: Embedder) -> Target | None:
        """A question as a vector; None when there is none in time."""
        if time.monotonic() < self._not_before:
            return None
        try:
            async with asyncio.timeout(self._patience):
                found = await embedder.embed([question], "query")
        except TimeoutError:
            log.info("question_not_embedded", model=model.name, reason="it took too long")
            return None
        except ModelError as error:
            self._not_before = time.monotonic() + PAUSE
            log.warning("question_not_embedded", model=model.name, reason=error.detail)
            return None
        return Target(model.id, found.dimension, found.data) if found.dimension == model.dimension else None

    async def progress(self) -> Progress:
        """How far the chosen model's vectors are, of the whole database."""
        chosen = self.embedders.chosen
        if chosen is None:
            return Progress("off", None)
        async with self._database.read() as session:
            if not await vectors.there(session):
                return Progress("unavailable", chosen.model_id)
            waiting = await vectors.count_lacking(session, chosen.model_id)
        return Progress("partial" if waiting else "ready", chosen.model_id, waiting)

    async def handle(self, _payload: Mapping[str, str | int | bool | None]) -> None:
        """Give every chunk its vector, a batch at a time. What is killed goes on where it was."""
        if (embedder := self.embedders.chosen) is None or not await vectors.ensure(self._database):
            return
        self._there = True
        until = time.monotonic() + MOST_SECONDS
        model, after = await self._model(embedder), 0
        while True:
            async with self._database.read() as session:
                batch = await vectors.lacking(session, model, after, BATCH)
                had = await vectors.known(session, [one.hash for one in batch])
            if not batch:
                break
            await self._give(embedder, model, batch, had)
            after = batch[-1].number
            self._crash.reach("embedding.batch_written")
            if time.monotonic() > until:
                raise Later(0)
        await self._settle(model)

    async def _model(self, embedder: Embedder) -> int:
        """The model's id in this database; one behind a wire is asked how long its vectors are."""
        dimension = embedder.dimension or (await embedder.embed(["length"])).dimension
        async with self._database.write() as session:
            return await vectors.model_named(session, embedder.model_id, dimension)

    async def _give(
        self, embedder: Embedder, model: int, batch: Sequence[vectors.Waiting], had: vectors.Kept
    ) -> None:
        from famulus.knowledge.slices import packed  # lazy: NumPy

        texts = {one.hash: one.text for one in batch if (model, one.hash) not in had}
        if texts:
            made = await embedder.embed(list(texts.values()))
            halves = await asyncio.to_thread(packed, made, self._database.dialect)
            had = had | {(model, hash): half for hash, half in zip(texts, halves, strict=True)}
        rows = [vectors.Row(model, one.id, one.hash, had[model, one.hash]) for one in batch]
        async with self._database.write() as session:
            await vectors.write(session, rows)

    async def _settle(self, model: int) -> None:
        async with self._database.write() as session:
            await vectors.settle(session, model)
        more = True
        while more:
            async with self._database.write() as session:
                more = await vectors.forget_others(session, model)
