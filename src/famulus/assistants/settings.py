"""What an assistant is set to, and an assistant as the runs room gets it: resolved, one version, ready to answer."""

from typing import Annotated, Literal

import msgspec

SecondMessage = Literal["reject", "enqueue", "interrupt"]
"""What happens to a message while the one before it is being answered."""


class AssistantSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an assistant answers. Every field has a default, so that settings stored long ago still read."""

    model: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] | None = None
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
