"""The model at work, in whatever process this is: tokens, numbers, vectors."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from tokenizers import Tokenizer

from famulus.llm.embedding.build import GRAPH, TOKENIZER

LONGEST = 256
"""Tokens of a text that count: the model was trained on no longer ones."""
_runtime: Any = onnxruntime
"""It tells no types."""
_WHOLE_RANGE = "session.x64quantprecision"
"""On processors without VNNI, products of 8-bit numbers are kept from overflowing."""


class Engine:
    """One session on one thread."""

    def __init__(self, folder: Path) -> None:
        options = _runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 3
        options.add_session_config_entry(_WHOLE_RANGE, "1")
        self._session: Any = _runtime.InferenceSession(
            folder / GRAPH, options, providers=["CPUExecutionProvider"]
        )
        self._tokenizer: Any = Tokenizer.from_file(str(folder / TOKENIZER))
        self._tokenizer.no_padding()
        self._tokenizer.enable_truncation(LONGEST)

    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of length 1 as [texts, dimension].

        Each text goes through by itself: in company it is no quicker on a processor, and as activations share one
        range of 8-bit numbers, its vector would depend on who else is there.
        """
        found = np.empty((len(texts), self._session.get_outputs()[0].shape[1]), np.float32)
        for n, encoding in enumerate(self._tokenizer.encode_batch(list(texts))):
            ids = np.array([encoding.ids], np.int32)
            found[n] = self._session.run(None, {"ids": ids, "mask": np.ones_like(ids)})[0][0]
        return found
