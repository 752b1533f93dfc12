"""Commands that do one thing to the database and end."""

import asyncio
from collections.abc import Awaitable, Callable, Generator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Literal, TypeVar

from famulus.campus.lookup import course_by_name, principal_by_email
from famulus.cli.demo import seed_demo
from famulus.cli.own_api import seed_api
from famulus.kernel.database import Database
from famulus.kernel.errors import ConfigurationError
from famulus.kernel.logs import spare_stdout
from famulus.kernel.migrate import newest, reach, require_newest, upgrade
from famulus.kernel.settings import load_settings
from famulus.knowledge.ingest import Progress, Report, Terms, ingest_path, limits_of
from famulus.knowledge.store import Owner

T = TypeVar("T")


def with_database(work: Callable[[Database], Awaitable[T]], *, migrated: bool = True) -> T:
    """Run one piece of work on the configured database."""

    async def run() -> T:
        spare_stdout()
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


def run_seed(what: Literal["demo", "api"]) -> str:
    """Load the demo, or what this server's API is; returns what was done.

    Raises ConfigurationError for the demo where APP_ENV is not local.
    """
    if what == "api":
        changed = with_database(partial(seed_api, anew=True))
        return (
            "The API is known as of this release." if changed else "The API is known already; nothing to do."
        )
    if not load_settings().local:
        raise ConfigurationError("The demo has known passwords; it is only loaded where APP_ENV is local.")
    loaded = with_database(seed_demo)
    return "The demo is loaded." if loaded else "The demo is loaded already; nothing to do."


def run_ingest(path: Path, course: str, email: str | None, *, thorough: bool = False) -> bool:
    """Add material to a course, showing progress; False when some of it could not be read."""
    with _bar() as progress:
        terms = Terms(limits_of(load_settings()), thorough, on_progress=progress)

        async def work(database: Database) -> Report:
            async with database.read() as session:
                principal = await principal_by_email(session, email)
                card = await course_by_name(session, principal, course)
            owner = Owner(card.organization_id, card.id)
            return await ingest_path(database, owner, path, by=principal, terms=terms)

        report = with_database(work)
    print(
        f"{report.added} added, {report.changed} changed, {report.unchanged} unchanged, {report.removed} removed,"
        f" {len(report.failed)} failed, {len(report.skipped)} skipped; {report.chunks} chunks,"
        f" {report.seconds:.1f} s."
    )
    for remark in (*report.failed, *report.skipped):
        print(f"  {remark.path}: {remark.reason}")
    return not report.failed


@contextmanager
def _bar() -> Generator[Progress]:
    """A bar that fills up, where somebody sees it; it is gone when all is done."""
    from rich import console, progress  # lazy: takes a tenth of a second, for this one command

    screen = console.Console(stderr=True)
    columns = (
        progress.TextColumn("{task.description}"),
        progress.BarColumn(),
        progress.MofNCompleteColumn(),
        progress.TimeRemainingColumn(),
    )
    with progress.Progress(*columns, console=screen, transient=True, disable=not screen.is_terminal) as bar:
        task = bar.add_task("Looking at files", total=None)

        def show(done: int, total: int) -> None:
            bar.update(task, description="Reading files", completed=done, total=total)

        yield show
