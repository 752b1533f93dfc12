"""The words index on PostgreSQL: a GIN index finds, and BM25 is worked out here from what ts_rank_cd counts.

PostgreSQL's own ranks do not know how rare a word is, so that in a course on robots `robot` would drown the rest.
For a single word ts_rank_cd is its number of occurrences by weight, which is the one thing BM25 still needs.
"""

import math
from collections.abc import Iterable
from typing import Any

from sqlalchemy import ARRAY, Text, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.index import Found, Hit, Scope
from famulus.knowledge.words import Question

# Weights of D, C, B, A: a word of the text counts once, one of the titles twice (halved, for 1 is the most allowed).
_OCCURRENCES = "2 * ts_rank_cd('{{0.5,0.5,0.5,1}}', words, {query})"
_LENGTH_NORM = "1.2 * (0.25 + 0.75 * length(text) / 1000.0)"
SIFTED = 200
"""Chunks whose occurrences are counted: those with the most telling words, which is quickly seen."""


class PostgresIndex:
    """A tsvector column of `chunks`; shares the session's transaction."""

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """See `Index.search`."""
        reach = list(scope.words)
        if not question.terms or not reach:
            return Found([], {}, 0)
        queries = [f"plainto_tsquery('english', :t{n})" for n in range(len(question.terms))]
        values: dict[str, Any] = {f"t{n}": term for n, term in enumerate(question.terms)}
        frequencies, total = await _frequencies(session, question, queries, values | {"reach": reach})
        phrases = [f"phraseto_tsquery('english', :p{n})" for n in range(len(question.phrases))]
        values |= {f"p{n}": " ".join(phrase) for n, phrase in enumerate(question.phrases)}
        weights = [_rarity(frequencies[term], total) for term in question.terms]
        weights += [max(weights, default=1.0)] * len(phrases)
        values |= {f"w{n}": weight for n, weight in enumerate(weights)}
        rows = await session.execute(
            _bound(_search(queries, phrases)), values | {"reach": reach, "limit": limit, "sifted": max(SIFTED, limit)}
        )
        return Found([Hit(row[0], row[1]) for row in rows], frequencies, total)


def _search(queries: list[str], phrases: list[str]) -> str:
    every = [*queries, *phrases]
    there = " + ".join(f"CAST(:w{n} AS float8) * (words @@ {query})::int" for n, query in enumerate(every))
    counted = " + ".join(
        f"CAST(:w{n} AS float8) * {_saturated(_OCCURRENCES.format(query=query))}" for n, query in enumerate(queries)
    )
    together = "".join(
        f" + CAST(:w{n} AS float8) * (words @@ {query})::int" for n, query in enumerate(phrases, len(queries))
    )
    return (
        "WITH sifted AS MATERIALIZED (SELECT id, words, text FROM chunks"
        f" WHERE scope = ANY(:reach) AND words @@ ({' || '.join(queries)}) ORDER BY {there} DESC, id LIMIT :sifted)"
        f" SELECT id, {counted}{together} AS score FROM sifted ORDER BY score DESC, id LIMIT :limit"
    )


def _saturated(occurrences: str) -> str:
    return f"({occurrences}) * 2.2 / ({occurrences} + {_LENGTH_NORM})"


async def _frequencies(
    session: AsyncSession, question: Question, queries: Iterable[str], values: dict[str, Any]
) -> tuple[dict[str, int], int]:
    columns = ", ".join(
        f"(SELECT count(*) FROM chunks WHERE scope = ANY(:reach) AND words @@ {query})" for query in queries
    )
    total = "(SELECT count(*) FROM chunks WHERE scope = ANY(:reach))"
    counts = (await session.execute(_bound(f"SELECT {total}, {columns}"), values)).one()  # noqa: S608 – of constants
    return dict(zip(question.terms, counts[1:], strict=True)), counts[0]


def _bound(statement: str) -> Any:
    return text(statement).bindparams(bindparam("reach", type_=ARRAY(Text)))


def _rarity(frequency: int, total: int) -> float:
    return max(1e-6, math.log((total - frequency + 0.5) / (frequency + 0.5)))
