"""What every index of chunks can be asked, and in which words: a question, a scope, the hits.

The database that holds the chunks keeps its words index itself (ddl.py), so that here is nothing to add to or to
remove from it: what is written to `chunks` is found by the next search, what is gone from there is not.
"""

from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import and_, func, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.knowledge.models import Source
from famulus.knowledge.words import Question


def scope_word(organization_id: str, course_id: str | None, published: bool) -> str:
    """The one word under which a chunk is filed. It ends in a digit, which no stemmer touches."""
    return (course_id or organization_id).replace("_", "") + ("1" if published else "0")


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be searched. It is part of the query in every index."""

    courses: tuple[tuple[str, bool], ...] = ()
    """Ids of courses, each with whether its drafts are included."""
    organization_id: str | None = None
    """The organization whose general material is included."""

    @property
    def words(self) -> tuple[str, ...]:
        """The scope words of all chunks in reach."""
        found = [scope_word("", course, True) for course, _ in self.courses]
        found += [scope_word("", course, False) for course, drafts in self.courses if drafts]
        if self.organization_id is not None:
            found.append(scope_word(self.organization_id, None, True))
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Hit:
    """A chunk that shares words with the question."""

    chunk_id: str
    score: float
    """The larger the better; comparable within one search only."""


@dataclass(frozen=True, slots=True)
class Found:
    """The hits, best first, and how common each of the question's terms is in the scope."""

    hits: list[Hit]
    frequencies: dict[str, int]
    """In how many chunks of the scope each term stands."""
    total: int
    """About how many chunks the scope has."""


class Index(Protocol):
    """Finds chunks by their words."""

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """At most `limit` chunks of `scope` that share any word with `question`."""
        ...


async def size_of(session: AsyncSession, scope: Scope) -> int:
    """About how many chunks a scope has, as its sources have counted them; drafts included."""
    general = and_(Source.course_id.is_(None), Source.organization_id == scope.organization_id)
    within = or_(Source.course_id.in_([course for course, _ in scope.courses]), general)
    return await session.scalar(select(func.coalesce(func.sum(Source.chunks), 0)).where(within)) or 0
