"""A person's tasks as they are asked for and shown."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from famulus.campus.schemas.places import Description
from famulus.kernel.text import Change, Clearable, Input, Moment, Name

TaskSort = Literal["due_at", "-due_at", "created_at", "-created_at"]


class TaskFilters(BaseModel, frozen=True):
    """Which tasks a list shows, and in which order."""

    done: bool | None = None
    due_before: Moment | None = Field(default=None, description="Only those that are due before this time.")
    due_after: Moment | None = Field(
        default=None, description="Only those that are due at this time or later."
    )
    archived: bool = Field(default=False, description="Those that are archived, instead of those in use.")
    q: Name | None = Field(default=None, description="Words that stand in the title, in whatever case.")
    sort: TaskSort = Field(default="due_at", description="What is due at no time comes last, either way.")


class NewTask(Input):
    """A to-do."""

    title: Name
    description: Description = ""
    due_at: Moment | None = None


class TaskChange(Change):
    """What of a task is to be different."""

    title: Name | None = None
    description: Description | None = None
    due_at: Clearable[Moment] = Field(default=None, description="null: at no time.")
    done: bool | None = None


class TaskOut(BaseModel, from_attributes=True):
    """A to-do of the person who asks."""

    id: str
    title: str
    description: str
    due_at: datetime | None
    done_at: datetime | None
    """Since when it is done; null while it is not."""
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class TaskPage(BaseModel):
    """Tasks in the order that was asked for."""

    items: list[TaskOut]
    next: str | None
