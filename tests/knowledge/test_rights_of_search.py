"""Nobody finds, follows or opens what is not theirs, whatever changes; and what is removed leaves nothing behind."""

from pathlib import Path

import pytest
from sqlalchemy import text

from famulus.kernel.database import Database
from famulus.knowledge.ingest import ingest_path
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.retrieve import Retriever
from famulus.knowledge.sources import delete_source
from famulus.knowledge.store import Owner
from famulus.llm.embedding.choose import Embedders, Places
from tests.knowledge.papers import write
from tests.support.embedding_server import EmbeddingServer
from tests.support.rooms import World
from tests.support.strolls import campus

QUESTIONS = 400
"""`bench/rights` asks a hundred thousand."""
LEFT = ("sources", "documents", "chunks", "chunk_vectors", "mentions", "index_changes")


@pytest.mark.slow
async def test_nobody_sees_more_than_they_may(database: Database, tmp_path: Path) -> None:
    async with campus(database, tmp_path, seed=7) as made:
        tally = await made.stroll(QUESTIONS)

    assert tally.wrong == []
    assert min(tally.passages, tally.steps, tally.neighbours, tally.opened, tally.changes) > 10


async def test_a_removed_source_is_gone_with_the_next_search_and_leaves_nothing(
    world: World, owner: Owner, tmp_path: Path
) -> None:
    database = world.database
    async with EmbeddingServer() as server:
        meaning = Meaning(database, Embedders("compatible:letters", Places(tmp_path, server.base_url)))
        await meaning.start()
        retriever = Retriever(database, meaning)
        text_ = "# Tidal Bridge\n\nThe zebra of Ada Lowe.\n\n## Ada Lowe\n\nShe lives at the Tidal Bridge."
        before = await _rows(database), _files(tmp_path)
        folder = write(tmp_path / "x", {f"{n}.md": f"{text_}\n\nNumber {n}." for n in range(40)})
        await ingest_path(database, owner, folder)
        await meaning.handle({})
        student, teacher = await world.principal("student"), await world.principal("teacher")
        assert (await retriever.search(student, "the zebra of Ada Lowe")).passages

        async with database.read() as session:
            source = await session.scalar(text("SELECT id FROM sources WHERE kind = 'folder'"))
        assert source is not None
        await delete_source(database, teacher, source)

        found = await retriever.search(student, "the zebra of Ada Lowe")
        assert found.passages == []
        for path in folder.rglob("*.md"):
            path.unlink()
        folder.rmdir()
        assert (await _rows(database), _files(tmp_path)) == before
        await meaning.embedders.close()


async def _rows(database: Database) -> dict[str, int]:
    """Of every table that material has rows in, and of SQLite's index."""
    async with database.read() as session:
        rows = {table: await session.scalar(text(f"SELECT count(*) FROM {table}")) or 0 for table in LEFT}
        if database.dialect == "sqlite":
            for word in ("zebra", "tidal", "lowe"):
                match = text("SELECT count(*) FROM chunk_words WHERE chunk_words MATCH :word")
                rows[word] = await session.scalar(match, {"word": word}) or 0
    return rows


def _files(folder: Path) -> set[str]:
    return {
        str(path.relative_to(folder)) for path in folder.rglob("*") if not path.name.startswith("famulus.db")
    }
