"""A thousand connections that break at any byte, at every door: what is read must be what is stored, byte for byte."""

import argparse
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from random import Random

from tests.support.academy import plant
from tests.support.cutting import SCRIPT, WAYS, read_through_cuts
from tests.support.databases import build_schema, sqlite_template
from tests.support.postgres import start_postgres
from tests.support.serving import Served, serving, settings_for, wait_for


@contextmanager
def talking(*, postgres: bool) -> Iterator[Served]:
    """A server with one answer of many bytes."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        script = folder / "answer.md"
        script.write_text(SCRIPT, encoding="utf-8")
        if postgres:
            server = start_postgres()
            url = server.url(wait_for(server.create()))
            wait_for(build_schema(url))
        else:
            url = f"sqlite+aiosqlite:///{folder / 'famulus.db'}"
            (folder / "famulus.db").write_bytes(wait_for(sqlite_template()).read_bytes())
        academy = wait_for(plant(url))
        yield stack.enter_context(serving(settings_for(url, folder, model=f"scripted:{script}"), academy))


def main() -> None:
    """Cut until enough is cut; stops at the first answer that is not whole."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cuts", type=int, default=1000, help="connections to break at each door")
    parser.add_argument("--postgres", action="store_true", help="store in a PostgreSQL of its own")
    parser.add_argument("--only", help="one door, by its name in tests/support/cutting.py")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with talking(postgres=options.postgres) as served:
        for name, way in WAYS.items():
            if options.only not in (None, name):
                continue
            random, began, cuts, answers = Random(f"{options.seed} {name}"), time.monotonic(), 0, 0
            while cuts < options.cuts:
                cuts += read_through_cuts(served, way, random)
                answers += 1
            took = time.monotonic() - began
            print(f"{name}: {cuts} cuts in {answers} answers, all whole, {took:.0f} s", flush=True)


if __name__ == "__main__":
    main()
