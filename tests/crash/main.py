"""`scripts/crash`: many kills on each database, a table of what came of them, and an exit code.

python -m tests.crash.main 100 [--at tool.effect] [--database sqlite|postgresql] [--seed N] [--lease SECONDS]
"""

import argparse
import asyncio
import random
import shutil
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from famulus.kernel.database import Database
from tests.crash.checker import percentile
from tests.crash.reading import Reading, killed_while_reading
from tests.crash.server import Server
from tests.crash.storm import POINTS, Report, plans, plans_at, storm
from tests.support.databases import build_schema, schema_key, sqlite_template
from tests.support.embedding_server import EmbeddingServer
from tests.support.postgres import start_postgres

GOAL = 6.0
"""Seconds from a kill to the next event, start-up included, that 95 of 100 followers may wait at most."""


def main() -> int:
    """Run the storms and say what came of them; 1 when a promise was broken."""
    parser = argparse.ArgumentParser(
        prog="scripts/crash", description="Kill the server and see what is lost."
    )
    parser.add_argument("kills", type=int, nargs="?", default=100, help="kills on each database")
    parser.add_argument(
        "--at", choices=POINTS, action="append", help="N kills at this step boundary alone; may be repeated"
    )
    parser.add_argument("--database", choices=("sqlite", "postgresql"), help="only this one")
    parser.add_argument(
        "--seed", type=int, default=random.randrange(10**6), help="of the plans and the clients"
    )
    parser.add_argument("--lease", type=float, default=4.0, help="seconds; the server's own default is 4")
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # so that no server is left behind
    well = True
    for dialect in (given.database,) if given.database else ("sqlite", "postgresql"):
        report = asyncio.run(_storm(dialect, given))
        _say(table(dialect, report, given.seed))
        well = well and not report.violations and percentile(report.resumes, 0.95) <= GOAL
        if not given.at:
            well = asyncio.run(_reading(dialect)) and well
    _say("All promises kept." if well else "NOT all promises kept.")
    return 0 if well else 1


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


async def _storm(dialect: str, given: argparse.Namespace) -> Report:
    chance = random.Random(given.seed)
    planned = plans_at(given.at, given.kills, chance) if given.at else plans(given.kills, chance)
    with tempfile.TemporaryDirectory(prefix="famulus-crash-") as folder:
        async with database_of(dialect, Path(folder)) as url:
            server = Server(Path(folder), url, lease=given.lease, whole=True)
            report = await storm(server, planned, seed=given.seed)
            if report.violations:
                _say(f"The server's last words:\n{server.tail()}")
            return report


async def _reading(dialect: str) -> bool:
    """A reader of material is killed at each of its boundaries; whether it ended well."""
    with tempfile.TemporaryDirectory(prefix="famulus-crash-") as name:
        folder = Path(name) / "tree"
        folder.mkdir()
        async with database_of(dialect, Path(name)) as url, EmbeddingServer() as embeddings:
            database = Database(url)
            async with Reading(database, url, folder, embeddings) as reading:
                found = await killed_while_reading(reading)
            await database.close()
    deaths = ", ".join(f"{point} {count}" for point, count in sorted(reading.deaths.items()))
    _say(f"  reading killed at: {deaths}\n  {'violations':<16}{len(found):>8}")
    for problem in found[:40]:
        _say(f"    {problem}")
    return not found


@asynccontextmanager
async def database_of(dialect: str, folder: Path) -> AsyncIterator[str]:
    """The address of a migrated, empty database of this run's own."""
    if dialect == "sqlite":
        path = folder / "famulus.db"
        shutil.copy(await sqlite_template(), path)
        yield f"sqlite+aiosqlite:///{path}"
        return
    postgres = await asyncio.to_thread(start_postgres)
    async with postgres.database(await postgres.template(schema_key(), build_schema)) as url:
        yield url


def table(dialect: str, report: Report, seed: int) -> str:
    """The report for reading."""
    resumes = report.resumes
    lines = [f"── {dialect}: {len(report.kills)} kills in {report.seconds:.0f} s (seed {seed})"]
    lines += [f"  {name:<16}{count:>8}" for name, count in report.counts().items()]
    for name, share in (("resume p50", 0.5), ("resume p95", 0.95), ("resume max", 1.0)):
        lines.append(f"  {name:<16}{percentile(resumes, share):>8.2f} s")
    lines.append(f"  {'resumes':<16}{len(resumes):>8}")
    lines.append(f"  {'start-up p50':<16}{percentile(sorted(report.starts), 0.5):>8.2f} s")
    kinds = Counter(kind for kind, _ in report.kills)
    shown = Counter(str(run["error"]["code"]) for run in report.stored.runs.values() if run["error"])
    lines.append(
        "  errors shown: " + (", ".join(f"{code} {n}" for code, n in sorted(shown.items())) or "none")
    )
    lines.append("  killed at: " + ", ".join(f"{kind} {count}" for kind, count in sorted(kinds.items())))
    lines.append(f"  {'violations':<16}{len(report.violations):>8}")
    lines += [f"    {problem}" for problem in report.violations[:40]]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
