"""One tool call, from the model's JSON to a bounded result: whatever a tool raises becomes one here."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import msgspec
import structlog

from famulus.kernel.errors import FamulusError
from famulus.llm.protocol import ToolCall
from famulus.tools.contract import Arguments, Retry, Tool, ToolContext, ToolFailed

log = structlog.get_logger(__name__)
MAX_ARGUMENTS = 20_000
MAX_RESULT = 20_000
CUT = "\n[cut: the result was longer]"
_decode = msgspec.json.Decoder(dict[str, object]).decode


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a call, for the model and the journal."""

    status: Literal["ok", "failed", "unknown"]
    result: str


async def call_tool(tools: Mapping[str, Tool], context: ToolContext, call: ToolCall) -> Outcome:
    """Run one call as the asker. Never raises but for cancellation: the model is told what went wrong."""
    tool = tools.get(call.name)
    if tool is None:
        return Outcome("failed", f"There is no tool {call.name!r}. There are: {', '.join(tools) or 'none'}.")
    try:
        result = await tool.call(context, _arguments(call.arguments))
    except (Retry, ToolFailed) as word:
        return Outcome("failed", str(word)[:MAX_RESULT])
    except FamulusError as error:
        return Outcome("failed", f"{error.title}: {error.detail}")
    except Exception:  # a tool may fail in any way; the run goes on and the log has the details
        log.exception("tool_failed", tool=call.name)
        return Outcome("failed", "The tool failed for a reason of its own; the server's log has it.")
    return Outcome(
        "ok", result if len(result) <= MAX_RESULT else result[:MAX_RESULT] + "\n[cut: the result was longer]"
    )


def _arguments(text: str) -> Arguments:
    if len(text) > MAX_ARGUMENTS:
        raise Retry(f"The arguments are longer than {MAX_ARGUMENTS} characters; send less at a time.")
    try:
        return _decode(text or "{}")
    except msgspec.DecodeError as error:
        raise Retry(f"The arguments are not a JSON object: {error}.") from error
