"""What the events of a response mean: one decoder made once, and one small struct for each event.

    response.created response.in_progress
      (output_item.added (output_text.delta | reasoning_summary_text.delta | function_call_arguments.delta)* …done)*
    response.completed | response.incomplete | response.failed

and anywhere `error`, and kinds that are yet to come, which are passed over. What is done is told once more by events
that are passed over as well, but for calls, which some servers tell only when they are whole.
"""

from typing import Any

import msgspec
from msgspec import Raw, Struct

from famulus.llm.calls import Calls
from famulus.llm.protocol import EndReason, Item, ReasoningDelta, Sealed, TextDelta, Usage
from famulus.llm.reader import Reader, clean, is_error, repaired
from famulus.llm.responses_request import sealed_by

TEXT = "response.output_text.delta"


class _Content(Struct, gc=False):
    type: str | None = None
    text: str | None = None
    refusal: str | None = None


class _Item(Struct, gc=False):
    type: str | None = None
    id: str | None = None
    call_id: str | None = None
    name: str | None = None
    arguments: str | None = None
    content: list[_Content] | None = None
    encrypted_content: str | None = None


class _Usage(Struct, gc=False):
    input_tokens: int | None = None
    output_tokens: int | None = None


class _Details(Struct, gc=False):
    reason: str | None = None


class _Response(Struct, gc=False):
    object: str | None = None
    status: str | None = None
    output: list[_Item] | None = None
    usage: _Usage | None = None
    incomplete_details: _Details | None = None
    error: Raw = Raw(b"null")


class _Event(Struct, gc=False):
    type: str | None = None
    delta: Any = None
    output_index: int | None = None
    item: _Item | None = None
    response: _Response | None = None
    error: Raw = Raw(b"null")


class _AsItCame(Struct, gc=False):
    item: Raw


_decode = msgspec.json.Decoder(_Event).decode
_decode_as_it_came = msgspec.json.Decoder(_AsItCame).decode
_decode_response = msgspec.json.Decoder(_Response).decode
_REASONS: dict[str, EndReason] = {
    "max_output_tokens": "length",
    "max_tokens": "length",
    "content_filter": "content_filter",
}


class ResponseReader(Reader):
    """One answer of a Responses server."""

    reasons = _REASONS

    def __init__(self, *, model: str, secret: str | None) -> None:
        """`model` is named in errors; `secret` is kept out of them."""
        super().__init__(Calls(), _decode, model=model, secret=secret)

    def twin(self) -> "ResponseReader":
        """Another reader of this wire, which has read nothing yet."""
        return ResponseReader(model=self._model, secret=self._secret)

    def _event(self, payload: bytes, items: list[Item]) -> None:
        try:
            event = _decode(payload)
        except (ValueError, RecursionError):
            return self._odd_event(payload.strip(), items)
        if event.type == TEXT and isinstance(text := event.delta, str):
            self._seen = True
            if text:
                items.append(TextDelta(clean(text) if "\0" in text else text))
        else:
            self._rarer(event, payload, items)

    def _rarer(self, event: _Event, payload: bytes, items: list[Item]) -> None:
        if event.type == "error" or (event.type is None and is_error(bytes(event.error))):
            raise self._error(payload)
        match event.type:
            case "response.reasoning_summary_text.delta" | "response.reasoning_text.delta":
                if isinstance(event.delta, str):
                    items.append(ReasoningDelta(clean(event.delta)))
            case "response.refusal.delta":
                if isinstance(event.delta, str):
                    items.append(TextDelta(clean(event.delta)))
            case "response.function_call_arguments.delta":
                if isinstance(event.delta, str) and (call := self._calls.at(event.output_index)):
                    call.go_on(event.delta)
            case "response.output_item.done" if event.item and event.item.encrypted_content:
                thought = bytes(_decode_as_it_came(payload).item)
                items.append(Sealed(sealed_by(self._model), thought, len(self._calls)))
            case "response.output_item.added" | "response.output_item.done":
                self._take_call(event.output_index, event.item or _Item())
            case _:
                self._lifecycle(event, payload, items)

    def _lifecycle(self, event: _Event, payload: bytes, items: list[Item]) -> None:
        match event.type:
            case "response.created" | "response.in_progress" | "response.queued":
                self._seen = True
            case "response.completed" | "response.incomplete" | "response.failed":
                self._close(event.response or _Response())
            case None:
                self._whole(_decode_response(repaired(payload, _decode_response)), items)
            case _:
                pass

    def _take_call(self, index: int | None, item: _Item) -> None:
        """A call at its beginning or at its end, where everything is told once more."""
        self._seen = True
        if item.type != "function_call":
            return
        call = self._calls.at(index)
        if call is None:
            call = self._calls.begin(index, item.call_id or item.id or "", item.name or "")
        if item.arguments and not any(call.pieces):
            call.go_on(item.arguments)

    def _close(self, response: _Response) -> None:
        if is_error(bytes(response.error)):
            raise self._error(b'{"error":%b}' % bytes(response.error))
        self._seen = self.done = True
        if response.usage is not None:
            used = response.usage
            self._usage = Usage(used.input_tokens or 0, used.output_tokens or 0)
        details = response.incomplete_details
        self.finish_reason = (details and details.reason) or response.status or "completed"

    def _whole(self, response: _Response, items: list[Item]) -> None:
        """An answer that came as one body."""
        if response.object != "response" and response.output is None:
            return
        for index, item in enumerate(response.output or ()):
            texts = [content.text or content.refusal for content in item.content or ()]
            items += [TextDelta(clean(text)) for text in texts if text]
            self._take_call(index, item)
        self._close(response)
