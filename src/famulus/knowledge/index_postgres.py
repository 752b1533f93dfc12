"""The index on PostgreSQL. Of words: a GIN index finds, and BM25 is worked out here from what ts_rank_cd counts.

PostgreSQL's own ranks do not know how rare a word is, so that in a course on robots `robot` would drown the rest.
For a single word ts_rank_cd is its number of occurrences by weight, which is the one thing BM25 still needs.

Of meaning: pgvector, exact within the scope. However many words a question has, the statements are the same.
"""

import json
from array import array
from collections.abc import Collection
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import run_in
from famulus.kernel.lane import Script, Value
from famulus.knowledge.ddl import VECTORS
from famulus.knowledge.index import Found, Hit, Scope, Target, among, of_size, of_wanted
from famulus.knowledge.words import Question

SIFTED = 120
"""Chunks whose occurrences are counted: those with the most telling words, which is quickly seen."""
ENOUGH = 500
"""Chunks with one of the rarest words, beyond which those with commoner words alone are not looked at."""

# Weights of D, C, B, A: a word of the text counts once, one of the titles twice (halved, for 1 is the most allowed).
_OCCURRENCES = "2 * ts_rank_cd('{0.5,0.5,0.5,1}', words, query)"


# The terms of the question and its phrases, how common the terms are, and by that, as in `rarity_of`, what each tells;
# a phrase as much as the rarest term. A chunk must have one of those that drive: the rarest, until they are common
# enough together.
_ASKED = (
    "WITH asked AS MATERIALIZED (SELECT n, phrase, CASE WHEN phrase THEN"
    " phraseto_tsquery('english', (SELECT string_agg(word, ' ' ORDER BY place)"
    " FROM jsonb_array_elements_text(said) WITH ORDINALITY AS each(word, place)))"
    " ELSE plainto_tsquery('english', said #>> '{}') END AS query"
    " FROM (SELECT n, said, jsonb_typeof(said) = 'array' AS phrase FROM"
    " jsonb_array_elements(CAST(CAST($2 AS text) AS jsonb)) WITH ORDINALITY AS one(said, n)) AS given),"
    f" held AS MATERIALIZED (SELECT CAST(({of_size('postgresql', '$3', '$4')}) AS int) AS total),"
    # A scan of the index for each, as no other plan is any good.
    " there AS MATERIALIZED (SELECT n, number FROM asked CROSS JOIN LATERAL (SELECT number FROM chunks"
    " WHERE words @@ CAST($1 AS tsquery) AND words @@ query OFFSET 0) AS one),"
    " counted AS (SELECT n, phrase, query, CASE WHEN NOT phrase THEN coalesce(frequency, 0) END AS frequency,"
    " CAST(0.5 AS float8) AS half FROM asked LEFT JOIN (SELECT n, count(*) AS frequency FROM there GROUP BY n) AS one"
    " USING (n)),"
    " ranked AS (SELECT *, ln((greatest(total, frequency) - frequency + half) / (frequency + half)) AS idf,"
    " row_number() OVER rarest AS place, sum(frequency) OVER rarest - frequency AS before FROM counted, held"
    " WINDOW rarest AS (ORDER BY frequency NULLS LAST, n ROWS UNBOUNDED PRECEDING)),"
    " weighed AS MATERIALIZED (SELECT n, phrase, query, frequency,"
    " CAST(greatest(1e-6, CASE WHEN phrase THEN max(idf) OVER () ELSE idf END) AS float8) AS weight,"
    f" NOT phrase AND (place <= 2 OR before < {ENOUGH}) AS drives FROM ranked)"
)


class PostgresIndex:
    """A tsvector column and half-precision vectors of `chunks`; shares the session's transaction."""

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """See `Index.search`."""
        if not question.terms or not scope.words:
            return Found([], {}, 0)
        return await run_in(session, _search(question, scope, limit))

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """See `Index.nearest`. Every vector of the scope is compared; its btree says which those are."""
        return await run_in(session, _near(target, scope, limit, besides)) if scope.words else []


def _search(question: Question, scope: Scope, limit: int) -> Script:
    """How common each term is, and the best hits."""
    asked = [*question.terms, *map(list, question.phrases)]
    reach = " | ".join(f"' {word}'" for word in scope.words)
    values = reach, json.dumps(asked), *scope.owners, limit, max(SIFTED, limit), *_wanted(scope)
    rows = yield _hits(scope.filtered), values
    total, counts = rows[0][0], json.loads(rows[0][1])
    hits = [Hit(id, score, number) for _, _, id, score, number in rows if id is not None]
    return Found(hits, dict(zip(question.terms, counts, strict=True)), total)


@lru_cache
def _hits(filtered: bool) -> str:
    """Rows of total, frequencies and a hit: one without a hit if there is none."""
    wanted = f" WHERE number IN (SELECT number FROM chunks WHERE {_of_wanted(7)})" if filtered else ""
    return (
        f"{_ASKED}, sifted AS (SELECT number FROM there JOIN weighed USING (n){wanted}"
        " GROUP BY number HAVING bool_or(drives) ORDER BY sum(weight) DESC, number LIMIT $6),"
        " found AS (SELECT id, (SELECT sum(weight * CASE WHEN phrase THEN 1"
        " ELSE 2.2 * n / (n + 0.3 + 0.9 * size / 1000) END)"
        f" FROM (SELECT weight, phrase, {_OCCURRENCES} AS n FROM weighed WHERE words @@ query OFFSET 0) AS there)"
        " AS score, number FROM (SELECT id, number, words, length(text) AS size FROM sifted JOIN chunks USING (number)"
        " OFFSET 0) AS one ORDER BY score DESC, id LIMIT $5)"
        " SELECT total, (SELECT CAST(json_agg(frequency ORDER BY n) AS text) FROM weighed WHERE NOT phrase), found.*"
        " FROM held LEFT JOIN found ON true ORDER BY score DESC, id"
    )


def _near(target: Target, scope: Scope, limit: int, besides: Collection[int]) -> Script:
    numbers = ",".join(f"{number:.6g}" for number in array("f", target.data))
    places = json.dumps(scope.words), json.dumps(list(besides))
    rows = yield _nearest(scope.filtered), (f"[{numbers}]", target.model, *places, limit, *_wanted(scope))
    return [Hit(*row) for row in rows]


@lru_cache
def _nearest(filtered: bool) -> str:
    wanted = f" AND chunk IN (SELECT number FROM chunks WHERE {_of_wanted(6)})" if filtered else ""
    near = (
        f"SELECT chunk, vector <#> (SELECT CAST(CAST($1 AS text) AS halfvec)) AS distance FROM {VECTORS}"
        f" WHERE model = $2 AND scope {among('postgresql', '$3')}{wanted}"
    )
    return (
        f"WITH near AS MATERIALIZED ({near} ORDER BY distance LIMIT $5)"
        " SELECT chunks.id, -found.distance, chunks.number FROM ("
        f"SELECT * FROM near UNION {near} AND chunk {among('postgresql', '$4', 'bigint')}"
        ") AS found JOIN chunks ON chunks.number = found.chunk ORDER BY found.distance, chunks.id"
    )


def _of_wanted(first: int) -> str:
    documents = f"SELECT id FROM documents WHERE {of_wanted('postgresql', f'${first}', f'${first + 1}')}"
    return f"document_id IN ({documents})"


def _wanted(scope: Scope) -> tuple[Value, ...]:
    return scope.wanted if scope.filtered else ()
