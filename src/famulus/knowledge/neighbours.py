"""Looking into the graph: which passages have a name, and what else each of them names."""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import (
    JSON,
    BigInteger,
    ColumnElement,
    Select,
    String,
    Subquery,
    cast,
    exists,
    func,
    literal,
    or_,
    select,
    union,
    union_all,
)
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.principal import Principal
from famulus.kernel.paging import Page, Paging, page, portion
from famulus.knowledge.mentions import filed_under
from famulus.knowledge.models import Chunk, Document, Mention, Relation
from famulus.knowledge.names import key_of, number_of, spellings
from famulus.knowledge.visibility import scope_of, visible_documents

MOST_NAMES = 20


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A passage that has a name."""

    chunk: Chunk
    document: Document
    about: bool
    """Whether its title or heading is the name."""
    names: tuple[str, ...]
    """Others in it, at most twenty, as they are written."""
    relations: tuple[list[str], ...]
    """What it says of the name, as a model has read it: subject, relation, object."""


async def neighbours(
    session: AsyncSession, principal: Principal, name: str, course_id: str | None, paging: Paging
) -> Page[Neighbour]:
    """The passages with a name that a person may read, those about it first; raises `NotFound` for the course."""
    scope = await scope_of(session, principal, course_id)
    number = number_of(key_of(name))
    readable = visible_documents(principal).with_only_columns(Document.id)
    within = _Within(session.get_bind().dialect.name, _listed(tuple(scope.words)))
    rows = _having(number, within, readable, paging)
    query = (
        select(rows.c.passing, rows.c.chunk, Chunk, Document)
        .join(Chunk, Chunk.number == rows.c.chunk)
        .join(Document, Document.id == Chunk.document_id)
    )
    found = await page(session, query, by=[rows.c.passing, rows.c.chunk], paging=paging)
    said = await _said(session, number, [row[1] for row in found.items])
    return found.map(
        lambda row: Neighbour(row[2], row[3], not row[0], _others(number, row[2]), tuple(said[row[1]]))
    )


@lru_cache(maxsize=16)
def _listed(scope_words: Sequence[str]) -> str:
    """Scopes as one value, however many they are: an admin's are those of every course."""
    return json.dumps([filed_under(word) for word in scope_words])


@dataclass(frozen=True, slots=True)
class _Within:
    """Scopes to walk along: held in a list of values, SQLite would sort them first, which takes twice as long."""

    dialect: str
    scopes: str

    def __call__(self, kind: type[Mention] | type[Relation]) -> ColumnElement[bool]:
        if self.dialect == "sqlite":
            return kind.scope == func.json_each(self.scopes).table_valued("value").c.value
        listed = cast(literal(self.scopes, String), JSON)
        value = func.json_array_elements_text(listed).table_valued("value").c.value
        return kind.scope == cast(value, BigInteger)


def _having(number: int, within: _Within, readable: Select[str], paging: Paging) -> Subquery:
    """The chunks that have a name, by themselves or as a model has read them, each once: those of one page of both.

    They are found by the name; whether their document can be read is asked one by one: of those there may be far more.
    """
    seen = exists(readable.where(Document.id == Chunk.document_id).correlate(Chunk))
    named = select(Mention.passing, Mention.chunk).join(Chunk, Chunk.number == Mention.chunk)
    named = named.where(Mention.name == number, within(Mention), seen)
    besides = exists().where(Mention.chunk == Relation.chunk, Mention.name == number).correlate(Relation)
    sides = [
        select(Relation.chunk).where(side == number, within(Relation), ~besides)
        for side in (Relation.subject, Relation.object)
    ]
    said = union(*sides).subquery()
    passing = said.c.chunk.is_not(None).label("passing")  # always true: no passage is about a relation
    read = select(passing, said.c.chunk).join(Chunk, Chunk.number == said.c.chunk).where(seen)
    pages = (
        portion(named, by=[Mention.passing, Mention.chunk], paging=paging),
        portion(read, by=[passing, said.c.chunk], paging=paging),
    )
    return union_all(*(select(one.subquery()) for one in pages)).subquery()


async def _said(session: AsyncSession, number: int, chunks: Sequence[int]) -> Mapping[int, list[list[str]]]:
    query = select(Relation.chunk, Relation.said).where(Relation.chunk.in_(chunks), _is_of(number))
    found: defaultdict[int, list[list[str]]] = defaultdict(list)
    for chunk, said in await session.execute(query.order_by(Relation.id)):
        found[chunk].append(said)
    return found


def _is_of(number: int) -> ColumnElement[bool]:
    return or_(Relation.subject == number, Relation.object == number)


def _others(number: int, chunk: Chunk) -> tuple[str, ...]:
    written: dict[int, str] = {}
    for spelling, found in spellings("\n".join((chunk.title, *chunk.heading_path, chunk.text))):
        if found != number and len(written) < MOST_NAMES:
            written.setdefault(found, spelling)
    return tuple(written.values())
