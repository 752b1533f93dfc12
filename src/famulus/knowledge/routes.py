"""Knowledge over HTTP: search, passages, sources and their documents, uploads."""

import asyncio
import pathlib
import shutil
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Query, Request, Response, status
from msgspec import structs
from starlette.datastructures import UploadFile

from famulus.campus.schemas.quizzes import QuizChange, QuizOut
from famulus.identity.deps import (
    CurrentPrincipal,
    DatabaseDep,
    IdPath,
    PagingDep,
    ReadSession,
    SettingsDep,
    WriteSession,
)
from famulus.kernel.scratch import scratch
from famulus.kernel.text import Id
from famulus.knowledge import citing, golden, managing, retrieve, sources
from famulus.knowledge.errors import UnreadableFile, UnreadableUpload
from famulus.knowledge.golden_schemas import (
    MOST_BYTES,
    GoldenQuestionOut,
    GoldenQuestionPage,
    NewGoldenQuestion,
    read_questions,
)
from famulus.knowledge.golden_schemas import Imported as ImportedQuestions
from famulus.knowledge.golden_schemas import Report as GoldenReport
from famulus.knowledge.index import KINDS, Kind
from famulus.knowledge.ingest import ingest_upload, limits_of
from famulus.knowledge.neighbours import neighbours
from famulus.knowledge.schemas import (
    ChunkOut,
    DocumentOut,
    DocumentPage,
    DocumentWithChunks,
    Entity,
    NeighbourOut,
    NeighbourPage,
    OpenPassageOut,
    PassageList,
    ReportOut,
    SourceOut,
    SourcePage,
    UploadedSource,
)
from famulus.knowledge.schemas import Query as Question
from famulus.knowledge.source_schemas import NewSource, SourceChange
from famulus.knowledge.triple_runs import Triples
from famulus.knowledge.triple_schemas import TripleEstimate, TripleOrder, TriplesOut
from famulus.knowledge.visibility import owner_to_write

MOST_SOURCES = 20
"""Of one search."""
router = APIRouter(prefix="/api/v1", tags=["knowledge"])
UNPACKED = 10
"""How many times the largest upload a zip may hold, unpacked."""
FILES = 5_000
"""Of one uploaded zip, which is read while its sender waits."""
_ONE_FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "required": ["file"],
                    "properties": {"file": {"type": "string", "format": "binary"}},
                }
            }
        },
    }
}


@router.get("/search")
async def search(
    request: Request,
    database: DatabaseDep,
    principal: CurrentPrincipal,
    q: Annotated[Question, Query(description="A question in plain language.")],
    *,
    course_id: Annotated[Id | None, Query(description="Look in this course only.")] = None,
    source_id: Annotated[
        list[Id] | None, Query(max_length=MOST_SOURCES, description="Look in these sources only.")
    ] = None,
    kind: Annotated[
        list[Kind] | None, Query(max_length=len(KINDS), description="Look in what is of these kinds only.")
    ] = None,
    limit: Annotated[int, Query(ge=1, le=20)] = 5,
) -> PassageList:
    """The best passages for a question, by words and by meaning, from what the person may read."""
    retriever = getattr(request.app.state, "retriever", None) or retrieve.Retriever(database)
    answer = await retriever.search(
        principal, q, course_id=course_id, limit=limit, sources=source_id or (), kinds=kind or ()
    )
    return PassageList.of(answer)


@router.get("/graph")
async def graph(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    entity: Annotated[
        Entity, Query(description="A name, however it is spelled: of a person, a symbol, a topic.")
    ],
    course_id: Annotated[Id | None, Query(description="Look in this course only.")] = None,
) -> NeighbourPage:
    """The passages that have a name, from what the person may read, each with what else it names."""
    found = (await neighbours(session, principal, entity, course_id, paging)).map(NeighbourOut.of)
    return NeighbourPage(items=found.items, next=found.next)


@router.get("/passages/{id}")
async def open_passage(id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> OpenPassageOut:
    """A passage, as a citation names it, with what stands before and after it."""
    return OpenPassageOut.opened(await retrieve.open_passage(session, principal, id))


@router.get("/sources")
async def list_sources(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    course_id: Annotated[Id | None, Query(description="Those of this course only.")] = None,
) -> SourcePage:
    """Where the documents come from that the person may read."""
    found = (await sources.list_sources(session, principal, course_id, paging)).map(SourceOut.of)
    return SourcePage(items=found.items, next=found.next)


@router.get("/sources/{id}")
async def get_source(id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> SourceOut:
    """One source."""
    return SourceOut.of(await sources.get_source(session, principal, id))


@router.get("/sources/{id}/documents")
async def list_documents(
    id: IdPath, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> DocumentPage:
    """The documents of a source by path."""
    found = (await sources.list_documents(session, principal, id, paging)).map(DocumentOut.of)
    return DocumentPage(items=found.items, next=found.next)


@router.get("/documents/{id}")
async def get_document(
    id: IdPath, principal: CurrentPrincipal, session: ReadSession, paging: PagingDep
) -> DocumentWithChunks:
    """A document with a page of its text."""
    document, chunks = await sources.get_document(session, principal, id, paging)
    items = [ChunkOut.of(chunk) for chunk in chunks.items]
    return DocumentWithChunks(**DocumentOut.of(document).model_dump(), items=items, next=chunks.next)


@router.post("/sources", status_code=status.HTTP_201_CREATED)
async def create_source(
    body: NewSource, principal: CurrentPrincipal, session: WriteSession, settings: SettingsDep
) -> SourceOut:
    """Add a repository, a list of addresses, an API's document or a folder; it is read in the background."""
    return SourceOut.of(await managing.create_source(session, principal, settings, body))


@router.patch("/sources/{id}")
async def change_source(
    id: IdPath, body: SourceChange, principal: CurrentPrincipal, session: WriteSession
) -> SourceOut:
    """Change a source's name, what of it is read, and when; it is read anew."""
    return SourceOut.of(await managing.change_source(session, principal, id, body))


@router.post("/sources/{id}/run", status_code=status.HTTP_202_ACCEPTED)
async def run_source(
    id: IdPath,
    principal: CurrentPrincipal,
    session: WriteSession,
    *,
    thorough: Annotated[
        bool, Query(description="Look inside every file, whatever its size and times say.")
    ] = False,
) -> SourceOut:
    """Read a source now, in the background."""
    return SourceOut.of(await managing.run_source(session, principal, id, thorough=thorough))


@router.delete("/sources/{id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_source(id: IdPath, database: DatabaseDep, principal: CurrentPrincipal) -> Response:
    """Remove a source with all its documents."""
    await sources.delete_source(database, principal, id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.post("/courses/{id}/sources", status_code=status.HTTP_201_CREATED, openapi_extra=_ONE_FILE)
async def upload(
    id: IdPath, request: Request, database: DatabaseDep, principal: CurrentPrincipal, settings: SettingsDep
) -> UploadedSource:
    """Add a file of a kind that is read, or a zip of such files to a course; the same name again replaces it."""
    # Rights first: nobody else's upload is even read.
    async with database.read() as session:
        owner = await owner_to_write(session, principal, id)
    limits = structs.replace(
        limits_of(settings),
        file_bytes=min(settings.source_file_bytes, settings.max_upload_bytes),
        total_bytes=min(settings.source_total_bytes, UNPACKED * settings.max_upload_bytes),
        files=min(settings.source_files, FILES),
    )
    async with scratch() as folder:
        async with request.form(max_files=1, max_fields=8) as form:
            file = form.get("file")
            if not isinstance(file, UploadFile) or not file.filename:
                raise UnreadableUpload()
            stored, name = folder / "upload", file.filename
            await asyncio.to_thread(_store, file.file, stored)
        report = await ingest_upload(database, owner, stored, name, by=principal, limits=limits)
    async with database.read() as session:
        source = await sources.get_source(session, principal, report.source_id or "")
    return UploadedSource(**SourceOut.of(source).model_dump(), report=ReportOut.of(report))


@router.get("/courses/{course_id}/golden-questions")
async def list_golden_questions(
    course_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    worse: Annotated[
        bool | None, Query(description="Only those that got worse, or only those that did not.")
    ] = None,
) -> GoldenQuestionPage:
    """What a course's material has to answer, each with where its answer is found; for those who teach it."""
    found = await golden.list_questions(session, principal, course_id, paging, worse=worse)
    return GoldenQuestionPage(items=[GoldenQuestionOut.of(one) for one in found.items], next=found.next)


@router.get("/courses/{course_id}/golden-questions/report")
async def report_golden_questions(
    course_id: IdPath, principal: CurrentPrincipal, session: ReadSession
) -> GoldenReport:
    """How many golden questions of a course are answered, and how many got worse when the material changed."""
    return await golden.report(session, principal, course_id)


@router.post("/courses/{course_id}/golden-questions", status_code=status.HTTP_201_CREATED)
async def create_golden_question(
    course_id: IdPath, body: NewGoldenQuestion, principal: CurrentPrincipal, session: WriteSession
) -> GoldenQuestionPage:
    """Add a golden question, which is asked in the background; one that is there already is not added again."""
    rows = await golden.add_questions(session, principal, course_id, [body])
    return GoldenQuestionPage(items=[GoldenQuestionOut.of(one) for one in rows], next=None)


@router.post("/courses/{course_id}/golden-questions/import", openapi_extra=_ONE_FILE)
async def import_golden_questions(
    course_id: IdPath, request: Request, database: DatabaseDep, principal: CurrentPrincipal
) -> ImportedQuestions:
    """Add golden questions from a file: CSV with a head, or lines of JSON, of `question`, `document`, `passage`."""
    async with database.read() as session:
        await golden.may_add(session, principal, course_id)  # nobody else's file is even read
    async with request.form(max_files=1, max_fields=8) as form:
        file = form.get("file")
        if not isinstance(file, UploadFile) or not file.filename:
            raise UnreadableUpload()
        data = await file.read(MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UnreadableFile(f"A file of golden questions may have {MOST_BYTES:,} bytes at most.")
        questions = read_questions(data, file.filename)
    async with database.write() as session:
        added = len(await golden.add_questions(session, principal, course_id, questions))
        report = await golden.report(session, principal, course_id)
    return ImportedQuestions(added=added, known=len(questions) - added, report=report)


@router.post("/courses/{course_id}/golden-questions/check", status_code=status.HTTP_202_ACCEPTED)
async def check_golden_questions(
    course_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> GoldenReport:
    """Ask all golden questions of a course now, in the background."""
    return await golden.check_now(session, principal, course_id)


@router.post("/courses/{course_id}/golden-questions/accept")
async def accept_golden_questions(
    course_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> GoldenReport:
    """Take how the answers are found now for how they should be: none has got worse any more."""
    return await golden.accept(session, principal, course_id)


@router.delete("/courses/{course_id}/golden-questions/{golden_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_golden_question(
    course_id: IdPath, golden_id: IdPath, principal: CurrentPrincipal, session: WriteSession
) -> Response:
    """Forget a golden question."""
    await golden.remove_question(session, principal, course_id, golden_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


@router.get("/organizations/{organization_id}/triples/estimate")
async def estimate_triples(
    organization_id: IdPath, request: Request, principal: CurrentPrincipal
) -> TripleEstimate:
    """What it would cost to have an organization's material read for triples by the server's model; for its admins."""
    return await _triples(request).estimate(principal, organization_id)


@router.get("/organizations/{organization_id}/triples")
async def get_triples(organization_id: IdPath, request: Request, principal: CurrentPrincipal) -> TriplesOut:
    """How far an organization's material is read for triples, and what that has taken."""
    return await _triples(request).standing(principal, organization_id)


@router.post("/organizations/{organization_id}/triples", status_code=status.HTTP_202_ACCEPTED)
async def start_triples(
    organization_id: IdPath, body: TripleOrder, request: Request, principal: CurrentPrincipal
) -> TriplesOut:
    """Have what is not read yet read in the background, within a budget; while that runs, change the budget."""
    return await _triples(request).start(principal, organization_id, body.token_budget)


@router.post("/organizations/{organization_id}/triples/cancel")
async def cancel_triples(
    organization_id: IdPath, request: Request, principal: CurrentPrincipal
) -> TriplesOut:
    """Ask the model for no more; what it has read stays."""
    return await _triples(request).cancel(principal, organization_id)


@router.delete("/organizations/{organization_id}/triples", status_code=status.HTTP_204_NO_CONTENT)
async def delete_triples(organization_id: IdPath, request: Request, principal: CurrentPrincipal) -> Response:
    """Forget all triples of an organization, in the graph as well; a run that is under way ends."""
    await _triples(request).remove(principal, organization_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)


def _triples(request: Request) -> Triples:
    found: Triples = request.app.state.triples
    return found


@router.patch("/quizzes/{quiz_id}", tags=["quizzes"])
async def change_quiz(
    quiz_id: IdPath, body: QuizChange, principal: CurrentPrincipal, session: WriteSession
) -> QuizOut:
    """Change what is given of a quiz, its status among it; for the course's teachers and admins.

    A passage that a question newly names has to be of the course's material, and a quote has to stand in it.
    """
    return await citing.change_quiz(session, principal, quiz_id, body)


def _store(file: BinaryIO, place: pathlib.Path) -> None:
    with place.open("wb") as target:
        shutil.copyfileobj(file, target)
