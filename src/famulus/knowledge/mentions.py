"""The graph as it is stored: which names a passage has, filed by scope. A row goes with its chunk, by reference."""

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.models import Chunk, Mention
from famulus.knowledge.names import Names
from famulus.knowledge.walking import Place

MOST_PLACES = 32
"""Passages looked up for one name and scope. A name that more have leads only to those that are about it."""
MOST_LOOKUPS = 4_000
"""Names times scopes, in one query."""

_OF = "SELECT chunk, passing FROM mentions WHERE scope = {} AND name = {} ORDER BY passing, chunk LIMIT :most"
_SQLITE = text(
    "WITH found AS MATERIALIZED (SELECT n.value AS name,"  # noqa: S608 – constants of this file
    f" (SELECT group_concat(chunk * 2 + passing) FROM ({_OF.format('s.value', 'n.value')})) AS places"
    " FROM json_each(:names) AS n, json_each(:scopes) AS s)"
    " SELECT name, places FROM found WHERE places IS NOT NULL"
)
_POSTGRES = text(
    "SELECT n, found.places FROM unnest(CAST(:names AS bigint[])) AS n"  # noqa: S608 – constants of this file
    " CROSS JOIN unnest(CAST(:scopes AS bigint[])) AS s"
    " CROSS JOIN LATERAL (SELECT string_agg((chunk::bigint * 2 + passing::int)::text, ',') AS places"
    f" FROM ({_OF.format('s', 'n')}) AS one) AS found WHERE found.places IS NOT NULL"
)


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


async def names_at(session: AsyncSession, chunks: Collection[int]) -> set[int]:
    """The names that chunks have."""
    query = select(Mention.name).where(Mention.chunk.in_(chunks)).distinct()
    return set((await session.execute(query)).scalars())


async def places(
    session: AsyncSession, names: Collection[int], scope_words: Sequence[str]
) -> dict[int, list[Place]]:
    """The chunks within scopes that have each of these names; of too many, only those that are about it."""
    scopes = [filed_under(word) for word in scope_words]
    if not names or not scopes:
        return {}
    wanted = sorted(names)[: max(1, MOST_LOOKUPS // len(scopes))]
    sqlite = session.get_bind().dialect.name == "sqlite"
    sql = _SQLITE if sqlite else _POSTGRES
    values = (
        {"names": json.dumps(wanted), "scopes": json.dumps(scopes)}
        if sqlite
        else {"names": wanted, "scopes": scopes}
    )
    found: defaultdict[int, list[Place]] = defaultdict(list)
    for name, joined in await session.execute(sql, {**values, "most": MOST_PLACES}):
        codes = [int(code) for code in joined.split(",")]
        full = len(codes) == MOST_PLACES
        found[name] += [Place(code >> 1, not code & 1) for code in codes if not (full and code & 1)]
    return {name: those for name, those in found.items() if those}
