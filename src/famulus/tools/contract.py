"""What a tool is: a name, a description, a schema, an effect, and a function that acts as the asker. Pure.

Authors have two words besides a result: `Retry` (tell the model, let it mend its call) and `ToolFailed` (tell the model
and the person). A tool has no rights of its own: it calls the same services as every door, with the asker's principal.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from famulus.identity.principal import Principal

Effect = Literal["reads", "writes", "destroys"]


class Retry(Exception):
    """The model called the tool wrongly; the message tells it how to mend the call."""


class ToolFailed(Exception):
    """The tool could not do it; the message is for the model and the person."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom and where a tool is called."""

    principal: Principal
    thread_id: str
    course_id: str | None


Arguments = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing an assistant may do."""

    name: str
    description: str
    """What it does and when to use it, for the model."""
    parameters: Mapping[str, object]
    """JSON schema of the arguments, an object."""
    effect: Effect
    call: Callable[[ToolContext, Arguments], Awaitable[str]]
    """Acts as the asker and returns text for the model; raises `Retry` or `ToolFailed`."""
