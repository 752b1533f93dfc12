"""What the routes of this room take and give."""

from typing import Annotated

from pydantic import Field, StringConstraints

from famulus.kernel.text import Input
from famulus.tools.policy import MOST_RULES, PATTERN, Approver, Decision

Pattern = Annotated[str, StringConstraints(strip_whitespace=True, pattern=PATTERN)]


class ToolRuleBody(Input):
    """What holds for the tools whose names fit a pattern; of several rules the first that fits counts."""

    tools: Pattern = Field(description="A name, with `*` for any characters.")
    decision: Decision
    approver: Approver = Field(
        "asker", description="With `ask`: who may say yes, who asked or somebody with this role."
    )


class ToolRulesBody(Input):
    """An organization's rules, in their order."""

    rules: Annotated[list[ToolRuleBody], Field(max_length=MOST_RULES)]
