"""Random people searching, following names and opening passages while rights and material change: nobody may see more.

`tests/knowledge/test_rights_of_search.py` asks a few hundred questions; this asks as many as you like, each thousand in
a campus of its own. It ends with 1 if anything was seen that may not be, or not found that should be.
"""

import argparse
import asyncio
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.run import postgres_database

from famulus.kernel.database import Database
from famulus.kernel.migrate import upgrade
from tests.support.strolls import Tally, campus

EACH = 1_000
"""Questions of one campus."""


def main() -> None:
    """Ask, and say what was seen."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument("--questions", type=int, default=100_000, help="how many")
    parser.add_argument("--seed", type=int, default=0, help="another one asks other questions")
    options = parser.parse_args()
    wrong = asked = 0
    for seed in range(options.seed, options.seed + -(-options.questions // EACH)):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = f"sqlite+aiosqlite:///{folder}/famulus.db"
            if options.postgres:
                url = stack.enter_context(postgres_database())
            tally = asyncio.run(_stroll(url, folder, seed, min(EACH, options.questions - asked)))
        asked, wrong = asked + tally.questions, wrong + len(tally.wrong)
        print(f"{asked:,} questions, {wrong} wrong; the last {EACH:,}: {_told(tally)}", flush=True)
        for line in tally.wrong[:10]:
            print(f"  seed {seed}: {line}")
    sys.exit(1 if wrong else 0)


def _told(tally: Tally) -> str:
    return (
        f"{tally.passages} passages, {tally.steps} steps of paths, {tally.neighbours} neighbours,"
        f" {tally.opened} opened, {tally.changes} changes"
    )


async def _stroll(url: str, folder: Path, seed: int, questions: int) -> Tally:
    database = Database(url)
    try:
        await upgrade(database)
        async with campus(database, folder, seed) as made:
            return await made.stroll(questions)
    finally:
        await database.close()


if __name__ == "__main__":
    main()
