"""Writing documents: what was read of a batch of files goes in, or away, within the caller's transaction."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from sqlalchemy import ColumnElement, Select, delete, func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.duplicates import duplicates_are, insert_or
from famulus.kernel.ids import new_id
from famulus.kernel.tables import utc_now
from famulus.knowledge import triple_store, vectors
from famulus.knowledge.blocks import Parsed, Unreadable
from famulus.knowledge.edges import edge_number
from famulus.knowledge.errors import SourceVanished
from famulus.knowledge.golden import material_changed
from famulus.knowledge.index import scope_word
from famulus.knowledge.mentions import note, refile
from famulus.knowledge.models import Chunk, Document, Source
from famulus.knowledge.names import Names, file_number
from famulus.knowledge.parse import format_of

Kind = Literal["lessons", "folder", "upload", "git", "urls", "openapi"]
Outcome = Parsed | Unreadable
REMARKS = 100
"""Of what was left out, so much is kept."""


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose the material is: a course's, with no course the whole organization's, with neither everybody's."""

    organization_id: str | None
    course_id: str | None = None


@dataclass(frozen=True, slots=True)
class Place:
    """What makes a source the same one the next time."""

    owner: Owner
    kind: Kind
    name: str
    location: str = ""
    by: Principal | None = None
    """Who has it taken in, for the audit; None is the server itself."""


@dataclass(frozen=True, slots=True)
class Known:
    """A document as it stands."""

    id: str
    path: str
    content_hash: str
    state: str
    error: str | None
    published: bool
    lesson_id: str | None
    size: int
    stamp: str


@dataclass(frozen=True, slots=True)
class Draft:
    """A document as it shall be."""

    path: str
    outcome: Outcome
    content_hash: str
    size: int
    published: bool = True
    lesson_id: str | None = None
    stamp: str = ""


def source_at(place: Place) -> Select[Source]:
    """The source of a place, if it exists."""
    return select(Source).where(*_is_at(place))


def _is_at(place: Place) -> tuple[ColumnElement[bool], ...]:
    organization_id, course_id = place.owner.organization_id, place.owner.course_id
    return (
        Source.organization_id.is_(None)
        if organization_id is None
        else Source.organization_id == organization_id,
        Source.course_id.is_(None) if course_id is None else Source.course_id == course_id,
        Source.kind == place.kind,
        Source.location == place.location,
    )


async def begin(session: AsyncSession, place: Place, total: int = 0, done: int = 0) -> str:
    """The id of the place's source, made if need be, which is `indexing` from now on: `total` files, `done` of them.

    Raises `Vanished` when its course or organization has just gone.
    """
    now = utc_now()
    fresh = insert_or(session, Source).values(
        id=new_id("src"),
        organization_id=place.owner.organization_id,
        course_id=place.owner.course_id,
        kind=place.kind,
        name=place.name,
        location=place.location,
        state="indexing",
        documents=0,
        chunks=0,
        failed=0,
        settings={},
        remarks=[],
        done=0,
        total=0,
        created_at=now,
        updated_at=now,
    )
    with duplicates_are(SourceVanished()):
        # Another run may be making the same source at this moment.
        await session.execute(fresh.on_conflict_do_nothing())
    changed = (
        update(Source)
        .where(*_is_at(place))
        .values(name=place.name, state="indexing", error=None, done=done, total=total, updated_at=now)
    )
    id = (await session.execute(changed.returning(Source.id))).scalar_one()
    if place.by is not None:
        thing = audit.Thing(id, place.name, place.owner.organization_id)
        after = {"kind": place.kind, "course_id": place.owner.course_id}
        audit.record(session, place.by, "source.take_in", thing, after=after)
    return id


async def advance(session: AsyncSession, source_id: str, done: int) -> None:
    """Say how many of the files are done, and that somebody is at it."""
    values = {"done": done, "updated_at": utc_now()}
    await session.execute(update(Source).where(Source.id == source_id).values(values))


async def stamp(session: AsyncSession, stamps: Mapping[str, str]) -> None:
    """Note what the files of documents look like now, by document."""
    await session.execute(update(Document), [{"id": id, "stamp": stamp} for id, stamp in stamps.items()])


async def finish(session: AsyncSession, source_id: str, remarks: Sequence[tuple[str, str]] = ()) -> int:
    """Count what the source has and mark it done, with what was left out; the number of its chunks."""
    documents, failed = (
        await session.execute(
            select(func.count(), func.count().filter(Document.state == "failed")).where(
                Document.source_id == source_id
            )
        )
    ).one()
    owner = (
        await session.execute(select(Source.organization_id, Source.course_id).where(Source.id == source_id))
    ).one_or_none()
    if owner is not None:
        await material_changed(session, *owner)
        await triple_store.tidy(session, owner[0])
    chunks = (
        await session.execute(
            select(func.count()).select_from(Chunk).join(Document).where(Document.source_id == source_id)
        )
    ).scalar_one()
    await session.execute(
        update(Source)
        .where(Source.id == source_id)
        .values(
            documents=documents,
            failed=failed,
            chunks=chunks,
            state="failed" if failed and failed == documents else "ready",
            error=None,
            remarks=[list(each) for each in remarks[:REMARKS]],
            checked_at=utc_now(),
            updated_at=utc_now(),
        )
    )
    return chunks


async def known_documents(session: AsyncSession, source_id: str) -> list[Known]:
    """Every document of a source."""
    columns = (
        Document.id,
        Document.path,
        Document.content_hash,
        Document.state,
        Document.error,
        Document.published,
        Document.lesson_id,
        Document.size,
        Document.stamp,
    )
    rows = await session.execute(select(*columns).where(Document.source_id == source_id))
    return [Known(*row) for row in rows]


async def put(session: AsyncSession, source_id: str, owner: Owner, drafts: Sequence[Draft]) -> None:
    """Bring documents into their new state. A chunk whose text has stayed keeps its id, so that citations open."""
    await _hold(session, source_id)
    known = {row.path: row for row in await _at_paths(session, source_id, [draft.path for draft in drafts])}
    before = [row.id for row in known.values()]
    kept = await vectors.of_documents(session, before)
    old_ids = await _take_chunks(session, before)
    now = utc_now()
    ids = {draft.path: known[draft.path].id if draft.path in known else new_id("doc") for draft in drafts}
    rows = [_document(draft, ids[draft.path], now) for draft in drafts]
    belongs = {
        "source_id": source_id,
        "organization_id": owner.organization_id,
        "course_id": owner.course_id,
        "created_at": now,
    }
    if fresh := [row | belongs for row in rows if row["path"] not in known]:
        await session.execute(insert(Document), fresh)
    if changed := [row for row in rows if row["path"] in known]:
        await session.execute(update(Document), changed)
    chunks = [row for draft in drafts for row in _chunks(draft, ids[draft.path], owner, old_ids)]
    if chunks:
        await session.execute(insert(Chunk.__table__), chunks)  # pyright: ignore[reportArgumentType] – a Table
        await note(session, chunks, [names for draft in drafts for names in _names(draft, source_id)])
    await vectors.carry(session, chunks, kept)
    await triple_store.carry(session, owner.organization_id, chunks)


async def publish(session: AsyncSession, owner: Owner, known: Known, published: bool) -> None:
    """Let learners find a document from now on, or no longer."""
    word = scope_word(owner.organization_id, owner.course_id, published)
    await session.execute(
        update(Document).where(Document.id == known.id).values(published=published, updated_at=utc_now())
    )
    await session.execute(update(Chunk).where(Chunk.document_id == known.id).values(scope=word))
    await refile(session, known.id, word)
    await triple_store.refile(session, known.id, word)


async def move(session: AsyncSession, document_id: str, path: str) -> None:
    """A document's file is somewhere else now. It keeps its id, and so do chunks whose text stays."""
    moved = update(Document).where(Document.id == document_id)
    await session.execute(moved.values(path=path, content_hash="", stamp="", updated_at=utc_now()))


async def remove(session: AsyncSession, document_ids: Sequence[str]) -> None:
    """Documents with all that hangs on them."""
    await session.execute(delete(Document).where(Document.id.in_(document_ids)))


async def _hold(session: AsyncSession, source_id: str) -> None:
    """One writer at a time for each source; on SQLite there is only one anyway."""
    held = await session.execute(select(Source.id).where(Source.id == source_id).with_for_update())
    if held.scalar_one_or_none() is None:
        raise SourceVanished()


async def _at_paths(session: AsyncSession, source_id: str, paths: list[str]) -> list[Document]:
    query = select(Document).where(Document.source_id == source_id, Document.path.in_(paths))
    return list((await session.execute(query)).scalars())


async def _take_chunks(session: AsyncSession, document_ids: list[str]) -> dict[tuple[str, str], list[str]]:
    """Remove the chunks of documents; their ids by document and text, last first."""
    found: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    if document_ids:
        old = Chunk.document_id.in_(document_ids)
        query = select(Chunk.document_id, Chunk.text, Chunk.id).where(old).order_by(Chunk.ordinal.desc())
        for document_id, text, id in await session.execute(query):
            found[document_id, text].append(id)
        await session.execute(delete(Chunk).where(old))
    return found


def _document(draft: Draft, id: str, now: datetime) -> dict[str, object]:
    outcome = draft.outcome
    read = isinstance(outcome, Parsed)
    return {
        "id": id,
        "path": draft.path,
        "lesson_id": draft.lesson_id,
        "title": outcome.title if isinstance(outcome, Parsed) else draft.path.rsplit("/", 1)[-1][:500],
        "format": outcome.format if isinstance(outcome, Parsed) else format_of(draft.path) or "text",
        "content_hash": draft.content_hash,
        "stamp": draft.stamp if draft.content_hash else "",
        "size": draft.size,
        "state": "ready" if read else "failed",
        "error": outcome.reason[:1000] if isinstance(outcome, Unreadable) else None,
        "published": draft.published,
        "updated_at": now,
    }


def _chunks(
    draft: Draft, document_id: str, owner: Owner, old_ids: dict[tuple[str, str], list[str]]
) -> list[dict[str, object]]:
    if isinstance(draft.outcome, Unreadable):
        return []
    word = scope_word(owner.organization_id, owner.course_id, draft.published)
    return [
        {
            "id": kept.pop() if (kept := old_ids.get((document_id, piece.text))) else new_id("chk"),
            "document_id": document_id,
            "ordinal": ordinal,
            "scope": word,
            "title": draft.outcome.title,
            "heading_path": list(piece.heading_path),
            "anchor": piece.anchor,
            "page": piece.page,
            "symbol": piece.symbol[:300],
            "first_line": piece.lines[0] if piece.lines else None,
            "last_line": piece.lines[1] if piece.lines else None,
            "text": piece.text,
            "parts": piece.parts,
        }
        for ordinal, piece in enumerate(draft.outcome.pieces)
    ]


def _names(draft: Draft, source_id: str) -> list[Names]:
    """The names of a document's chunks, in order, what they define and refer to exactly among them.

    A link leads to a document elsewhere by its file's name.
    """
    if isinstance(draft.outcome, Unreadable):
        return []
    file = file_number(draft.path)

    def exact(keys: tuple[str, ...]) -> list[int]:
        return [edge_number(source_id, key) for key in keys]

    return [
        Names((*piece.about, file, *exact(piece.defines)), (*piece.passing, *exact(piece.refers)))
        for piece in draft.outcome.pieces
    ]
