"""Vectors as NumPy's arrays."""

import numpy as np
from numpy.typing import NDArray

from famulus.llm.embedding.protocol import Vectors


def array_of(vectors: Vectors) -> NDArray[np.float32]:
    """float32 [rows, dimension], read-only; nothing is copied."""
    return np.frombuffer(vectors.data, np.float32).reshape(-1, vectors.dimension)


def vectors_of(rows: NDArray[np.float32]) -> Vectors:
    """What crosses a process or a wire; `rows` is [rows, dimension]."""
    return Vectors(rows.shape[1], np.ascontiguousarray(rows, np.float32).tobytes())
