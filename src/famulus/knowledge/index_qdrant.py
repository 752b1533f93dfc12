"""The index on Qdrant: for each chunk one point, with a sparse vector of its words and a dense one for each model.

    point     its number is the chunk's, so that what comes after it takes its place
    payload   id, scope (as a tenant), terms, mark (changes.py)
    words     a sparse vector: each stem and each pair of neighbours, by BM25 without how rare they are
    m3        the vector of the model with the id 3

How rare a word is in the scope is counted at each question and stands in the question's vector. What is found is looked
up in the database before it is given out, in the transaction of the search: a point may have outlived its chunk.

A name (an alias) stands before the collection that is searched; another can be filled behind it meanwhile.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from hashlib import blake2b
from itertools import pairwise
from typing import Any

from qdrant_client import AsyncQdrantClient
from qdrant_client import models as wire
from qdrant_client.http.exceptions import ApiException
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import run_in
from famulus.knowledge.changes import Entry
from famulus.knowledge.index import Found, Hit, Scope, Target, rarity_of, size_of, wanted_numbers
from famulus.knowledge.models import Chunk
from famulus.knowledge.words import WORD, Question, fold, stem_of

WORDS = "words"
TIMEOUT = 5
"""Seconds of one request; the database's own index takes over after that."""
SPARE = 20
"""Hits above those that are wanted, for points whose chunks are gone or have moved."""
MOST_SPARE = 500
SATURATION, LENGTH, USUAL = 1.2, 0.75, 1_000
"""BM25's k1 and b, and the characters of a usual chunk."""
PAGE = 256
"""Points of one request."""


class QdrantIndex:
    """One server, and the collections under one name on it."""

    failures = (ApiException, OSError, RuntimeError, ValueError)
    """What its methods raise where the server does not answer, or answers otherwise than it should."""

    def __init__(self, client: AsyncQdrantClient, name: str) -> None:
        self._client = client
        self._name = name

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """See `Index.search`."""
        if not question.terms or not scope.words:
            return Found([], {}, 0)
        frequencies, total = await self._frequencies(question, scope), await size_of(session, scope)
        sparse = _asked(question, frequencies, total)
        answer = await self._client.query_points(
            self._name,
            query=sparse,
            using=WORDS,
            query_filter=_within(scope, *(await _of_wanted(session, scope))),
            limit=limit + SPARE,
            with_payload=["id"],
        )
        hits = await _there(session, answer.points, scope)
        return Found(hits[:limit], frequencies, total)

    async def _frequencies(self, question: Question, scope: Scope) -> dict[str, int]:
        tokens = [_token(stem_of(term)) for term in question.terms]
        having = [wire.FieldCondition(key="terms", match=wire.MatchValue(value=token)) for token in tokens]
        counts = await asyncio.gather(
            *(self._client.count(self._name, _within(scope, each), exact=True) for each in having)
        )
        return {term: each.count for term, each in zip(question.terms, counts, strict=True)}

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """See `Index.nearest`; from some ten thousand vectors of a scope on, nearly exactly."""
        if not scope.words:
            return []
        query = memoryview(target.data).cast("f").tolist()
        asked: dict[str, Any] = {"query": query, "using": f"m{target.model}", "with_payload": ["id"]}
        wanted = await _of_wanted(session, scope)
        requests = [wire.QueryRequest(**asked, filter=_within(scope, *wanted), limit=limit + SPARE)]
        if besides:
            also = wire.HasIdCondition(has_id=list(besides))
            requests.append(
                wire.QueryRequest(**asked, filter=_within(scope, also, *wanted), limit=len(besides))
            )
        answers = await self._client.query_batch_points(self._name, requests)
        first = await _there(session, answers[0].points, scope)
        rest = await _there(session, answers[1].points, scope) if besides else []
        found = {hit.number: hit for hit in [*first[:limit], *rest]}
        return sorted(found.values(), key=lambda hit: (-hit.score, hit.chunk_id))

    # Keeping it.

    async def searched(self) -> str | None:
        """The collection behind the name; None before there is one."""
        aliases = (await self._client.get_aliases()).aliases
        return next((each.collection_name for each in aliases if each.alias_name == self._name), None)

    async def collections(self) -> list[str]:
        """All of ours: the one that is searched, and those being filled."""
        every = (await self._client.get_collections()).collections
        return sorted(each.name for each in every if _number(each.name, self._name) is not None)

    async def models(self, collection: str) -> dict[int, int]:
        """The models that a collection has a place for, with their dimensions."""
        vectors = (await self._client.get_collection(collection)).config.params.vectors
        assert isinstance(vectors, dict), "our collections have named vectors"
        return {int(name[1:]): params.size for name, params in vectors.items()}

    async def begin(self, models: Mapping[int, int]) -> str:
        """A collection with a place for these models, to be filled: one that was begun before, or a new one."""
        searched, ours = await self.searched(), await self.collections()
        for other in ours:
            if other != searched:
                if await self.models(other) == models:
                    return other
                await self._client.delete_collection(other)
        last = max((_number(each, self._name) or 0 for each in ours), default=0)
        name = f"{self._name}_{last + 1}"
        await self._client.create_collection(
            name,
            vectors_config={f"m{model}": _dense(size) for model, size in models.items()},
            sparse_vectors_config={WORDS: wire.SparseVectorParams()},
            hnsw_config=wire.HnswConfigDiff(payload_m=16),
        )
        tenant = wire.KeywordIndexParams(type=wire.KeywordIndexType.KEYWORD, is_tenant=True)
        number = wire.IntegerIndexParams(type=wire.IntegerIndexType.INTEGER, lookup=True, range=False)
        await self._client.create_payload_index(name, "scope", tenant)
        await self._client.create_payload_index(name, "terms", number)
        return name

    async def switch(self, collection: str) -> None:
        """Have this one searched from now on, and remove all others."""
        move: list[Any] = []
        if await self.searched() is not None:
            move.append(wire.DeleteAliasOperation(delete_alias=wire.DeleteAlias(alias_name=self._name)))
        create = wire.CreateAlias(collection_name=collection, alias_name=self._name)
        await self._client.update_collection_aliases([*move, wire.CreateAliasOperation(create_alias=create)])
        for other in await self.collections():
            if other != collection:
                await self._client.delete_collection(other)

    async def marks(self, collection: str, after: int, last: int | None) -> AsyncIterator[dict[int, str]]:
        """The points after a number up to `last`, or all, with their marks; a page at a time."""
        following: Any = after + 1
        while following is not None:
            points, following = await self._client.scroll(
                collection, limit=PAGE, offset=following, with_payload=["mark"]
            )
            page = {int(each.id): str((each.payload or {}).get("mark")) for each in points}
            yield {number: mark for number, mark in page.items() if last is None or number <= last}
            if last is not None and page and max(page) >= last:
                return

    async def put(self, collection: str, entries: Sequence[Entry]) -> None:
        """Write points, in place of those with their numbers."""
        models = await self.models(collection)
        for at in range(0, len(entries), PAGE):
            points = [_point(each, models) for each in entries[at : at + PAGE]]
            await self._client.upsert(collection, points, wait=True)

    async def remove(self, collection: str, numbers: Sequence[int]) -> None:
        """Remove points."""
        if numbers:
            await self._client.delete(collection, wire.PointIdsList(points=list(numbers)), wait=True)

    async def count(self) -> int:
        """How many points are searched. Raises one of `failures`."""
        return (await self._client.count(self._name, exact=True)).count if await self.searched() else 0

    async def close(self) -> None:
        """Close the connections."""
        await self._client.close()


def open_qdrant(url: str, api_key: str | None, name: str) -> QdrantIndex:
    """The index at an address; nothing is asked yet. `:memory:` is the client's own stand-in, for tests."""
    if url == ":memory:":
        return QdrantIndex(AsyncQdrantClient(location=url), name)
    client = AsyncQdrantClient(url=url, api_key=api_key, timeout=TIMEOUT, check_compatibility=False)
    return QdrantIndex(client, name)


def _dense(size: int) -> wire.VectorParams:
    """Of length 1, so that the product says how near; in half precision, as the database has it."""
    return wire.VectorParams(size=size, distance=wire.Distance.DOT, datatype=wire.Datatype.FLOAT16)


def _number(collection: str, name: str) -> int | None:
    base, _, number = collection.rpartition("_")
    return int(number) if base == name and number.isdigit() else None


def _within(scope: Scope, *also: wire.Condition) -> wire.Filter:
    reach = wire.FieldCondition(key="scope", match=wire.MatchAny(any=list(scope.words)))
    return wire.Filter(must=[reach, *also])


async def _of_wanted(session: AsyncSession, scope: Scope) -> list[wire.Condition]:
    """Which points are of wanted documents, as the database has them now: nothing of documents is told elsewhere."""
    if not scope.filtered:
        return []
    numbers = await run_in(session, wanted_numbers(scope, session.get_bind().dialect.name))
    return [wire.HasIdCondition(has_id=numbers)]


async def _there(session: AsyncSession, points: Sequence[wire.ScoredPoint], scope: Scope) -> list[Hit]:
    """Hits, best first, of those points whose chunks are there and in the scope now."""
    within = frozenset(scope.words)
    query = select(Chunk.number, Chunk.id, Chunk.scope).where(
        Chunk.number.in_([int(each.id) for each in points])
    )
    chunks = {row[0]: row[1] for row in await session.execute(query) if row[2] in within}
    hits = [
        Hit(chunks[number], each.score, number)
        for each in points
        if (number := int(each.id)) in chunks and (each.payload or {}).get("id") == chunks[number]
    ]
    return sorted(hits, key=lambda hit: (-hit.score, hit.chunk_id))


def _token(*stems: str) -> int:
    """A dimension of the sparse vectors: 32 bits of a hash."""
    return int.from_bytes(blake2b(" ".join(stems).encode("utf-8", "replace"), digest_size=4).digest())


def _asked(question: Question, frequencies: Mapping[str, int], total: int) -> wire.SparseVector:
    weights: dict[int, float] = {}
    for term, frequency in frequencies.items():
        weights[_token(stem_of(term))] = rarity_of(frequency, total)
    most = max(weights.values())
    for phrase in question.phrases:
        stems = [stem_of(word) for word in phrase]
        weights |= {_token(*pair): most / (len(stems) - 1) for pair in pairwise(stems)}
    return wire.SparseVector(indices=list(weights), values=list(weights.values()))


def _point(entry: Entry, models: Mapping[int, int]) -> wire.PointStruct:
    terms, words = _words(entry)
    vector: dict[str, Any] = {WORDS: words}
    vector |= {
        f"m{model}": numbers.tolist()
        for model, numbers in entry.vectors.items()
        if models.get(model) == len(numbers)
    }
    payload = {"id": entry.id, "scope": entry.scope, "mark": entry.mark, "terms": terms}
    return wire.PointStruct(id=entry.number, vector=vector, payload=payload)


def _words(entry: Entry) -> tuple[list[int], wire.SparseVector]:
    """The stems of a chunk, and its words as a vector."""
    counts: Counter[int] = Counter()
    pairs: set[int] = set()
    # Titles and headings count twice.
    for said, times in ((entry.heading, 2), (entry.text, 1), (entry.parts, 1)):
        stems = [stem_of(word) for word in WORD.findall(fold(said))]
        for stem in stems:
            counts[_token(stem)] += times
        pairs.update(_token(*pair) for pair in pairwise(stems))
    long = SATURATION * (1 - LENGTH + LENGTH * len(entry.text) / USUAL)
    values = {token: (SATURATION + 1) * count / (count + long) for token, count in counts.items()}
    values |= dict.fromkeys(pairs - counts.keys(), 1.0)
    return list(counts), wire.SparseVector(indices=list(values), values=list(values.values()))
