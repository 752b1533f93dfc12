"""Vectors that are kept: each text is embedded once, each question always, and models are not mixed up."""

from pathlib import Path

from famulus.llm.embedding.kept import AT_ONCE, Kept
from famulus.llm.embedding.protocol import Kind
from famulus.llm.embedding.remote import RemoteEmbedder
from tests.support.embedding_server import EmbeddingServer


async def test_a_text_is_embedded_once(tmp_path: Path) -> None:
    texts = ["".join("abcdefghij"[int(digit)] for digit in str(n % 400)) for n in range(2 * AT_ONCE)]
    async with EmbeddingServer() as server:

        async def embed(texts: list[str], kind: Kind = "passage", name: str = "letters") -> bytes:
            model = RemoteEmbedder(kind="compatible", name=name, base_url=server.base_url, api_key=None)
            kept = Kept(model, tmp_path / "new" / "vectors.sqlite3")
            found = await kept.embed(texts, kind)
            await kept.close()
            assert len(found) == len(texts)
            return found.data

        made = await embed(texts)
        assert sorted(server.texts) == sorted(set(texts))

        asked = len(server.texts)
        assert await embed(texts) == made
        assert await embed(texts[::-1]) != made
        assert await embed([]) == b""
        assert len(server.texts) == asked

        await embed(["b"], "query")
        await embed(["b"], name="others")
        assert len(server.texts) == asked + 2
