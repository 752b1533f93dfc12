"""Taking in a folder, a file or a zip: what is new is read, what has gone disappears, what stayed costs nothing.

    survey ─▶ compare by hash ─▶ parse beside the server ─▶ batches, each one short transaction ─▶ count

A run that is killed has written whole batches; the next one goes on from there.
"""

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.settings import Settings
from famulus.knowledge.blocks import Parsed
from famulus.knowledge.errors import UnreadableFile
from famulus.knowledge.files import FileRef, Limits, Reader
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
)
from famulus.knowledge.walk import LONGEST_PATH, Listing, Remark, shown, survey

BATCH_FILES = 32
BATCH_CHUNKS = 500
"""A batch is written when it has so many of either, for nobody else can write to SQLite meanwhile."""
Progress = Callable[[int, int], None]
"""Told how many files are done, and of how many."""


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
    limits: Limits | None = None,
    on_progress: Progress | None = None,
) -> Report:
    """Make a folder, a file or a zip of this machine a source of its owner, or bring that source up to date.

    Raises `NothingToRead` or `UnreadableArchive`; a single file that cannot be read is a line of the report.
    """
    real = await asyncio.to_thread(path.resolve)
    place = Place(owner, "folder", shown(real.name)[:300], shown(str(real))[:1000], by)
    return await _ingest(database, place, real, limits or Limits(), on_progress)


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
    return await _ingest(database, Place(owner, "upload", name, name, by), file, limits or Limits(), None)


async def _ingest(
    database: Database, place: Place, path: Path, limits: Limits, on_progress: Progress | None
) -> Report:
    upload = place.name if place.kind == "upload" else None
    listing = await asyncio.to_thread(survey, path, limits, upload)
    return await ingest_listing(database, place, listing, limits, on_progress)


async def ingest_listing(
    database: Database,
    place: Place,
    listing: Listing,
    limits: Limits,
    on_progress: Progress | None = None,
) -> Report:
    """Make what a place has now its source: read what is new, forget what went, leave the rest."""
    started = time.monotonic()
    report = Report(skipped=listing.skipped, failed=[*listing.failed])
    async with database.read() as session:
        source = (await session.execute(source_at(place))).scalar_one_or_none()
        known = {row.path: row for row in await known_documents(session, source.id)} if source else {}
    gone = _gone(known, listing)
    moved = await asyncio.to_thread(_moved, listing, known, gone, limits)
    todo = await _to_be_read(listing.files, known, limits, report)
    gone = [row for row in gone if row.id not in moved.values()]
    if source is not None and source.state in ("ready", "failed") and not (todo or gone):
        report.source_id, report.chunks = source.id, source.chunks
    else:
        run = _Run(database, place, known, report, len(todo), on_progress, _remarks(listing))
        await run.leave(gone, moved)
        await parse_each(todo, limits, run.take)
        await run.write()
        await run.end()
    report.seconds = time.monotonic() - started
    return report


def _remarks(listing: Listing) -> list[tuple[str, str]]:
    """What is no document, and why."""
    return [(remark.path[:LONGEST_PATH], remark.reason) for remark in (*listing.failed, *listing.skipped)]


async def _to_be_read(
    files: Sequence[FileRef], known: dict[str, Known], limits: Limits, report: Report
) -> list[FileRef]:
    """The files that are new or whose content differs from what is known."""
    seen = [ref for ref in files if ref.path in known]

    def fingerprints() -> dict[str, str]:
        with Reader(limits) as reader:
            return {ref.path: reader.fingerprint(ref) for ref in seen}

    hashes = await asyncio.to_thread(fingerprints) if seen else {}
    todo: list[FileRef] = []
    for ref in files:
        before = known.get(ref.path)
        if before is None or not hashes[ref.path] or hashes[ref.path] != before.content_hash:
            todo.append(ref)
            continue
        report.unchanged += 1
        if before.error is not None:
            report.failed.append(Remark(ref.path, before.error))
    return todo


def _gone(known: dict[str, Known], listing: Listing) -> list[Known]:
    """Documents whose file is no more. What stands in a place that would not open is not known to be gone."""
    present = {ref.path for ref in listing.files}
    closed = {remark.path for remark in listing.failed}
    folders = tuple(f"{path}/" for path in closed)
    return [
        row
        for path, row in known.items()
        if path not in present and path not in closed and not path.startswith(folders)
    ]


def _moved(
    listing: Listing, known: dict[str, Known], gone: Sequence[Known], limits: Limits
) -> dict[str, str]:
    """New paths of files that stood elsewhere, each with the id of the document that it still is."""
    lost = {row.content_hash: row for row in gone if row.content_hash}
    found: dict[str, str] = {}
    if not lost:
        return found
    with Reader(limits) as reader:
        for ref in (ref for ref in listing.files if ref.path not in known):
            same = lost.get(fingerprint := reader.fingerprint(ref))
            if same is not None and format_of(same.path) == format_of(ref.path):
                found[ref.path] = lost.pop(fingerprint).id
    return found


@dataclass(slots=True)
class _Run:
    """The writing half of one run: takes outcomes in, and writes a batch whenever it is full."""

    database: Database
    place: Place
    known: dict[str, Known]
    report: Report
    total: int
    on_progress: Progress | None
    remarks: Sequence[tuple[str, str]]
    done: int = 0
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    batch: list[Draft] = field(default_factory=list[Draft])
    chunks: int = 0
    one_writer: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def take(self, ref: FileRef, outcome: Outcome) -> None:
        """Note one file's outcome. Others may be noted while a full batch is written."""
        if isinstance(outcome, Parsed):
            self.report.notes += [Remark(ref.path, note) for note in outcome.notes]
            self.chunks += len(outcome.pieces)
        elif self.place.kind == "upload" and ref.member is None:
            raise UnreadableFile(outcome.reason)
        else:
            self.report.failed.append(Remark(ref.path, outcome.reason))
        if ref.path in self.known or ref.path in self.moved:
            self.report.changed += 1
        else:
            self.report.added += 1
        self.batch.append(Draft(ref.path, outcome, outcome.content_hash, ref.size))
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
            if self.on_progress is not None:
                self.on_progress(self.done, self.total)

    async def leave(self, gone: Sequence[Known], moved: Mapping[str, str]) -> None:
        """Before anything is read: remove the documents whose files have gone, and follow those that moved."""
        self.moved = moved
        if not gone and not moved:
            return
        async with self.database.write() as session:
            await self._source(session)
            for path, id in moved.items():
                await move(session, id, path)
        for at in range(0, len(gone), BATCH_FILES):
            async with self.database.write() as session:
                await remove(session, [row.id for row in gone[at : at + BATCH_FILES]])
        self.report.removed += len(gone)

    async def end(self) -> None:
        """Count, and say that it is done."""
        async with self.database.write() as session:
            source_id = await self._source(session)
            self.report.chunks = await finish(session, source_id, self.remarks)

    async def _source(self, session: AsyncSession) -> str:
        if self.report.source_id is None:
            self.report.source_id = await begin(session, self.place, self.total)
        return self.report.source_id
