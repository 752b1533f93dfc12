"""Embeddings over the wire: batches, order, failures that pass and failures that do not."""

from collections.abc import AsyncIterator
from typing import Any

import numpy as np
import pytest

from famulus.kernel.errors import ConfigurationError
from famulus.llm.embedding.array import array_of
from famulus.llm.embedding.choose import Embedders, Places
from famulus.llm.embedding.remote import AT_ONCE, RemoteEmbedder, embeddings_url
from famulus.llm.errors import ModelError, ModelKeyRefused, ModelNonsense, ModelRateLimited, ModelUnreachable
from famulus.llm.retry import RetryPolicy
from tests.support.embedding_server import EmbeddingServer

QUICKLY = RetryPolicy(attempts=3, first_wait=0.01)


@pytest.fixture
async def server() -> AsyncIterator[EmbeddingServer]:
    async with EmbeddingServer() as running:
        yield running


@pytest.fixture
async def embedder(server: EmbeddingServer) -> AsyncIterator[RemoteEmbedder]:
    made = RemoteEmbedder(
        kind="compatible", name="letters", base_url=server.base_url, api_key="sk-secret", retry=QUICKLY
    )
    yield made
    await made.close()


async def test_texts_become_vectors_of_length_one_in_their_order(
    server: EmbeddingServer, embedder: RemoteEmbedder
) -> None:
    texts = [chr(ord("a") + n % 26) for n in range(AT_ONCE + 6)]

    found = array_of(await embedder.embed(texts))

    assert found.shape == (len(texts), 26)
    assert np.allclose(np.linalg.norm(found, axis=1), 1, atol=1e-5)
    assert found.argmax(axis=1).tolist() == [n % 26 for n in range(len(texts))]
    assert [len(request["input"]) for request in server.requests] == [AT_ONCE, 6]
    assert {(request["model"], request["encoding_format"]) for request in server.requests} == {
        ("letters", "float")
    }
    assert set(server.keys) == {"Bearer sk-secret"}
    assert (embedder.model_id, embedder.dimension) == ("compatible:letters", 26)


async def test_nothing_is_asked_for_nothing(server: EmbeddingServer, embedder: RemoteEmbedder) -> None:
    assert len(await embedder.embed([])) == 0
    assert server.requests == []


async def test_what_passes_is_tried_again_but_not_while_somebody_waits(
    server: EmbeddingServer, embedder: RemoteEmbedder
) -> None:
    server.fail(503)
    server.fail(429, {"error": {"message": "slow down"}}, **{"Retry-After": "0"})

    assert len(await embedder.embed(["a"])) == 1

    server.fail(429, {"error": {"message": "slow down"}})
    with pytest.raises(ModelRateLimited):
        await embedder.embed(["a"], "query")
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    ("status", "body", "error"),
    [
        (401, {"error": {"message": "bad key sk-secret"}}, ModelKeyRefused),
        (200, {"data": []}, ModelNonsense),
        (200, {"data": [{"index": 1, "embedding": [1.0]}]}, ModelNonsense),
        (200, {"data": [{"index": 0, "embedding": []}]}, ModelNonsense),
        (200, {"choices": []}, ModelNonsense),
        (200, "hello", ModelNonsense),
    ],
)
async def test_what_does_not_pass_is_said_at_once(
    server: EmbeddingServer, embedder: RemoteEmbedder, status: int, body: Any, error: type[ModelError]
) -> None:
    server.fail(status, body)

    with pytest.raises(error) as raised:
        await embedder.embed(["a"])

    assert "sk-secret" not in raised.value.detail
    assert server.requests == []


async def test_vectors_of_another_length_are_refused(
    server: EmbeddingServer, embedder: RemoteEmbedder
) -> None:
    await embedder.embed(["a"])
    server.fail(200, {"data": [{"index": 0, "embedding": [1.0, 2.0]}]})

    with pytest.raises(ModelNonsense):
        await embedder.embed(["b"])


async def test_a_server_that_is_away() -> None:
    embedder = RemoteEmbedder(
        kind="compatible", name="x", base_url="http://127.0.0.1:9", api_key=None, retry=QUICKLY
    )

    with pytest.raises(ModelUnreachable):
        await embedder.embed(["a"], "query")


@pytest.mark.parametrize(
    ("base_url", "url"),
    [
        ("http://localhost:11434", "http://localhost:11434/v1/embeddings"),
        ("http://localhost:8080/v1/", "http://localhost:8080/v1/embeddings"),
        ("https://x.example/openai/v1/embeddings", "https://x.example/openai/v1/embeddings"),
    ],
)
def test_where_it_is_asked(base_url: str, url: str) -> None:
    assert embeddings_url(base_url) == url


@pytest.mark.parametrize(
    ("choice", "places", "words"),
    [
        ("openai:x", {}, "needs a key"),
        ("compatible:x", {}, "needs the server's address"),
        ("compatible:x", {"base_url": "ftp://x"}, "FAMULUS_EMBEDDING_BASE_URL must be a whole address"),
        ("compatible:", {"base_url": "http://x"}, "is not known"),
        ("all-MiniLM", {}, "Write `local`"),
    ],
)
def test_a_choice_that_cannot_work_says_what_to_write(
    choice: str, places: dict[str, str], words: str, tmp_path: Any
) -> None:
    with pytest.raises(ConfigurationError) as raised:
        Embedders(choice, Places(tmp_path, **places))
    assert words in raised.value.detail


async def test_models_are_opened_once_by_choice_or_by_id(tmp_path: Any) -> None:
    embedders = Embedders(None, Places(tmp_path, "http://localhost:1/v1"))

    assert embedders.chosen is not None
    assert embedders.get("local") is embedders.get(embedders.chosen.model_id)
    assert embedders.get("compatible:x") is embedders.get("compatible:x")
    assert Embedders("none", Places(tmp_path)).chosen is None
    await embedders.close()
