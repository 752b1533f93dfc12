"""What the registry's routes take and give."""

from datetime import datetime
from typing import Annotated, Literal, Self

import msgspec
from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from famulus.assistants.models import AssistantVersion
from famulus.assistants.registry import AssistantCard, Changes, Draft
from famulus.assistants.settings import (
    MODEL,
    AssistantSettings,
    ResolvedAssistant,
    SecondMessage,
    read_settings,
)
from famulus.identity.principal import Role
from famulus.kernel.effort import Effort
from famulus.kernel.text import Change, Id, Input, LongText, Name
from famulus.tools.client import MOST_TOOLS
from famulus.tools.policy import MOST_RULES
from famulus.tools.schemas import ClientToolBody, Pattern, ToolRuleBody

INSTRUCTIONS_LENGTH = 20_000
Instructions = Annotated[str, LongText(INSTRUCTIONS_LENGTH)]
ModelChoice = Annotated[str, StringConstraints(strip_whitespace=True, pattern=MODEL)]


class SettingsIn(Input):
    """How an assistant answers; what is left away has its default."""

    model: ModelChoice | None = Field(
        None, description="A choice such as `openai:NAME`; null: the server's default."
    )
    history_messages: int = Field(50, ge=1, le=500, description="Messages told to the model, at most.")
    history_tokens: int = Field(
        16_000, ge=100, le=1_000_000, description="Tokens of them, at most, by estimate."
    )
    passages: int = Field(
        5, ge=0, le=20, description="Passages retrieved for a question; 0 searches nothing."
    )
    temperature: float | None = Field(None, ge=0, le=2)
    max_output_tokens: int | None = Field(None, ge=1, le=200_000)
    on_second_message: SecondMessage = Field(
        "reject", description="What happens to a message while the one before it is being answered."
    )
    tools: Annotated[list[Pattern], Field(max_length=100)] = Field(
        ["*"], description="The tools that it is given, by name or pattern, of those that the person may use."
    )
    tool_rules: Annotated[list[ToolRuleBody], Field(max_length=MOST_RULES)] = Field(
        [], description="Which of their calls are made at once, wait for a person, or are not made."
    )
    client_tools: Annotated[list[ClientToolBody], Field(max_length=MOST_TOOLS)] = Field(
        [], description="Tools that the client carries out, where it has said that it can."
    )
    asks: bool = Field(
        False, description="Whether it may put questions to the person, where the client can show them."
    )
    reasoning_effort: Effort | None = Field(
        None,
        description="How much its model thinks before it answers; null: the server's or the provider's default.",
    )
    show_reasoning: bool = Field(
        True, description="Whether people are shown what its model thinks aloud, where it does."
    )
    max_run_tokens: int | None = Field(
        None, ge=1_000, le=10_000_000, description="Tokens after which one answer begins no further step."
    )
    max_run_cost: float | None = Field(
        None, gt=0, le=1_000, description="US dollars after which one answer begins no further step."
    )

    def value(self) -> AssistantSettings:
        """The settings as the registry keeps them."""
        return msgspec.convert(self.model_dump(), AssistantSettings)


class NewAssistant(Input):
    """A new assistant. Its organization follows from its course, or is the active one."""

    scope: Literal["global", "organization", "course"]
    name: Name
    instructions: Instructions
    role: Role | None = Field(None, description="Whom it answers; needed for the scope `organization`.")
    organization_id: Id | None = Field(
        None, description="Only site admins may name another than the active one."
    )
    course_id: Id | None = None
    settings: SettingsIn | None = Field(None, description="What is left away has its default.")

    @model_validator(mode="after")
    def _fits_its_scope(self) -> Self:
        wrong = {
            "global": self.organization_id is not None or self.course_id is not None,
            "organization": self.role is None or self.course_id is not None,
            "course": self.course_id is None or self.role is not None,
        }
        if wrong[self.scope]:
            raise PydanticCustomError(
                "scope",
                "global takes neither organization_id nor course_id; organization needs a role; course a course_id.",
            )
        return self

    def draft(self) -> Draft:
        """What the registry makes of it."""
        return Draft(
            scope=self.scope,
            name=self.name,
            instructions=self.instructions,
            settings=self.settings.value() if self.settings else AssistantSettings(),
            role=self.role,
            organization_id=self.organization_id,
            course_id=self.course_id,
        )


class CourseAssistant(Input):
    """The assistant of a course that the path names."""

    name: Name
    instructions: Instructions
    settings: SettingsIn | None = Field(None, description="What is left away has its default.")

    def draft(self, course_id: str) -> Draft:
        """What the registry makes of it."""
        settings = self.settings.value() if self.settings else AssistantSettings()
        return Draft("course", self.name, self.instructions, settings, course_id=course_id)


class AssistantChange(Change):
    """A change; other instructions or settings make a new version."""

    name: Name | None = None
    active: bool | None = None
    instructions: Instructions | None = None
    settings: SettingsIn | None = None

    def changes(self) -> Changes:
        """What the registry makes of it."""
        settings = None if self.settings is None else self.settings.model_dump(exclude_unset=True)
        return Changes(self.name, self.active, self.instructions, settings)


class PinAssistant(Input):
    """The assistant that a course is pinned to; null takes the pin away."""

    assistant_id: Id | None


class VersionOut(BaseModel):
    """What an assistant was at one time."""

    version: int
    instructions: str
    settings: SettingsIn
    created_by: str | None
    created_at: datetime

    @classmethod
    def of(cls, version: AssistantVersion) -> "VersionOut":
        """The wire's form of a version."""
        return cls(
            version=version.version,
            instructions=version.instructions,
            settings=_settings_out(read_settings(version.settings)),
            created_by=version.created_by,
            created_at=version.created_at,
        )


class AssistantOut(BaseModel):
    """An assistant with the version that answers."""

    id: str
    scope: Literal["global", "organization", "course"]
    organization_id: str | None
    course_id: str | None
    role: Role | None
    name: str
    active: bool
    version: int
    instructions: str | None
    """For those who may change the assistant; null for others, as are the settings."""
    settings: SettingsIn | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, card: AssistantCard) -> "AssistantOut":
        """The wire's form of an assistant."""
        assistant = card.assistant
        return cls.model_validate(
            {
                "id": assistant.id,
                "scope": assistant.scope,
                "organization_id": assistant.organization_id,
                "course_id": assistant.course_id,
                "role": assistant.role,
                "name": assistant.name,
                "active": assistant.active,
                "version": card.version.version,
                "instructions": card.version.instructions if card.managed else None,
                "settings": _settings_out(read_settings(card.version.settings)) if card.managed else None,
                "created_at": assistant.created_at,
                "updated_at": assistant.updated_at,
            }
        )


class ResolvedOut(BaseModel):
    """Who answers in a place."""

    id: str
    name: str
    version: int

    @classmethod
    def of(cls, resolved: ResolvedAssistant) -> "ResolvedOut":
        """The wire's form of a resolution; what it is told is for those who may change it."""
        return cls(id=resolved.id, name=resolved.name, version=resolved.version)


class AssistantPage(BaseModel):
    """A page of assistants."""

    items: list[AssistantOut]
    next: str | None


class VersionPage(BaseModel):
    """A page of versions, newest first."""

    items: list[VersionOut]
    next: str | None


def _settings_out(settings: AssistantSettings) -> SettingsIn:
    return SettingsIn.model_validate_json(msgspec.json.encode(settings))
