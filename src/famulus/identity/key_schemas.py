"""What the routes of API keys take and give."""

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic.json_schema import SkipJsonSchema
from pydantic_core import PydanticCustomError

from famulus.identity.keys import KeyCard, KeyWish, MadeKey
from famulus.identity.principal import SCOPES, Scope
from famulus.kernel.text import Input, Moment, Name

Scopes = Annotated[
    list[Scope],
    Field(
        min_length=1,
        max_length=len(SCOPES),
        description="What it is for: to see (`read`), to change (`write`), to talk in threads and runs (`chat`).",
    ),
]


class NewKey(Input):
    """An API key to be made."""

    name: Name
    scopes: Scopes
    expires_at: Moment | SkipJsonSchema[None] = Field(
        None, description="Its end: within a year; in 90 days where nothing is said. Every key has one."
    )

    @field_validator("expires_at")
    @classmethod
    def _no_null(cls, value: datetime | None) -> datetime | None:
        """Who sends null may think that it means for ever."""
        if value is None:
            raise PydanticCustomError(
                "null", "Every key ends: send a time, or leave the field away for 90 days."
            )
        return value

    def wish(self) -> KeyWish:
        """For the service."""
        return KeyWish(self.name, tuple(self.scopes), self.expires_at)


class KeyOut(BaseModel):
    """An API key, without what opens anything."""

    model_config = ConfigDict(from_attributes=True)

    id: str
    name: str
    hint: str = Field(description="Its first characters.")
    scopes: list[str]
    organization_id: str | None = Field(description="Where it acts.")
    user_id: str = Field(description="The account it acts under: one's own, or a service account.")
    expires_at: datetime | None
    used_at: datetime | None = Field(description="To some minutes.")
    revoked_at: datetime | None
    created_by: str | None
    created_at: datetime

    @classmethod
    def of(cls, card: KeyCard) -> Self:
        """As it is told."""
        return cls.model_validate(card)


class KeyMade(KeyOut):
    """An API key that was just made."""

    key: str = Field(description="The key itself. It is shown this once.")

    @classmethod
    def made(cls, made: MadeKey) -> Self:
        """As it is told to its maker."""
        return cls.model_validate({**KeyOut.of(made.card).model_dump(), "key": made.key})


class KeyPage(BaseModel):
    """API keys, the newest first."""

    items: list[KeyOut]
    next: str | None
