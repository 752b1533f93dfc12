"""Vectors kept in a file by the hash of their text, so that what is measured again and again is embedded once."""

import asyncio
import hashlib
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from famulus.llm.embedding.protocol import FLOAT, Embedder, Kind, Vectors

AT_ONCE = 256
"""Texts embedded between two times that the file is written."""
PATIENCE = 30.0
"""Seconds that a write waits for another process."""
_TABLE = "CREATE TABLE IF NOT EXISTS vectors (key BLOB PRIMARY KEY, vector BLOB NOT NULL) WITHOUT ROWID"


class Kept:
    """A model whose vectors of passages are looked up before they are made; questions it is always asked."""

    def __init__(self, embedder: Embedder, path: Path) -> None:
        self._embedder = embedder
        self._path = path

    @property
    def model_id(self) -> str:
        """See `Embedder.model_id`."""
        return self._embedder.model_id

    @property
    def dimension(self) -> int | None:
        """See `Embedder.dimension`."""
        return self._embedder.dimension

    async def embed(self, texts: Sequence[str], kind: Kind = "passage") -> Vectors:
        """See `Embedder.embed`."""
        if kind == "query":
            return await self._embedder.embed(texts, kind)
        keys = [self._key(text) for text in texts]
        found = await asyncio.to_thread(self._had, keys)
        lacking = list({key: text for key, text in zip(keys, texts, strict=True) if key not in found}.items())
        for at in range(0, len(lacking), AT_ONCE):
            some = lacking[at : at + AT_ONCE]
            made = await self._embedder.embed([text for _, text in some])
            length = FLOAT * made.dimension
            fresh = {key: made.data[n * length : (n + 1) * length] for n, (key, _) in enumerate(some)}
            await asyncio.to_thread(self._keep, fresh)
            found |= fresh
        data = b"".join(found[key] for key in keys)
        return Vectors(len(data) // (FLOAT * len(keys)) if keys else self.dimension or 0, data)

    async def close(self) -> None:
        """See `Embedder.close`."""
        await self._embedder.close()

    def _key(self, text: str) -> bytes:
        content = f"{self.model_id}\n{text}".encode("utf-8", "replace")
        return hashlib.blake2b(content, digest_size=16).digest()

    def _open(self) -> sqlite3.Connection:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        connection = sqlite3.connect(self._path, timeout=PATIENCE)
        connection.execute(_TABLE)
        return connection

    def _had(self, keys: Sequence[bytes]) -> dict[bytes, bytes]:
        with closing(self._open()) as connection:
            rows = (
                connection.execute("SELECT key, vector FROM vectors WHERE key = ?", (key,)).fetchone()
                for key in dict.fromkeys(keys)
            )
            return {row[0]: row[1] for row in rows if row is not None}

    def _keep(self, fresh: dict[bytes, bytes]) -> None:
        with closing(self._open()) as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO vectors VALUES (?, ?)", fresh.items())
