"""Who belongs where: members, enrolments, and the asker among them."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from famulus.campus.models import CourseRole, MemberRole
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.identity.accounts import EMAIL_LENGTH
from famulus.identity.principal import Role
from famulus.identity.schemas import Email, UserView
from famulus.kernel.text import Id, Input, LongText

BULK = 1000
"""Lines of one request."""
Mode = Literal["all", "valid"]
BulkOutcome = Literal[
    "enrolled", "already", "unknown", "not_a_member", "not_verified", "not_a_teacher", "invalid"
]
Sort = Literal["name", "-name", "created_at", "-created_at"]
"""How people can be sorted; a minus turns the order round."""


@dataclass(frozen=True, slots=True)
class PeopleFilter:
    """Which people a list is to show, and how."""

    role: MemberRole | None = None
    q: str | None = None
    """What the name or the address begins with, whatever its case."""
    sort: Sort = "name"


EVERYBODY = PeopleFilter()


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
    verified: bool
    """Whether the person has shown that the address is theirs; nobody teaches before that."""
    role: MemberRole
    service: bool = Field(description="Whether this is no person but an API key of the organization.")
    created_at: datetime


class MemberPage(BaseModel):
    """People of an organization by name."""

    items: list[MemberOut]
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


class EnrolmentChange(Input):
    """What a person is in a course from now on."""

    role: CourseRole


class BulkLine(Input):
    """One person of many, by e-mail address or id; what is wrong with them is said in the report."""

    email: Annotated[str, LongText(EMAIL_LENGTH, single_line=True)] | None = None
    user_id: Id | None = None
    role: CourseRole = "student"


class BulkEnrolment(Input):
    """People to be put into a course at once."""

    people: list[BulkLine] = Field(min_length=1, max_length=BULK)
    mode: Mode = Field(
        "all", description="`all` keeps nothing unless every line is fine; `valid` keeps what is."
    )


class BulkLineOut(BaseModel):
    """What became of one line."""

    line: int
    """From 1, in the order they were sent."""
    who: str
    outcome: BulkOutcome
    detail: str | None


class BulkReport(BaseModel):
    """What became of every line."""

    applied: bool
    """Whether anything was kept; in the mode `all` nothing is while one line is not fine."""
    enrolled: int
    lines: list[BulkLineOut]


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


class MembershipOut(BaseModel):
    """One of a person's own memberships."""

    organization: OrganizationRef
    role: MemberRole


class Me(BaseModel):
    """Who is asking, where they are, and where else they could be."""

    user: UserView
    organization: OrganizationRef | None
    role: Role | None
    memberships: list[MembershipOut]
