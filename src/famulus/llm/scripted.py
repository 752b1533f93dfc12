"""A model that plays a script: for demonstrations, for tests through the real doors, for developing a client.

Which reply is played is read from the request as far as it can be. A turn that comes back with tool results
goes on with the reply that made the calls: its number stands in the calls' ids, so that even a new process
finds it. Only the place in the cycle is remembered here, per object.
"""

import asyncio
import re
import uuid
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from pathlib import Path

import msgspec

from famulus.kernel.errors import ConfigurationError
from famulus.llm.protocol import (
    End,
    Item,
    Push,
    ReasoningDelta,
    Request,
    TextDelta,
    ToolCall,
    ToolCallReady,
    Usage,
)
from famulus.llm.provider_errors import error_for
from famulus.llm.script_file import Reply, Script, ScriptedCall, parse_script
from famulus.llm.words import bursts, estimate_tokens, pieces

_CALL_ID = re.compile(r"call_r(\d{1,6})s\d{1,6}_[0-9a-f]+")


class ScriptedModel:
    """Plays the replies of a Markdown file. See `script_file` for what can stand in it."""

    kind = "scripted"

    def __init__(self, path: Path) -> None:
        """Reads the file at once; raises ConfigurationError when it is missing or cannot be understood."""
        self.name = path.name
        self._path = path
        self._stamp: tuple[int, int] | None = None
        self._next = 0
        self._script = self._current()

    async def stream(
        self, request: Request, push: Push | None = None
    ) -> AsyncGenerator[Sequence[Item], None]:
        """Play the reply that is due. Raises what `@fail` says, or ConfigurationError for a broken file."""
        script = self._current()
        made = _calls_of_this_turn(request)
        number = self._continued(script, request, made) if made else self._due(script, request)
        reply = script.replies[number]
        for burst in bursts("" if made else reply.thought):
            yield [ReasoningDelta(piece) for piece in burst]
        asked = sum(estimate_tokens(message.text) for message in request.messages)
        if len(made) < len(reply.calls):
            call = reply.calls[len(made)]
            call_id = f"call_r{number}s{len(made)}_{uuid.uuid4().hex[:16]}"
            arguments = _filled(call.arguments, reply, request.last_user_text())
            ready = ToolCallReady(ToolCall(call_id, call.name, arguments))
            yield [ready, Usage(asked, estimate_tokens(call.name + call.arguments)), End("tool_calls")]
            return
        await asyncio.sleep(reply.delay)
        if reply.fail is not None:
            raise error_for(reply.fail, model=self.name)
        async with aclosing(_paced(reply.text, reply.rate)) as said:
            async for burst in said:
                yield [TextDelta(piece) for piece in burst]
        yield [Usage(asked, estimate_tokens(reply.text)), End(reply.end)]

    async def close(self) -> None:
        """There is nothing to let go of."""

    def _current(self) -> Script:
        """The script as the file says it now; a changed file starts over."""
        try:
            status = self._path.stat()
            if self._stamp != (stamp := (status.st_mtime_ns, status.st_size)):
                self._script = parse_script(self._path.read_text("utf-8"), source=str(self._path))
                self._stamp = stamp
                self._next = 0
        except FileNotFoundError:
            raise ConfigurationError(
                f"{self._path}: there is no such file; name the script with its path."
            ) from None
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigurationError(f"{self._path}: cannot be read as UTF-8 text: {error}.") from error
        return self._script

    def _due(self, script: Script, request: Request) -> int:
        """The first `@when` that matches, or the next of the cycle."""
        said = request.last_user_text()
        for number, reply in enumerate(script.replies):
            if reply.when is not None and reply.when.search(said):
                return number
        if not script.cycle:
            raise ConfigurationError(f"{script.source}: no `@when` in it matches; add a reply without one.")
        number = script.cycle[self._next % len(script.cycle)]
        self._next += 1
        return number

    def _continued(self, script: Script, request: Request, made: list[ToolCall]) -> int:
        """The reply that made the calls of this turn: by their ids, else the first that fits."""
        candidates = [int(match[1]) for call in made if (match := _CALL_ID.fullmatch(call.id))]
        said = request.last_user_text()
        by_word = [
            n for n, reply in enumerate(script.replies) if reply.when is not None and reply.when.search(said)
        ]
        for number in candidates:
            if number < len(script.replies) and _named_in(script.replies[number], made):
                return number
        for number in (*by_word, *script.cycle):
            if _made_by(script.replies[number], made):
                return number
        raise ConfigurationError(
            f"{script.source}: no reply in it makes the tool calls of this turn any more."
        )


def _filled(arguments: str, reply: Reply, said: str) -> str:
    """The arguments with each `${name}` replaced by what that group of `@when` has found, as JSON has it."""
    found = reply.when.search(said) if reply.when else None
    for name, value in (found.groupdict(default="") if found else {}).items():
        arguments = arguments.replace(f"${{{name}}}", msgspec.json.encode(value).decode()[1:-1])
    return arguments


def _calls_of_this_turn(request: Request) -> list[ToolCall]:
    made: list[ToolCall] = []
    for message in request.messages:
        if message.role == "user":
            made.clear()
        made.extend(message.tool_calls)
    return made


def _named_in(reply: Reply, made: list[ToolCall]) -> bool:
    """Whether a reply makes these calls; what became of their arguments, the server may have changed."""
    names = [scripted.name for scripted in reply.calls]
    return [call.name for call in made] == names[: len(made)]


def _made_by(reply: Reply, made: list[ToolCall]) -> bool:
    return len(made) <= len(reply.calls) and all(
        call.name == scripted.name and _same_arguments(call, scripted)
        for call, scripted in zip(made, reply.calls, strict=False)
    )


def _same_arguments(call: ToolCall, scripted: ScriptedCall) -> bool:
    try:
        return msgspec.json.decode(call.arguments) == msgspec.json.decode(scripted.arguments)
    except (ValueError, RecursionError):
        return False


async def _paced(text: str, rate: float | None) -> AsyncGenerator[list[str], None]:
    """Piece by piece, `rate` of them a second; without a rate in bursts."""
    if rate is None:
        for burst in bursts(text):
            yield burst
            await asyncio.sleep(0)
        return
    loop = asyncio.get_running_loop()
    began = loop.time()
    for count, piece in enumerate(pieces(text)):
        await asyncio.sleep(max(0.0, began + count / rate - loop.time()))
        yield [piece]
