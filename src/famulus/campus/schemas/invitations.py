"""Invitations and instructors as they are sent and shown."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from famulus.campus.models import MemberRole
from famulus.campus.schemas.organizations import OrganizationRef
from famulus.identity.principal import Role
from famulus.identity.schemas import Email, LanguageTag, NewPassword, TokenPair, WebSignIn, WithMode
from famulus.kernel.text import Id, Input, Name

COURSES = 100
"""Courses that one invitation may name."""
State = Literal["open", "accepted", "withdrawn", "expired"]


class NewInstructor(Input):
    """Somebody who is to teach, by the address they read."""

    email: Email
    name: Name | None = None
    course_ids: list[Id] = Field(default_factory=list, max_length=COURSES)
    organization_id: Id | None = None
    """Where; by default in the active organization."""


class NewInvitation(Input):
    """Somebody who is to belong to the organization, by the address they read."""

    email: Email
    name: Name | None = None
    role: MemberRole
    course_ids: list[Id] = Field(default_factory=list, max_length=COURSES)


class InvitationOut(BaseModel):
    """A place that is held for somebody."""

    id: str
    organization_id: str
    email: str
    name: str | None
    role: MemberRole
    course_ids: list[str]
    state: State
    expires_at: datetime
    invited_by: str | None
    accepted_by: str | None
    created_at: datetime
    updated_at: datetime


class InvitationPage(BaseModel):
    """Invitations, the newest first."""

    items: list[InvitationOut]
    next: str | None


class InvitationToken(Input):
    """What stands in the link."""

    token: str = Field(min_length=1, max_length=200)


class InvitationLook(BaseModel):
    """An invitation as its holder sees it."""

    organization: OrganizationRef
    email: str
    name: str | None
    role: MemberRole
    account: bool
    """Whether there is an account of theirs to sign in to; without one they choose a name and a password."""
    expires_at: datetime


class Acceptance(WithMode):
    """Taking an invitation: with a name and a password for a new account, or with the password of one's own."""

    token: str = Field(min_length=1, max_length=200)
    name: Name | None = None
    password: NewPassword | None = None
    locale: LanguageTag | None = None


class Accepted(BaseModel):
    """Where one belongs now, and the session that was opened for it; None for whoever had one."""

    organization: OrganizationRef
    role: Role
    session: TokenPair | WebSignIn | None


class CourseRef(BaseModel):
    """A course by name."""

    id: str
    title: str


class InstructorOut(BaseModel):
    """A member with the role teacher, and what they teach."""

    user_id: str
    name: str
    email: str
    verified: bool
    """Whether the person has shown that the address is theirs; nobody teaches before that."""
    course_count: int
    courses: list[CourseRef]
    """The first of them by title, 50 at most."""
    created_at: datetime


class InstructorPage(BaseModel):
    """Teachers of an organization by name."""

    items: list[InstructorOut]
    next: str | None
