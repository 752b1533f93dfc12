"""Putting tool calls together from the pieces in which servers send them; what all wires have in common."""

import uuid

import msgspec

from famulus.llm.errors import ModelNonsense
from famulus.llm.protocol import ToolCall

MAX_CALLS = 128
MAX_ARGUMENTS = 1 << 20
"""Characters of one call's arguments."""


class Call:
    """A call on its way in."""

    def __init__(self, index: int | None, id: str, name: str) -> None:
        """`index`: the place that the server gives it among the others."""
        self.index = index
        self.id = id
        self.name = name
        self.pieces: list[str] = []
        self._size = 0

    def go_on(self, arguments: str) -> None:
        """Take the next piece of its arguments in. Raises ModelNonsense when they grow without end."""
        self.pieces.append(arguments)
        self._size += len(arguments)
        if self._size > MAX_ARGUMENTS:
            raise ModelNonsense("The model called a tool with endless arguments; send the message again.")

    def whole(self) -> bool:
        """Whether the arguments so far are a JSON value: what follows cannot belong to them."""
        return self.pieces[-1].rstrip().endswith("}") and is_json("".join(self.pieces))


class Calls:
    """The calls of one answer, in the order in which they began."""

    def __init__(self) -> None:
        self._calls: list[Call] = []
        self._open: dict[int | None, Call] = {}

    def __len__(self) -> int:
        return len(self._calls)

    def at(self, index: int | None) -> Call | None:
        """The call at a place, unless it has ended."""
        return self._open.get(index)

    def end(self, index: int | None) -> None:
        """Let nothing more be told of the call at a place, if there is one."""
        self._open.pop(index, None)

    def begin(self, index: int | None, id: str = "", name: str = "") -> Call:
        """Begin a call. Raises ModelNonsense when there are too many."""
        if len(self._calls) >= MAX_CALLS:
            raise ModelNonsense(
                "The model called more tools at once than can be meant; send the message again."
            )
        self._calls.append(call := Call(index, id, name))
        self._open[index] = call
        return call

    def finish(self, *, cut: bool) -> list[ToolCall]:
        """The calls, each with an id of its own; of an answer that was cut only those whose arguments are complete."""
        ready: dict[str, ToolCall] = {}
        for call in self._calls:
            arguments = "".join(call.pieces).strip()
            if cut and not is_json(arguments):
                continue
            if not call.name:
                raise ModelNonsense("The model called a tool without naming it; send the message again.")
            id = call.id if call.id and call.id not in ready else f"call_{uuid.uuid4().hex}"
            ready[id] = ToolCall(id, call.name, arguments or "{}")
        self._calls = []
        return list(ready.values())


def is_json(text: str) -> bool:
    """Whether `text` is one complete JSON value."""
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):
        return False
    return True
