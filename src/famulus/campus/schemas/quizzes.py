"""Quizzes as they are drafted, reviewed and shown. What a question has to have depends on its kind."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel, Field, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from famulus.campus.models import QuizStatus
from famulus.kernel.text import Change, Id, Input, LongText, Name, fold

Kind = Literal["single_choice", "multiple_choice", "true_false", "short_answer", "matching"]
MOST_QUESTIONS = 30
FIELD_OF: dict[Kind, str] = {
    "single_choice": "options",
    "multiple_choice": "options",
    "true_false": "answer",
    "short_answer": "answers",
    "matching": "pairs",
}
"""Where a kind of question keeps what is right."""
Line = Annotated[str, LongText(500)]
Quote = Annotated[
    Annotated[str, LongText(1000)] | None,
    Field(description="The words of that passage that say so, copied from it."),
]


class Option(Input):
    """Something to choose."""

    text: Line
    correct: bool = False


class Pair(Input):
    """Two things that belong together."""

    left: Line
    right: Line


class Answered(Input):
    """A question with its answer, and why that is right."""

    kind: Kind
    prompt: Annotated[str, LongText(2000)] = Field(description="The question, in Markdown.")
    options: Annotated[list[Option], Field(min_length=2, max_length=10)] | None = Field(
        default=None,
        validate_default=True,
        description="Of single_choice (exactly one is correct) and multiple_choice (at least one is).",
    )
    answer: bool | None = Field(default=None, validate_default=True, description="Of true_false.")
    answers: Annotated[list[Line], Field(min_length=1, max_length=10)] | None = Field(
        default=None, validate_default=True, description="Of short_answer: every answer that is accepted."
    )
    pairs: Annotated[list[Pair], Field(min_length=2, max_length=10)] | None = Field(
        default=None, validate_default=True, description="Of matching: what belongs together."
    )
    explanation: Annotated[str, LongText(2000, 0)] = Field(
        default="", description="Why the answer is right, for who reviews it."
    )

    @field_validator(*dict.fromkeys(FIELD_OF.values()))
    @classmethod
    def _as_its_kind_has_it(cls, value: object, info: ValidationInfo) -> object:
        kind: Kind | None = info.data.get("kind")
        if kind is None:  # wrong itself, and named for it
            return value
        if info.field_name == FIELD_OF[kind]:
            if value is None:
                raise _wrong(f"A {kind} question needs this.")
        elif value is not None:
            raise _wrong(f"A {kind} question has `{FIELD_OF[kind]}` instead of this; leave it away.")
        return value

    @field_validator("options")
    @classmethod
    def _right_ones(cls, options: list[Option] | None, info: ValidationInfo) -> list[Option] | None:
        if options is not None:
            _differ([option.text for option in options], "options")
            correct, kind = sum(option.correct for option in options), info.data.get("kind")
            if kind == "single_choice" and correct != 1:
                raise _wrong(f"Exactly one option has to be correct; {correct} are.")
            if kind == "multiple_choice" and not correct:
                raise _wrong("At least one option has to be correct.")
        return options

    @field_validator("answers")
    @classmethod
    def _each_once(cls, answers: list[str] | None) -> list[str] | None:
        _differ(answers or (), "answers")
        return answers

    @field_validator("pairs")
    @classmethod
    def _one_to_one(cls, pairs: list[Pair] | None) -> list[Pair] | None:
        _differ([pair.left for pair in pairs or ()], "left sides")
        _differ([pair.right for pair in pairs or ()], "right sides")
        return pairs


class Question(Answered):
    """A question with the passage of the material that its answer rests on, if it rests on one."""

    passage_id: Id | None = Field(
        default=None, description="The passage of the course's material that the answer rests on."
    )
    quote: Quote = None

    @field_validator("quote")
    @classmethod
    def _of_a_passage(cls, quote: str | None, info: ValidationInfo) -> str | None:
        if quote is not None and info.data.get("passage_id", "") is None:
            raise _wrong("Say with `passage_id` which passage this is from.")
        return quote


def _differ(texts: Sequence[str], what: str) -> None:
    if len({fold(text) for text in texts}) < len(texts):
        raise _wrong(f"Two {what} are the same.")


def _wrong(sentence: str) -> PydanticCustomError:
    return PydanticCustomError("question", "{sentence}", {"sentence": sentence})


Questions = Annotated[list[Question], Field(min_length=1, max_length=MOST_QUESTIONS)]


class NewQuiz(Input):
    """A quiz to be; it is a draft."""

    title: Name
    lesson_id: Id | None = None
    questions: Questions


class QuizChange(Change):
    """What of a quiz is to be different."""

    title: Name | None = None
    questions: Questions | None = Field(default=None, description="All of them, in their order.")
    status: QuizStatus | None = Field(default=None, description="Approving takes a person: no API key can.")


class QuizFilters(BaseModel, frozen=True):
    """Which quizzes of a course a list shows."""

    status: QuizStatus | None = None
    archived: bool = Field(default=False, description="Those that are archived, instead of those in use.")


class OptionOut(BaseModel):
    """Something to choose."""

    text: str
    correct: bool


class PairOut(BaseModel):
    """Two things that belong together."""

    left: str
    right: str


class QuestionOut(BaseModel):
    """A question; of `options`, `answer`, `answers` and `pairs` it has the one that its kind has."""

    kind: Kind
    prompt: str
    options: list[OptionOut] | None = None
    answer: bool | None = None
    answers: list[str] | None = None
    pairs: list[PairOut] | None = None
    explanation: str
    passage_id: str | None = None
    quote: str | None = None


class QuizSummary(BaseModel, from_attributes=True):
    """A quiz as lists show it."""

    id: str
    course_id: str
    lesson_id: str | None
    title: str
    status: QuizStatus
    question_count: int
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class QuizOut(QuizSummary):
    """A quiz with its questions."""

    questions: list[QuestionOut]


class QuizPage(BaseModel):
    """Quizzes, the newest first."""

    items: list[QuizSummary]
    next: str | None
