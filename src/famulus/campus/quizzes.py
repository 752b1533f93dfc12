"""Quizzes: questions about a course, drafted with an assistant and reviewed by those who teach it.

    draft ─▶ approved | discarded, and back        by a person alone: no tool and no API key approves

Learners see none of them. A question names the passage that it rests on; whether that is there, and is for the eyes of
whoever names it, the knowledge room asks before it comes here.
"""

import json
from collections.abc import Mapping, Sequence

from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import defer

from famulus.campus import access, archive
from famulus.campus.models import Course, Lesson, Quiz
from famulus.campus.schemas.quizzes import NewQuiz, Question, QuizChange, QuizFilters, QuizOut, QuizSummary
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.errors import NotFound
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now


async def list_quizzes(
    session: AsyncSession, principal: Principal, course_id: str, filters: QuizFilters, paging: Paging
) -> Page[QuizSummary]:
    """The quizzes of a course, the newest first. Raises NotFound or Forbidden."""
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "see", course, "quiz")
    query = access.visible(principal, Quiz).where(
        Quiz.course_id == course.id, archive.on_shelf(Quiz, archived=filters.archived)
    )
    if filters.status is not None:
        query = query.where(Quiz.status == filters.status)
    found: Page[Quiz] = await page(
        session,
        query.options(defer(Quiz.questions, raiseload=True)),
        by=[Quiz.id],
        paging=paging,
        descending=True,
    )
    return found.map(QuizSummary.model_validate)


async def get_quiz(session: AsyncSession, principal: Principal, quiz_id: str) -> QuizOut:
    """One quiz with its questions; raises NotFound."""
    return QuizOut.model_validate(await access.find(session, principal, Quiz, quiz_id))


async def create_quiz(session: AsyncSession, principal: Principal, course_id: str, new: NewQuiz) -> QuizOut:
    """A new draft, of questions whose sources have been looked up. Raises NotFound, Forbidden or Archived."""
    course = await access.find(session, principal, Course, course_id)
    await access.require(session, principal, "create", course, "quiz")
    archive.require_in_use(course, course.title)
    if new.lesson_id is not None:
        lesson = await access.find(session, principal, Lesson, new.lesson_id)
        if lesson.course_id != course.id:
            raise NotFound(f"There is no lesson {lesson.id!r} in the course {course.title!r}.")
    now = utc_now()
    quiz = Quiz(
        id=new_id("quz"),
        course_id=course.id,
        lesson_id=new.lesson_id,
        title=new.title,
        status="draft",
        questions=_kept(new.questions),
        question_count=len(new.questions),
        created_at=now,
        updated_at=now,
    )
    session.add(quiz)
    await session.flush()
    after = {"title": quiz.title, "lesson_id": quiz.lesson_id, "questions": quiz.questions}
    audit.record(session, principal, "quiz.create", _thing(quiz, course), after=_noted(after))
    return QuizOut.model_validate(quiz)


async def change_quiz(
    session: AsyncSession, principal: Principal, quiz_id: str, change: QuizChange
) -> QuizOut:
    """Change what is given; the sources of new questions have been looked up. Raises NotFound or Forbidden."""
    quiz, course = await _reviewed(session, principal, quiz_id, "change")
    given = change.given()
    if change.status == "approved":
        principal.needs_person()
    if change.questions is not None:
        given["questions"] = _kept(change.questions)
    before, after = audit.change(quiz, given)
    if after:
        quiz.question_count = len(quiz.questions)
        await session.flush()
        thing = _thing(quiz, course)
        audit.record(session, principal, "quiz.change", thing, before=_noted(before), after=_noted(after))
    return QuizOut.model_validate(quiz)


async def archive_quiz(
    session: AsyncSession, principal: Principal, quiz_id: str, *, away: bool = True
) -> QuizOut:
    """Put a quiz away, or take it out again. Raises NotFound or Forbidden."""
    quiz, course = await _reviewed(session, principal, quiz_id, "archive")
    await archive.put_away(session, principal, quiz, _thing(quiz, course), away=away)
    return QuizOut.model_validate(quiz)


async def _reviewed(
    session: AsyncSession, principal: Principal, quiz_id: str, action: str
) -> tuple[Quiz, Course]:
    quiz = await access.find(session, principal, Quiz, quiz_id)
    course = await access.find(session, principal, Course, quiz.course_id)
    await access.require(session, principal, action, course, "quiz")
    return quiz, course


def _kept(questions: Sequence[Question]) -> list[dict[str, object]]:
    return [question.model_dump(exclude_none=True) for question in questions]


def _noted(values: Mapping[str, object]) -> dict[str, object]:
    """Of a change, what the audit keeps: the questions as a text, which is cut where it is long."""
    return {
        name: json.dumps(value, ensure_ascii=False) if name == "questions" else value
        for name, value in values.items()
    }


def _thing(quiz: Quiz, course: Course) -> audit.Thing:
    return audit.Thing(quiz.id, quiz.title, course.organization_id)
