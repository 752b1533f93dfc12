"""What the events of a Messages answer mean: one decoder made once, and one small struct for each event.

    message_start (content_block_start content_block_delta* content_block_stop)* message_delta message_stop

and anywhere between them `ping`, `error`, and kinds that are yet to come, which are passed over. One struct holds the
fields of every kind: it is as fast as one for each, and takes kinds that nobody has told us of.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from famulus.llm.anthropic_request import sealed_by
from famulus.llm.calls import Calls
from famulus.llm.protocol import EndReason, Item, ReasoningDelta, Sealed, TextDelta, Usage
from famulus.llm.reader import Reader, clean, is_error, repaired


class _Delta(Struct, gc=False):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    partial_json: str | None = None
    stop_reason: str | None = None


class _Block(Struct, gc=False):
    type: str | None = None
    text: str | None = None
    thinking: str | None = None
    signature: str | None = None
    data: str | None = None
    id: str | None = None
    name: str | None = None
    input: Raw = Raw(b"null")


class _Usage(Struct, gc=False):
    input_tokens: int | None = None
    cache_creation_input_tokens: int | None = None
    cache_read_input_tokens: int | None = None
    output_tokens: int | None = None


class _Message(Struct, gc=False):
    content: list[_Block] | None = None
    stop_reason: str | None = None
    usage: _Usage | None = None


class _Event(Struct, gc=False):
    type: str | None = None
    index: int | None = None
    delta: _Delta | None = None
    content_block: _Block | None = None
    message: _Message | None = None
    usage: _Usage | None = None
    error: Raw = Raw(b"null")


class _Kind(Struct, gc=False):
    type: str


_encode = msgspec.json.Encoder().encode
_decode = msgspec.json.Decoder(_Event).decode
_decode_kind = msgspec.json.Decoder(_Kind).decode
_decode_message = msgspec.json.Decoder(_Message).decode

_KINDS = frozenset(
    (
        *("message", "message_start", "message_delta", "message_stop", "error"),
        *("content_block_start", "content_block_delta", "content_block_stop"),
    )
)
_REASONS: dict[str, EndReason] = {
    "tool_use": "tool_calls",
    "max_tokens": "length",
    "model_context_window_exceeded": "length",
    "refusal": "content_filter",
}


class MessageReader(Reader):
    """One answer of a Messages server."""

    reasons = _REASONS

    def __init__(self, *, model: str, secret: str | None) -> None:
        """`model` is named in errors; `secret` is kept out of them."""
        super().__init__(Calls(), _decode, model=model, secret=secret)
        self._thought: list[str] = []
        self._signature = ""

    def twin(self) -> "MessageReader":
        """Another reader of this wire, which has read nothing yet."""
        return MessageReader(model=self._model, secret=self._secret)

    def _event(self, payload: bytes, items: list[Item]) -> None:
        try:
            event = _decode(payload)
        except (ValueError, RecursionError):
            return self._odd_event(payload.strip(), items)
        delta = event.delta
        if delta is not None and delta.type == "text_delta" and (text := delta.text):
            self._seen = True
            items.append(TextDelta(clean(text) if "\0" in text else text))
        else:
            self._rarer(event, payload, items)

    def _odd_event(self, payload: bytes, items: list[Item]) -> None:
        if not _is_unknown(payload):
            super()._odd_event(payload, items)

    def _rarer(self, event: _Event, payload: bytes, items: list[Item]) -> None:
        if event.type == "error" or is_error(bytes(event.error)):
            raise self._error(payload)
        if event.type not in _KINDS:
            return
        self._seen = True
        match event.type:
            case "content_block_start":
                self._begin(event.index, event.content_block or _Block(), items)
            case "content_block_delta":
                self._go_on(event.index, event.delta or _Delta(), items)
            case "content_block_stop":
                self._calls.end(event.index)
                self._seal(items)
            case "message_start" | "message_delta":
                self._account(event)
            case "message_stop":
                self.done = True
            case _:
                self._whole(_decode_message(repaired(payload, _decode_message)), items)

    def _begin(self, index: int | None, block: _Block, items: list[Item]) -> None:
        """Most blocks begin empty; some servers put everything into their beginning."""
        self._calls.end(index)
        match block.type:
            case "text" if block.text:
                items.append(TextDelta(clean(block.text)))
            case "thinking":
                self._think(block.thinking, block.signature, items)
            case "redacted_thinking" if block.data:
                self._keep({"type": "redacted_thinking", "data": block.data}, items)
            case "tool_use":
                call = self._calls.begin(index, block.id or "", block.name or "")
                given = bytes(block.input).decode("utf-8", "replace")
                if given.strip("{} \n\r\t") not in ("", "null"):
                    call.go_on(given)
                    self._calls.end(index)
            case _:
                pass

    def _go_on(self, index: int | None, delta: _Delta, items: list[Item]) -> None:
        match delta.type:
            case "thinking_delta" | "signature_delta":
                self._think(delta.thinking, delta.signature, items)
            case "input_json_delta" if delta.partial_json:
                if call := self._calls.at(index):
                    call.go_on(delta.partial_json)
            case _:
                pass

    def _think(self, thought: str | None, signature: str | None, items: list[Item]) -> None:
        if thought:
            self._thought.append(thought)
            items.append(ReasoningDelta(clean(thought)))
        self._signature += signature or ""

    def _seal(self, items: list[Item]) -> None:
        """A block of thoughts is over: one that is signed is to be sent back as it came."""
        thought = "".join(self._thought)
        if self._signature:
            self._keep({"type": "thinking", "thinking": thought, "signature": self._signature}, items)
        self._thought, self._signature = [], ""

    def _keep(self, block: dict[str, Any], items: list[Item]) -> None:
        items.append(Sealed(sealed_by(self._model), _encode(block), len(self._calls)))

    def _account(self, event: _Event) -> None:
        message = event.message or _Message()
        if usage := event.usage or message.usage:
            self._count(usage)
        if event.delta is not None and event.delta.stop_reason:
            self.finish_reason = event.delta.stop_reason

    def _whole(self, message: _Message, items: list[Item]) -> None:
        """A message that comes as one JSON body."""
        for index, block in enumerate(message.content or ()):
            self._begin(index, block, items)
            self._seal(items)
        if message.usage is not None:
            self._count(message.usage)
        self.finish_reason = message.stop_reason or self.finish_reason

    def _count(self, usage: _Usage) -> None:
        """Counts are of the whole answer so far; which of them an event has differs from server to server."""
        read = (usage.input_tokens, usage.cache_creation_input_tokens, usage.cache_read_input_tokens)
        before = self._usage or Usage(0, 0)
        self._usage = Usage(
            max(before.input_tokens, sum(filter(None, read))),
            max(before.output_tokens, usage.output_tokens or 0),
            max(before.cached_tokens, usage.cache_read_input_tokens or 0),
        )


def _is_unknown(payload: bytes) -> bool:
    """Whether an event says of itself that it is of a kind we do not know."""
    try:
        return _decode_kind(payload).type not in _KINDS
    except (ValueError, RecursionError):
        return False
