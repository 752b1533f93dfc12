"""The words index on SQLite: FTS5 with its own bm25. The scope is a term of the query: a join is ten times slower."""

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.index import Found, Hit, Scope, size_of
from famulus.knowledge.words import Question

_SEARCH = text(
    "SELECT chunks.id, -found.score FROM"
    " (SELECT rowid, rank AS score FROM chunk_words WHERE chunk_words MATCH :match ORDER BY rank LIMIT :limit) AS found"
    " JOIN chunks ON chunks.number = found.rowid ORDER BY found.score, chunks.id"
)
_COUNT = "(SELECT count(*) FROM chunk_words WHERE chunk_words MATCH :m{})"


class SqliteIndex:
    """FTS5 over `chunks`; shares the session's transaction."""

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
        return Found([Hit(row[0], row[1]) for row in rows], frequencies, await size_of(session, scope))


async def _frequencies(session: AsyncSession, question: Question, within: str) -> dict[str, int]:
    matches = [f"{within} AND {_any_of([(term,)])}" for term in question.terms]
    columns = ", ".join(_COUNT.format(n) for n in range(len(matches)))
    values = {f"m{n}": match for n, match in enumerate(matches)}
    counts = (await session.execute(text(f"SELECT {columns}"), values)).one()
    return dict(zip(question.terms, counts, strict=True))


def _any_of(phrases: list[tuple[str, ...]]) -> str:
    """Each phrase quoted, so that nothing in it is an operator; words are letters and digits by now."""
    return " OR ".join('"' + " ".join(phrase) + '"' for phrase in phrases)
