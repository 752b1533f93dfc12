"""Courses and lessons as they are asked for and shown."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from famulus.identity.principal import Role
from famulus.kernel.text import Change, Id, Input, LongText, Name

BODY_LENGTH = 500_000
Description = Annotated[str, LongText(10_000, min_length=0)]
LessonPath = Annotated[str, LongText(500, single_line=True)]
Body = Annotated[str, LongText(BODY_LENGTH, min_length=0, strip=False)]
Position = Annotated[int, Field(ge=0, le=1_000_000)]


class NewCourse(Input):
    """A course to be."""

    title: Name
    description: Description = ""
    published: bool = False
    organization_id: Id | None = Field(None, description="Only a site admin needs to say where.")


class CourseChange(Change):
    """What of a course is to be different."""

    title: Name | None = None
    description: Description | None = None
    published: bool | None = None


class CourseOut(BaseModel):
    """A course, as one person meets it."""

    id: str
    organization_id: str
    title: str
    description: str
    published: bool
    assistant_id: str | None
    """The assistant this course is pinned to, if any."""
    lesson_count: int
    """Lessons that this person may read."""
    my_role: Role
    created_at: datetime
    updated_at: datetime


class CoursePage(BaseModel):
    """Courses by title."""

    items: list[CourseOut]
    next: str | None


class NewLesson(Input):
    """A lesson to be; without a position it comes last."""

    title: Name
    path: LessonPath = Field(
        description="Its place in the course, unique there, such as `02-nodes/topics.md`."
    )
    body: Body = Field(description="Markdown.")
    position: Position | None = None
    published: bool = True


class LessonChange(Change):
    """What of a lesson is to be different."""

    title: Name | None = None
    path: LessonPath | None = None
    body: Body | None = None
    position: Position | None = None
    published: bool | None = None


class LessonSummary(BaseModel, from_attributes=True):
    """A lesson as lists show it."""

    id: str
    course_id: str
    title: str
    path: str
    position: int
    published: bool
    created_at: datetime
    updated_at: datetime


class LessonOut(LessonSummary):
    """A lesson with its text."""

    body: str
    """Markdown."""


class LessonPage(BaseModel):
    """Lessons in their order."""

    items: list[LessonSummary]
    next: str | None
