"""WebSockets as a real client opens them, and what is read from them."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from websockets.sync.client import ClientConnection, connect

from tests.support.serving import Served

PATH = "/ws/ai-assistant"
ENDS = ("done", "error")
Frame = dict[str, Any]


@contextmanager
def opened(
    served: Served, who: str | None = None, *, query: str = "", port: int | None = None, **options: Any
) -> Iterator[ClientConnection]:
    """A socket of somebody, with their token in a header unless the options say otherwise."""
    token = served.academy.people[who].token if who else None
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    headers |= options.pop("headers", {})
    url = f"ws://127.0.0.1:{port or served.port}{PATH}{query}"
    given = {"additional_headers": headers, "compression": None, "proxy": None, "open_timeout": 20, **options}
    with connect(url, **given) as socket:
        yield socket


def say(socket: ClientConnection, kind: str, **fields: Any) -> None:
    """Send a frame."""
    socket.send(json.dumps({"type": kind, **fields}))


def heard(socket: ClientConnection, timeout: float = 20) -> Frame:
    """The next frame."""
    return json.loads(socket.recv(timeout))


def until(socket: ClientConnection, last: Callable[[Frame], bool]) -> list[Frame]:
    """The frames up to one that is the last."""
    frames: list[Frame] = []
    while not frames or not last(frames[-1]):
        frames.append(heard(socket))
    return frames


def to_the_end(socket: ClientConnection) -> list[Frame]:
    """The frames up to the end of a run, or to an error."""
    return until(socket, lambda frame: frame["type"] in ENDS)


def asked(socket: ClientConnection, content: str, **fields: Any) -> list[Frame]:
    """Send a message and read to its end."""
    say(socket, "user_message", content=content, **fields)
    return to_the_end(socket)


def text_of(frames: list[Frame]) -> str:
    """The answer that a reader of these frames would show."""
    text = ""
    for frame in frames:
        if frame["type"] == "delta":
            text = frame["text"] if frame.get("replace") else text + frame["text"]
    return text
