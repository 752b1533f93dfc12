"""The index on PostgreSQL. Of words: a GIN index finds, and BM25 is worked out here from what ts_rank_cd counts.

PostgreSQL's own ranks do not know how rare a word is, so that in a course on robots `robot` would drown the rest.
For a single word ts_rank_cd is its number of occurrences by weight, which is the one thing BM25 still needs.

Of meaning: pgvector, exact within the scope.
"""

from array import array
from collections.abc import Collection, Mapping
from typing import Any

from sqlalchemy import TextClause, text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.ddl import VECTORS
from famulus.knowledge.index import Found, Hit, Scope, Target, of_wanted, rarity_of, size_of
from famulus.knowledge.words import Question

SIFTED = 120
"""Chunks whose occurrences are counted: those with the most telling words, which is quickly seen."""
ENOUGH = 500
"""Chunks with one of the rarest words, beyond which those with commoner words alone are not looked at."""

_DISTANCE = "vector <#> CAST(CAST(:target AS text) AS halfvec)"
_DOCUMENTS = f"SELECT id FROM documents WHERE {of_wanted('postgresql', ':sources', ':kinds')}"
_OF_WANTED = f" AND document_id IN ({_DOCUMENTS})"
_OF_SCOPE = f"FROM {VECTORS} WHERE model = :model AND scope = ANY(:scopes)"
_OF_WANTED_CHUNKS = f" AND chunk IN (SELECT number FROM chunks WHERE document_id IN ({_DOCUMENTS}))"


def _nearest(within: str) -> TextClause:
    near = f"SELECT chunk, {_DISTANCE} AS distance {within}"
    return text(
        f"WITH near AS MATERIALIZED ({near} ORDER BY distance LIMIT :limit)"
        " SELECT chunks.id, -found.distance, chunks.number FROM ("
        f"SELECT * FROM near UNION {near} AND chunk = ANY(:besides)"
        ") AS found JOIN chunks ON chunks.number = found.chunk ORDER BY found.distance, chunks.id"
    )


_NEAREST, _NEAREST_WANTED = _nearest(_OF_SCOPE), _nearest(_OF_SCOPE + _OF_WANTED_CHUNKS)
_REACH = "CAST(:reach AS tsquery)"
_WORD = "plainto_tsquery('english', :t{})"
_PHRASE = "phraseto_tsquery('english', :p{})"
_THERE = "CAST(:w{} AS float8) * (words @@ {})::int"
# Weights of D, C, B, A: a word of the text counts once, one of the titles twice (halved, for 1 is the most allowed).
_OCCURRENCES = "2 * ts_rank_cd('{{0.5,0.5,0.5,1}}', words, {})"
_SATURATED = "CAST(:w{} AS float8) * 2.2 * n{} / (n{} + 0.3 + 0.9 * size / 1000)"


class PostgresIndex:
    """A tsvector column and half-precision vectors of `chunks`; shares the session's transaction."""

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """See `Index.search`."""
        if not question.terms or not scope.words:
            return Found([], {}, 0)
        values: dict[str, Any] = {"reach": " | ".join(f"' {word}'" for word in scope.words)}
        values |= {f"t{n}": term for n, term in enumerate(question.terms)}
        frequencies = await _frequencies(session, question, values)
        total = await size_of(session, scope)
        weights = [rarity_of(frequencies[term], total) for term in question.terms]
        weights += [max(weights)] * len(question.phrases)
        values |= {f"p{n}": " ".join(phrase) for n, phrase in enumerate(question.phrases)}
        values |= {f"w{n}": weight for n, weight in enumerate(weights)}
        values |= {"limit": limit, "sifted": max(SIFTED, limit)}
        sql = _search(question, _driving(question, frequencies), _OF_WANTED if scope.filtered else "")
        values |= _wanted(scope)
        rows = await session.execute(text(sql), values)
        return Found([Hit(*row) for row in rows], frequencies, total)

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """See `Index.nearest`. Every vector of the scope is compared; its btree says which those are."""
        if not scope.words:
            return []
        numbers = array("f", target.data)
        values = {
            "target": "[" + ",".join(f"{number:.6g}" for number in numbers) + "]",
            "model": target.model,
            "scopes": list(scope.words),
            "limit": limit,
            "besides": list(besides),
        }
        query = _NEAREST_WANTED if scope.filtered else _NEAREST
        rows = await session.execute(query, values | _wanted(scope))
        return [Hit(*row) for row in rows]


def _wanted(scope: Scope) -> dict[str, str]:
    return dict(zip(("sources", "kinds"), scope.wanted, strict=True)) if scope.filtered else {}


def _search(question: Question, driving: list[int], wanted: str) -> str:
    words = [_WORD.format(n) for n in range(len(question.terms))]
    phrases = [_PHRASE.format(n) for n in range(len(question.phrases))]
    there = " + ".join(_THERE.format(n, query) for n, query in enumerate([*words, *phrases]))
    counts = ", ".join(f"{_OCCURRENCES.format(query)} AS n{n}" for n, query in enumerate(words))
    score = " + ".join(_SATURATED.format(n, n, n) for n in range(len(words)))
    together = "".join(f" + {_THERE.format(n, query)}" for n, query in enumerate(phrases, len(words)))
    any_word = " || ".join(words[n] for n in driving)
    return (
        "WITH sifted AS MATERIALIZED (SELECT id, number, words, length(text) AS size FROM chunks"
        f" WHERE words @@ {_REACH} AND words @@ ({any_word}){wanted} ORDER BY {there} DESC, id LIMIT :sifted),"
        f" counted AS MATERIALIZED (SELECT id, number, words, size, {counts} FROM sifted)"
        f" SELECT id, {score}{together} AS score, number FROM counted ORDER BY score DESC, id LIMIT :limit"
    )


def _driving(question: Question, frequencies: Mapping[str, int]) -> list[int]:
    """Which words a chunk must have one of: the rarest, until they are common enough together."""
    chosen: list[int] = []
    reached = 0
    for n in sorted(range(len(question.terms)), key=lambda n: frequencies[question.terms[n]]):
        if len(chosen) > 1 and reached >= ENOUGH:
            break
        chosen.append(n)
        reached += frequencies[question.terms[n]]
    return chosen


async def _frequencies(session: AsyncSession, question: Question, values: dict[str, Any]) -> dict[str, int]:
    count = "(SELECT count(*) FROM chunks WHERE words @@ {} AND words @@ {})"
    columns = ", ".join(count.format(_REACH, _WORD.format(n)) for n in range(len(question.terms)))
    counts = (await session.execute(text(f"SELECT {columns}"), values)).one()
    return dict(zip(question.terms, counts, strict=True))
