"""The events of a run: a closed union of small frozen values. Every door matches it and ends in `assert_never`.

    run.started → thread.titled? → retrieval.finished?
    → (reasoning.delta | text.delta | citation.added | tool.called → tool.finished)*
    → message.completed → run.completed | run.failed | run.cancelled
    answer.restarted opens every later attempt: the reader replaces the answer so far by its text.
    approval.requested, for each call that a person has to confirm, ends an attempt and the stream of its events; once
    all are answered the next one begins: answer.restarted → approval.answered* → tool.called → tool.finished …

Ids are `epoch.n`: the attempt, then a counter without gaps that starts at 1 with each attempt.
"""

import re
from typing import Literal

import msgspec

from famulus.conversations.parts import Citation, Effect, MessageView, Undo, Wants
from famulus.kernel.errors import BadRequest


class Usage(msgspec.Struct, frozen=True):
    """Tokens, as the model's provider counted them."""

    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float | None = None
    """US dollars; null where the price of the model, or what it has taken, is not known."""


def dollars(micro: int | None) -> float | None:
    """Millionths of a dollar as dollars."""
    return None if micro is None else micro / 1_000_000


class Problem(msgspec.Struct, frozen=True):
    """Why a run failed, in words for the reader."""

    code: str
    detail: str
    retry: bool
    """Whether asking again may help."""


class AssistantCard(msgspec.Struct, frozen=True):
    """Who answers."""

    id: str
    name: str
    version: int


class PassageCard(msgspec.Struct, frozen=True):
    """A passage that was read before answering; `number` is what citations name."""

    number: int
    passage_id: str
    title: str
    heading_path: tuple[str, ...]
    lesson_id: str | None = None


class RunStarted(msgspec.Struct, frozen=True, tag="run.started"):
    """The message is accepted and will be answered."""

    run_id: str
    thread_id: str
    message_id: str
    assistant: AssistantCard
    model: str


class ThreadTitled(msgspec.Struct, frozen=True, tag="thread.titled"):
    """The thread has a new title."""

    thread_id: str
    title: str


class RetrievalFinished(msgspec.Struct, frozen=True, tag="retrieval.finished"):
    """What was read in the course's material."""

    passages: tuple[PassageCard, ...]
    took_ms: float


class TextDelta(msgspec.Struct, frozen=True, gc=False, tag="text.delta"):
    """The next piece of the answer."""

    text: str


class ReasoningDelta(msgspec.Struct, frozen=True, tag="reasoning.delta"):
    """The next piece of what the model thinks aloud, before what it says or does next."""

    text: str


class CitationAdded(msgspec.Struct, frozen=True, tag="citation.added"):
    """The answer rests on this passage."""

    citation: Citation


class ToolCalled(msgspec.Struct, frozen=True, tag="tool.called"):
    """The assistant uses a tool; where that leaves the house, it is written before."""

    call_id: str
    name: str
    arguments: str
    effect: Effect = "reads"
    outside: bool = False
    """Whether it leaves the house, so that a crash may hide what came of it."""
    repeatable: bool = False
    """Whether it may then be made again, for the far side knows it by its key."""
    asked: str | None = None
    """What the model had asked for, where a person changed the arguments."""


class ToolFinished(msgspec.Struct, frozen=True, tag="tool.finished"):
    """What became of a tool call: `denied` when nothing was done, `unknown` when it is not known whether it was."""

    call_id: str
    name: str
    status: Literal["ok", "failed", "denied", "unknown"]
    result: str
    undo: Undo | None = None


class ChangeCard(msgspec.Struct, frozen=True):
    """One field of what would be changed."""

    field: str
    before: object
    after: object


class ApprovalCard(msgspec.Struct, frozen=True):
    """A call that waits for a person, with all that it would do."""

    id: str
    call_id: str
    name: str
    effect: Effect
    title: str
    """What will happen, in one sentence of the server's, not of the model's."""
    arguments: str
    """JSON, exactly as it will be carried out."""
    changes: tuple[ChangeCard, ...]
    notes: tuple[str, ...]
    hash: str
    """Stands for everything shown; who answers sends it back."""
    expires_at: str
    """RFC 3339, UTC."""
    wants: Wants = "yes"
    """What is waited for: a yes, or an answer that the asker's client sends as `result`."""


class ApprovalRequested(msgspec.Struct, frozen=True, tag="approval.requested"):
    """A call waits for a person to say yes."""

    approval: ApprovalCard


class ApprovalAnswered(msgspec.Struct, frozen=True, tag="approval.answered"):
    """A person has answered for a call that waited."""

    approval_id: str
    call_id: str
    decision: Literal["approved", "denied"]
    reason: str | None = None


class MessageCompleted(msgspec.Struct, frozen=True, tag="message.completed"):
    """The answer as it is kept."""

    message: MessageView


class AnswerRestarted(msgspec.Struct, frozen=True, tag="answer.restarted"):
    """Another attempt has taken over; the answer begins again after `text`."""

    text: str
    reason: Literal["taken_over", "resumed"] = "taken_over"
    """Whether another instance went on, or the run after it had waited for a person."""


class RunCompleted(msgspec.Struct, frozen=True, tag="run.completed"):
    """The end: answered."""

    run_id: str
    usage: Usage


class RunFailed(msgspec.Struct, frozen=True, tag="run.failed"):
    """The end: no complete answer, and why."""

    run_id: str
    error: Problem


class RunCancelled(msgspec.Struct, frozen=True, tag="run.cancelled"):
    """The end: stopped by the person; what was written is kept."""

    run_id: str


Terminal = RunCompleted | RunFailed | RunCancelled
Event = (
    RunStarted
    | ThreadTitled
    | RetrievalFinished
    | TextDelta
    | ReasoningDelta
    | CitationAdded
    | ToolCalled
    | ToolFinished
    | ApprovalRequested
    | ApprovalAnswered
    | MessageCompleted
    | AnswerRestarted
    | RunCompleted
    | RunFailed
    | RunCancelled
)
TERMINAL = (RunCompleted, RunFailed, RunCancelled)
_PATTERN = re.compile(r"(\d{1,9})\.(\d{1,9})", re.ASCII)


class BadEventId(BadRequest):
    """An event id has the form `epoch.n`, such as 1.7; send the last one that you have received."""

    code = "bad_event_id"


class EventId(msgspec.Struct, frozen=True, order=True, gc=False):
    """Where an event stands in its run; ids compare in the order of events."""

    epoch: int
    n: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.n}"


START = EventId(0, 0)


def parse_id(text: str | None) -> EventId:
    """The id that a reader sent, or the start; raises `BadEventId`."""
    if text is None or not text.strip():
        return START
    match = _PATTERN.fullmatch(text.strip())
    if match is None:
        raise BadEventId()
    return EventId(int(match[1]), int(match[2]))


class Entry(msgspec.Struct, frozen=True, gc=False):
    """An event with its id, as followers get it."""

    id: EventId
    event: Event


_encoder = msgspec.json.Encoder()
_decode_event = msgspec.json.Decoder(Event).decode
_decode_texts = msgspec.json.Decoder(list[str]).decode
_decode_thoughts = msgspec.json.Decoder(list[list[str]]).decode


def encode_row(events: list[Event]) -> str:
    """One journal row: a single structural event, or consecutive pieces as the list of their texts.

    Pieces of what is thought are in a list within one, which tells them from those of what is said.
    """
    if isinstance(events[0], TextDelta):
        return _encoder.encode([event.text for event in events if isinstance(event, TextDelta)]).decode()
    if isinstance(events[0], ReasoningDelta):
        return _encoder.encode(
            [[event.text for event in events if isinstance(event, ReasoningDelta)]]
        ).decode()
    return _encoder.encode(events[0]).decode()


def decode_row(epoch: int, n: int, data: str) -> list[Entry]:
    """The events of one journal row with their ids."""
    if data.startswith("[["):
        [texts] = _decode_thoughts(data)
        return [Entry(EventId(epoch, n + i), ReasoningDelta(text)) for i, text in enumerate(texts)]
    if data.startswith("["):
        return [Entry(EventId(epoch, n + i), TextDelta(text)) for i, text in enumerate(_decode_texts(data))]
    return [Entry(EventId(epoch, n), _decode_event(data))]
