"""What every index of chunks can be asked: a question in words or as a vector, a scope, the hits.

The database that holds the chunks keeps its indexes itself (ddl.py), so that here is nothing to add to or to
remove from them: what is written there is found by the next search, what is gone from there is not.
"""

import math
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import String, TextClause, bindparam, text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.ddl import VECTORS
from famulus.knowledge.words import Question


def scope_word(organization_id: str | None, course_id: str | None, published: bool) -> str:
    """The one word under which a chunk is filed. It ends in a digit, which no stemmer touches."""
    return (course_id or organization_id or "everybody").replace("_", "") + ("1" if published else "0")


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be searched. It is part of the query in every index."""

    courses: tuple[tuple[str, bool], ...] = ()
    """Ids of courses, each with whether its drafts are included."""
    organization_id: str | None = None
    """The organization whose general material is included."""

    @property
    def words(self) -> tuple[str, ...]:
        """The scope words of all chunks in reach; what is there for everybody among them."""
        found = [scope_word(None, None, True), *(scope_word("", course, True) for course, _ in self.courses)]
        found += [scope_word("", course, False) for course, drafts in self.courses if drafts]
        if self.organization_id is not None:
            found.append(scope_word(self.organization_id, None, True))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that shares words with the question, or is near it in meaning."""

    chunk_id: str
    score: float
    """The larger the better. Of words: comparable within one search only. Of meaning: -1 to 1, 1 being the same."""
    number: int
    """The chunk's number."""


@dataclass(frozen=True, slots=True)
class Target:
    """A question as a vector."""

    model: int
    """Of `vector_models`; only its vectors are compared."""
    dimension: int
    data: bytes
    """float32, of length 1."""


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, best first, and how common each of the question's terms is in the scope."""

    hits: list[Hit]
    frequencies: dict[str, int]
    """In how many chunks of the scope each term stands."""
    total: int
    """About how many chunks the scope has."""


def rarity_of(frequency: int, total: int) -> float:
    """How much a word tells that stands in so many of the chunks (BM25's idf, never below 0)."""
    return max(1e-6, math.log((max(total, frequency) - frequency + 0.5) / (frequency + 0.5)))


class Index(Protocol):
    """Finds chunks by their words and by their meaning."""

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """At most `limit` chunks of `scope` that share any word with `question`."""
        ...

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """The `limit` chunks of `scope` nearest to `target`, best first; none is skipped in scopes of ordinary size.

        Among them are those of the chunks with the numbers `besides` that have a vector in the scope, however far.
        """
        ...


_SIZE = (
    "SELECT coalesce(sum(chunks), 0) FROM sources WHERE course_id IN :courses"
    " OR course_id IS NULL AND (organization_id IS NULL OR organization_id = :organization)"
)
_HAD = f"SELECT count(*) FROM {VECTORS} WHERE model = :model AND scope IN :scopes"  # noqa: S608 – a constant


def _listed(sql: str, name: str) -> TextClause:
    """A statement with a list among its values."""
    return text(sql).bindparams(bindparam(name, expanding=True, type_=String()))


async def size_of(session: AsyncSession, scope: Scope) -> int:
    """About how many chunks a scope has, as its sources have counted them; drafts included."""
    values = {"courses": [course for course, _ in scope.courses], "organization": scope.organization_id}
    return await session.scalar(_listed(_SIZE, "courses"), values) or 0


async def vectors_in(session: AsyncSession, model: int, scope: Scope) -> int:
    """How many chunks of a scope have a vector of a model; drafts included, as in `size_of`."""
    every = Scope(tuple((course, True) for course, _ in scope.courses), scope.organization_id).words
    return await session.scalar(_listed(_HAD, "scopes"), {"model": model, "scopes": list(every)}) or 0
