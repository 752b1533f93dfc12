"""Taking in a folder, a file or a zip: what is new is read, what has gone disappears, what stayed costs nothing.

    survey ─▶ compare (compare.py) ─▶ parse beside the server ─▶ batches, each one short transaction ─▶ count

A run that is killed, or whose time is over, has written whole batches; the next one goes on from there.
"""

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.principal import Principal
from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.errors import Unavailable
from famulus.kernel.settings import Settings
from famulus.knowledge.blocks import Parsed
from famulus.knowledge.compare import Comparison, compare
from famulus.knowledge.errors import UnreadableFile
from famulus.knowledge.files import FileRef, Limits
from famulus.knowledge.models import Source
from famulus.knowledge.parse import FORMATS, format_of
from famulus.knowledge.pool import Outcome, parse_each
from famulus.knowledge.store import (
    Draft,
    Known,
    Owner,
    Place,
    advance,
    begin,
    finish,
    known_documents,
    move,
    put,
    remove,
    source_at,
    stamp,
)
from famulus.knowledge.walk import LONGEST_PATH, Listing, Remark, shown, survey

BATCH_FILES = 32
BATCH_CHUNKS = 500
"""A batch is written when it has so many of either, for nobody else can write to SQLite meanwhile."""
BATCH_STAMPS = 500
Progress = Callable[[int, int], None]
"""Told how many files are done, and of how many."""


def _nobody(_done: int, _total: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Terms:
    """On what terms a run goes."""

    limits: Limits = field(default_factory=Limits)
    thorough: bool = False
    """Look inside every file, whatever it looks like from outside."""
    seconds: float = math.inf
    """After so long no more files are begun, and the run is `unfinished`."""
    beat: float = 30.0
    """Seconds between two signs of life."""
    on_progress: Progress = _nobody
    crash: CrashPoints = field(default_factory=lambda: CrashPoints(None))


@dataclass(slots=True)
class Report:
    """What a run has done."""

    source_id: str | None = None
    added: int = 0
    changed: int = 0
    unchanged: int = 0
    removed: int = 0
    failed: list[Remark] = field(default_factory=list[Remark])
    """Files that could not be read, this time or the last that they changed."""
    skipped: list[Remark] = field(default_factory=list[Remark])
    """Files that were not even tried."""
    notes: list[Remark] = field(default_factory=list[Remark])
    """Files that were read, but not quite in order."""
    chunks: int = 0
    """How many the source has now."""
    seconds: float = 0.0
    unfinished: bool = False
    """Whether its time was over before everything was read: another run goes on."""


def limits_of(settings: Settings) -> Limits:
    """How much is read at most, as the operator has it."""
    return Limits(
        file_bytes=settings.source_file_bytes,
        total_bytes=settings.source_total_bytes,
        files=settings.source_files,
        seconds=settings.source_file_seconds,
        memory=settings.source_file_memory,
    )


async def ingest_path(
    database: Database,
    owner: Owner,
    path: Path,
    *,
    by: Principal | None = None,
    terms: Terms | None = None,
) -> Report:
    """Make a folder, a file or a zip of this machine a source of its owner, or bring that source up to date.

    Raises `NothingToRead` or `UnreadableArchive`; a single file that cannot be read is a line of the report.
    """
    real = await asyncio.to_thread(path.resolve)
    place = Place(owner, "folder", shown(real.name)[:300], shown(str(real))[:1000], by)
    return await _ingest(database, place, real, terms or Terms())


async def ingest_upload(
    database: Database,
    owner: Owner,
    file: Path,
    filename: str,
    *,
    by: Principal | None = None,
    limits: Limits | None = None,
) -> Report:
    """Make one uploaded file or zip, stored at `file`, a source; the same name again replaces it.

    Raises `UnreadableArchive`, or `UnreadableFile` for a single file, and then leaves everything as it was.
    """
    name = shown(filename).replace("\\", "/").rsplit("/", 1)[-1][-300:]
    if format_of(name) is None and not name.lower().endswith(".zip"):
        raise UnreadableFile(f"Files like {name!r} are not read; send one of {', '.join(FORMATS)} or .zip.")
    terms = Terms(limits or Limits())
    return await _ingest(database, Place(owner, "upload", name, name, by), file, terms)


async def _ingest(database: Database, place: Place, path: Path, terms: Terms) -> Report:
    upload = place.name if place.kind == "upload" else None
    listing = await asyncio.to_thread(survey, path, terms.limits, upload)
    return await ingest_listing(database, place, listing, terms)


async def ingest_listing(database: Database, place: Place, listing: Listing, terms: Terms) -> Report:
    """Make what a place has now its source: read what is new, forget what went, leave the rest."""
    started = time.monotonic()
    until = started + terms.seconds
    report = Report(skipped=listing.skipped, failed=[*listing.failed])
    async with database.read() as session:
        source = (await session.execute(source_at(place))).scalar_one_or_none()
        known = {row.path: row for row in await known_documents(session, source.id)} if source else {}
    found = await asyncio.to_thread(
        compare, listing, known, terms.limits, thorough=terms.thorough, until=until
    )
    report.unchanged, report.unfinished = len(found.same), not found.whole
    report.failed += [Remark(row.path, row.error) for row in found.same if row.error is not None]
    for at in range(0, len(found.stamps), BATCH_STAMPS):
        async with database.write() as session:
            await stamp(session, dict([*found.stamps.items()][at : at + BATCH_STAMPS]))
    if source is not None and _settled(source, found):
        report.source_id, report.chunks = source.id, source.chunks
    else:
        run = _Run(database, place, terms, known, report, found, until, _remarks(listing))
        run.taken_over = source.id if source is not None and source.state == "indexing" else None
        await run.through(_done_before(source))
    report.seconds = time.monotonic() - started
    return report


def _settled(source: Source, found: Comparison) -> bool:
    """Whether there is nothing to be done, and nothing to be said of it that was not said the last time."""
    said = source.state == "ready" or (source.state == "failed" and source.error is None)
    return said and found.whole and not (found.todo or found.gone)


def _done_before(source: Source | None) -> int:
    """The files that an interrupted run has done, which this one goes on from."""
    return source.done if source is not None and source.state == "indexing" else 0


def _remarks(listing: Listing) -> list[tuple[str, str]]:
    """What is no document, and why."""
    return [(remark.path[:LONGEST_PATH], remark.reason) for remark in (*listing.failed, *listing.skipped)]


@dataclass(slots=True)
class _Run:
    """The writing half of one run: takes outcomes in, and writes a batch whenever it is full."""

    database: Database
    place: Place
    terms: Terms
    known: dict[str, Known]
    report: Report
    found: Comparison
    until: float
    remarks: Sequence[tuple[str, str]]
    total: int = 0
    done: int = 0
    batch: list[Draft] = field(default_factory=list[Draft])
    chunks: int = 0
    taken_over: str | None = None
    """The source, where a run before this one was interrupted."""
    one_writer: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def through(self, before: int) -> None:
        """Do all of it, or what there is time for; an interrupted run has done `before` files."""
        self.done, self.total = before, before + len(self.found.todo)
        beating = asyncio.create_task(self.beat())
        try:
            await self.leave()
            await parse_each(self.found.todo, self.terms.limits, self.take, self.until)
            await self.write()
        finally:
            beating.cancel()
            await asyncio.wait({beating})
        if self.done < self.total:
            self.report.unfinished = True
        if not self.report.unfinished:
            await self.end()

    async def beat(self) -> None:
        """Say that somebody is at it, however long a batch takes: a source that is silent is taken over (jobs.py)."""
        while True:
            if (source_id := self.report.source_id or self.taken_over) is not None:
                with suppress(Unavailable):
                    async with self.one_writer, self.database.write() as session:
                        await advance(session, source_id, self.done)
            await asyncio.sleep(self.terms.beat)

    async def take(self, ref: FileRef, outcome: Outcome) -> None:
        """Note one file's outcome. Others may be noted while a full batch is written."""
        if isinstance(outcome, Parsed):
            self.report.notes += [Remark(ref.path, note) for note in outcome.notes]
            self.chunks += len(outcome.pieces)
        elif self.place.kind == "upload" and ref.member is None:
            raise UnreadableFile(outcome.reason)
        else:
            self.report.failed.append(Remark(ref.path, outcome.reason))
        if ref.path in self.known or ref.path in self.found.moved:
            self.report.changed += 1
        else:
            self.report.added += 1
        self.batch.append(Draft(ref.path, outcome, outcome.content_hash, ref.size, stamp=ref.stamp))
        if len(self.batch) >= BATCH_FILES or self.chunks >= BATCH_CHUNKS:
            await self.write()

    async def write(self) -> None:
        """Write what has been taken in."""
        batch, self.batch, self.chunks = self.batch, [], 0
        if not batch:
            return
        async with self.one_writer:
            async with self.database.write() as session:
                source_id = await self._source(session)
                await put(session, source_id, self.place.owner, batch)
                self.done += len(batch)
                await advance(session, source_id, self.done)
                self.terms.crash.reach("ingest.batch")
            self.terms.crash.reach("ingest.batch_written")
            self.terms.on_progress(self.done, self.total)

    async def leave(self) -> None:
        """Before anything is read: remove the documents whose files have gone, and follow those that moved."""
        gone, moved = self.found.gone, self.found.moved
        if not gone and not moved:
            return
        async with self.database.write() as session:
            await self._source(session)
            for path, id in moved.items():
                await move(session, id, path)
        self.terms.crash.reach("ingest.moved")
        for at in range(0, len(gone), BATCH_FILES):
            async with self.database.write() as session:
                await remove(session, [row.id for row in gone[at : at + BATCH_FILES]])
            self.terms.crash.reach("ingest.removed")
        self.report.removed += len(gone)

    async def end(self) -> None:
        """Count, and say that it is done."""
        async with self.database.write() as session:
            source_id = await self._source(session)
            self.report.chunks = await finish(session, source_id, self.remarks)
            self.terms.crash.reach("ingest.end")
        self.terms.crash.reach("ingest.ended")

    async def _source(self, session: AsyncSession) -> str:
        if self.report.source_id is None:
            self.report.source_id = await begin(session, self.place, self.total, self.done)
        return self.report.source_id
