"""The index on SQLite. Of words: FTS5 with its own bm25; the scope is a term of the query, a join is ten times slower.

Of meaning: vectors by scope in memory (slices.py). What they are is read in the transaction of the search, so that it
finds no chunk that is not there; versions tell which have changed since, by whichever process.
"""

import json
from collections.abc import Collection
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import run_in
from famulus.kernel.lane import Script
from famulus.knowledge.ddl import SCOPES, VECTORS
from famulus.knowledge.index import Found, Hit, Scope, Target, of_wanted, size, wanted_numbers
from famulus.knowledge.words import Question

_SEARCH = (
    "SELECT chunks.id, -found.score, chunks.number FROM"
    " (SELECT rowid, rank AS score FROM chunk_words WHERE chunk_words MATCH $1 ORDER BY rank LIMIT $2) AS found"
    " JOIN chunks ON chunks.number = found.rowid ORDER BY found.score, chunks.id"
)
_WANTED = _SEARCH.replace(
    "$1 ORDER",
    "$1 AND EXISTS (SELECT 1 FROM chunks JOIN documents ON documents.id = chunks.document_id"
    f" WHERE chunks.number = chunk_words.rowid AND {of_wanted('sqlite', '$3', '$4')}) ORDER",
)
_COUNT = "SELECT count(*) FROM chunk_words WHERE chunk_words MATCH $1"
_VERSIONS = f"SELECT scope, version FROM {SCOPES} WHERE scope IN (SELECT value FROM json_each($1))"
_ROWS = f"SELECT id FROM {VECTORS} WHERE model = $1 AND scope = $2 ORDER BY id"
_NEW = f"SELECT id, chunk, vector FROM {VECTORS} WHERE id IN (SELECT value FROM json_each($1)) ORDER BY id"
_CHUNKS = "SELECT number, id FROM chunks WHERE number IN (SELECT value FROM json_each($1))"


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
        return await run_in(session, _search(question, scope, within, limit))

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """See `Index.nearest`."""
        from famulus.knowledge import slices  # lazy: NumPy, which a search by words does without

        self._slices = self._slices or slices.Slices()
        return await run_in(session, self._nearest(target, scope, limit, besides))

    def _nearest(self, target: Target, scope: Scope, limit: int, besides: Collection[int]) -> Script:
        """Compares in the connection's thread, too: a way there and back takes longer than some thousand products."""
        from famulus.knowledge import slices  # lazy: NumPy, which a search by words does without

        found = yield from self._brought_up(target, scope)
        if not any(len(one.ids) for one in found):
            return []
        wanted = (yield from wanted_numbers(scope, "sqlite")) if scope.filtered else None
        near = slices.nearest(found, target.data, limit, besides, wanted)
        rows = yield _CHUNKS, (json.dumps([number for number, _ in near]),)
        ids: dict[int, str] = {row[0]: row[1] for row in rows}
        return [Hit(ids[number], score, number) for number, score in near]

    def _brought_up(self, target: Target, scope: Scope) -> Script:
        """The slices of a scope, as they are in this transaction."""
        from famulus.knowledge import slices  # lazy: NumPy, which a search by words does without

        found: list[Any] = []
        for word, version in (yield _VERSIONS, (json.dumps(scope.words),)):
            key = (target.model, word)
            held = self._slices.get(key)
            if held is None or held.version != version:
                ids = [row[0] for row in (yield _ROWS, key)]
                rows = yield _NEW, (json.dumps(slices.newer(held, ids)),)
                held = slices.brought_up(held, version, ids, rows, target.dimension)
                self._slices.put(key, held)
            found.append(held)
        return found


def _search(question: Question, scope: Scope, within: str, limit: int) -> Script:
    """How common each term is, and the best hits."""
    frequencies: dict[str, int] = {}
    for term in question.terms:
        ((count,),) = yield _COUNT, (f"{within} AND {_any_of([(term,)])}",)
        frequencies[term] = count
    wanted = _any_of([*((term,) for term in question.terms), *question.phrases])
    values = f"{within} AND ({wanted})", limit
    rows = yield (_WANTED, (*values, *scope.wanted)) if scope.filtered else (_SEARCH, values)
    return Found([Hit(*row) for row in rows], frequencies, (yield from size(scope, "sqlite")))


def _any_of(phrases: list[tuple[str, ...]]) -> str:
    """Each phrase quoted, so that nothing in it is an operator; words are letters and digits by now."""
    return " OR ".join('"' + " ".join(phrase) + '"' for phrase in phrases)
