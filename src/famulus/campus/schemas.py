"""What the campus takes and gives: requests that are valid once they exist, and the values that leave the room."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from famulus.campus.models import CourseRole, MemberRole
from famulus.identity.principal import Role
from famulus.identity.schemas import Email, UserView
from famulus.kernel.text import Change, Id, Input, LongText, Name

BODY_LENGTH = 500_000
Description = Annotated[str, LongText(10_000, min_length=0)]
LessonPath = Annotated[str, LongText(500, single_line=True)]
Body = Annotated[str, LongText(BODY_LENGTH, min_length=0, strip=False)]
Position = Annotated[int, Field(ge=0, le=1_000_000)]


class NewOrganization(Input):
    """A tenant to be."""

    name: Name


class OrganizationOut(BaseModel):
    """A tenant."""

    id: str
    name: str
    created_at: datetime
    updated_at: datetime


class OrganizationPage(BaseModel):
    """Organizations by name."""

    items: list[OrganizationOut]
    next: str | None


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


class NewEnrolment(Input):
    """A member of the course's organization who is to learn or teach in it, by e-mail address or id."""

    email: Email | None = None
    user_id: Id | None = None
    role: CourseRole = "student"

    @model_validator(mode="after")
    def _one_of_both(self) -> Self:
        if (self.email is None) == (self.user_id is None):
            raise PydanticCustomError("who", "Say who it is: either `email` or `user_id`.")
        return self


class EnrolmentOut(BaseModel):
    """A person in a course."""

    course_id: str
    user_id: str
    name: str
    email: str
    role: CourseRole
    created_at: datetime


class EnrolmentPage(BaseModel):
    """People of a course by name."""

    items: list[EnrolmentOut]
    next: str | None


class NewMember(Input):
    """An account that is to belong to an organization."""

    email: Email
    role: MemberRole = "student"


class MemberChange(Input):
    """A member's role from now on."""

    role: MemberRole


class MemberOut(BaseModel):
    """A person in an organization."""

    user_id: str
    name: str
    email: str
    role: MemberRole
    created_at: datetime


class MemberPage(BaseModel):
    """People of an organization by name."""

    items: list[MemberOut]
    next: str | None


class OrganizationRef(BaseModel):
    """An organization by name."""

    id: str
    name: str


class MembershipOut(BaseModel):
    """One of a person's own memberships."""

    organization: OrganizationRef
    role: MemberRole


class Switch(Input):
    """The organization to be active in this session."""

    organization_id: Id


class Me(BaseModel):
    """Who is asking, where they are, and where else they could be."""

    user: UserView
    organization: OrganizationRef | None
    role: Role | None
    memberships: list[MembershipOut]
