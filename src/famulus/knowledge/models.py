"""Tables of knowledge: sources have documents, cut into chunks. Private to this room.

They are the truth; the indexes (ddl.py) hang on `chunks`, and the database keeps them in step.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from famulus.kernel.tables import Base, Json, UtcTime

OPEN = text("state IN ('waiting', 'indexing')")


class Source(Base):
    """Where documents come from: the lessons of a course, a folder, an upload, a repository, addresses, an API."""

    __tablename__ = "sources"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    """None for what is there for everybody on the site."""
    course_id: Mapped[str | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    """The course it belongs to; None for the organization's general material."""
    kind: Mapped[str] = mapped_column(String(16))
    name: Mapped[str] = mapped_column(String(300))
    location: Mapped[str] = mapped_column(String(1000))
    """What makes it the same source next time: a path, an address, the upload's file name; empty for lessons."""
    state: Mapped[str] = mapped_column(String(16))
    documents: Mapped[int] = mapped_column(default=0)
    chunks: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    """Documents that could not be read."""
    settings: Mapped[dict[str, Any]] = mapped_column(Json, default=dict, server_default="{}")
    """Of its kind: `include`, `exclude`, `ref`, `urls`."""
    schedule: Mapped[str | None] = mapped_column(String(100))
    """When it is read anew, as five fields of cron, in UTC."""
    error: Mapped[str | None] = mapped_column(String(1000))
    """Why it could not be read as a whole, the last time."""
    remarks: Mapped[list[list[str]]] = mapped_column(Json, default=list, server_default="[]")
    """What was left out the last time: path and reason."""
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    """Files of the present or the last run that are done, of `total` that have to be read."""
    total: Mapped[int] = mapped_column(default=0, server_default="0")
    checked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    """When it was last known to be up to date."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        CheckConstraint("kind IN ('lessons', 'folder', 'upload', 'git', 'urls', 'openapi')", name="kind"),
        CheckConstraint("state IN ('waiting', 'ready', 'indexing', 'failed')", name="state"),
        Index(
            "uq_sources_place",
            text("coalesce(organization_id, '')"),
            text("coalesce(course_id, '')"),
            "kind",
            "location",
            unique=True,
        ),
        Index(None, "course_id", "id"),
        Index("ix_sources_open", "state", sqlite_where=OPEN, postgresql_where=OPEN),
    )


class Document(Base):
    """One file or lesson."""

    __tablename__ = "documents"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    source_id: Mapped[str] = mapped_column(ForeignKey("sources.id", ondelete="CASCADE"))
    organization_id: Mapped[str | None] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    course_id: Mapped[str | None] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    lesson_id: Mapped[str | None] = mapped_column(ForeignKey("lessons.id", ondelete="CASCADE"))
    path: Mapped[str] = mapped_column(String(1000))
    title: Mapped[str] = mapped_column(String(500))
    format: Mapped[str] = mapped_column(String(16))
    content_hash: Mapped[str] = mapped_column(String(64))
    """SHA-256 in hex of what was read; empty when the next run should try again."""
    stamp: Mapped[str] = mapped_column(String(100), default="", server_default="")
    """What its file looked like from outside when that was read (compare.py); empty: look inside the next time."""
    size: Mapped[int]
    """Bytes."""
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(String(1000))
    published: Mapped[bool] = mapped_column(default=True)
    """Whether learners may find it; those who teach the course always do."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        CheckConstraint("state IN ('ready', 'failed')", name="state"),
        UniqueConstraint("source_id", "path"),
        Index(None, "organization_id"),
        Index(None, "course_id"),
        Index(None, "lesson_id"),
    )


class Chunk(Base):
    """A stretch of a document under one heading. Whose it is stands with the document, and in `scope`."""

    __tablename__ = "chunks"

    number: Mapped[int] = mapped_column(primary_key=True)
    """The words index wants an integer for a name."""
    id: Mapped[str] = mapped_column(String(40), unique=True)
    document_id: Mapped[str] = mapped_column(ForeignKey("documents.id", ondelete="CASCADE"))
    ordinal: Mapped[int]
    scope: Mapped[str] = mapped_column(String(40))
    """The course, or else the organization, and whether it is published, as one word (index.scope_word)."""
    title: Mapped[str] = mapped_column(String(500))
    heading_path: Mapped[list[str]] = mapped_column(Json)
    anchor: Mapped[str] = mapped_column(String(300))
    """The last heading's id on its page; empty at the top."""
    page: Mapped[int | None]
    symbol: Mapped[str] = mapped_column(String(300), default="", server_default="")
    """What a chunk of code defines, with what that is inside of; an operation's id; empty elsewhere."""
    first_line: Mapped[int | None]
    last_line: Mapped[int | None]
    """Of code, from 1."""
    text: Mapped[str] = mapped_column(Text)
    parts: Mapped[str] = mapped_column(Text, default="")
    """Words inside the text's words, for the index alone (words.inner_words)."""

    __table_args__ = (
        UniqueConstraint("document_id", "ordinal"),
        # Vectors refer to both, so that theirs follow when a document is published (ddl.py).
        Index("uq_chunks_number_scope", "number", "scope", unique=True),
    )


class GoldenQuestion(Base):
    """A question that a course's material has to answer, and where its answer is found."""

    __tablename__ = "golden_questions"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    course_id: Mapped[str] = mapped_column(ForeignKey("courses.id", ondelete="CASCADE"))
    question: Mapped[str] = mapped_column(String(1000))
    document: Mapped[str] = mapped_column(String(1000))
    """Path or title of the document that answers it."""
    passage: Mapped[str] = mapped_column(String(1000))
    """Words that the passage has to have; empty: any passage of the document will do."""
    place: Mapped[int | None]
    """Where among the passages the answer was found, from 1."""
    best: Mapped[int | None]
    """The best place since how things are was last accepted."""
    checked_at: Mapped[datetime | None] = mapped_column(UtcTime)
    created_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (Index(None, "course_id", "id"),)


class VectorModel(Base):
    """An embedding model that chunks have vectors of, or are getting them. Vectors stand in a table of ddl.py."""

    __tablename__ = "vector_models"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(String(200), unique=True)
    """As the model names itself (`Embedder.model_id`)."""
    dimension: Mapped[int]
    ready: Mapped[bool] = mapped_column(default=False)
    """Whether every chunk had its vector once; those that came since may be waiting."""


class Mention(Base):
    """That a chunk has a name: an edge of the graph."""

    __tablename__ = "mentions"

    scope: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The chunk's, as a number (mentions.filed_under)."""
    name: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """names.number_of"""
    passing: Mapped[bool] = mapped_column(primary_key=True)
    """Named in passing; otherwise the chunk is about it."""
    chunk: Mapped[int] = mapped_column(ForeignKey("chunks.number", ondelete="CASCADE"), primary_key=True)

    __table_args__ = (Index(None, "chunk"), {"sqlite_with_rowid": False})


class IndexChange(Base):
    """That an index elsewhere has not been told yet what became of a chunk; noted by triggers (ddl.py)."""

    __tablename__ = "index_changes"

    number: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    """The chunk's. There may be no such chunk any more, or another one."""
    stamp: Mapped[int] = mapped_column(BigInteger)
    """Another one with each change, so that what has changed since it was read is not taken for told."""


class TripleRun(Base):
    """That an organization has had its material read for triples by a model: the last time, or now."""

    __tablename__ = "triple_runs"

    id: Mapped[str] = mapped_column(String(40), primary_key=True)
    organization_id: Mapped[str] = mapped_column(
        ForeignKey("organizations.id", ondelete="CASCADE"), unique=True
    )
    model: Mapped[str] = mapped_column(String(200))
    """As it is chosen, such as `openai:NAME`."""
    state: Mapped[str] = mapped_column(String(16))
    error: Mapped[str | None] = mapped_column(String(1000))
    """Why it failed or, while it runs, what it waits for."""
    token_budget: Mapped[int] = mapped_column(BigInteger)
    input_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    output_tokens: Mapped[int] = mapped_column(BigInteger, default=0)
    reserved: Mapped[int] = mapped_column(BigInteger, default=0)
    """Tokens of requests on their way, and of those of which nobody knows what became of them."""
    created_at: Mapped[datetime] = mapped_column(UtcTime)
    updated_at: Mapped[datetime] = mapped_column(UtcTime)

    __table_args__ = (
        CheckConstraint("state IN ('running', 'done', 'stopped', 'cancelled', 'failed')", name="state"),
    )


class TripleAnswer(Base):
    """What a model has found in a text, kept for the organization that has paid for it."""

    __tablename__ = "triple_answers"

    id: Mapped[int] = mapped_column(primary_key=True)
    organization_id: Mapped[str] = mapped_column(ForeignKey("organizations.id", ondelete="CASCADE"))
    hash: Mapped[str] = mapped_column(String(32))
    """Of the text (vectors.fingerprint)."""
    model: Mapped[str] = mapped_column(String(200))
    prompt: Mapped[str] = mapped_column(String(16))
    """The version of what it was told (triples.version)."""
    triples: Mapped[list[list[str]]] = mapped_column(Json)
    """Subject, relation, object of each."""

    __table_args__ = (
        Index("uq_triple_answers_text", "organization_id", "hash", "model", "prompt", unique=True),
    )


class TripleReading(Base):
    """Which answer is that of a chunk. It goes with the chunk, and what the graph has of it goes with it."""

    __tablename__ = "triple_readings"

    chunk: Mapped[int] = mapped_column(
        ForeignKey("chunks.number", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    answer: Mapped[int] = mapped_column(ForeignKey("triple_answers.id", ondelete="CASCADE"))

    __table_args__ = (Index(None, "answer"),)


class Relation(Base):
    """That a chunk says how two names are related: an edge of the graph between them."""

    __tablename__ = "relations"

    id: Mapped[int] = mapped_column(primary_key=True)
    chunk: Mapped[int] = mapped_column(ForeignKey("triple_readings.chunk", ondelete="CASCADE"))
    scope: Mapped[int] = mapped_column(BigInteger)
    """The chunk's, as a number (mentions.filed_under)."""
    subject: Mapped[int] = mapped_column(BigInteger)
    object: Mapped[int] = mapped_column(BigInteger)
    """Both: names.number_of"""
    said: Mapped[list[str]] = mapped_column(Json)
    """The triple in words."""

    __table_args__ = (
        Index(None, "chunk"),
        Index("ix_relations_scope_subject", "scope", "subject"),
        Index("ix_relations_scope_object", "scope", "object"),
    )
