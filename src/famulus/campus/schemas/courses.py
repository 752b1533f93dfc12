"""Courses and lessons as they are asked for and shown."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError

from famulus.campus.names import TitleSort
from famulus.campus.schemas.places import MOST_IN_ORDER, Description
from famulus.identity.principal import Role
from famulus.kernel.text import Change, Clearable, Id, Input, LongText, Name

BODY_LENGTH = 500_000
LessonPath = Annotated[str, LongText(500, single_line=True)]
Body = Annotated[str, LongText(BODY_LENGTH, min_length=0, strip=False)]
Position = Annotated[int, Field(ge=0, le=1_000_000)]


class CourseFilters(BaseModel, frozen=True):
    """Which courses a list shows, and in which order."""

    track_id: Id | None = Field(default=None, description="Only courses of this track.")
    published: bool | None = None
    archived: bool = Field(default=False, description="Those that are archived, instead of those in use.")
    role: Literal["teaching", "learning"] | None = Field(
        default=None, description="Only those that the person is enrolled in to teach, or to learn."
    )
    q: Name | None = Field(default=None, description="Beginning of the title, in whatever case.")
    sort: TitleSort = Field(default="title", description="`position` is for the courses of one track.")


class AllCourseFilters(CourseFilters, frozen=True):
    """Which of all the courses that a person sees a list shows."""

    organization_id: Id | None = Field(default=None, description="Only courses of this organization.")


class LessonFilters(BaseModel, frozen=True):
    """Which lessons of a course a list shows."""

    published: bool | None = None
    archived: bool = Field(default=False, description="Those that are archived, instead of those in use.")
    q: Name | None = Field(default=None, description="Beginning of the title, in whatever case.")


def _each_once(ids: list[str]) -> list[str]:
    if len(set(ids)) < len(ids):
        raise PydanticCustomError("twice", "An id stands here twice; name each once.")
    return ids


Ids = Annotated[list[Id], Field(max_length=MOST_IN_ORDER), AfterValidator(_each_once)]


class CourseOrder(Input):
    """The courses of a track in the order they are to have."""

    course_ids: Ids


class LessonOrder(Input):
    """The lessons of a course in the order they are to have."""

    lesson_ids: Ids


class NewCourse(Input):
    """A course to be; in a track it comes last."""

    title: Name
    description: Description = ""
    published: bool = False
    track_id: Id | None = None
    organization_id: Id | None = Field(default=None, description="Only a site admin needs to say where.")


class CourseChange(Change):
    """What of a course is to be different."""

    title: Name | None = None
    description: Description | None = None
    published: bool | None = None
    track_id: Clearable[Id] = Field(
        default=None, description="Where it comes last; null takes it out of its track."
    )


class CourseOut(BaseModel):
    """A course, as one person meets it."""

    id: str
    organization_id: str
    track_id: str | None
    position: int
    """Its place in its track."""
    title: str
    description: str
    published: bool
    archived_at: datetime | None
    assistant_id: str | None
    """The assistant this course is pinned to, if any."""
    lesson_count: int
    """Lessons that this person may read."""
    my_role: Role
    created_at: datetime
    updated_at: datetime


class CoursePage(BaseModel):
    """Courses in the order that was asked for."""

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
    archived_at: datetime | None
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
