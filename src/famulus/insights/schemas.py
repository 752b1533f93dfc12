"""What analytics, activity and the audit show."""

from datetime import date, datetime
from typing import Literal

from pydantic import BaseModel, Field


class Figures(BaseModel):
    """Figures of a period; null where one would speak of fewer than five people, or could be worked out then."""

    threads: int | None
    questions: int | None
    answered: int | None
    unanswered: int | None
    """Those whose run did not complete or, in a course, whose answer cites nothing."""
    up: int | None
    down: int | None
    input_tokens: int | None
    output_tokens: int | None
    cost_usd: float | None
    """US dollars, of the questions whose cost is known; null too where it is of none."""


class DayFigures(Figures):
    """One day, in UTC."""

    day: date
    active_people: int | None
    """How many asked something."""


class TotalFigures(Figures):
    """All days together: the sum of what may be told of them."""

    complete: bool
    """Whether nothing had to be left out of any of the sums."""


class Analytics(BaseModel):
    """What happened in a place, in numbers."""

    first: date = Field(serialization_alias="from")
    last: date = Field(serialization_alias="to")
    smallest_group: int
    """No figure speaks of fewer people."""
    people: int | None
    """Who learns in the course, or belongs to the organization, now."""
    total: TotalFigures
    days: list[DayFigures]


class ActivityItem(BaseModel):
    """Something that a person did."""

    id: str
    at: datetime
    kind: Literal["change", "question", "task"]
    action: str | None
    """Of a change, what was done, such as `course.create`."""
    thing_id: str | None
    """Of a change what it was done to, of a question its thread, of a task itself."""
    title: str | None
    """What that is called."""
    organization_id: str | None
    course_id: str | None


class ActivityPage(BaseModel):
    """What a person did, the newest first."""

    items: list[ActivityItem]
    next: str | None
