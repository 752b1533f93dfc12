"""What an assistant is set to, and an assistant as the runs room gets it: resolved, one version, ready to answer."""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from famulus.kernel.effort import Effort
from famulus.tools.client import MOST_TOOLS, ClientTool
from famulus.tools.policy import PATTERN, Rules

_ONE = r"(openai|responses|compatible|anthropic):[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,180}"
MODEL = rf"^(offline|{_ONE}( ?\| ?{_ONE}){{0,3}}( ?\| ?offline)?)$"
"""Models that an assistant may choose, or a chain of them. `scripted:PATH` reads a file of the server, so it is the
operator's alone."""
ToolPattern = Annotated[str, msgspec.Meta(pattern=PATTERN)]
SecondMessage = Literal["reject", "enqueue", "interrupt"]
"""What happens to a message while the one before it is being answered."""


class AssistantSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an assistant answers. Every field has a default, so that settings stored long ago still read."""

    model: Annotated[str, msgspec.Meta(pattern=MODEL, max_length=200)] | None = None
    """A choice such as `openai:NAME`; None for the server's default."""
    history_messages: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    """At most so many messages of the thread are told to the model, the asked one included."""
    history_tokens: Annotated[int, msgspec.Meta(ge=100, le=1_000_000)] = 16_000
    """And at most so many tokens of them, by estimate."""
    passages: Annotated[int, msgspec.Meta(ge=0, le=20)] = 5
    """Passages retrieved for a question; 0 searches nothing."""
    temperature: Annotated[float, msgspec.Meta(ge=0, le=2)] | None = None
    max_output_tokens: Annotated[int, msgspec.Meta(ge=1, le=200_000)] | None = None
    on_second_message: SecondMessage = "reject"
    tools: Annotated[tuple[ToolPattern, ...], msgspec.Meta(max_length=100)] = ("*",)
    """The tools that it is given, by name or pattern, of those that the person may use."""
    tool_rules: Rules = ()
    """Which of their calls are made at once, wait for a person, or are not made."""
    client_tools: Annotated[tuple[ClientTool, ...], msgspec.Meta(max_length=MOST_TOOLS)] = ()
    """Tools that the asker's client carries out, where it has said that it can."""
    asks: bool = False
    """Whether it may put questions with choices to the person, where the client can show them."""
    reasoning_effort: Effort | None = None
    """How much its model thinks before it answers; None for the server's word for its model, or the provider's."""
    show_reasoning: bool = True
    """Whether people are shown what its model thinks aloud, where a model does; else nothing is kept of it."""
    max_run_tokens: Annotated[int, msgspec.Meta(ge=1_000, le=10_000_000)] | None = None
    """Tokens, read and written, after which one answer begins no further step; None for the server's own limit."""
    max_run_cost: Annotated[float, msgspec.Meta(gt=0, le=1_000)] | None = None
    """US dollars, after which one answer begins no further step, where the price of the model is known."""


class ResolvedAssistant(msgspec.Struct, frozen=True):
    """One version of an assistant, as it answers."""

    id: str
    name: str
    version: int
    instructions: str
    settings: AssistantSettings


def read_settings(stored: dict[str, object]) -> AssistantSettings:
    """Settings from their stored form."""
    return msgspec.convert(stored, AssistantSettings)


def changed_settings(settings: AssistantSettings, changes: Mapping[str, object]) -> AssistantSettings:
    """The settings with some of them different."""
    return msgspec.convert({**msgspec.to_builtins(settings), **changes}, AssistantSettings)
