"""What leaves the knowledge room."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field

from famulus.kernel.text import LongText
from famulus.knowledge.blocks import Format
from famulus.knowledge.ingest import Report
from famulus.knowledge.meaning import State
from famulus.knowledge.models import Chunk, Document, Source
from famulus.knowledge.neighbours import Neighbour
from famulus.knowledge.retrieve import Answer, OpenPassage, Passage, fits
from famulus.knowledge.walk import Remark

MOST_REMARKS = 100
Query = Annotated[str, LongText(10_000)]
Entity = Annotated[str, LongText(200)]


class StepOut(BaseModel):
    """A passage on the way to another one."""

    passage_id: str
    title: str
    name: str = Field(description="What it names that led on.")
    relation: str | None = Field(
        description="What a model has read of that name, as `A —relation→ B`; null where the name alone led on."
    )


class PassageOut(BaseModel):
    """A stretch of a document that answers a question."""

    id: str
    document_id: str
    lesson_id: str | None
    course_id: str | None
    title: str = Field(description="Of the document; of code `file:line`.")
    heading_path: list[str]
    symbol: str = Field(description="What code defines, or an operation's id; empty elsewhere.")
    lines: tuple[int, int] | None = Field(description="First and last line of code in its file, from 1.")
    text: str = Field(description="Markdown.")
    quote: str = Field(description="The best sentences: a slice of the text of at most 300 characters.")
    url: str = Field(description="Where the web app shows it.")
    score: float = Field(description="0 to 1; the larger the better.")
    coverage: float = Field(description="0 to 1: which share of the question's telling words it has.")
    nearness: float | None = Field(description="How near in meaning, up to 1; null where that is not known.")
    words: list[str] = Field(description="Stems of the question's words that it has, the most telling first.")
    fits: bool = Field(description="Whether it is worth answering from.")
    path: list[StepOut] = Field(
        description="How the graph led here, from a passage with words of the question on; empty where those did."
    )

    @classmethod
    def of(cls, passage: Passage) -> Self:
        """As it is sent."""
        return cls(
            id=passage.id,
            document_id=passage.document_id,
            lesson_id=passage.lesson_id,
            course_id=passage.course_id,
            title=passage.title,
            heading_path=list(passage.heading_path),
            symbol=passage.symbol,
            lines=passage.lines,
            text=passage.text,
            quote=passage.quote,
            url=passage.url,
            score=round(passage.score, 4),
            coverage=round(passage.coverage, 4),
            nearness=None if passage.nearness is None else round(passage.nearness, 4),
            words=list(passage.words),
            fits=fits(passage),
            path=[
                StepOut(passage_id=step.passage_id, title=step.title, name=step.name, relation=step.relation)
                for step in passage.path
            ],
        )


class PassageList(BaseModel):
    """Passages, best first."""

    items: list[PassageOut]
    meaning: State = Field(
        description="Whether meaning had a say: ready; partial, some chunks are still to get their vectors; pending,"
        " all are; off, there is no embedding model; unavailable, it did not answer."
    )
    reading: int = Field(
        description="How many sources in reach are still being read: what they hold may not have been found yet."
    )
    other_language: bool = Field(
        description="Whether the question is in another language than what was found: ask in that of the material."
    )

    @classmethod
    def of(cls, answer: Answer) -> Self:
        """As it is sent."""
        items = [PassageOut.of(passage) for passage in answer.passages]
        return cls(
            items=items,
            meaning=answer.meaning,
            reading=answer.reading,
            other_language=answer.other_language,
        )


class RelationOut(BaseModel):
    """A triple: how a passage says two names to be related, as a model has read it."""

    subject: str
    relation: str
    object: str


class NeighbourOut(BaseModel):
    """A passage that has a name."""

    passage_id: str
    document_id: str
    lesson_id: str | None
    course_id: str | None
    title: str
    heading_path: list[str]
    about: bool = Field(
        description="Whether its title or heading is the name; otherwise it is named in passing."
    )
    names: list[str] = Field(description="Other names in it, at most twenty, by which one can go on.")
    relations: list[RelationOut] = Field(
        description="What it says of the name in relation to others; empty where no model has read it."
    )

    @classmethod
    def of(cls, one: Neighbour) -> Self:
        """As it is sent."""
        return cls(
            passage_id=one.chunk.id,
            document_id=one.document.id,
            lesson_id=one.document.lesson_id,
            course_id=one.document.course_id,
            title=one.document.title,
            heading_path=one.chunk.heading_path,
            about=one.about,
            names=list(one.names),
            relations=[
                RelationOut(subject=said[0], relation=said[1], object=said[2]) for said in one.relations
            ],
        )


class NeighbourPage(BaseModel):
    """Some of the passages that have a name, those about it first."""

    items: list[NeighbourOut]
    next: str | None = Field(description="Give it as `after` for the next page; null at the end.")


class OpenPassageOut(PassageOut):
    """A passage between its neighbours."""

    before: str = Field(description="The text before it in its document; empty at the beginning.")
    after: str

    @classmethod
    def opened(cls, opened: OpenPassage) -> Self:
        """As it is sent."""
        plain = PassageOut.of(opened.passage)
        return cls(**plain.model_dump(), before=opened.before, after=opened.after)


class RemarkOut(BaseModel):
    """Something about one file."""

    path: str
    reason: str


class SourceOut(BaseModel):
    """Where documents come from."""

    id: str
    organization_id: str | None = Field(description="null: there for everybody on the site.")
    course_id: str | None = Field(description="null: general material of the organization.")
    kind: str = Field(description="lessons, folder, upload, git, urls or openapi.")
    name: str
    state: str = Field(description="waiting, indexing, ready or failed.")
    error: str | None = Field(description="Why it could not be read as a whole, the last time.")
    schedule: str | None = Field(description="When it is read anew: five fields of cron, in UTC.")
    include: list[str] = Field(description="Patterns of paths that are read; none: all.")
    exclude: list[str] = Field(description="Patterns of paths that are left out.")
    done: int = Field(description="Files of the present or the last run that are done.")
    total: int = Field(description="How many that run has to read.")
    skipped: list[RemarkOut] = Field(description="What was left out the last time; the first hundred.")
    checked_at: datetime | None = Field(description="When it was last known to be up to date.")
    documents: int
    chunks: int
    failed: int = Field(description="Documents that could not be read.")
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, source: Source) -> Self:
        """As it is sent; where a folder lies on the server is nobody's business."""
        known = {
            name: getattr(source, name) for name in cls.model_fields.keys() & source.__table__.columns.keys()
        }
        return cls(
            **known,
            include=source.settings.get("include", []),
            exclude=source.settings.get("exclude", []),
            skipped=[RemarkOut(path=path, reason=reason) for path, reason in source.remarks],
        )


class SourcePage(BaseModel):
    """Sources, oldest first."""

    items: list[SourceOut]
    next: str | None


class ReportOut(BaseModel):
    """What an upload has done. The lists hold the first hundred entries."""

    added: int
    changed: int
    unchanged: int
    removed: int
    chunks: int
    seconds: float
    failed: list[RemarkOut]
    skipped: list[RemarkOut]
    notes: list[RemarkOut]

    @classmethod
    def of(cls, report: Report) -> Self:
        """As it is sent."""
        return cls(
            added=report.added,
            changed=report.changed,
            unchanged=report.unchanged,
            removed=report.removed,
            chunks=report.chunks,
            seconds=round(report.seconds, 3),
            failed=_remarks(report.failed),
            skipped=_remarks(report.skipped),
            notes=_remarks(report.notes),
        )


class UploadedSource(SourceOut):
    """A source with what its upload has done."""

    report: ReportOut


class DocumentOut(BaseModel):
    """One file or lesson."""

    id: str
    source_id: str
    course_id: str | None
    lesson_id: str | None
    path: str
    title: str
    format: Format
    size: int = Field(description="Bytes.")
    state: str = Field(description="ready or failed.")
    error: str | None = Field(description="Why it could not be read.")
    published: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, document: Document) -> Self:
        """As it is sent."""
        return cls.model_validate(document, from_attributes=True)


class DocumentPage(BaseModel):
    """Documents by path."""

    items: list[DocumentOut]
    next: str | None


class ChunkOut(BaseModel):
    """A stretch of a document; its id is that of the passage."""

    id: str
    ordinal: int
    heading_path: list[str]
    anchor: str
    page: int | None = Field(description="Of a PDF, from 1.")
    symbol: str
    first_line: int | None = Field(description="Of code, from 1.")
    last_line: int | None
    text: str

    @classmethod
    def of(cls, chunk: Chunk) -> Self:
        """As it is sent."""
        return cls.model_validate(chunk, from_attributes=True)


class DocumentWithChunks(DocumentOut):
    """A document with a page of its chunks in their order."""

    items: list[ChunkOut]
    next: str | None


def _remarks(remarks: list[Remark]) -> list[RemarkOut]:
    return [RemarkOut(path=remark.path, reason=remark.reason) for remark in remarks[:MOST_REMARKS]]
