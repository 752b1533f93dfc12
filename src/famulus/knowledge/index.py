"""What every index of chunks can be asked: a question in words or as a vector, a scope, the hits.

The database that holds the chunks keeps its indexes itself (ddl.py), so that here is nothing to add to or to
remove from them: what is written there is found by the next search, what is gone from there is not.
"""

import json
import math
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.database import run_in
from famulus.kernel.lane import Script
from famulus.knowledge.words import Question


def scope_word(organization_id: str | None, course_id: str | None, published: bool) -> str:
    """The one word under which a chunk is filed. It ends in a digit, which no stemmer touches."""
    return (course_id or organization_id or "everybody").replace("_", "") + ("1" if published else "0")


Kind = Literal["document", "lesson", "code", "operation"]
"""What a document is; each of an API's description is an operation of it."""
KINDS: tuple[Kind, ...] = ("document", "lesson", "code", "operation")
_BY_FORMAT: dict[str, Kind] = {"openapi": "operation", "code": "code"}


def kind_of(format: str, lesson_id: str | None) -> Kind:
    """The kind of a document."""
    return "lesson" if lesson_id is not None else _BY_FORMAT.get(format, "document")


@dataclass(frozen=True, slots=True)
class Scope:
    """What may be searched. It is part of the query in every index."""

    courses: tuple[tuple[str, bool], ...] = ()
    """Ids of courses, each with whether its drafts are included."""
    organization_id: str | None = None
    """The organization whose general material is included."""
    sources: tuple[str, ...] = ()
    """Of what may be searched, only what is from these; any if there are none."""
    kinds: tuple[Kind, ...] = ()
    """Only what is of these; likewise."""
    related: bool = False
    """Whether a model has read relations between names, in reach or not."""

    @property
    def filtered(self) -> bool:
        """Whether not all of it is wanted."""
        return bool(self.sources or self.kinds)

    @property
    def wanted(self) -> tuple[str, str]:
        """The values of the statements with `of_wanted`."""
        return json.dumps(self.sources), json.dumps(self.kinds)

    @property
    def owners(self) -> tuple[str, str | None]:
        """The values of the statements with `of_size`."""
        return json.dumps([course for course, _ in self.courses]), self.organization_id

    def wants(self, source_id: str, kind: Kind) -> bool:
        """Whether a document of the scope is among those that are wanted."""
        return (not self.sources or source_id in self.sources) and (not self.kinds or kind in self.kinds)

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
    """In how many chunks of the scope each term stands, wanted or not."""
    total: int
    """About how many chunks the scope has."""


def rarity_of(frequency: int, total: int) -> float:
    """How much a word tells that stands in so many of the chunks (BM25's idf, never below 0)."""
    return max(1e-6, math.log((max(total, frequency) - frequency + 0.5) / (frequency + 0.5)))


class Index(Protocol):
    """Finds chunks by their words and by their meaning."""

    async def search(self, session: AsyncSession, question: Question, scope: Scope, limit: int) -> Found:
        """At most `limit` wanted chunks of `scope` that share any word with `question`."""
        ...

    async def nearest(
        self, session: AsyncSession, target: Target, scope: Scope, limit: int, besides: Collection[int] = ()
    ) -> list[Hit]:
        """The `limit` wanted chunks of `scope` nearest to `target`, best first; none is skipped in ordinary scopes.

        Among them are those of the chunks with the numbers `besides` that have a vector in the scope, however far.
        """
        ...


def among(dialect: str, place: str, kind: Literal["text", "bigint"] = "text") -> str:
    """SQL for whether what stands before it is in a list: a value of a script, as JSON, at a place such as `$1`."""
    if dialect == "sqlite":
        return f"IN (SELECT value FROM json_each({place}))"  # noqa: S608 – a place
    return f"= ANY (ARRAY(SELECT jsonb_array_elements_text(CAST(CAST({place} AS text) AS jsonb)))::{kind}[])"


_KIND = (
    "CASE WHEN documents.lesson_id IS NOT NULL THEN 'lesson'"
    + "".join(f" WHEN documents.format = '{format}' THEN '{kind}'" for format, kind in _BY_FORMAT.items())
    + " ELSE 'document' END"
)


def of_wanted(dialect: str, sources: str, kinds: str) -> str:
    """SQL for whether a row of `documents` is wanted; at the two places stand `Scope.wanted`."""
    return (
        f"({sources} = '[]' OR documents.source_id {among(dialect, sources)})"
        f" AND ({kinds} = '[]' OR {_KIND} {among(dialect, kinds)})"
    )


@lru_cache
def _numbers(dialect: str) -> str:
    general = "documents.course_id IS NULL AND (documents.organization_id IS NULL OR documents.organization_id = $4)"
    return (
        "SELECT chunks.number FROM documents JOIN chunks ON chunks.document_id = documents.id"  # noqa: S608 – constants
        f" WHERE {of_wanted(dialect, '$1', '$2')} AND (documents.course_id {among(dialect, '$3')} OR {general})"
    )


def wanted_numbers(scope: Scope, dialect: str) -> Script:
    """The script that finds the numbers of the wanted chunks, drafts among them."""
    rows = yield _numbers(dialect), (*scope.wanted, *scope.owners)
    return [row[0] for row in rows]


@lru_cache
def of_size(dialect: str, courses: str, organization: str) -> str:
    """SQL for about how many chunks a scope has; at the two places stand its courses, as JSON, and its organization."""
    return (
        f"SELECT coalesce(sum(chunks), 0) FROM sources WHERE course_id {among(dialect, courses)}"  # noqa: S608 – constants
        f" OR course_id IS NULL AND (organization_id IS NULL OR organization_id = {organization})"
    )


def size(scope: Scope, dialect: str) -> Script:
    """The script of `size_of`."""
    ((found,),) = yield of_size(dialect, "$1", "$2"), scope.owners
    return int(found)


async def size_of(session: AsyncSession, scope: Scope) -> int:
    """About how many chunks a scope has, as its sources have counted them; drafts included."""
    return await run_in(session, size(scope, session.get_bind().dialect.name))
