"""What clients did and saw, as values for the checker: sends with a known or unknown outcome, and event streams."""

import json
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

TERMINAL = ("run.completed", "run.failed", "run.cancelled")


class Id(NamedTuple):
    """An event's id, as a client reads it."""

    epoch: int
    n: int

    def __str__(self) -> str:
        return f"{self.epoch}.{self.n}"

    @classmethod
    def read(cls, text: str) -> "Id":
        """From the wire."""
        epoch, _, n = text.partition(".")
        return cls(int(epoch), int(n))


@dataclass(frozen=True)
class Seen:
    """One event as it reached a client, at a monotonic time in seconds."""

    id: Id
    name: str
    data: dict[str, Any]
    at: float


@dataclass
class Send:
    """One message under one key. Unknown until a response says that it is stored: it may be or not."""

    thread_id: str
    key: str
    text: str
    outcome: Literal["unknown", "ok"] = "unknown"
    run_id: str = ""
    message_id: str = ""
    attempts: int = 0


@dataclass
class Stream:
    """Everything that one client saw of one run, over however many connections."""

    run_id: str
    seen: list[Seen] = field(default_factory=list[Seen])
    connections: int = 0

    @property
    def last(self) -> Id:
        return self.seen[-1].id if self.seen else Id(0, 0)

    @property
    def waiting(self) -> dict[str, Any] | None:
        """The call that waits for its person, if that is where the stream has ended."""
        last = self.seen[-1] if self.seen else None
        return last.data["approval"] if last and last.name == "approval.requested" else None

    @property
    def ended(self) -> bool:
        return bool(self.seen) and self.seen[-1].name in TERMINAL

    def text(self) -> str:
        """The answer as the client has it on its screen."""
        text = ""
        for event in self.seen:
            if event.name == "text.delta":
                text += event.data["text"]
            elif event.name == "answer.restarted":
                text = event.data["text"]
        return text


@dataclass
class History:
    """What all clients together did and saw."""

    sends: list[Send] = field(default_factory=list[Send])
    streams: list[Stream] = field(default_factory=list[Stream])
    surprises: list[str] = field(default_factory=list[str])
    """Responses that no client should ever get."""


@dataclass
class Stored:
    """What the server holds when everything is over, read through its front door."""

    messages: dict[str, list[dict[str, Any]]] = field(default_factory=dict[str, Any])
    """By thread, in order."""
    runs: dict[str, dict[str, Any]] = field(default_factory=dict[str, Any])
    journals: dict[str, list[Seen]] = field(default_factory=dict[str, Any])
    """Every journalled event by run."""
    tasks: list[str] = field(default_factory=list[str])
    """The titles of everybody's tasks."""


class Frames:
    """Takes bytes of an event stream as they come and gives the events that are complete."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes, at: float) -> list[Seen]:
        """The events that these bytes complete; signs of life are left out."""
        *whole, self._rest = (self._rest + data).split(b"\n\n")
        found = [_read(frame.decode(), at) for frame in whole]
        return [event for event in found if event is not None]


def _read(frame: str, at: float) -> Seen | None:
    fields = dict(line.split(": ", 1) for line in frame.split("\n") if not line.startswith(":"))
    if "id" not in fields:
        return None
    return seen(fields["id"], json.loads(fields["data"]), at)


def seen(id: str, event: dict[str, Any], at: float = 0.0) -> Seen:
    """An event from the wire, where its fields have its name among them."""
    return Seen(Id.read(id), event["type"], {name: event[name] for name in event if name != "type"}, at)
