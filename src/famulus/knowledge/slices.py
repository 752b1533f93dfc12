"""Vectors in memory, a slice for each scope, and the nearest of them: exact, by one product of a matrix.

SQLite cannot compare vectors. They are read once, and again when the scope's version says that they have changed,
then only those that are new. What has not been asked for longest is let go of beyond a bound.
"""

from collections import OrderedDict
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray

from famulus.llm.embedding.protocol import Vectors

MOST_BYTES = 256 << 20
"""Of vectors in memory: 170,000 of 384 numbers."""
Key = tuple[int, str]
"""A model and a scope."""


def packed(vectors: Vectors, dialect: str) -> list[object]:
    """Each vector as its database has it, with half the precision: that moves no rank, and saves half the place."""
    rows = np.frombuffer(vectors.data, np.float32).reshape(len(vectors), vectors.dimension).astype(np.float16)
    if dialect == "sqlite":
        return [row.tobytes() for row in rows]
    return ["[" + ",".join(f"{number:.5g}" for number in row.tolist()) + "]" for row in rows]


def unpacked(half: bytes) -> bytes:
    """A vector of SQLite's as float32."""
    return np.frombuffer(half, np.float16).astype(np.float32).tobytes()


@dataclass(frozen=True, slots=True, eq=False)
class Slice:
    """The vectors of one model in one scope."""

    version: int
    ids: NDArray[np.int64]
    """Ascending: the rows of the table of vectors."""
    chunks: NDArray[np.int64]
    matrix: NDArray[np.float32]
    """[rows, dimension]"""

    @property
    def size(self) -> int:
        """Bytes."""
        return self.matrix.nbytes + self.ids.nbytes + self.chunks.nbytes


def brought_up(
    old: Slice | None,
    version: int,
    ids: Sequence[int],
    rows: Sequence[Sequence[Any]],
    dimension: int,
) -> Slice:
    """A slice with the rows `ids`, of which `rows` (id, chunk, vector) are those that `old` has not."""
    new_ids = np.array([row[0] for row in rows], np.int64)
    chunks = np.array([row[1] for row in rows], np.int64)
    halves = np.frombuffer(b"".join(row[2] for row in rows), np.float16).reshape(len(rows), dimension)
    matrix = halves.astype(np.float32)
    if old is not None:
        kept = np.isin(old.ids, np.array(ids, np.int64), assume_unique=True)
        new_ids = np.concatenate([old.ids[kept], new_ids])
        chunks = np.concatenate([old.chunks[kept], chunks])
        matrix = np.concatenate([old.matrix[kept], matrix])
    return Slice(version, new_ids, chunks, matrix)


def newer(old: Slice | None, ids: Sequence[int]) -> list[int]:
    """Which of the rows a slice has not."""
    had: set[int] = set() if old is None else set(old.ids.tolist())
    return [id for id in ids if id not in had]


def nearest(
    slices: Sequence[Slice],
    target: bytes,
    limit: int,
    besides: Collection[int],
    wanted: Sequence[int] | None = None,
) -> list[tuple[int, float]]:
    """Chunks with their nearness: the best `limit`, best first, and those of `besides` that are in a slice.

    Of `wanted` ones only, if that is given.
    """
    towards = np.frombuffer(target, np.float32)
    chunks = np.concatenate([one.chunks for one in slices])
    scores = np.concatenate([one.matrix @ towards for one in slices])
    if wanted is not None:
        kept = np.isin(chunks, np.array(wanted, np.int64))
        chunks, scores = chunks[kept], scores[kept]
    top = np.argpartition(-scores, limit)[:limit] if len(scores) > limit else np.arange(len(scores))
    also = np.flatnonzero(np.isin(chunks, np.array(list(besides), np.int64)))
    found = np.union1d(top, also)
    order = found[np.lexsort((chunks[found], -scores[found]))]
    return list(zip(chunks[order].tolist(), scores[order].tolist(), strict=True))


class Slices:
    """Those in memory, of this process. Each connection's thread may bring one up."""

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self._one_at_a_time = Lock()
        self._held: OrderedDict[Key, Slice] = OrderedDict()
        self._size = 0

    def get(self, key: Key) -> Slice | None:
        """What is held, of whatever version."""
        with self._one_at_a_time:
            if key in self._held:
                self._held.move_to_end(key)
            return self._held.get(key)

    def put(self, key: Key, slice_: Slice) -> None:
        """Hold a slice, and let go of others."""
        with self._one_at_a_time:
            self._size += slice_.size - (old.size if (old := self._held.pop(key, None)) else 0)
            self._held[key] = slice_
            while self._size > self._most:
                self._size -= self._held.popitem(last=False)[1].size
