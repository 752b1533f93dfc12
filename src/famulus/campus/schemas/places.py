"""Projects and tracks as they are asked for and shown."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field

from famulus.campus.models import Level
from famulus.campus.names import NameSort
from famulus.kernel.text import Change, Id, Input, LongText, Name

Description = Annotated[str, LongText(10_000, min_length=0)]
MOST_IN_ORDER = 2000


class NameFilters(BaseModel, frozen=True):
    """Which of the things with a name a list shows, and in which order."""

    q: Name | None = Field(default=None, description="Beginning of the name, in whatever case.")
    archived: bool = Field(default=False, description="Those that are archived, instead of those in use.")
    sort: NameSort = "name"


class ProjectFilters(NameFilters, frozen=True):
    """Which projects a list shows."""

    organization_id: Id | None = Field(default=None, description="Only projects of this organization.")


class TrackFilters(NameFilters, frozen=True):
    """Which tracks a list shows."""

    project_id: Id | None = Field(default=None, description="Only tracks of this project.")
    level: Level | None = None


class NewProject(Input):
    """A project to be."""

    name: Name
    description: Description = ""
    organization_id: Id | None = Field(default=None, description="Only a site admin needs to say where.")


class ProjectChange(Change):
    """What of a project is to be different."""

    name: Name | None = None
    description: Description | None = None


class ProjectOut(BaseModel, from_attributes=True):
    """A project."""

    id: str
    organization_id: str
    name: str
    description: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class ProjectPage(BaseModel):
    """Projects in the order that was asked for."""

    items: list[ProjectOut]
    next: str | None


class NewTrack(Input):
    """A track to be; its organization is its project's."""

    project_id: Id
    name: Name
    level: Level = "beginner"
    description: Description = ""


class TrackChange(Change):
    """What of a track is to be different; another project has to be of the same organization."""

    project_id: Id | None = None
    name: Name | None = None
    level: Level | None = None
    description: Description | None = None


class TrackOut(BaseModel, from_attributes=True):
    """A track."""

    id: str
    organization_id: str
    project_id: str
    name: str
    level: Level
    description: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class TrackPage(BaseModel):
    """Tracks in the order that was asked for."""

    items: list[TrackOut]
    next: str | None
