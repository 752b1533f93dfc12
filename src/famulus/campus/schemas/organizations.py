"""Organizations as they are asked for and shown."""

from datetime import datetime

from pydantic import BaseModel

from famulus.kernel.text import Change, Id, Input, Name


class NewOrganization(Input):
    """A tenant to be."""

    name: Name


class OrganizationChange(Change):
    """What of a tenant is to be different."""

    name: Name | None = None


class OrganizationOut(BaseModel, from_attributes=True):
    """A tenant."""

    id: str
    name: str
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime


class OrganizationPage(BaseModel):
    """Organizations in the order that was asked for."""

    items: list[OrganizationOut]
    next: str | None


class OrganizationRef(BaseModel):
    """An organization by name."""

    id: str
    name: str


class Switch(Input):
    """The organization to be active in this session."""

    organization_id: Id
