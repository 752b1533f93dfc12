"""Reading a streamed answer: bytes in, stream items out. The hottest code of the house.

Every token passes here once, mostly one to a packet: no line objects, no regular expressions. What the events of a wire
mean is its own reader's; what is rare (odd shapes, errors, whole JSON bodies) is kept off that way.

A server says the same again and again around the text. Once a reader has seen where the text stands, it compares
what is around it with what was there before, which takes a fraction of decoding it.

Every `data:` line is an event of its own. The format allows one event to spread over several of them; no
server of these kinds does that. An `event:` line before it repeats what the event says itself.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import ClassVar, Literal

from famulus.llm.calls import Calls
from famulus.llm.errors import ModelError, ModelNonsense, ModelStreamCut
from famulus.llm.protocol import End, EndReason, Item, TextDelta, ToolCallReady, Usage
from famulus.llm.provider_errors import error_in_stream

MAX_LINE = 1 << 20
MAX_BODY = 8 << 20
"""Bytes of an answer that comes as one JSON body."""
MAX_TOTAL = 64 << 20
DONE = b"[DONE]"
PROBE = "another text"
TRIES = 4
"""How many events are looked at for the place of the text, before it is decoded every time."""


class Reader(ABC):
    """One answer on its way in: `feed` it what arrives, `finish` it when nothing more does."""

    reasons: ClassVar[Mapping[str, EndReason]]
    """What the server's reasons to stop mean, but for those that mean no more than that it stopped."""

    def __init__(
        self, calls: Calls, decode: Callable[[bytes], object], *, model: str, secret: str | None
    ) -> None:
        """`decode` reads an event; `model` is named in errors, and `secret` kept out of them."""
        self._calls = calls
        self._decode = decode
        self._model = model
        self._secret = secret
        self._shape: Literal["unknown", "events", "body"] = "unknown"
        self._rest = bytearray()
        self._total = 0
        self._usage: Usage | None = None
        self._seen = False
        """Whether anything has come that only an answer has."""
        self._tries = TRIES
        self._before = self._after = b""
        """What a packet with nothing but text has around it, once that is known."""
        self.finish_reason: str | None = None
        """Set when the server has said why it stopped: from here on a lost connection does no harm."""
        self.done = False
        """Set when the server has said that nothing follows."""

    @abstractmethod
    def _event(self, payload: bytes, items: list[Item]) -> None:
        """Add to `items` what one event brings. Raises a ModelError."""

    @abstractmethod
    def twin(self) -> "Reader":
        """Another reader of this wire, which has read nothing yet."""

    def feed(self, data: bytes) -> list[Item]:
        """The items that `data` completes, often none or one. Raises a ModelError."""
        if text := self.only_text(data):
            return [TextDelta(text)]
        if self._shape != "events":
            data = data.removeprefix(b"\xef\xbb\xbf") if self._shape == "unknown" else data
            if not self._recognise(data):
                return []
        self._count_bytes(data)
        if self._rest:
            self._rest += data
            if b"\n" not in data:
                self._check_line()
                return []
            data = bytes(self._rest)
            self._rest.clear()
        return self._packet(data)

    def _packet(self, data: bytes) -> list[Item]:
        """The items of what ends with a line, or has the beginning of one for later."""
        items: list[Item] = []
        first = data.find(b"\n")
        if first == len(data) - 2 and data[:5] == b"data:" and data[-1] == 10:
            self._event(data[5:], items)  # one whole event, as nearly every packet brings it
            if self._tries:
                self._learn(data, items)
            return items
        if data[:6] == b"event:" and data.find(b"\n", first + 1) == len(data) - 2 and data[-1] == 10:
            if data[first + 1 : first + 6] == b"data:":
                self._event(data[first + 6 :], items)  # the same, with its name before it
                if self._tries:
                    self._learn(data, items)
            return items
        self._lines(data.split(b"\n"), items)
        return items

    def only_text(self, data: bytes) -> str:
        """The text of a packet that is as others were, but for its text; empty when `feed` has to look into it.

        Between the quotes nothing is escaped and nothing ends the string, so decoding would find this very text.
        """
        before, after = self._before, self._after
        if not before or not data.startswith(before) or not data.endswith(after) or self._rest:
            return ""
        try:
            text = data[len(before) : -len(after)].decode()
        except UnicodeDecodeError:
            return ""
        if '"' in text or "\\" in text or not text.isprintable():
            return ""
        self._count_bytes(data)
        return text

    def _learn(self, data: bytes, items: list[Item]) -> None:
        """Find where the text stands, and see by a reader who knows nothing that there is nothing else in the event."""
        if len(items) != 1 or not isinstance(item := items[0], TextDelta) or item.text == PROBE:
            return
        self._tries -= 1
        around = data.split(b'"%b"' % item.text.encode())
        if len(around) == 2:
            before, after = around[0] + b'"', b'"' + around[1]
            twin = self.twin()
            if twin.feed(before + PROBE.encode() + after) == [TextDelta(PROBE)] and twin.says_no_more():
                self._before, self._after, self._tries = before, after, 0

    def says_no_more(self) -> bool:
        """Whether what has come was an answer's text and nothing beside it."""
        ended = self.done or self.finish_reason is not None
        return self._seen and not ended and self._usage is None and not self._calls.finish(cut=False)

    def _count_bytes(self, data: bytes) -> None:
        self._total += len(data)
        if self._total > MAX_TOTAL:
            raise ModelNonsense("The model's answer has no end; ask for something shorter.")

    def finish(self) -> list[Item]:
        """The last items, ending with `End`. Raises ModelStreamCut when the answer is not complete."""
        items: list[Item] = []
        if self._shape == "body":
            self._event(bytes(self._rest), items)
        elif self._rest.startswith(b"data:") and not self.done:
            self._last_line(bytes(self._rest[5:]), items)
        if not self._seen:
            raise ModelNonsense()
        if self.finish_reason is None and not self.done and self._shape != "body":
            raise ModelStreamCut()
        reason = self.reasons.get((self.finish_reason or "stop").lower(), "stop")
        calls = self._calls.finish(cut=reason in ("length", "content_filter"))
        items += [ToolCallReady(call) for call in calls]
        if self._usage is not None:
            items.append(self._usage)
        if reason in ("stop", "tool_calls"):
            reason = "tool_calls" if calls else "stop"
        items.append(End(reason))
        return items

    def _recognise(self, data: bytes) -> bool:
        """Tell events from one JSON body by the first character; True when `data` is events."""
        if self._shape == "unknown":
            start = data.lstrip()
            if not start:
                return False
            self._shape = "body" if start[:1] in b"{[" else "events"
        if self._shape == "body":
            self._rest += data
            if len(self._rest) > MAX_BODY:
                raise ModelNonsense(
                    "The model's answer is longer than can be meant; ask for something shorter."
                )
        return self._shape == "events"

    def _lines(self, lines: list[bytes], items: list[Item]) -> None:
        """Take whole lines, and keep the last one for what is to come."""
        if last := lines.pop():
            self._rest += last
            self._check_line()
        for line in lines:
            if line[:5] == b"data:":
                self._event(line[5:], items)

    def _check_line(self) -> None:
        if len(self._rest) > MAX_LINE:
            raise ModelNonsense()

    def _last_line(self, payload: bytes, items: list[Item]) -> None:
        """A last event without its line end counts when it is whole; half of one means a cut stream."""
        try:
            self._event(payload, items)
        except ModelNonsense as error:
            raise ModelStreamCut() from error

    def _odd_event(self, payload: bytes, items: list[Item]) -> None:
        """Nothing at all, the mark of the end that some gateways add, or text that is broken but can be read."""
        if payload and payload != DONE:
            self._event(repaired(payload, self._decode), items)

    def _error(self, payload: bytes) -> ModelError:
        return error_in_stream(payload, model=self._model, secret=self._secret)


def is_error(value: bytes) -> bool:
    """Whether the JSON value of a field `error` says that there is one."""
    return value not in (b"null", b"", b'""', b"{}")


def clean(text: str) -> str:
    """`text` without the one character that no database keeps."""
    return text.replace("\0", "�")


def repaired(payload: bytes, decode: Callable[[bytes], object]) -> bytes:
    """An event with broken UTF-8 or halves of surrogate pairs, made whole so that `decode` takes it.

    Raises ModelNonsense.
    """
    try:
        value = json.loads(payload.decode("utf-8", "replace"))
        text = json.dumps(value, ensure_ascii=False)
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        decode(whole)
    except (ValueError, RecursionError):
        raise ModelNonsense() from None
    return whole
