"""Any server with OpenAI's embeddings: OpenAI itself, Ollama, vLLM, llama.cpp, TEI and all that speak like them.

POST …/embeddings {"model", "input": [texts], "encoding_format": "float"} ─▶ {"data": [{"index", "embedding"}]}
"""

import asyncio
from collections.abc import Sequence
from contextlib import closing
from functools import partial

import msgspec
from msgspec import Struct

from famulus.llm.embedding.protocol import Kind, Vectors
from famulus.llm.errors import ModelNonsense, ModelTimeout, ModelUnavailable
from famulus.llm.http_stream import BrokenOff, Clients, NotHttp
from famulus.llm.limits import Limits
from famulus.llm.retry import RetryPolicy, retrying
from famulus.llm.wire import Caller, split_address, usable_key

OPENAI_URL = "https://api.openai.com/v1"
ADDRESS, KEY = "FAMULUS_EMBEDDING_BASE_URL", "FAMULUS_EMBEDDING_API_KEY"
AT_ONCE = 64
"""Texts of one request."""
MOST_CHARACTERS = 8_000
"""Of a text: models refuse what is longer than they read, mostly 8,192 tokens; some read only 512, and cut."""
LARGEST_ANSWER = 64 << 20
LIMITS = Limits(connect=5.0, first_byte=60.0, idle=30.0, whole=120.0)
IN_A_HURRY = RetryPolicy(attempts=1)
"""Somebody is waiting for the answer to a question; words are there without it."""


class _Row(Struct):
    index: int
    embedding: list[float]


class _Answer(Struct):
    data: list[_Row]


class RemoteEmbedder(Caller):
    """A model behind an embeddings server."""

    _address_setting = ADDRESS

    def __init__(
        self,
        *,
        kind: str,
        name: str,
        base_url: str | None,
        api_key: str | None,
        limits: Limits = LIMITS,
        retry: RetryPolicy | None = None,
        clients: Clients | None = None,
    ) -> None:
        """`kind` is `openai` or `compatible`; `base_url` as `embeddings_url` takes it, None for OpenAI's own."""
        self.kind, self.name = kind, name
        self._known_dimension: int | None = None
        secret = usable_key(api_key, setting=KEY)
        super().__init__(
            embeddings_url(base_url or OPENAI_URL),
            {"Authorization": f"Bearer {secret}"} if secret else {},
            secret=secret,
            limits=limits,
            retry=retry,
            clients=clients,
        )

    @property
    def model_id(self) -> str:
        """See `Embedder.model_id`."""
        return f"{self.kind}:{self.name}"

    @property
    def dimension(self) -> int | None:
        """See `Embedder.dimension`."""
        return self._known_dimension

    async def embed(self, texts: Sequence[str], kind: Kind = "passage") -> Vectors:
        """See `Embedder.embed`. Passages are tried again after failures that may pass, a question is not."""
        policy = IN_A_HURRY if kind == "query" else self._retry
        parts: list[bytes] = []
        for at in range(0, len(texts), AT_ONCE):
            some = [text[:MOST_CHARACTERS] or " " for text in texts[at : at + AT_ONCE]]
            body = msgspec.json.encode({"model": self.name, "input": some, "encoding_format": "float"})
            rows = await retrying(partial(self._ask, body, len(some)), policy)
            parts.append(await asyncio.to_thread(_packed, rows))
            self._known_dimension = len(rows[0])
        return Vectors(self._known_dimension or 0, b"".join(parts))

    async def _ask(self, body: bytes, count: int) -> list[list[float]]:
        """The vectors of one request, in order and of one length."""
        said = bytearray()
        try:
            async with asyncio.timeout(self._limits.whole):
                with closing(await self._post(body)) as response:
                    while piece := await response.read():
                        said += piece
                        if len(said) > LARGEST_ANSWER:
                            raise ModelNonsense()
        except TimeoutError:
            raise ModelTimeout() from None
        except (BrokenOff, NotHttp):
            raise ModelUnavailable() from None
        return self._read(bytes(said), count)

    def _read(self, said: bytes, count: int) -> list[list[float]]:
        try:
            rows = sorted(msgspec.json.decode(said, type=_Answer).data, key=lambda row: row.index)
        except msgspec.MsgspecError:
            raise ModelNonsense(_NONSENSE) from None
        length = self._known_dimension or (len(rows[0].embedding) if rows else 0)
        fitting = [row.index for row in rows] == list(range(count))
        if not length or not fitting or any(len(row.embedding) != length for row in rows):
            raise ModelNonsense(_NONSENSE)
        return [row.embedding for row in rows]


_NONSENSE = (
    f"The server of embeddings answered with something else than vectors for each text; is {ADDRESS} right?"
)


def embeddings_url(base_url: str) -> str:
    """Where to post to: a path is taken as written, none is `/v1`. Raises ConfigurationError."""
    example = "http://localhost:11434/v1"
    parts = split_address(base_url, setting=ADDRESS, example=example, key_setting=KEY)
    path = parts.path.rstrip("/").removesuffix("/embeddings") or "/v1"
    return f"{parts.scheme}://{parts.netloc}{path}/embeddings"


def _packed(rows: Sequence[Sequence[float]]) -> bytes:
    """Brought to length 1: not every server does."""
    import numpy as np  # lazy: NumPy, which an idle server does without

    matrix = np.array(rows, np.float64)
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return (matrix / np.where(lengths > 0, lengths, 1)).astype(np.float32).tobytes()
