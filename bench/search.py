"""How long a search takes, by every way, as material grows: 50 tenants, each question within its asker's rights.

The whole search is timed: rights, both indexes, reading the passages, rating, quoting, the graph; only the question's
vector is there already. One question after another, this process on one core. `bench/search --write` puts the table
into the docs.
"""

import argparse
import asyncio
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from bench import crowd
from bench.library import DIMENSION, MODEL, STEP, TENANTS, Library, Passage, fill_vectors, organization
from bench.measure import resident_bytes
from bench.run import ROOT, postgres_database, write_table
from sqlalchemy import text

from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.migrate import upgrade
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import EVERY_WAY, Retriever, Way
from famulus.llm.embedding.choose import Embedders, Places
from famulus.llm.embedding.protocol import Kind, Vectors
from tests.support.postgres import start_postgres

DOCUMENT = ROOT / "docs" / "reference" / "bench-search.md"
SIZES = (1_000, 10_000, 100_000)
LARGE = {"sqlite": 300_000, "postgresql": 1_000_000}
SAMPLES = 300
WAYS: tuple[tuple[str, frozenset[Way]], ...] = (
    ("words", frozenset({"words"})),
    ("meaning", frozenset({"meaning"})),
    ("fused", frozenset({"words", "meaning"})),
    ("fused and graph", EVERY_WAY),
)


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody asks: some words of a passage and a name in it, with a vector near the passage's."""

    tenant: int
    text: str
    vector: bytes
    """float32."""


class Known:
    """An embedding model that knows the questions already."""

    model_id, dimension = MODEL, DIMENSION

    def __init__(self, questions: Sequence[Question]) -> None:
        self._vectors = {question.text: question.vector for question in questions}

    async def embed(self, texts: Sequence[str], _kind: Kind = "passage") -> Vectors:
        """The vectors of questions."""
        return Vectors(DIMENSION, b"".join(self._vectors[each] for each in texts))

    async def close(self) -> None:
        """Nothing is open."""


def main() -> None:
    """Fill, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--postgres", action="store_true", help="on a PostgreSQL of its own")
    parser.add_argument(
        "--keep", type=Path, metavar="FOLDER", help="keep the filled databases, or use those kept"
    )
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, help="how many chunks")
    parser.add_argument("--large", action="store_true", help=f"also {LARGE} chunks")
    parser.add_argument("--samples", type=int, default=SAMPLES, help="questions of each way")
    parser.add_argument(
        "--write", action="store_true", help="write the table into docs/reference/bench-search.md"
    )
    parser.add_argument("--measure", metavar="URL", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure:
        asyncio.run(_print_measured(options.measure, options.sizes[0], options.samples))
        return
    kind = "postgresql" if options.postgres else "sqlite"
    sizes = [*options.sizes, *([LARGE[kind]] if options.large else [])]
    lines = [
        "| chunks | way | p50, ms | p95, ms | CPU p50, ms | CPU p95, ms | memory, MB |",
        "|--:|---|--:|--:|--:|--:|--:|",
    ]
    print("\n".join(lines), flush=True)
    for size in sizes:
        with ExitStack() as stack:
            folder = options.keep or Path(stack.enter_context(tempfile.TemporaryDirectory()))
            url = f"sqlite+aiosqlite:///{folder}/search-{size}.db"
            if options.postgres:
                url = stack.enter_context(_kept(size) if options.keep else postgres_database())
            asyncio.run(_filled(url, size))
            for line in _apart(url, size, options.samples):
                print(line, flush=True)
                lines.append(line)
    if options.write:
        write_table(DOCUMENT, "\n".join(lines), kind)


@contextmanager
def _kept(size: int) -> Iterator[str]:
    server, name = start_postgres(), f"bench_search_{size}"
    asyncio.run(server.create_once(name))
    yield server.url(name)


def _apart(url: str, size: int, samples: int) -> Iterator[str]:
    """The lines of one size, from a process of their own, whose memory is that of the searches alone."""
    command = [sys.executable, __file__, "--measure", url, "--sizes", str(size), "--samples", str(samples)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield from (line.rstrip("\n") for line in process.stdout)
    if process.returncode:
        raise RuntimeError(f"the searches ended with {process.returncode}")


async def _print_measured(url: str, size: int, samples: int) -> None:
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {0})
    async for line in measured(url, size, samples):
        print(line, flush=True)


async def _filled(url: str, size: int) -> None:
    database = Database(url)
    await upgrade(database)
    async with database.read() as session:
        full = await session.scalar(text("SELECT 1 FROM chunk_vectors LIMIT 1"))
    await database.close()
    if not full:
        library = Library(size)
        await asyncio.to_thread(crowd.fill, url, library.tables())
        await asyncio.to_thread(fill_vectors, url, library)


async def measured(url: str, size: int, samples: int) -> AsyncIterator[str]:
    """The table's lines of one size."""
    questions = list(asked(Library(size), samples))
    async with _searching(url, questions) as search:
        for name, ways in WAYS:
            for question in questions[-TENANTS:]:
                await search(question, ways)
            times = [await search(question, ways) for question in questions]
            figures = " | ".join(
                f"{each:.1f}" for column in zip(*times, strict=True) for each in _middle_and_late(column)
            )
            yield f"| {size:,} | {name} | {figures} | {resident_bytes(os.getpid()) / 1e6:.0f} |"


def _middle_and_late(times: Sequence[float]) -> tuple[float, float]:
    return statistics.median(times), sorted(times)[int(len(times) * 0.95)]


Search = Callable[[Question, frozenset[Way]], Awaitable[tuple[float, float]]]
"""Milliseconds of one search: as it is waited for, and of processors, the database's included."""


@asynccontextmanager
async def _searching(url: str, questions: Sequence[Question]) -> AsyncIterator[Search]:
    database = Database(url)
    embedders = Embedders("none", Places(Path()))
    embedders.chosen = Known(questions)
    retriever = Retriever(database, Meaning(database, embedders))
    server = await _backends(database)

    async def search(question: Question, ways: frozenset[Way]) -> tuple[float, float]:
        person, place = crowd.id_of("usr", question.tenant), organization(question.tenant)
        asker = Principal(person, "S", "s@bench.example", "student", place)
        began, worked = time.perf_counter(), _worked(server)
        answer = await retriever.search(asker, question.text, ways=ways)
        took = time.perf_counter() - began
        if not answer.passages:
            raise RuntimeError(f"nothing was found for {question.text!r}")
        return took * 1000, (_worked(server) - worked) * 1000

    try:
        yield search
    finally:
        await database.close()


async def _backends(database: Database) -> list[Path]:
    """Where Linux counts what each process of PostgreSQL has worked; a pool of one connection has one."""
    if database.dialect == "sqlite":
        return []
    async with database.read() as session:
        pid = await session.scalar(text("SELECT pg_backend_pid()"))
    return [Path(f"/proc/{pid}/schedstat")]


def _worked(server: Sequence[Path]) -> float:
    """Seconds of processors so far."""
    return time.process_time() + sum(int(each.read_text().split()[0]) for each in server) / 1e9


def asked(library: Library, count: int) -> Iterator[Question]:
    """Questions after passages from everywhere in the material."""
    chance = random.Random(1)
    steps = [chance.randrange(0, library.chunks, STEP) for _ in range(12)]
    passages = [each for step in steps for each in library.passages(step, step + 1)]
    for passage in chance.choices(passages, k=count):
        yield _question(passage, chance)


def _question(passage: Passage, chance: random.Random) -> Question:
    words = [each for each in passage.text.replace(".", "").split() if each[:1].islower() and len(each) > 5]
    named = passage.text.split(" near ")[1].split(".")[0]
    telling = " ".join(chance.sample(words, min(5, len(words))))
    near = np.frombuffer(passage.vector, np.float16).astype(np.float32)
    noise = np.random.default_rng(chance.randrange(1 << 30)).standard_normal(DIMENSION, np.float32)
    vector = near + 0.7 * noise / np.linalg.norm(noise)
    vector /= np.linalg.norm(vector)
    return Question(passage.tenant, f"How does {named} go with {telling}?", vector.tobytes())


if __name__ == "__main__":
    main()
