"""Frames of a ChatKit stream, and its last one where something went wrong."""

import msgspec

from famulus.doors.chatkit_widgets import Item
from famulus.kernel.errors import FamulusError, every_error
from famulus.llm.errors import ModelError
from famulus.runs.events import Problem

_encode = msgspec.json.Encoder(enc_hook=str).encode
STREAM_OPTIONS = {"type": "stream_options", "stream_options": {"allow_cancel": False}}
"""Nothing is stopped by going away: an answer that nobody reads is finished and kept."""


def frame(event: Item) -> bytes:
    """An event as it goes over the wire."""
    return b"data: %b\n\n" % _encode(event)


def error_frame(problem: Problem) -> bytes:
    """Why there is no answer. Of a model's trouble the person is told no more than that they may try again."""
    inner = {"internal", *(kind.code for kind in every_error(ModelError))}
    if problem.code in inner:
        return frame({"type": "error", "code": "stream.error", "allow_retry": True})
    said = {"code": "custom", "message": problem.detail, "allow_retry": problem.retry}
    return frame({"type": "error", **said})


def farewell(why: FamulusError, _request_id: str | None) -> bytes:
    """The last frame of a stream that had to end, or of one that could not begin."""
    return error_frame(Problem(why.code, why.detail, why.retry))
