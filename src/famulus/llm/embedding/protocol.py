"""What every embedding model is asked and answers: texts in, vectors of one length out.

NumPy is left to whoever calculates: a server that nobody asks anything does without it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Kind = Literal["passage", "query"]
"""What the texts are: some models read a question otherwise than its answer, and questions are not kept waiting."""

FLOAT = 4
"""Bytes of one number."""


@dataclass(frozen=True, slots=True)
class Vectors:
    """Rows of numbers, one for each text, each of length 1; `array.array_of` makes NumPy's of them."""

    dimension: int
    """Numbers of a row."""
    data: bytes
    """float32 of this machine's byte order, row after row."""

    def __len__(self) -> int:
        """How many rows."""
        return len(self.data) // (FLOAT * self.dimension) if self.dimension else 0


class Embedder(Protocol):
    """A model that turns texts into vectors whose dot product says how near they are in meaning, 1 being the same."""

    @property
    def model_id(self) -> str:
        """Names the model, stands with each vector: only vectors of one model can be compared."""
        ...

    @property
    def dimension(self) -> int | None:
        """Numbers of a vector; None for a model behind a wire that has not been asked anything yet."""
        ...

    async def embed(self, texts: Sequence[str], kind: Kind = "passage") -> Vectors:
        """A vector for each text, in order; a text that is too long counts by its beginning. Raises a ModelError."""
        ...

    async def close(self) -> None:
        """Let go of processes and connections; safe to call twice, and a later call opens them anew."""
        ...
