"""Who belongs where: members, enrolments, and the asker among them."""

from datetime import datetime
from typing import Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from famulus.campus.models import CourseRole, MemberRole
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.identity.principal import Role
from famulus.identity.schemas import Email, UserView
from famulus.kernel.text import Id, Input


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
