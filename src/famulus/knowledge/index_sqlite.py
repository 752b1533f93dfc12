"""The index on SQLite. Of words: FTS5 with its own bm25; the scope is a term of the query, a join is ten times slower.

Of meaning: vectors by scope in memory (slices.py). What they are is read in the transaction of the search, so that it
finds no chunk that is not there; versions tell which have changed since, by whichever process.
"""

import asyncio
import json
from collections.abc import Collection
from functools import partial
from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.ddl import SCOPES, VECTORS
from famulus.knowledge.index import Found, Hit, Scope, Target, size_of
from famulus.knowledge.words import Question

_SEARCH = text(
    "SELECT chunks.id, -found.score, chunks.number FROM"
    " (SELECT rowid, rank AS score FROM chunk_words WHERE chunk_words MATCH :match ORDER BY rank LIMIT :limit) AS found"
    " JOIN chunks ON chunks.number = found.rowid ORDER BY found.score, chunks.id"
)
_VERSIONS = text(f"SELECT scope, version FROM {SCOPES} WHERE scope IN (SELECT value FROM json_each(:scopes))")
_ROWS = text(f"SELECT id FROM {VECTORS} WHERE model = :model AND scope = :scope ORDER BY id")
_NEW = text(
    f"SELECT id, chunk, vector FROM {VECTORS} WHERE id IN (SELECT value FROM json_each(:ids)) ORDER BY id"
)
_CHUNKS = text("SELECT number, id FROM chunks WHERE number IN (SELECT value FROM json_each(:numbers))")
_COUNT = "(SELECT count(*) FROM chunk_words WHERE chunk_words MATCH :m{})"


class SqliteIndex:
    """FTS5 over `chunks` and their vectors in memory; shares the session's transaction. One for each database."""

    def __init__(self) -> None:
        self._slices: Any = None

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """See `Index.search`."""
        reach = scope.words
        if not question.terms or not reach:
            return Found([], {}, 0)
        # A text may contain any word; only the column `scope` says whose it is.
        within = "scope : (" + _any_of([(word,) for word in reach]) + ")"
        frequencies = await _frequencies(session, question, within)
        wanted = _any_of([*((term,) for term in question.terms), *question.phrases])
        rows = await session.execute(_SEARCH, {"match": f"{within} AND ({wanted})", "limit": limit})
        return Found([Hit(*row) for row in rows], frequencies, await size_of(session, scope))

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """See `Index.nearest`."""
        from famulus.knowledge import slices  # lazy: NumPy, which a search by words does without

        self._slices = self._slices or slices.Slices()
        rows = await session.execute(_VERSIONS, {"scopes": json.dumps(scope.words)})
        found = [await self._slice(session, target, *row) for row in rows.all()]
        if not any(len(one.ids) for one in found):
            return []
        near = await asyncio.to_thread(partial(slices.nearest, found, target.data, limit, besides))
        wanted = json.dumps([number for number, _ in near])
        ids: dict[int, str] = dict((await session.execute(_CHUNKS, {"numbers": wanted})).all())
        return [Hit(ids[number], score, number) for number, score in near]

    async def _slice(self, session: AsyncSession, target: Target, scope: str, version: int) -> Any:
        from famulus.knowledge import slices  # lazy: NumPy, which a search by words does without

        key = (target.model, scope)
        held = self._slices.get(key)
        if held is not None and held.version == version:
            return held
        ids = (await session.execute(_ROWS, {"model": target.model, "scope": scope})).scalars().all()
        new = json.dumps(slices.newer(held, ids))
        rows = (await session.execute(_NEW, {"ids": new})).all()
        fresh = slices.brought_up(held, version, ids, rows, target.dimension)
        self._slices.put(key, fresh)
        return fresh


async def _frequencies(session: AsyncSession, question: Question, within: str) -> dict[str, int]:
    matches = [f"{within} AND {_any_of([(term,)])}" for term in question.terms]
    columns = ", ".join(_COUNT.format(n) for n in range(len(matches)))
    values = {f"m{n}": match for n, match in enumerate(matches)}
    counts = (await session.execute(text(f"SELECT {columns}"), values)).one()
    return dict(zip(question.terms, counts, strict=True))


def _any_of(phrases: list[tuple[str, ...]]) -> str:
    """Each phrase quoted, so that nothing in it is an operator; words are letters and digits by now."""
    return " OR ".join('"' + " ".join(phrase) + '"' for phrase in phrases)
