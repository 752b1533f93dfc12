"""Relations as a search looks them up: the edges between names that a model has read, filed by scope as names are."""

import json
from collections.abc import Collection, Sequence
from functools import lru_cache

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import run_in
from famulus.kernel.lane import Script
from famulus.knowledge.index import among
from famulus.knowledge.mentions import filed_under, some
from famulus.knowledge.walking import Edge

MOST_EDGES = 32
"""Looked up for one name and scope, on each side."""
_SIDE = "SELECT id FROM relations WHERE scope = {0} AND {2} = {1} ORDER BY id LIMIT $3"
_IDS = {
    "sqlite": "WITH found AS MATERIALIZED (SELECT"  # noqa: S608 – constants of this file
    f" (SELECT group_concat(id) FROM ({_SIDE.format('s.value', 'n.value', 'subject')})) AS a,"
    f" (SELECT group_concat(id) FROM ({_SIDE.format('s.value', 'n.value', 'object')})) AS b"
    " FROM json_each($1) AS n, json_each($2) AS s)"
    " SELECT a, b FROM found WHERE a IS NOT NULL OR b IS NOT NULL",
    "postgresql": "SELECT a.ids, b.ids"  # noqa: S608 – constants of this file
    " FROM jsonb_array_elements_text(CAST(CAST($1 AS text) AS jsonb)) AS n"
    " CROSS JOIN jsonb_array_elements_text(CAST(CAST($2 AS text) AS jsonb)) AS s"
    " CROSS JOIN LATERAL (SELECT string_agg(id::text, ',') AS ids"
    f" FROM ({_SIDE.format('s::bigint', 'n::bigint', 'subject')}) AS one) AS a"
    " CROSS JOIN LATERAL (SELECT string_agg(id::text, ',') AS ids"
    f" FROM ({_SIDE.format('s::bigint', 'n::bigint', 'object')}) AS one) AS b"
    " WHERE a.ids IS NOT NULL OR b.ids IS NOT NULL",
}
"""The relations that each of some names has, within each of some scopes."""


async def edges(
    session: AsyncSession, chunks: Collection[int], names: Collection[int], scope_words: Sequence[str]
) -> list[Edge]:
    """The relations within scopes of these names, and of those that chunks say something of."""
    scopes = [filed_under(word) for word in scope_words]
    return await run_in(session, _edges(chunks, names, scopes, session.get_bind().dialect.name))


def _edges(chunks: Collection[int], names: Collection[int], scopes: Sequence[int], dialect: str) -> Script:
    wanted = set(names)
    if chunks:
        rows = yield _of_chunks(dialect), (json.dumps(list(chunks)),)
        wanted.update(name for row in rows for name in row)
    if not wanted or not scopes:
        return list[Edge]()
    values = json.dumps(some(wanted, scopes)), json.dumps(scopes), MOST_EDGES
    joined = [ids for row in (yield _IDS[dialect], values) for ids in row if ids]
    ids = sorted({int(id) for each in joined for id in each.split(",")})
    if not ids:
        return list[Edge]()
    rows = yield _by_id(dialect), (json.dumps(ids),)
    return [Edge(row[0], row[1], row[2], tuple(json.loads(row[3]))) for row in rows]


@lru_cache
def _of_chunks(dialect: str) -> str:
    return f"SELECT subject, object FROM relations WHERE chunk {among(dialect, '$1', 'bigint')}"  # noqa: S608 – constants


@lru_cache
def _by_id(dialect: str) -> str:
    which = among(dialect, "$1", "bigint")
    return f"SELECT chunk, subject, object, said FROM relations WHERE id {which} ORDER BY id"  # noqa: S608 – constants
