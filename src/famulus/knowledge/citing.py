"""Whether what is drafted rests on the material: the passages that questions name, and the words they quote."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import quizzes
from famulus.campus.courses import CourseCard, course_card
from famulus.campus.schemas.quizzes import Question, QuizChange, QuizOut
from famulus.identity.principal import Principal
from famulus.kernel.errors import FieldProblem, Invalid, NotFound
from famulus.knowledge.retrieve import passages_in

Citation = tuple[str | None, str | None]
"""A passage's id, and the words that are quoted from it."""


@dataclass(frozen=True, slots=True)
class Doubt:
    """What is wrong with the source of one question."""

    number: int
    """The question's place, from 0."""
    field: str
    message: str


async def doubts(
    session: AsyncSession,
    principal: Principal,
    course: CourseCard,
    questions: Sequence[Question],
    *,
    settled: Collection[Citation] = (),
) -> list[Doubt]:
    """Which questions name a passage that is not there for this person in this course, or quote what it does not say.

    What is `settled` is not asked again: a passage goes with the text that it was cut from, and the quiz stays.
    """
    asked = [
        (number, question.passage_id, question.quote)
        for number, question in enumerate(questions)
        if question.passage_id is not None and (question.passage_id, question.quote) not in settled
    ]
    passages = await passages_in(session, principal, course, [id for _, id, _ in asked])
    found: list[Doubt] = []
    for number, id, quote in asked:
        passage = passages.get(id)
        if passage is None:
            found.append(
                Doubt(number, "passage_id", f"There is no passage {id!r} in this course that you may see.")
            )
        elif quote is not None and _words(quote) not in _words(passage.text):
            found.append(
                Doubt(number, "quote", "These words do not stand in the passage; copy them from it.")
            )
    return found


async def change_quiz(
    session: AsyncSession, principal: Principal, quiz_id: str, change: QuizChange
) -> QuizOut:
    """Change a quiz whose new sources are there. Raises NotFound, Forbidden, or Invalid for a quote that is none."""
    if change.questions is not None:
        quiz = await quizzes.get_quiz(session, principal, quiz_id)
        course = await course_card(session, principal, quiz.course_id)
        settled = {(question.passage_id, question.quote) for question in quiz.questions}
        _require_none(await doubts(session, principal, course, change.questions, settled=settled))
    return await quizzes.change_quiz(session, principal, quiz_id, change)


def _require_none(found: Sequence[Doubt]) -> None:
    fields = tuple(FieldProblem(f"questions.{doubt.number}.{doubt.field}", doubt.message) for doubt in found)
    missing = next((doubt for doubt in found if doubt.field == "passage_id"), None)
    if missing is not None:
        raise NotFound(missing.message, fields=fields)
    if found:
        raise Invalid(fields=fields)


def _words(text: str) -> str:
    """A text in which only its words count, and not how they are set in lines."""
    return " ".join(text.split())
