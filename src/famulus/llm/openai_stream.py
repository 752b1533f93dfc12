"""What the events of a Chat Completions answer mean: one decoder made once, and one small struct for each event."""

import msgspec
from msgspec import Raw, Struct

from famulus.llm.openai_calls import CallAssembler, CallPiece
from famulus.llm.openai_request import sealed_by
from famulus.llm.protocol import EndReason, Item, ReasoningDelta, Sealed, TextDelta, ToolCallReady, Usage
from famulus.llm.provider_errors import read_message
from famulus.llm.reader import DONE, Reader, clean, is_error


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


class _Details(Struct, gc=False):
    cached_tokens: int | None = None


class _Usage(Struct, gc=False):
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    prompt_tokens_details: _Details | None = None


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


class AnswerReader(Reader):
    """One answer of a Chat Completions server."""

    reasons = _REASONS

    def __init__(self, *, model: str, secret: str | None) -> None:
        """`model` is named in errors; `secret` is kept out of them."""
        self._assembler = CallAssembler()
        super().__init__(self._assembler, _decode, model=model, secret=secret)
        self._thoughts: list[str] = []
        self._field = ""
        """Where the server tells them."""

    def twin(self) -> "AnswerReader":
        """Another reader of this wire, which has read nothing yet."""
        return AnswerReader(model=self._model, secret=self._secret)

    def finish(self) -> list[Item]:
        """The last items, and before calls what was thought, for the way back."""
        items = super().finish()
        first = next((n for n, item in enumerate(items) if isinstance(item, ToolCallReady)), None)
        if self._thoughts and first is not None:
            thought = msgspec.json.encode({self._field: "".join(self._thoughts)})
            items.insert(first, Sealed(sealed_by(self._model), thought))
        return items

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
                    items.append(TextDelta(clean(content) if "\0" in content else content))
        if choice.finish_reason:
            self._refuse_error(chunk, payload)
            self.finish_reason = choice.finish_reason
        if chunk.usage is not None:
            self._count(chunk.usage)

    def _odd_event(self, payload: bytes, items: list[Item]) -> None:
        if payload == DONE:
            self.done = self._seen = True
        else:
            super()._odd_event(payload, items)

    def _rarer(self, delta: _Delta, items: list[Item]) -> None:
        if thought := delta.reasoning_content or delta.reasoning:
            self._field = "reasoning_content" if delta.reasoning_content else "reasoning"
            self._thoughts.append(thought)
            items.append(ReasoningDelta(clean(thought)))
        if isinstance(delta.content, list):
            text = "".join(part.text or "" for part in delta.content if part.type in (None, "text"))
            if text:
                items.append(TextDelta(clean(text)))
        if delta.refusal:
            items.append(TextDelta(clean(delta.refusal)))
        for piece in delta.tool_calls or ():
            self._assembler.add(piece)

    def _without_choices(self, chunk: _Chunk, payload: bytes) -> None:
        """A count of tokens, an error, or something we have no use for."""
        self._refuse_error(chunk, payload)
        if chunk.usage is not None:
            self._seen = True
            self._count(chunk.usage)
        elif chunk.choices is None and read_message(payload).text:
            raise self._error(payload)

    def _refuse_error(self, chunk: _Chunk, payload: bytes) -> None:
        if is_error(bytes(chunk.error)):
            raise self._error(payload)

    def _count(self, usage: _Usage) -> None:
        read, details = usage.prompt_tokens or 0, usage.prompt_tokens_details
        cached = (details and details.cached_tokens) or 0
        self._usage = Usage(read, usage.completion_tokens or 0, max(0, min(cached, read)))
