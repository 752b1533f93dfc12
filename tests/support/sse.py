"""Reading server-sent events as a browser does, and keeping the bytes to compare them."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from httpx2 import Response


@dataclass(frozen=True)
class Frame:
    """One frame as it came: an event, or a comment without a name."""

    raw: bytes
    id: str | None = None
    name: str | None = None
    data: Any = None


def parse(raw: bytes) -> Frame:
    """A frame without its closing blank line."""
    fields: dict[str, str] = {}
    for line in raw.decode().split("\n"):
        key, separator, value = line.partition(":")
        assert separator, f"no field: {line!r}"
        assert key not in fields, f"twice: {line!r}"
        fields[key] = value.removeprefix(" ")
    assert set(fields) <= {"", "id", "event", "data"}, fields
    data = json.loads(fields["data"]) if "data" in fields else None
    return Frame(raw, fields.get("id"), fields.get("event"), data)


def frames_of(response: Response) -> Iterator[Frame]:
    """The frames of a streamed response, comments included, as they come."""
    waiting = b""
    for piece in response.iter_bytes():
        waiting += piece
        *whole, waiting = waiting.split(b"\n\n")
        yield from map(parse, whole)
    assert waiting == b"", f"the stream ended inside a frame: {waiting!r}"


def events_of(response: Response) -> Iterator[Frame]:
    """The events of a streamed response, as they come."""
    return (frame for frame in frames_of(response) if frame.name is not None)


def text_of(frames: list[Frame]) -> str:
    """The answer that a reader of these events would show."""
    text = ""
    for frame in frames:
        if frame.name == "text.delta":
            text += frame.data["text"]
        elif frame.name == "answer.restarted":
            text = frame.data["text"]
    return text
