"""What the routes of this room take and give."""

from typing import Annotated, Any, Self

from pydantic import Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from famulus.kernel.text import Input, LongText
from famulus.tools.client import NAME, ClientTool, fault_of
from famulus.tools.policy import MOST_RULES, PATTERN, Approver, Decision

Pattern = Annotated[str, StringConstraints(strip_whitespace=True, pattern=PATTERN)]


class ToolRuleBody(Input):
    """What holds for the tools whose names fit a pattern; of several rules the first that fits counts."""

    tools: Pattern = Field(description="A name, with `*` for any characters.")
    decision: Decision
    approver: Approver = Field(
        "asker", description="With `ask`: who may say yes, who asked or somebody with this role."
    )


class ClientToolBody(Input):
    """A tool that the client of the person carries out."""

    name: Annotated[str, StringConstraints(pattern=NAME)]
    description: Annotated[str, LongText(1000)]
    parameters: dict[str, Any] = Field({}, description="JSON schema of an object: its arguments.")

    @model_validator(mode="after")
    def _can_be_used(self) -> Self:
        if fault := fault_of(ClientTool(self.name, self.description, self.parameters)):
            raise PydanticCustomError("parameters", "{reason}", {"reason": fault})
        return self


class ToolRulesBody(Input):
    """An organization's rules, in their order."""

    rules: Annotated[list[ToolRuleBody], Field(max_length=MOST_RULES)]
