"""Reading is killed at its boundaries, and ends with everything known once; what would not, is noticed."""

from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from pathlib import Path

import pytest

from famulus.kernel.database import Database
from famulus.knowledge.parse import digest
from tests.crash.reading import (
    FIRST,
    SECOND,
    Reading,
    Stored,
    first_tree,
    killed_while_reading,
    problems,
    second_tree,
    word,
)
from tests.support.embedding_server import EmbeddingServer


@pytest.fixture
async def reading(database: Database, database_url: str, tmp_path: Path) -> AsyncIterator[Reading]:
    """A database, an empty folder and an embedding model."""
    (tmp_path / "tree").mkdir()
    async with EmbeddingServer() as server:
        yield Reading(database, database_url, tmp_path / "tree", server)


@pytest.mark.crash
@pytest.mark.slow
async def test_D02_reading_that_is_killed_anywhere_ends_with_everything_once(reading: Reading) -> None:
    async with reading:
        assert await killed_while_reading(reading) == []
    assert reading.deaths.total() == len(FIRST) + len(SECOND), reading.deaths


@pytest.mark.crash
@pytest.mark.slow
@pytest.mark.parametrize("dialect", ["sqlite"])
async def test_a_reader_that_commits_documents_before_their_chunks_is_caught(reading: Reading) -> None:
    reading.loose = True
    async with reading:
        await reading.make()
        await reading.read(first_tree(), ["ingest.batch"])
        found = problems(first_tree(), await reading.stored())

    assert [problem for problem in found if problem.startswith("lost")]


def honest() -> tuple[dict[str, str], Stored]:
    """The second tree as it should be stored."""
    tree = second_tree(first_tree())
    stored = Stored("ready", (len(tree), len(tree)))
    for n, (path, said) in enumerate(tree.items()):
        stored.documents.append((path, digest(said.encode())))
        stored.chunks.append((path, f"chk_{n}", said.split("\n\n", 1)[1], 1, 2))
    stored.found = {word(0): 1, word(20): 0}
    return tree, stored


def test_what_is_as_it_should_be_is_let_be() -> None:
    assert problems(*honest()) == []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda stored: stored.chunks.pop(), "lost"),
        (lambda stored: stored.documents.append(stored.documents[0]), "doubled"),
        (lambda stored: stored.chunks.append(("old.md", "chk", "Old.", 1, 1)), "left over"),
        (lambda stored: stored.documents.__setitem__(0, (stored.documents[0][0], "x")), "stale"),
        (lambda stored: stored.chunks.__setitem__(0, (*stored.chunks[0][:3], 0, 1)), "lost"),
        (lambda stored: stored.found.update({word(20): 1}), "index"),
    ],
)
def test_each_way_to_go_wrong_is_noticed(spoil: Callable[[Stored], object], said: str) -> None:
    tree, stored = honest()
    spoil(stored)

    assert [problem for problem in problems(tree, stored) if problem.startswith(said)]
    assert [
        problem
        for problem in problems(tree, replace(stored, state="indexing", strays=1))
        if "indexing" in problem
    ]
