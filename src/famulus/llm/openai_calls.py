"""Putting tool calls together as Chat Completions servers send them.

The rule is one index per call, an id and a name in the first piece, then pieces of the arguments. Real
servers also send whole calls at once, the same index for all of them, no index, no id, or the arguments as
an object.
"""

import msgspec
from msgspec import Struct

from famulus.llm.calls import Call, Calls


class FunctionPiece(Struct, gc=False):
    """Name and arguments, or a part of them, as they come over the wire."""

    name: str | None = None
    arguments: str | dict[str, object] | None = None


class CallPiece(Struct, gc=False):
    """One entry of `delta.tool_calls`."""

    index: int | None = None
    id: str | None = None
    function: FunctionPiece | None = None


class CallAssembler(Calls):
    """Tells which call a piece belongs to."""

    def add(self, piece: CallPiece) -> None:
        """Take one piece in. Raises ModelNonsense when there are too many, or one grows without end."""
        function = piece.function or FunctionPiece()
        arguments = function.arguments or ""
        if not isinstance(arguments, str):
            arguments = msgspec.json.encode(arguments).decode()
        call = self._belongs(piece, function.name or "", arguments) or self.begin(piece.index)
        call.id = call.id or piece.id or ""
        call.name = call.name or function.name or ""
        call.go_on(arguments)

    def _belongs(self, piece: CallPiece, name: str, arguments: str) -> Call | None:
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
