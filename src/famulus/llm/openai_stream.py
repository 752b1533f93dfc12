"""Reading a Chat Completions answer: bytes in, stream items out. The hottest code of the house.

Every token passes here once, mostly one to a packet: no line objects, no regular expressions, one decoder
made once and one small struct per event. What is rare (odd shapes, errors, whole JSON bodies) is kept off
that way.

Every `data:` line is an event of its own. The format allows one event to spread over several of them; no
server of this kind does that.
"""

import json
from typing import Literal

import msgspec
from msgspec import Raw, Struct

from famulus.llm.errors import ModelNonsense, ModelStreamCut
from famulus.llm.openai_calls import CallAssembler, CallPiece
from famulus.llm.protocol import End, EndReason, Item, ReasoningDelta, TextDelta, ToolCallReady, Usage
from famulus.llm.provider_errors import error_in_stream, read_message

MAX_LINE = 1 << 20
MAX_BODY = 8 << 20
"""Bytes of an answer that comes as one JSON body."""
MAX_TOTAL = 64 << 20


class _Part(Struct, gc=False):
    type: str | None = None
    text: str | None = None


class _Delta(Struct, gc=False):
    content: str | list[_Part] | None = None
    tool_calls: list[CallPiece] | None = None
    reasoning_content: str | None = None
    reasoning: str | None = None
    refusal: str | None = None


class _Choice(Struct, gc=False):
    delta: _Delta | None = None
    message: _Delta | None = None
    finish_reason: str | None = None


class _Usage(Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class _Chunk(Struct, gc=False):
    choices: list[_Choice] | None = None
    usage: _Usage | None = None
    error: Raw = Raw(b"null")


_decode = msgspec.json.Decoder(_Chunk).decode

_REASONS: dict[str, EndReason] = {
    "tool_calls": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "content_filter": "content_filter",
    "safety": "content_filter",
}


class AnswerReader:
    """One answer on its way in: `feed` it what arrives, `finish` it when nothing more does."""

    def __init__(self, *, model: str, secret: str | None) -> None:
        """`model` is named in errors; `secret` is kept out of them."""
        self._model = model
        self._secret = secret
        self._shape: Literal["unknown", "events", "body"] = "unknown"
        self._rest = bytearray()
        self._total = 0
        self._calls = CallAssembler()
        self._usage: Usage | None = None
        self._seen = False
        self.finish_reason: str | None = None
        """Set when the server has said why it stopped: from here on a lost connection does no harm."""
        self.done = False
        """Set when the server has said that nothing follows."""

    def feed(self, data: bytes) -> list[Item]:
        """The items that `data` completes, often none or one. Raises a ModelError."""
        if self._shape != "events":
            data = data.removeprefix(b"\xef\xbb\xbf") if self._shape == "unknown" else data
            if not self._recognise(data):
                return []
        self._total += len(data)
        if self._total > MAX_TOTAL:
            raise ModelNonsense("The model's answer has no end; ask for something shorter.")
        if self._rest:
            self._rest += data
            if b"\n" not in data:
                self._check_line()
                return []
            data = bytes(self._rest)
            self._rest.clear()
        items: list[Item] = []
        if data.find(b"\n") == len(data) - 2 and data[:5] == b"data:" and data[-1] == 10:
            self._event(data[5:], items)  # one whole event, as nearly every packet brings it
            return items
        lines = data.split(b"\n")
        if last := lines.pop():
            self._rest += last
            self._check_line()
        for line in lines:
            if line[:5] == b"data:":
                self._event(line[5:], items)
        return items

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
        reason = _REASONS.get((self.finish_reason or "stop").lower(), "stop")
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

    def _check_line(self) -> None:
        if len(self._rest) > MAX_LINE:
            raise ModelNonsense()

    def _event(self, payload: bytes, items: list[Item]) -> None:
        try:
            chunk = _decode(payload)
        except (ValueError, RecursionError):
            return self._odd_event(payload.strip(), items)
        if not chunk.choices:
            return self._without_choices(chunk, payload)
        self._seen = True
        choice = chunk.choices[0]
        delta = choice.delta or choice.message
        if delta is not None:
            content = delta.content
            if not isinstance(content, str):
                self._rarer(delta, items)
            else:
                if delta.tool_calls or delta.reasoning_content or delta.reasoning:
                    self._rarer(delta, items)
                if content:
                    items.append(TextDelta(_clean(content) if "\0" in content else content))
        if choice.finish_reason:
            self._refuse_error(chunk, payload)
            self.finish_reason = choice.finish_reason
        if chunk.usage is not None:
            self._count(chunk.usage)

    def _odd_event(self, payload: bytes, items: list[Item]) -> None:
        """The mark of the end, nothing at all, or text that is broken but can be read."""
        if payload == b"[DONE]":
            self.done = self._seen = True
        elif payload:
            self._event(_repaired(payload), items)

    def _rarer(self, delta: _Delta, items: list[Item]) -> None:
        if thought := delta.reasoning_content or delta.reasoning:
            items.append(ReasoningDelta(_clean(thought)))
        if isinstance(delta.content, list):
            text = "".join(part.text or "" for part in delta.content if part.type in (None, "text"))
            if text:
                items.append(TextDelta(_clean(text)))
        if delta.refusal:
            items.append(TextDelta(_clean(delta.refusal)))
        for piece in delta.tool_calls or ():
            self._calls.add(piece)

    def _without_choices(self, chunk: _Chunk, payload: bytes) -> None:
        """A count of tokens, an error, or something we have no use for."""
        self._refuse_error(chunk, payload)
        if chunk.usage is not None:
            self._seen = True
            self._count(chunk.usage)
        elif chunk.choices is None and read_message(payload).text:
            raise error_in_stream(payload, model=self._model, secret=self._secret)

    def _refuse_error(self, chunk: _Chunk, payload: bytes) -> None:
        if bytes(chunk.error) not in (b"null", b"", b'""', b"{}"):
            raise error_in_stream(payload, model=self._model, secret=self._secret)

    def _count(self, usage: _Usage) -> None:
        self._usage = Usage(usage.prompt_tokens or 0, usage.completion_tokens or 0)

    def _last_line(self, payload: bytes, items: list[Item]) -> None:
        """A last event without its line end counts when it is whole; half of one means a cut stream."""
        try:
            self._event(payload, items)
        except ModelNonsense as error:
            raise ModelStreamCut() from error


def _clean(text: str) -> str:
    return text.replace("\0", "�")


def _repaired(payload: bytes) -> bytes:
    """An event with broken UTF-8 or halves of surrogate pairs, made whole. Raises ModelNonsense."""
    try:
        value = json.loads(payload.decode("utf-8", "replace"))
        text = json.dumps(value, ensure_ascii=False)
        whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace").encode()
        _decode(whole)
    except (ValueError, RecursionError):
        raise ModelNonsense() from None
    return whole
