"""What a message is made of: a closed union of small frozen values, written as tagged JSON. Pure."""

from typing import Any, Literal

import msgspec

from famulus.kernel.effort import Effort

Role = Literal["user", "assistant"]
MessageStatus = Literal["complete", "partial", "failed"]
Effect = Literal["reads", "writes", "destroys"]
"""What a tool does to the world."""
Wants = Literal["yes", "result", "answers"]
"""What a call that waits, waits for: a person's yes, what the client makes of it, or answers to its questions."""


class Text(msgspec.Struct, frozen=True, tag="text"):
    """Markdown of a person or of an assistant."""

    text: str


class Reasoning(msgspec.Struct, frozen=True, tag="reasoning", omit_defaults=True):
    """What the model has thought aloud before what follows. For the person; no model reads it again."""

    text: str
    seconds: float = 0
    """How long; 0 where that is not known."""


class Citation(msgspec.Struct, frozen=True, tag="citation"):
    """Points from `[number]` in the text to the passage it rests on."""

    number: int
    passage_id: str
    document_id: str
    title: str
    heading_path: tuple[str, ...]
    quote: str
    """A span of the passage, word for word."""
    url: str
    lesson_id: str | None = None


class Undo(msgspec.Struct, frozen=True):
    """The call that takes back what a tool did."""

    tool: str
    arguments: str
    """JSON."""
    label: str
    """On the button."""


ToolStatus = Literal["called", "ok", "failed", "denied", "unknown"]
"""`denied`: nobody said yes, or the rules forbid it, so nothing was done; `unknown`: a crash hides the outcome."""


class Tool(msgspec.Struct, frozen=True, tag="tool", omit_defaults=True):
    """A tool call and, once it is known, what became of it."""

    call_id: str
    name: str
    arguments: str
    """JSON as it was carried out, or as the model wrote it; secrets are not in it."""
    status: ToolStatus = "called"
    result: str | None = None
    effect: Effect = "reads"
    asked: str | None = None
    """What the model had asked for, where a person changed the arguments before saying yes."""
    undo: Undo | None = None
    undone: bool = False
    """Whether it has been taken back."""
    wants: Wants = "yes"
    """Other than `yes`: the asker's client has made it, or the person has answered questions."""


class Page(msgspec.Struct, frozen=True, tag="page"):
    """The page a person was looking at when they asked."""

    url: str = ""
    title: str = ""
    path: str = ""
    headings: tuple[str, ...] = ()
    description: str = ""
    person: str = ""
    """What the page says of the person, a line for each fact; nobody has checked it."""


class Attached(msgspec.Struct, frozen=True, tag="attachment"):
    """A file that was sent with the message."""

    id: str
    name: str
    mime_type: str
    size: int


class Original(msgspec.Struct, frozen=True, tag="original", omit_defaults=True):
    """A message as the client composed it, for that client to show it so again. No model reads it."""

    content: tuple[dict[str, Any], ...]
    quoted_text: str = ""
    inference_options: dict[str, Any] = {}


class ClientTool(msgspec.Struct, frozen=True):
    """A tool of the program that asks, which carries out its calls itself."""

    name: str
    description: str
    parameters: dict[str, object]
    """JSON schema of the arguments."""


class Application(msgspec.Struct, frozen=True, tag="application", omit_defaults=True):
    """What a program that asks for a person wants of an answer besides the words. Part of the message that asks."""

    instructions: str = ""
    tools: tuple[ClientTool, ...] = ()
    temperature: float | None = None
    max_output_tokens: int | None = None
    metadata: dict[str, str] = {}
    """The program's own, shown to it again."""
    model: str = ""
    """The assistant as the program has named it."""
    previous: str | None = None
    """The run whose answer this message goes on from, where it was named."""
    conversation: bool = False
    """Whether the program has named the thread."""
    reasoning_effort: Effort | None = None
    """How much the model is to think before it answers."""
    format: dict[str, Any] | None = None
    """The form of the words, as OpenAI's `response_format` has it; None for words as they come."""
    background: bool = False
    store: bool = True
    """Whether the thread is to be kept."""


class ClientCall(msgspec.Struct, frozen=True, tag="client_call"):
    """A call that the program which asked carries out itself; the answer ends with it."""

    call_id: str
    name: str
    arguments: str
    """JSON as the model wrote it."""


class ClientResult(msgspec.Struct, frozen=True, tag="client_result"):
    """What became of a call that the program has carried out. Part of its next message."""

    call_id: str
    output: str


class Cut(msgspec.Struct, frozen=True, tag="cut"):
    """The answer stops before its end: it became too long, or the model's provider held the rest back."""

    reason: Literal["length", "content_filter"]


class Failure(msgspec.Struct, frozen=True, tag="failure"):
    """Why there is no complete answer, in words for the reader."""

    code: str
    detail: str
    retry: bool
    """Whether asking again may help."""


Part = (
    Text
    | Reasoning
    | Citation
    | Tool
    | Page
    | Attached
    | Original
    | Cut
    | Failure
    | Application
    | ClientCall
    | ClientResult
)
_decoder = msgspec.json.Decoder(tuple[Part, ...])
_encoder = msgspec.json.Encoder()


def encode_parts(parts: tuple[Part, ...]) -> str:
    """Parts as the JSON text that is stored and sent."""
    return _encoder.encode(parts).decode()


def decode_parts(text: str) -> tuple[Part, ...]:
    """Parts from stored JSON."""
    return _decoder.decode(text)


def text_of(parts: tuple[Part, ...]) -> str:
    """The words of a message without anything else."""
    return "".join([part.text for part in parts if isinstance(part, Text)])


def cut_of(parts: tuple[Part, ...]) -> Literal["length", "content_filter"] | None:
    """Why an answer stops before its end, if it does."""
    return next((part.reason for part in parts if isinstance(part, Cut)), None)


Rating = Literal["up", "down"]


class FeedbackView(msgspec.Struct, frozen=True):
    """What the person thinks of an answer."""

    rating: Rating
    comment: str


class MessageView(msgspec.Struct, frozen=True):
    """A message as every door shows it."""

    id: str
    thread_id: str
    position: int
    parent_id: str | None
    role: Role
    status: MessageStatus
    text: str
    parts: tuple[Part, ...]
    run_id: str | None
    created_at: str
    """RFC 3339, UTC."""
    feedback: FeedbackView | None = None
    """What the person thinks of it; an event, which comes before anybody can think, has none."""
