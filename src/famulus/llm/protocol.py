"""What every model understands and answers: the values of one request and the closed union of its stream.

    Request ── Model.stream ─▶ (TextDelta | ReasoningDelta | Sealed)* ToolCallReady* Usage? End

A stream ends with exactly one `End`, or with a `ModelError`; nothing follows either. Items come in batches, as many as
came at once, so that many in one packet make one way to the reader. They are made once per token, so they are plain
structs which the garbage collector need not look at.

A reader that takes text wherever it comes gives a `Push`; then a wire need not wake the reader's task for each token.
"""

from base64 import b64encode
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import date
from decimal import Decimal
from typing import Any, Literal, Protocol

from msgspec import Struct

from famulus.kernel.effort import Effort

Role = Literal["system", "user", "assistant", "tool"]
EndReason = Literal["stop", "tool_calls", "length", "content_filter"]


class ToolCall(Struct, frozen=True, gc=False):
    """One call of a tool, complete."""

    id: str
    """Unique within a thread; the result's message repeats it."""
    name: str
    arguments: str
    """JSON text as the model wrote it, meant to be an object; not validated here."""


class Sealed(Struct, frozen=True):
    """What a model has thought before it called tools, as its provider wants it back with their results: unchanged."""

    by: str
    """The wire and the model, for nobody else can read it."""
    data: bytes
    """JSON of the wire."""
    calls: int = 0
    """Calls of the same step that came before it."""
    text: int = 0
    """Characters of the step's text that came before it; readers leave this to whoever has the text."""


class Enclosure(Struct, frozen=True):
    """A picture or a PDF that a message came with."""

    name: str
    mime_type: str
    data: bytes

    def data_url(self) -> str:
        """The file as an address that holds it."""
        return f"data:{self.mime_type};base64,{b64encode(self.data).decode()}"


class ChatMessage(Struct, frozen=True):
    """One message of the context."""

    role: Role
    text: str
    tool_calls: tuple[ToolCall, ...] = ()
    """Only with role `assistant`: the calls made after `text`."""
    tool_call_id: str | None = None
    """Only with role `tool`: the call that `text` is the result of."""
    sealed: tuple[Sealed, ...] = ()
    """Only with `tool_calls`: what was thought before them. A wire sends back what is its own and its model's."""
    files: tuple[Enclosure, ...] = ()
    """Only with role `user`, and only for models that take them."""


class ToolSpec(Struct, frozen=True):
    """A tool as it is offered to a model."""

    name: str
    description: str
    parameters: bytes
    """JSON schema of the arguments, as JSON text."""


class Grounding(Struct, frozen=True):
    """A retrieved passage. Wires ignore it, the context carries it already; the offline model quotes it."""

    number: int
    """The `n` of its citation mark `[n]`."""
    title: str
    heading_path: tuple[str, ...]
    text: str


class ModelSettings(Struct, frozen=True):
    """What may be turned on a model; None leaves the provider's default."""

    temperature: float | None = None
    max_output_tokens: int | None = None
    format: dict[str, Any] | None = None
    """The form of the words: `{"type": "json_object"}`, or `json_schema` with `name`, `schema` and `strict` under it.

    Only for kinds of models among `FORMATS`.
    """
    effort: Effort | None = None
    """How much it thinks before it answers. Servers of models that do not think may refuse it."""
    aloud: bool = False
    """Whether people are shown what is thought, so that it has to be told at all."""

    @property
    def thinks(self) -> bool:
        """Whether it is asked to think."""
        return self.effort not in (None, "none")


FORMATS = ("openai", "responses", "compatible")
"""Kinds of models that can be held to a form."""


class Request(Struct, frozen=True):
    """Everything a model needs for one answer, or for one step of an answer between tool calls."""

    messages: tuple[ChatMessage, ...]
    tools: tuple[ToolSpec, ...] = ()
    grounding: tuple[Grounding, ...] = ()
    searched: bool = False
    """Whether knowledge was searched at all: tells 'nothing found' from 'nothing asked'."""
    reading: bool = False
    """Whether some of what was searched is still being read: tells 'nothing found' from 'nothing found yet'."""
    course_title: str | None = None
    course_id: str | None = None
    today: date | None = None
    """The day on which it is asked, in UTC. Like the course for the offline model; wires find it in the context."""
    model_settings: ModelSettings = ModelSettings()
    user_key: str | None = None
    """An opaque, stable key of the asker for the provider's abuse detection; never a name or an address."""

    def last_user_text(self) -> str:
        """What the person said last, or an empty text."""
        return next((message.text for message in reversed(self.messages) if message.role == "user"), "")


class TextDelta(Struct, frozen=True, gc=False):
    """The next piece of the answer."""

    text: str


class ReasoningDelta(Struct, frozen=True, gc=False):
    """The next piece of what the model thinks aloud; not part of the answer."""

    text: str


class ToolCallReady(Struct, frozen=True, gc=False):
    """The model calls a tool. Calls are only announced when they are complete."""

    call: ToolCall


class Usage(Struct, frozen=True, gc=False):
    """Tokens spent on this request, at most once per stream."""

    input_tokens: int
    output_tokens: int
    cached_tokens: int = 0
    """Of the input, what the provider remembered from an earlier request, and asks less for."""


Price = Callable[[Usage], Decimal | None]
"""What a request cost, in US dollars; None where that is not known."""


class End(Struct, frozen=True, gc=False):
    """The model has finished."""

    reason: EndReason


Item = TextDelta | ReasoningDelta | Sealed | ToolCallReady | Usage | End
Push = Callable[[Sequence[str]], None]
"""Takes pieces of text while the reader waits for the next batch; it must neither wait nor raise."""


class Model(Protocol):
    """A model that can be asked. One object serves any number of requests at once."""

    @property
    def kind(self) -> str:
        """`offline`, `scripted`, `openai`, `responses`, `anthropic`, `compatible` or `pydantic-ai`."""
        ...

    @property
    def name(self) -> str:
        """The model's name within its kind."""
        ...

    def stream(self, request: Request, push: Push | None = None) -> AsyncGenerator[Sequence[Item], None]:
        """Answer `request`. Raises a `ModelError`; close it (`contextlib.aclosing`) to hang up early.

        What is given to `push` is not yielded; order holds across both, and only text is ever pushed.
        """
        ...

    async def close(self) -> None:
        """Let go of connections; safe to call twice."""
        ...
