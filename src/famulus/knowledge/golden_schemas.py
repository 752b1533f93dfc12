"""Golden questions as they are sent and shown, and as files bring them."""

import csv
import io
import json
from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, ValidationError

from famulus.kernel.errors import FieldProblem, Invalid
from famulus.kernel.text import Input, LongText
from famulus.knowledge.models import GoldenQuestion

MOST_LINES = 500
MOST_BYTES = 1_000_000
COLUMNS = ("question", "document", "passage")


class NewGoldenQuestion(Input):
    """A question that the course's material has to answer, and where."""

    question: Annotated[str, LongText(1000)]
    document: Annotated[str, LongText(1000, single_line=True)] = Field(
        description="Path or title of the document that answers it."
    )
    passage: Annotated[str, LongText(1000, min_length=0)] = Field(
        "", description="Words that the passage has to have; none: any passage of the document will do."
    )


class GoldenQuestionOut(BaseModel):
    """A golden question and how its answer is found."""

    id: str
    question: str
    document: str
    passage: str
    place: int | None = Field(
        description="Where among the first ten passages it was found, from 1; null: nowhere."
    )
    best: int | None = Field(description="The best place since how things are was last accepted.")
    worse: bool = Field(description="Whether it was found better before.")
    checked_at: datetime | None = Field(description="When it was last asked; null: not yet.")
    created_at: datetime

    @classmethod
    def of(cls, one: GoldenQuestion) -> Self:
        """As it is sent."""
        lower = one.best is not None and (one.place is None or one.place > one.best)
        return cls(
            **{name: getattr(one, name) for name in cls.model_fields if name != "worse"},
            worse=one.checked_at is not None and lower,
        )


class GoldenQuestionPage(BaseModel):
    """Golden questions, oldest first."""

    items: list[GoldenQuestionOut]
    next: str | None


class Report(BaseModel):
    """How the golden questions of a course stand."""

    questions: int
    checked: int = Field(description="How many were asked at least once.")
    found: int = Field(description="How many are answered among the first ten passages.")
    worse: int = Field(description="How many were answered better before the material changed.")
    checked_at: datetime | None = Field(description="When they were last asked.")


class Imported(BaseModel):
    """What a file has brought."""

    added: int
    known: int = Field(description="Questions that were there already.")
    report: Report


def read_questions(data: bytes, filename: str) -> list[NewGoldenQuestion]:
    """The questions of a file: lines of JSON, or CSV with a head of `question`, `document` and perhaps `passage`.

    Raises Invalid naming the lines that are not as they should be.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _bad(1, "The file has to be UTF-8.") from error
    rows = _csv(text) if filename.lower().endswith(".csv") else _json(text)
    if len(rows) > MOST_LINES:
        raise _bad(MOST_LINES + 1, f"A file may bring {MOST_LINES} questions at most.")
    found: list[NewGoldenQuestion] = []
    problems: list[FieldProblem] = []
    for number, row in rows:
        try:
            found.append(NewGoldenQuestion.model_validate(row))
        except ValidationError as error:
            first = error.errors()[0]
            problems.append(FieldProblem(f"line {number}.{'.'.join(map(str, first['loc']))}", first["msg"]))
    if problems:
        raise Invalid(fields=tuple(problems[:20]))
    return found


def _csv(text: str) -> list[tuple[int, object]]:
    reader = csv.DictReader(io.StringIO(text))
    if not {"question", "document"} <= set(reader.fieldnames or ()):
        raise _bad(1, "The first line has to name the columns `question` and `document`.")
    try:
        rows = [{name: row[name] for name in COLUMNS if row.get(name)} for row in reader]
    except csv.Error as error:
        raise _bad(reader.line_num, f"This is no CSV ({error}).") from error
    return list(enumerate(rows, 2))


def _json(text: str) -> list[tuple[int, object]]:
    rows: list[tuple[int, object]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            rows.append((number, json.loads(line)))
        except (ValueError, RecursionError) as error:
            raise _bad(number, "This is no JSON.") from error
    return rows


def _bad(line: int, problem: str) -> Invalid:
    return Invalid(fields=(FieldProblem(f"line {line}", problem),))
