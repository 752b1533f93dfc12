"""Organizations as they are asked for and shown."""

from datetime import datetime

from pydantic import BaseModel

from famulus.kernel.text import Id, Input, Name


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


class OrganizationRef(BaseModel):
    """An organization by name."""

    id: str
    name: str


class Switch(Input):
    """The organization to be active in this session."""

    organization_id: Id
