"""What a source has now: its repository checked out, its addresses fetched, its folder looked through."""

import asyncio
import os
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.http import Outbound
from famulus.kernel.scratch import scratch
from famulus.kernel.settings import Settings
from famulus.knowledge.errors import SourceUnreachable
from famulus.knowledge.files import FileRef, Limits
from famulus.knowledge.ingest import Progress, Report, Terms, ingest_listing, limits_of
from famulus.knowledge.models import Source
from famulus.knowledge.places import OUTSIDE, is_outside
from famulus.knowledge.store import Kind, Owner, Place
from famulus.knowledge.walk import Listing, Remark, survey

DOCUMENT = "openapi.json"
SECONDS = 30.0
STEP = 300.0
"""Seconds of reading, after which other jobs have their turn and the next job goes on: with a checkout or with pages to
be fetched before it, a step stays well within what a job may take."""
OK = 200


@dataclass(frozen=True, slots=True)
class Gatherer:
    """Brings sources up to date, wherever what they name may be."""

    database: Database
    outbound: Outbound
    settings: Settings
    step: float = STEP

    async def bring_up_to_date(
        self, source: Source, *, thorough: bool = False, on_progress: Progress | None = None
    ) -> Report:
        """Read what a source has now, or as much as a step allows. Raises `FamulusError` where it cannot be had.

        Commands read any folder, for whoever runs them may; here only those that the operator has allowed are.
        """
        if await asyncio.to_thread(is_outside, source.kind, source.location, self.settings.source_folders):
            raise SourceUnreachable(OUTSIDE)
        owner = Owner(source.organization_id, source.course_id)
        place = Place(owner, cast(Kind, source.kind), source.name, source.location)
        limits = limits_of(self.settings)
        terms = Terms(limits, thorough, self.step, crash=CrashPoints(self.settings.crash_point))
        if on_progress is not None:
            terms = replace(terms, on_progress=on_progress)
        async with scratch() as folder:
            listing = await self._listing(source, folder, limits)
            listing = chosen(listing, source.settings.get("include", []), source.settings.get("exclude", []))
            return await ingest_listing(self.database, place, listing, terms)

    async def _listing(self, source: Source, folder: Path, limits: Limits) -> Listing:
        match source.kind:
            case "git":
                # lazy: with aiohttp behind it, for repositories alone
                from famulus.knowledge.git import check_out

                await check_out(
                    source.location,
                    source.settings.get("ref"),
                    folder / "checkout",
                    most=limits.total_bytes,
                    allowed=self.settings.allowed_private_hosts,
                )
                return await asyncio.to_thread(survey, folder / "checkout", limits)
            case "urls":
                from famulus.knowledge.addresses import fetch_all  # lazy: for lists of addresses alone

                return await fetch_all(self.outbound, source.settings.get("urls", []), folder, limits)
            case "openapi":
                return await self._document(source.location, folder, limits)
            case _:
                return await asyncio.to_thread(survey, Path(source.location), limits)

    async def _document(self, url: str, folder: Path, limits: Limits) -> Listing:
        answer = await self.outbound.fetch(url, max_bytes=limits.file_bytes, timeout=SECONDS)
        if answer.status != OK:
            raise SourceUnreachable(
                f"{urlsplit(url).hostname} answers {answer.status} instead of the document."
            )
        place = folder / DOCUMENT
        await asyncio.to_thread(place.write_bytes, answer.body)
        return Listing([FileRef(DOCUMENT, os.fsencode(place), len(answer.body))])


def chosen(listing: Listing, include: list[str], exclude: list[str]) -> Listing:
    """The files whose paths the patterns let in. `*` stands for anything, slashes as well."""
    if not include and not exclude:
        return listing

    def wanted(path: str) -> bool:
        let_in = not include or any(fnmatchcase(path, pattern) for pattern in include)
        return let_in and not any(fnmatchcase(path, pattern) for pattern in exclude)

    kept = [ref for ref in listing.files if wanted(ref.path)]
    left = len(listing.files) - len(kept)
    out = [Remark("*", f"The patterns of this source leave out {left:,} files.")] if left else []
    return replace(listing, files=kept, skipped=[*listing.skipped, *out])
