"""Commands that do one thing to the database and end."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from famulus.campus.lookup import course_by_name, principal_by_email
from famulus.cli.demo import seed_demo
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.migrate import newest, reach, require_newest, upgrade
from famulus.kernel.settings import load_settings
from famulus.knowledge.ingest import Report, ingest_path, limits_of
from famulus.knowledge.store import Owner

T = TypeVar("T")


def with_database(work: Callable[[Database], Awaitable[T]], *, migrated: bool = True) -> T:
    """Run one piece of work on the configured database."""

    async def run() -> T:
        database = Database(load_settings().database)
        try:
            await reach(database)
            if migrated:
                await require_newest(database)
            return await work(database)
        finally:
            await database.close()

    return asyncio.run(run())


def run_migrate() -> str:
    """Bring the schema up to date; returns what was done."""
    changed = with_database(upgrade, migrated=False)
    return (
        f"The schema is {newest()} now." if changed else f"The schema is {newest()} already; nothing to do."
    )


def run_seed() -> str:
    """Load the demo; returns what was done. Raises ConfigurationError where APP_ENV is not local."""
    if not load_settings().local:
        raise ConfigurationError("The demo has known passwords; it is only loaded where APP_ENV is local.")
    loaded = with_database(seed_demo)
    return "The demo is loaded." if loaded else "The demo is loaded already; nothing to do."


def run_ingest(path: Path, course: str, email: str | None) -> bool:
    """Add material to a course, showing progress; False when some of it could not be read."""

    async def work(database: Database) -> Report:
        async with database.read() as session:
            principal = await principal_by_email(session, email)
            card = await course_by_name(session, principal, course)
        owner = Owner(card.organization_id, card.id)
        limits = limits_of(load_settings())
        return await ingest_path(database, owner, path, by=principal, limits=limits, on_progress=_progress)

    report = with_database(work)
    if sys.stderr.isatty():
        print(file=sys.stderr)
    print(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed,"
        f" {len(report.failed)} failed, {len(report.skipped)} skipped; {report.chunks} chunks,"
        f" {report.seconds:.1f} s."
    )
    for remark in (*report.failed, *report.skipped):
        print(f"  {remark.path}: {remark.reason}")
    return not report.failed


def _progress(done: int, total: int) -> None:
    if sys.stderr.isatty():
        print(f"\r{done} of {total} files", end="", file=sys.stderr, flush=True)
