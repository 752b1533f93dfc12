"""An index elsewhere, kept in step with the database, and the database's own index where that one fails.

    chunks, vectors ─▶ notes of what changed ─▶ job: told to every collection ─▶ notes forgotten
    search ─▶ index elsewhere ─(no answer, not filled yet, another model)─▶ the database's own

The database is the truth. The index lags by a second or so; what it finds is looked up in the database before it is
given out, so that what was removed, moved or unpublished is gone with the next search. A chunk is told as it is *now*,
and looked at once more afterwards: whoever tells last has told what is so, in whatever order tellers come.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError, Unavailable
from famulus.kernel.jobs import Later, enqueue
from famulus.kernel.settings import Settings
from famulus.knowledge import changes, vectors
from famulus.knowledge.index import Found, Hit, Index, Scope, Target
from famulus.knowledge.words import Question

T = TypeVar("T")
log = structlog.get_logger(__name__)
INDEX_JOB = "knowledge.index"
PAGE = 256
"""Chunks that are told at once."""
LOOK = 1.0
"""Seconds between two looks at the notes."""
PAUSE = 15.0
"""Seconds without another try after the index has failed: nobody else is kept waiting for it."""
PATIENCE = 3.0
"""Seconds that a search waits for it."""
MOST_SECONDS = 600.0
"""Of one attempt at the job, after which other jobs have their turn."""
MOST_ROUNDS = 5
"""Times that chunks are told again because they changed meanwhile; then their notes are left for the next time."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How the index elsewhere is."""

    state: Literal["ok", "filling", "unavailable"]
    points: int = 0
    waiting: int = 0
    """Chunks that it has not been told of."""


class Elsewhere:
    """Searches an index elsewhere as an `Index`, and keeps it."""

    def __init__(self, database: Database, own: Index, there: Any, *, page: int = PAGE) -> None:
        """`there` is a `QdrantIndex`, whose module is imported only where there is one; `page` is of chunks."""
        self._database = database
        self._page = page
        self._own = own
        self._there = there
        self._models: dict[int, int] | None = None
        self._not_before = 0.0
        self._looking: asyncio.Task[None] | None = None

    @property
    def failures(self) -> tuple[type[Exception], ...]:
        """What `fill` raises where the index does not answer."""
        return self._there.failures

    # Searching.

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """See `Index.search`."""
        there = await self._try(lambda: self._there.search(session, question, scope, limit))
        return there or await self._own.search(session, question, scope, limit)

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """See `Index.nearest`."""
        there = None
        if target.model in (self._models or {}):
            there = await self._try(lambda: self._there.nearest(session, target, scope, limit, besides))
        return await self._own.nearest(session, target, scope, limit, besides) if there is None else there

    async def _try(self, ask: Callable[[], Awaitable[T]]) -> T | None:
        """What the index answers; None where it is not filled yet, or has failed."""
        if self._models is None or time.monotonic() < self._not_before:
            return None
        try:
            async with asyncio.timeout(PATIENCE):
                return await ask()
        except self._there.failures as error:
            self._not_before = time.monotonic() + PAUSE
            log.warning("index_elsewhere_failed", reason=f"{type(error).__name__}: {error}"[:300])
            return None

    # Keeping.

    async def start(self) -> None:
        """Have changes noted and told from now on; what was there before is told, too."""
        fresh = await changes.watch(self._database)
        await self._refresh()
        if fresh or self._models is None:
            await self._ask(whole=True)
        self._looking = asyncio.create_task(self._look())

    async def close(self) -> None:
        """Stop looking, and let go of connections."""
        if self._looking is not None:
            self._looking.cancel()
            await asyncio.wait({self._looking})
        await self._there.close()

    async def _ask(self, *, whole: bool) -> None:
        unique = f"{INDEX_JOB}:{'whole' if whole else 'notes'}"
        async with self._database.write() as session:
            await enqueue(session, INDEX_JOB, {"whole": whole}, unique=unique)

    async def _look(self) -> None:
        """See whether there is something to tell, and whether another collection is searched now."""
        while True:
            await asyncio.sleep(LOOK)
            with suppress(Unavailable):
                async with self._database.read() as session:
                    anything = await changes.noted(session, 1)
                if anything:
                    await self._ask(whole=False)
                if await self._lacks_a_model():
                    await self._ask(whole=True)
            if self._models is None:
                await self._refresh()

    async def _lacks_a_model(self) -> bool:
        async with self._database.read() as session:
            models = {model.id for model in await vectors.models(session) if model.ready}
        return self._models is not None and not models <= self._models.keys()

    async def _refresh(self) -> None:
        """Find out what is searched there now."""
        with suppress(*self._there.failures):
            collection = await self._there.searched()
            self._models = None if collection is None else await self._there.models(collection)

    async def handle(self, payload: Mapping[str, Any]) -> None:
        """Tell what was noted; with `whole`, first fill a collection for the models that there are."""
        until = time.monotonic() + MOST_SECONDS
        if payload.get("whole"):
            await self.fill(until=until)
        while True:
            async with self._database.read() as session:
                notes = await changes.noted(session, self._page)
            if not notes:
                return
            told = await self._tell(await self._there.collections(), [number for number, _ in notes])
            async with self._database.write() as session:
                await changes.told(session, [note for note in notes if note[0] in told])
            if len(told) < len(notes) or time.monotonic() > until:
                raise Later(1)

    async def fill(
        self, *, until: float | None = None, on_progress: Callable[[int, int], None] | None = None
    ) -> int:
        """Make a collection that has every chunk, then have it searched; returns how many it has.

        One that was begun before is gone on with: what it has already is only compared. Until it is done, searches go
        to the one before it, or to the database. Raises `Later` after `until`.
        """
        await changes.watch(self._database)
        async with self._database.read() as session:
            models = {model.id: model.dimension for model in await vectors.models(session)}
            total = await vectors.count_chunks(session)
        collection = await self._there.begin(models)
        after, done = 0, 0
        while True:
            async with self._database.read() as session:
                page = await changes.outlines(session, after, self._page)
            last = page[-1].number if len(page) == self._page else None
            await self._match(collection, page, after, last)
            done += len(page)
            if on_progress:
                on_progress(done, max(total, done))
            if last is None:
                break
            after = last
            if until is not None and time.monotonic() > until:
                raise Later(0)
        await self._there.switch(collection)
        await self._refresh()
        return done

    async def _match(
        self, collection: str, page: Sequence[changes.Outline], after: int, last: int | None
    ) -> None:
        """Have a stretch of points be as the chunks are."""
        wanted = {each.number: each.mark for each in page}
        had: dict[int, str] = {}
        async for points in self._there.marks(collection, after, last):
            had |= points
        other = [number for number in wanted.keys() | had.keys() if wanted.get(number) != had.get(number)]
        for at in range(0, len(other), self._page):
            await self._tell([collection], other[at : at + self._page])

    async def _tell(self, collections: Sequence[str], numbers: Sequence[int]) -> set[int]:
        """Tell chunks as they are, again if they change meanwhile; those that were the same before and after."""
        rest = list(numbers)
        for _ in range(MOST_ROUNDS):
            async with self._database.read() as session:
                entries = await changes.entries(session, rest)
            said = {each.number: each.mark for each in entries}
            gone = [number for number in rest if number not in said]
            for collection in collections:
                await self._there.put(collection, entries)
                await self._there.remove(collection, gone)
            async with self._database.read() as session:
                now = {each.number: each.mark for each in await changes.outlines_of(session, rest)}
            rest = [number for number in rest if said.get(number) != now.get(number)]
            if not rest:
                break
        return set(numbers) - set(rest)

    async def standing(self) -> Standing:
        """How it is; asks the server."""
        async with self._database.read() as session:
            waiting = await changes.waiting(session)
        try:
            async with asyncio.timeout(PATIENCE):
                points = await self._there.count()
        except self._there.failures:
            return Standing("unavailable", waiting=waiting)
        return Standing("filling" if self._models is None else "ok", points, waiting)


@asynccontextmanager
async def opened_index(database: Database, own: Index, settings: Settings) -> AsyncGenerator[Index]:
    """The index of these settings, started: the database's `own`, or one elsewhere before it."""
    if settings.index_url is None:
        await changes.unwatch(database)
        yield own
        return
    beside = from_settings(database, own, settings, settings.index_url)
    try:
        await beside.start()
        yield beside
    finally:
        await beside.close()


def from_settings(database: Database, own: Index, settings: Settings, url: str) -> Elsewhere:
    """The index at an address, with the key and the name that are set. Raises as `elsewhere` does."""
    key = settings.index_api_key.get_secret_value() if settings.index_api_key else None
    return elsewhere(database, own, url, key, settings.index_name)


def elsewhere(database: Database, own: Index, url: str, api_key: str | None, name: str) -> Elsewhere:
    """The index at an address. Raises ConfigurationError where what it takes is not installed."""
    try:
        from famulus.knowledge import index_qdrant  # lazy: qdrant-client, which is optional
    except ImportError as error:
        raise ConfigurationError(
            'FAMULUS_INDEX_URL needs the package qdrant-client; run `pip install "famulus[qdrant]"`, or unset it.'
        ) from error
    return Elsewhere(database, own, index_qdrant.open_qdrant(url, api_key, name))
