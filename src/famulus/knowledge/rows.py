"""Chunks as a search reads them: with their documents, in one statement, and without the unit of work's objects."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sqlalchemy import select, text

from famulus.kernel.database import statement_of
from famulus.kernel.lane import Script
from famulus.knowledge.index import Kind, Scope, among, kind_of
from famulus.knowledge.models import Chunk, Document

COLUMNS = (
    Chunk.id, Chunk.number, Chunk.scope, Chunk.title, Chunk.heading_path, Chunk.anchor, Chunk.symbol,
    Chunk.first_line, Chunk.last_line, Chunk.text, Chunk.parts,
    Document.id, Document.title, Document.path, Document.course_id, Document.lesson_id,
    Document.source_id, Document.format,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """What of a chunk and its document a passage is made of; in the order of `COLUMNS`."""

    id: str
    number: int
    scope: str
    title: str
    heading_path: list[str]
    anchor: str
    symbol: str
    first_line: int | None
    last_line: int | None
    text: str
    parts: str
    document_id: str
    document_title: str
    path: str
    course_id: str | None
    lesson_id: str | None
    source_id: str
    format: str

    @property
    def kind(self) -> Kind:
        """Its document's."""
        return kind_of(self.format, self.lesson_id)

    @property
    def said(self) -> str:
        """Its title, headings and text."""
        return "\n".join((self.title, *self.heading_path, self.text))


def rows_of(numbers: Iterable[int], scope: Scope, dialect: str) -> Script:
    """The script that reads chunks by number, as far as the scope goes now, whatever an index said."""
    within = frozenset(scope.words)
    found = yield _by_number(dialect), (json.dumps(list(numbers)),)
    rows = [_row(each) for each in found if each[2] in within]
    return [row for row in rows if scope.wants(row.source_id, row.kind)]


def _row(columns: Sequence[Any]) -> Row:
    values = list(columns)
    values[4] = json.loads(values[4])
    return Row(*values)


@lru_cache
def _by_number(dialect: str) -> str:
    which = text(f"chunks.number {among(dialect, '$1', 'bigint')}")
    return statement_of(select(*COLUMNS).join(Document).where(which), dialect)[0]
