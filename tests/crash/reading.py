"""Reading material while the reader is killed at every boundary: in the end everything is known exactly once.

A tree is read, then changed, moved, thinned out and added to, and read again; each time the reader dies at one boundary
after another. `problems` is pure: what is stored against what the tree holds.
"""

import asyncio
import os
import signal
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import text

from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.ids import new_id
from famulus.knowledge.jobs import ask_for
from famulus.knowledge.parse import digest
from famulus.knowledge.retrieve import search
from tests.support.embedding_server import EmbeddingServer

ROOT = Path(__file__).resolve().parents[2]
FIRST = ("ingest.batch", "ingest.batch:2", "ingest.batch_written", "ingest.end", "embedding.batch_written")
SECOND = (
    *("ingest.moved", "ingest.removed", "ingest.removed", "ingest.batch", "ingest.batch_written"),
    *("ingest.end", "ingest.ended", "embedding.batch_written"),
)
"""Where the reader dies, one life after another, the first and the second time that the tree is read."""
PATIENCE = 60.0
ENDED = b"ended with "
READER = Principal(user_id="usr_reader", name="Reader", email="reader@famulus.local", role="site_admin")
Tree = dict[str, str]


def first_tree() -> Tree:
    """Forty pages, each with a word of its own."""
    return {f"part{n % 4}/page{n:02}.md": _page(n) for n in range(40)}


def second_tree(first: Mapping[str, str]) -> Tree:
    """Of the first one: four moved, two changed, thirty-four removed; and thirty new."""
    pages = list(first.items())
    moved = {f"elsewhere/{path.rsplit('/', 1)[1]}": said for path, said in pages[:4]}
    changed = {path: f"{said}\n\nAnd more." for path, said in pages[4:6]}
    return moved | changed | {f"new/page{n}.md": _page(n) for n in range(100, 130)}


def word(n: int) -> str:
    """What only this page says."""
    return "gadget" + "".join(chr(ord("a") + int(digit)) for digit in f"{n:03}")


def _page(n: int) -> str:
    return f"# Page {n}\n\nHere is the {word(n)} of number {n}."


@dataclass
class Stored:
    """What a database holds of the source."""

    state: str = ""
    counts: tuple[int, int] = (0, 0)
    documents: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    """Path and hash."""
    chunks: list[tuple[str, str, str, int, int]] = field(default_factory=list[tuple[str, str, str, int, int]])
    """Path, id, text, its vectors, its names."""
    strays: int = 0
    """Vectors and names of chunks that are no more."""
    found: dict[str, int] = field(default_factory=dict[str, int])
    """By word, in how many passages a search finds it."""


def problems(tree: Mapping[str, str], stored: Stored) -> list[str]:
    """Everything that is lost, doubled, left over or miscounted, in words."""
    found = _miscounted(tree, stored)
    found += [
        f"stale: {path} is not as the file is now"
        for path, hash in stored.documents
        if path in tree and hash != digest(tree[path].encode())
    ]
    for path, _, said, vectors, names in stored.chunks:
        if path in tree and said not in tree[path]:
            found.append(f"stale: {path} says {said[:40]!r}")
        if vectors != 1 or not names:
            found.append(f"lost: {path} has {vectors} vectors and {names} names")
    for each, count in stored.found.items():
        if count != sum(each in said for said in tree.values()):
            found.append(f"index: {each} is found in {count} passages")
    return found


def _miscounted(tree: Mapping[str, str], stored: Stored) -> list[str]:
    found: list[str] = []
    if stored.state != "ready" or stored.counts != (len(tree), len(tree)):
        found.append(f"miscounted: the source is {stored.state} with {stored.counts}")
    if stored.strays:
        found.append(f"left over: {stored.strays} vectors or names of nothing")
    documents, chunks = (
        Counter(path for path, _ in stored.documents),
        Counter(row[0] for row in stored.chunks),
    )
    for path in sorted(tree.keys() | documents.keys() | chunks.keys()):
        wanted = int(path in tree)
        for what, count in (("documents", documents[path]), ("chunks", chunks[path])):
            if count != wanted:
                kind = "lost" if count < wanted else "doubled" if wanted else "left over"
                found.append(f"{kind}: {path} has {count} {what}")
    return found


@dataclass
class Reading:
    """One database, one folder, and a reader that dies; an asynchronous context manager."""

    database: Database
    url: str
    folder: Path
    embeddings: EmbeddingServer
    loose: bool = False
    deaths: Counter[str] = field(default_factory=Counter[str])
    source_id: str = field(default_factory=lambda: new_id("src"))

    async def __aenter__(self) -> "Reading":
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAMULUS_")}
        environment |= {"PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "APP_ENV": "test"}
        self._reader = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.crash.reader", self.url, self.embeddings.base_url),
            *(["--loose"] if self.loose else []),
            env=environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            start_new_session=True,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._reader.pid, signal.SIGKILL)
        await self._reader.wait()

    async def make(self) -> None:
        """The source, site-wide."""
        sql = (
            "INSERT INTO sources (id, kind, name, location, state, documents, chunks, failed, created_at, updated_at)"
            " VALUES (:id, 'folder', 'Tree', :place, 'waiting', 0, 0, 0, '2026-01-01 00:00:00+00:00',"
            " '2026-01-01 00:00:00+00:00')"
        )
        async with self.database.write() as session:
            await session.execute(text(sql), {"id": self.source_id, "place": str(self.folder)})

    async def read(self, tree: Mapping[str, str], points: Sequence[str]) -> None:
        """Make the folder hold the tree, have it read, and kill the reader at each point; then let it finish."""
        _lay_out(self.folder, tree)
        async with self.database.write() as session:
            await ask_for(session, self.source_id)
        for point in points:
            if await self._life(point) == -signal.SIGKILL:
                self.deaths[point.partition(":")[0]] += 1
        ended = await self._life("")
        assert ended == 0, f"the reader ended with {ended}"

    async def _life(self, point: str) -> int:
        assert self._reader.stdin is not None
        assert self._reader.stdout is not None
        self._reader.stdin.write(f"{point}\n".encode())
        async with asyncio.timeout(PATIENCE):
            while not (line := await self._reader.stdout.readline()).startswith(ENDED):
                assert line, "the reader itself is gone"
        return int(line.removeprefix(ENDED))

    async def stored(self, *words: str) -> Stored:
        """What is there now, and where these words are found."""
        queries = {
            "source": "SELECT state, documents, chunks FROM sources WHERE id = :id",
            "documents": "SELECT path, content_hash FROM documents WHERE source_id = :id ORDER BY path",
            "chunks": "SELECT d.path, c.id, c.text, (SELECT count(*) FROM chunk_vectors v WHERE v.chunk = c.number),"
            " (SELECT count(*) FROM mentions m WHERE m.chunk = c.number)"
            " FROM chunks c JOIN documents d ON d.id = c.document_id WHERE d.source_id = :id ORDER BY d.path",
            "strays": "SELECT (SELECT count(*) FROM chunk_vectors WHERE chunk NOT IN (SELECT number FROM chunks))"
            " + (SELECT count(*) FROM mentions WHERE chunk NOT IN (SELECT number FROM chunks))",
        }
        async with self.database.read() as session:
            rows = {
                name: (await session.execute(text(sql), {"id": self.source_id} if ":id" in sql else {})).all()
                for name, sql in queries.items()
            }
        state, documents, chunks = rows["source"][0]
        kept = Stored(state, (documents, chunks), [(row[0], row[1]) for row in rows["documents"]])
        kept.chunks = [(row[0], row[1], row[2], row[3], row[4]) for row in rows["chunks"]]
        kept.strays = int(rows["strays"][0][0])
        for each in words:
            passages = await search(self.database, READER, each, limit=20)
            kept.found[each] = sum(each in passage.text for passage in passages)
        return kept


async def killed_while_reading(reading: Reading) -> list[str]:
    """Both readings with all their deaths, and what is wrong after each."""
    await reading.make()
    before = first_tree()
    words = [word(n) for n in (*range(40), *range(100, 130))]
    await reading.read(before, FIRST)
    first = await reading.stored(*words)
    found = problems(before, first)
    asked = Counter(reading.embeddings.texts)
    after = second_tree(before)
    await reading.read(after, SECOND)
    second = await reading.stored(*words)
    found += problems(after, second)
    ids = {said: id for _, id, said, _, _ in first.chunks}
    for path, id, said, _, _ in second.chunks:
        if path.startswith("elsewhere/") and ids.get(said) != id:
            found.append(f"moved: {path} has a new passage")
    again = Counter(reading.embeddings.texts) - asked
    repeated = sorted(said.split("\n")[0] for said in again if asked[said] and said != "length")
    return [*found, *(f"moved: {title} was embedded again" for title in repeated)]


def _lay_out(folder: Path, tree: Mapping[str, str]) -> None:
    for path in [path for path in folder.rglob("*.md") if path.relative_to(folder).as_posix() not in tree]:
        path.unlink()
    for name, said in tree.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(said)
