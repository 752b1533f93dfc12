"""Tools that draft for those who teach a course: a lesson, a quiz. What they make is unpublished, and none publishes.

Each draft says on which passages it rests, and those are looked up with the asker's rights before anything is kept.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import Annotated

from pydantic import Field, ValidationError

from famulus.campus import lessons, quizzes
from famulus.campus.courses import CourseCard
from famulus.campus.schemas.courses import NewLesson
from famulus.campus.schemas.quizzes import MOST_QUESTIONS, Answered, NewQuiz, Question, Quote
from famulus.kernel.text import Id, LongText, Name
from famulus.knowledge.citing import doubts
from famulus.knowledge.retrieve import Passage, passages_in
from famulus.tools.arguments import Arguments, Loc, dotted, plain, problems
from famulus.tools.builtin import finding
from famulus.tools.builtin.lessons import free_path
from famulus.tools.contract import Done, Json, Preview, Retry, Tool, ToolContext, ToolFailed, Undo

SOURCES = 20
_MARKUP = re.compile(r"([\\`*_\[\]<>])")
Course = Annotated[
    Annotated[str, Field(min_length=1, max_length=200)] | None,
    Field(description="The course's title or id; left away, the course of this conversation."),
]


class DraftLesson(Arguments):
    """A lesson to be."""

    course: Course = None
    title: Name
    body: Annotated[str, LongText(20_000)]
    """Markdown, written from the passages in `sources`."""
    sources: Annotated[list[Id], Field(max_length=SOURCES)]
    """The passage_id of every passage that it is written from, as search_knowledge gives them."""


class CitedQuestion(Answered):
    """A question that says where its answer stands."""

    passage_id: Id = Field(description="The passage its answer rests on, as search_knowledge gives it.")
    quote: Quote = None


class DraftQuiz(Arguments):
    """A quiz to be."""

    course: Course = None
    title: Name
    lesson: Name | None = None
    """Title or id of the lesson that it is about, if it is about one."""
    questions: Annotated[list[CitedQuestion], Field(min_length=1, max_length=MOST_QUESTIONS)]


class LessonDraft(Arguments):
    """Which lesson."""

    lesson: Id
    """Its id."""


class QuizDraft(Arguments):
    """Which quiz."""

    quiz: Id
    """Its id."""


async def _draft_lesson(context: ToolContext, given: DraftLesson) -> Done:
    course = await finding.course_meant(context, given.course)
    passages = await _sources(context, course, given.sources)
    path = await free_path(context, course.id, given.title)
    body = f"{given.body}\n\n{_note(passages)}"
    new = NewLesson(title=given.title, path=path, body=body, published=False)
    lesson = await lessons.create_lesson(context.session, context.principal, course.id, new)
    undo = Undo("discard_lesson_draft", {"lesson": lesson.id}, f"Put the draft “{lesson.title}” away")
    data = {"id": lesson.id, "title": lesson.title, "course_id": course.id, "path": path, "published": False}
    said = f"Drafted the lesson “{lesson.title}” in “{course.title}”. It is unpublished until a teacher publishes it."
    return Done(said, data, undo, (f"Draft a quiz about “{lesson.title}”",))


async def _foresee_lesson(context: ToolContext, given: DraftLesson) -> Preview:
    course = await finding.course_meant(context, given.course)
    passages = await _sources(context, course, given.sources)
    return Preview(
        f"Draft the lesson “{given.title}” in “{course.title}”",
        {**plain(given), "course": course.id},
        notes=(
            f"{len(given.body):,} characters, from {len(passages)} passages.",
            "Learners do not see a draft.",
        ),
    )


async def _sources(context: ToolContext, course: CourseCard, ids: Sequence[str]) -> list[Passage]:
    """The passages that a lesson is written from. Raises Retry for one that is not there for the asker."""
    found = await passages_in(context.session, context.principal, course, ids)
    missing = [id for id in ids if id not in found]
    if missing:
        named = ", ".join(missing)
        raise Retry(f"`sources`: in “{course.title}” there is no passage {named} that the person may see.")
    return list(found.values())


def _note(passages: Sequence[Passage]) -> str:
    """What a draft says at its end about where it comes from, for who reviews it."""
    if not passages:
        return "---\n\n*Drafted with an assistant, from no passage of the material.*\n"
    places = dict.fromkeys((" › ".join((p.title, *p.heading_path[-1:])), p.url) for p in passages)
    lines = [f"- [{_escaped(name)}]({url})" for name, url in places]
    return "\n".join(("---", "", "*Drafted with an assistant from:*", "", *lines, ""))


def _escaped(name: str) -> str:
    return _MARKUP.sub(r"\\\1", name)


def _check_quiz(given: Json) -> DraftQuiz:
    try:
        return DraftQuiz.model_validate(given)
    except ValidationError as error:
        raise Retry(problems(error, _numbered)) from error


def _numbered(place: Loc) -> str:
    """Where a fault is, questions counted as people count them."""
    match place:
        case ("questions", int() as number, *rest):
            return f"question {number + 1}" + (f", {dotted(tuple(rest))}" if rest else "")
        case _:
            return dotted(place)


async def _draft_quiz(context: ToolContext, given: DraftQuiz) -> Done:
    course, lesson_id, questions = await _about(context, given)
    new = NewQuiz(title=given.title, lesson_id=lesson_id, questions=questions)
    quiz = await quizzes.create_quiz(context.session, context.principal, course.id, new)
    undo = Undo("discard_quiz_draft", {"quiz": quiz.id}, f"Put the draft “{quiz.title}” away")
    data = {
        "id": quiz.id,
        "title": quiz.title,
        "course_id": course.id,
        "lesson_id": lesson_id,
        "status": quiz.status,
        "questions": quiz.question_count,
    }
    said = (
        f"Drafted the quiz “{quiz.title}” in “{course.title}”: {_counted(given)}. A teacher has to review it."
    )
    return Done(said, data, undo)


async def _foresee_quiz(context: ToolContext, given: DraftQuiz) -> Preview:
    course, lesson_id, _ = await _about(context, given)
    bound = {"course": course.id} | ({"lesson": lesson_id} if lesson_id else {})
    return Preview(
        f"Draft the quiz “{given.title}” in “{course.title}”",
        {**plain(given), **bound},
        notes=(f"It has {_counted(given)}.", "Learners do not see it, and a teacher has to approve it."),
    )


async def _about(context: ToolContext, given: DraftQuiz) -> tuple[CourseCard, str | None, list[Question]]:
    """What a quiz is about, and its questions. Raises Retry for those whose sources do not hold."""
    session, principal = context.session, context.principal
    course = await finding.course_meant(context, given.course)
    lesson_id = None
    if given.lesson is not None:
        lesson_id = (await finding.lesson(context, given.lesson, course.id)).id
    questions = [Question.model_validate(each.model_dump()) for each in given.questions]
    found = await doubts(session, principal, course, questions)
    if found:
        said = " ".join(f"Question {each.number + 1}, `{each.field}`: {each.message}" for each in found)
        raise Retry(f"{said} Mend it and call again with all questions.")
    return course, lesson_id, questions


def _counted(given: DraftQuiz) -> str:
    kinds = Counter(question.kind.replace("_", " ") for question in given.questions)
    return ", ".join(f"{number} {kind}" for kind, number in kinds.items())


async def _discard_lesson(context: ToolContext, given: LessonDraft) -> Done:
    lesson = await lessons.get_lesson(context.session, context.principal, given.lesson)
    if lesson.published:
        raise ToolFailed(f"“{lesson.title}” is published by now, and no draft any more.")
    await lessons.archive_lesson(context.session, context.principal, lesson.id)
    return Done(f"Put the draft “{lesson.title}” into the archive.")


async def _discard_quiz(context: ToolContext, given: QuizDraft) -> Done:
    quiz = await quizzes.get_quiz(context.session, context.principal, given.quiz)
    if quiz.status != "draft":
        raise ToolFailed(f"“{quiz.title}” is {quiz.status} by now, and no draft any more.")
    await quizzes.archive_quiz(context.session, context.principal, quiz.id)
    return Done(f"Put the draft “{quiz.title}” into the archive.")


TOOLS = (
    Tool(
        name="draft_lesson",
        description="Write a lesson yourself, from passages of the course's material, for its teachers to review; the "
        "draft names them. Search the material first. Where the person gives the text, use create_lesson. It stays "
        "unpublished; only a person publishes it.",
        parameters=DraftLesson,
        effect="writes",
        needs=("lesson", "create"),
        act=_draft_lesson,
        preview=_foresee_lesson,
    ),
    Tool(
        name="draft_quiz",
        description="Draft a quiz for the teachers of a course, who review and approve it. Search the material first; "
        "every question names the passage that its answer rests on.",
        parameters=DraftQuiz,
        effect="writes",
        needs=("quiz", "create"),
        check=_check_quiz,
        act=_draft_quiz,
        preview=_foresee_quiz,
    ),
    Tool(
        name="discard_lesson_draft",
        description="Put a lesson that is still a draft into the archive.",
        parameters=LessonDraft,
        effect="writes",
        needs=("lesson", "archive"),
        act=_discard_lesson,
    ),
    Tool(
        name="discard_quiz_draft",
        description="Put a quiz that is still a draft into the archive.",
        parameters=QuizDraft,
        effect="writes",
        needs=("quiz", "archive"),
        act=_discard_quiz,
    ),
)
