"""Putting tool calls together from the pieces in which servers send them.

The rule is one index per call, an id and a name in the first piece, then pieces of the arguments. Real
servers also send whole calls at once, the same index for all of them, no index, no id, or the arguments as
an object.
"""

import uuid

import msgspec
from msgspec import Struct

from famulus.llm.errors import ModelNonsense
from famulus.llm.protocol import ToolCall

MAX_CALLS = 128
MAX_ARGUMENTS = 1 << 20
"""Characters of one call's arguments."""


class FunctionPiece(Struct, gc=False):
    """Name and arguments, or a part of them, as they come over the wire."""

    name: str | None = None
    arguments: str | dict[str, object] | None = None


class CallPiece(Struct, gc=False):
    """One entry of `delta.tool_calls`."""

    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class _Call:
    def __init__(self, index: int | None) -> None:
        self.index = index
        self.id = ""
        self.name = ""
        self.pieces: list[str] = []
        self.size = 0

    def whole(self) -> bool:
        """Whether the arguments so far are a JSON value: what follows cannot belong to them."""
        return self.pieces[-1].rstrip().endswith("}") and is_json("".join(self.pieces))


class CallAssembler:
    """The calls of one answer, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[_Call] = []

    def __bool__(self) -> bool:
        return bool(self._calls)

    def add(self, piece: CallPiece) -> None:
        """Take one piece in. Raises ModelNonsense when there are too many, or one grows without end."""
        function = piece.function or FunctionPiece()
        arguments = function.arguments or ""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        call = self._belongs(piece, function.name or "", arguments) or self._begin(piece.index)
        call.id = call.id or piece.id or ""
        call.name = call.name or function.name or ""
        call.pieces.append(arguments)
        call.size += len(arguments)
        if call.size > MAX_ARGUMENTS:
            raise ModelNonsense("The model called a tool with endless arguments; send the message again.")

    def _begin(self, index: int | None) -> _Call:
        if len(self._calls) >= MAX_CALLS:
            raise ModelNonsense(
                "The model called more tools at once than can be meant; send the message again."
            )
        self._calls.append(call := _Call(index))
        return call

    def _belongs(self, piece: CallPiece, name: str, arguments: str) -> _Call | None:
        """The call that `piece` goes on with, or None when it begins one."""
        if piece.id and (same := next((call for call in self._calls if call.id == piece.id), None)):
            return same
        latest = next(
            (call for call in reversed(self._calls) if piece.index is None or call.index == piece.index), None
        )
        if latest is None or (piece.id and latest.id):
            return None
        if name and latest.name and (name != latest.name or (arguments and latest.whole())):
            return None
        return latest

    def finish(self, *, cut: bool) -> list[ToolCall]:
        """The calls; when the answer was cut for its length, only those whose arguments are complete."""
        ready: list[ToolCall] = []
        for call in self._calls:
            arguments = "".join(call.pieces).strip() or "{}"
            if cut and not is_json(arguments):
                continue
            if not call.name:
                raise ModelNonsense("The model called a tool without naming it; send the message again.")
            ready.append(ToolCall(call.id or f"call_{uuid.uuid4().hex}", call.name, arguments))
        self._calls = []
        return ready


def is_json(text: str) -> bool:
    """Whether `text` is one complete JSON value."""
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
