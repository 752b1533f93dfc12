"""Looking into the graph: which passages have a name, and what else each of them names."""

from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.principal import Principal
from famulus.kernel.paging import Page, Paging, page
from famulus.knowledge.mentions import filed_under
from famulus.knowledge.models import Chunk, Document, Mention
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


async def neighbours(
    session: AsyncSession, principal: Principal, name: str, course_id: str | None, paging: Paging
) -> Page[Neighbour]:
    """The passages with a name that a person may read, those about it first; raises `NotFound` for the course."""
    scope = await scope_of(session, principal, course_id)
    number = number_of(key_of(name))
    query = (
        select(Mention.passing, Mention.chunk, Chunk, Document)
        .join(Chunk, Chunk.number == Mention.chunk)
        .join(Document, Document.id == Chunk.document_id)
        .where(
            Mention.name == number,
            Mention.scope.in_([filed_under(word) for word in scope.words]),
            Document.id.in_(visible_documents(principal).with_only_columns(Document.id)),
        )
    )
    found = await page(session, query, by=[Mention.passing, Mention.chunk], paging=paging)
    return found.map(lambda row: Neighbour(row[2], row[3], not row[0], _others(number, row[2])))


def _others(number: int, chunk: Chunk) -> tuple[str, ...]:
    written: dict[int, str] = {}
    for spelling, found in spellings("\n".join((chunk.title, *chunk.heading_path, chunk.text))):
        if found != number and len(written) < MOST_NAMES:
            written.setdefault(found, spelling)
    return tuple(written.values())
