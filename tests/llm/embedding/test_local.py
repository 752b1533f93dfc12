"""The embedding model on this machine: as good as the published one, made once, and beside the server."""

import asyncio
import os
import signal
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from famulus.llm.embedding import build, graph
from famulus.llm.embedding.array import array_of
from famulus.llm.embedding.engine import Engine
from famulus.llm.embedding.local import LocalEmbedder
from famulus.llm.errors import EmbeddingFailed

SENTENCES = (
    "The lidar publishes a LaserScan at ten hertz on the topic /scan.",
    "Pizza is baked at four hundred degrees.",
    "A p-value is the probability of data at least as extreme, if the null hypothesis holds. " * 20,
    "def add(a: int, b: int) -> int:\n    return a + b",
    "How often does the laser scanner send?",
)
TEXTS = (
    *SENTENCES,
    "?",
    "",
    "Le café est ouvert à 8 h.",
    "机器人导航",
)


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder's models, with the local one in it."""
    folder = tmp_path_factory.mktemp("models")
    build.prepared(folder)
    return folder


@pytest.fixture(scope="session")
def engine(models: Path) -> Engine:
    return Engine(models / build.FOLDER)


def yardstick(models: Path, folder: Path) -> Engine:
    """The same network with the weights as they were published."""
    whole = graph.build(build.read_weights(build.weights_folder() / "model.safetensors"), quantized=False)
    (folder / build.GRAPH).write_bytes(whole)
    (folder / build.TOKENIZER).write_bytes((models / build.FOLDER / build.TOKENIZER).read_bytes())
    return Engine(folder)


def nearness(rows: NDArray[np.float32], others: NDArray[np.float32]) -> NDArray[np.float32]:
    return (rows * others).sum(axis=1)


@pytest.mark.slow
def test_eight_bits_say_what_thirty_two_do(engine: Engine, models: Path, tmp_path: Path) -> None:
    found, wanted = engine.embed(TEXTS), yardstick(models, tmp_path).embed(TEXTS)

    assert nearness(found, wanted)[: len(SENTENCES)].min() >= 0.99
    assert nearness(found, wanted).min() >= 0.95
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)


def test_what_means_the_same_is_near(engine: Engine) -> None:
    passages, question = np.split(engine.embed(SENTENCES), [-1])

    near = passages @ question[0]

    assert near.argmax() == 0
    assert near[0] > 0.4 > near[1]


def test_a_text_has_one_vector_in_whatever_company(engine: Engine) -> None:
    together = engine.embed(TEXTS)

    assert together.shape == (len(TEXTS), 384)
    assert np.array_equal(together[::-1], engine.embed(TEXTS[::-1]))
    assert np.array_equal(together[2:3], engine.embed(TEXTS[2:3]))
    assert engine.embed([]).shape == (0, 384)


def test_only_the_beginning_of_a_long_text_counts(engine: Engine) -> None:
    long = "word " * 300

    assert np.array_equal(engine.embed([long + "robot"]), engine.embed([long + "pizza"]))


def test_the_files_appear_whole_and_once(tmp_path: Path) -> None:
    left = tmp_path / ".making-dead"
    left.mkdir(parents=True)

    first = build.prepared(tmp_path)
    made = (first / build.GRAPH).stat()

    assert build.prepared(tmp_path) == first
    assert (first / build.GRAPH).stat().st_mtime_ns == made.st_mtime_ns
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", build.FOLDER]
    assert build.missing(tmp_path) is None


@pytest.mark.slow
async def test_two_processes_make_one_model(tmp_path: Path) -> None:
    embedder = LocalEmbedder(tmp_path)
    try:
        passage, query = await asyncio.gather(embedder.embed(TEXTS), embedder.embed(TEXTS, "query"))
    finally:
        await embedder.close()

    assert np.array_equal(array_of(passage), array_of(query))
    assert len(passage) == len(TEXTS)
    assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", build.FOLDER]


@pytest.mark.slow
async def test_a_killed_process_is_replaced_and_an_idle_one_ends(models: Path) -> None:
    embedder = LocalEmbedder(models, idle=0.2)
    try:
        before = await embedder.embed(TEXTS)
        (process,) = embedding_processes()
        assert os.getpriority(os.PRIO_PROCESS, process) == 19
        os.kill(process, signal.SIGKILL)
        assert await embedder.embed(TEXTS) == before
        for _ in range(100):
            if not embedding_processes():
                break
            await asyncio.sleep(0.05)
        assert embedding_processes() == []
        assert await embedder.embed(TEXTS) == before
    finally:
        await embedder.close()
    assert embedding_processes() == []


async def test_who_stops_waiting_disturbs_nobody(models: Path) -> None:
    embedder = LocalEmbedder(models)
    try:
        wanted = await embedder.embed(TEXTS[:2], "query")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(embedder.embed([TEXTS[2]] * 4, "query"), 0.01)
        assert await embedder.embed(TEXTS[:2], "query") == wanted
    finally:
        await embedder.close()


async def test_what_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "models").write_text("in the way")
    embedder = LocalEmbedder(tmp_path / "models")
    try:
        with pytest.raises(EmbeddingFailed, match="does not work"):
            await embedder.embed(TEXTS)
    finally:
        await embedder.close()


def embedding_processes() -> list[int]:
    """Processes of this one that embed."""
    found: list[int] = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(") ", 1)[1].split()[1])
            command = (entry / "cmdline").read_bytes()
        except (OSError, IndexError):
            continue
        if parent == os.getpid() and b"famulus.llm.embedding.process" in command:
            found.append(int(entry.name))
    return found
