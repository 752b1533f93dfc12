"""The graph as it is stored: which names a passage has, filed by scope. A row goes with its chunk, by reference."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import run_in
from famulus.kernel.lane import Script
from famulus.knowledge.index import among
from famulus.knowledge.models import Chunk, Mention
from famulus.knowledge.names import Names
from famulus.knowledge.walking import Place

MOST_PLACES = 32
"""Passages looked up for one name and scope. A name that more have leads only to those that are about it."""
MOST_LOOKUPS = 4_000
"""Names times scopes, in one query."""

_OF = "SELECT chunk, passing FROM mentions WHERE scope = {} AND name = {} ORDER BY passing, chunk LIMIT $3"
_PLACES = {
    "sqlite": "WITH found AS MATERIALIZED (SELECT n.value AS name,"  # noqa: S608 – constants of this file
    f" (SELECT group_concat(chunk * 2 + passing) FROM ({_OF.format('s.value', 'n.value')})) AS places"
    " FROM json_each($1) AS n, json_each($2) AS s)"
    " SELECT name, places FROM found WHERE places IS NOT NULL",
    "postgresql": "SELECT n::bigint, found.places"  # noqa: S608 – constants of this file
    " FROM jsonb_array_elements_text(CAST(CAST($1 AS text) AS jsonb)) AS n"
    " CROSS JOIN jsonb_array_elements_text(CAST(CAST($2 AS text) AS jsonb)) AS s"
    " CROSS JOIN LATERAL (SELECT string_agg((chunk::bigint * 2 + passing::int)::text, ',') AS places"
    f" FROM ({_OF.format('s::bigint', 'n::bigint')}) AS one) AS found WHERE found.places IS NOT NULL",
}
"""The chunks that have each of some names, within each of some scopes."""


@lru_cache(maxsize=10_000)
def filed_under(scope_word: str) -> int:
    """A scope as a number, which is a quarter as long: 63 bits of a hash of its word."""
    return int.from_bytes(blake2b(scope_word.encode(), digest_size=8).digest()) >> 1


async def note(session: AsyncSession, chunks: Sequence[Mapping[str, Any]], names: Sequence[Names]) -> None:
    """File the names of new chunks, given as rows of `chunks` in the same order."""
    documents = {row["document_id"] for row in chunks}
    query = select(Chunk.id, Chunk.number).where(Chunk.document_id.in_(documents))
    numbers = {row[0]: row[1] for row in await session.execute(query)}
    rows = [
        {"scope": filed_under(row["scope"]), "name": name, "passing": passing, "chunk": numbers[row["id"]]}
        for row, found in zip(chunks, names, strict=True)
        for passing, those in ((False, found.about), (True, found.passing))
        for name in those
    ]
    if rows:
        await session.execute(insert(Mention.__table__), rows)  # pyright: ignore[reportArgumentType] – a Table


async def refile(session: AsyncSession, document_id: str, scope_word: str) -> None:
    """Follow a document whose chunks have moved to another scope."""
    chunks = select(Chunk.number).where(Chunk.document_id == document_id)
    await session.execute(
        update(Mention).where(Mention.chunk.in_(chunks)).values(scope=filed_under(scope_word))
    )


async def places(
    session: AsyncSession, names: Collection[int], scope_words: Sequence[str]
) -> dict[int, list[Place]]:
    """The chunks within scopes that have each of these names; of too many, only those that are about it."""
    scopes = [filed_under(word) for word in scope_words]
    return await run_in(session, _places(names, scopes, session.get_bind().dialect.name))


async def nodes(
    session: AsyncSession,
    chunks: Collection[int],
    besides: Collection[int],
    scope_words: Sequence[str],
    known: Collection[int],
) -> dict[int, list[Place]]:
    """As `places`, the names of chunks and others besides, as far as something within the scopes is about them.

    Without those that are known already.
    """
    scopes = [filed_under(word) for word in scope_words]

    def script(dialect: str) -> Script:
        rows = yield _names_at(dialect), (json.dumps(list(chunks)),)
        names = {row[0] for row in rows}.union(besides).difference(known)
        rows = yield _about(dialect), (json.dumps(scopes), json.dumps(some(names, scopes)))
        return (yield from _places([row[0] for row in rows], scopes, dialect))

    return await run_in(session, script(session.get_bind().dialect.name))


def some(names: Collection[int], scopes: Sequence[int]) -> list[int]:
    """As many of some names as may be looked up in so many scopes."""
    return sorted(names)[: max(1, MOST_LOOKUPS // max(1, len(scopes)))]


@lru_cache
def _names_at(dialect: str) -> str:
    return f"SELECT DISTINCT name FROM mentions WHERE chunk {among(dialect, '$1', 'bigint')}"  # noqa: S608 – constants


@lru_cache
def _about(dialect: str) -> str:
    scopes, names = among(dialect, "$1", "bigint"), among(dialect, "$2", "bigint")
    return f"SELECT DISTINCT name FROM mentions WHERE scope {scopes} AND name {names} AND NOT passing"  # noqa: S608


def _places(names: Collection[int], scopes: Sequence[int], dialect: str) -> Script:
    found: defaultdict[int, list[Place]] = defaultdict(list)
    if not names or not scopes:
        return found
    values = json.dumps(some(names, scopes)), json.dumps(scopes), MOST_PLACES
    for name, joined in (yield _PLACES[dialect], values):
        codes = [int(code) for code in joined.split(",")]
        full = len(codes) == MOST_PLACES
        found[name] += [Place(code >> 1, not code & 1) for code in codes if not (full and code & 1)]
    return {name: those for name, those in found.items() if those}
