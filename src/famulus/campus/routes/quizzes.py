"""Quizzes over HTTP. Changing one looks sources up, and stands with the knowledge room's routes."""

from typing import Annotated

from fastapi import APIRouter, Query

from famulus.campus import quizzes
from famulus.campus.schemas.quizzes import QuizFilters, QuizOut, QuizPage
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession

router = APIRouter(prefix="/api/v1", tags=["quizzes"])


@router.get("/courses/{course_id}/quizzes")
async def list_quizzes(
    course_id: IdPath,
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[QuizFilters, Query()],
) -> QuizPage:
    """The quizzes of a course, the newest first, without their questions; for its teachers and admins."""
    found = await quizzes.list_quizzes(session, principal, course_id, filters, paging)
    return QuizPage(items=found.items, next=found.next)


@router.get("/quizzes/{quiz_id}")
async def get_quiz(quiz_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> QuizOut:
    """One quiz with its questions, answers and sources; for the course's teachers and admins."""
    return await quizzes.get_quiz(session, principal, quiz_id)


@router.post("/quizzes/{quiz_id}/archive")
async def archive_quiz(quiz_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> QuizOut:
    """Put a quiz away; for the course's teachers and admins."""
    return await quizzes.archive_quiz(session, principal, quiz_id)


@router.post("/quizzes/{quiz_id}/restore")
async def restore_quiz(quiz_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> QuizOut:
    """Take a quiz out of the archive; for the course's teachers and admins."""
    return await quizzes.archive_quiz(session, principal, quiz_id, away=False)
