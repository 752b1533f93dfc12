"""A run as a response."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from famulus.conversations.parts import Application, ClientTool, MessageView
from famulus.conversations.views import seconds_of
from famulus.doors.openai.items import Item
from famulus.doors.openai.shapes import shown
from famulus.runs.events import Problem, Usage
from famulus.runs.views import RunStatus, RunView

STATUSES: dict[RunStatus, str] = {
    "queued": "queued",
    "running": "in_progress",
    "awaiting_approval": "completed",
    "completed": "completed",
    "failed": "failed",
    "cancelled": "cancelled",
}
"""A response that waits for a person ends with what it asks them, as OpenAI's does."""
CUTS = {"length": "max_output_tokens", "content_filter": "content_filter"}
"""Why an answer stops before its end, in this protocol's words."""


@dataclass(frozen=True, slots=True)
class Frame:
    """What of a response is known from its beginning."""

    run_id: str
    thread_id: str
    created: int
    application: Application

    @classmethod
    def of(cls, run: RunView, asked: MessageView) -> "Frame":
        """Of a run and the message that it answers."""
        found = next((part for part in asked.parts if isinstance(part, Application)), Application())
        return cls(run.id, run.thread_id, seconds_of(run.created_at), found)

    def response(
        self,
        status: str,
        output: Sequence[Item] = (),
        *,
        usage: Usage | None = None,
        error: Problem | None = None,
        cut: str | None = None,
    ) -> dict[str, object]:
        """The response in a state; one that was `cut` is told as incomplete, with the reason."""
        wanted = self.application
        return {
            "id": shown(self.run_id),
            "object": "response",
            "created_at": self.created,
            "status": "incomplete" if cut else status,
            "background": wanted.background,
            "error": {"code": error.code, "message": error.detail} if error else None,
            "incomplete_details": {"reason": CUTS[cut]} if cut else None,
            "instructions": wanted.instructions or None,
            "max_output_tokens": wanted.max_output_tokens,
            "max_tool_calls": None,
            "model": wanted.model or "famulus",
            "output": list(output),
            "parallel_tool_calls": True,
            "previous_response_id": shown(wanted.previous) if wanted.previous else None,
            "conversation": {"id": shown(self.thread_id)} if wanted.conversation else None,
            "reasoning": {"effort": wanted.reasoning_effort, "summary": None},
            "service_tier": "default",
            "store": wanted.store,
            "temperature": wanted.temperature,
            "text": {"format": _form(wanted.format)},
            "tool_choice": "auto",
            "tools": [_tool(tool) for tool in wanted.tools],
            "top_p": None,
            "truncation": "auto",
            "usage": _usage(usage) if usage else None,
            "user": None,
            "metadata": wanted.metadata,
        }


def _form(wanted: dict[str, Any] | None) -> dict[str, object]:
    return {"type": "text"} if wanted is None else {"type": wanted["type"], **wanted.get("json_schema", {})}


def _tool(tool: ClientTool) -> dict[str, object]:
    return {
        "type": "function",
        "name": tool.name,
        "description": tool.description,
        "parameters": tool.parameters,
        "strict": False,
    }


def _usage(usage: Usage) -> dict[str, object]:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": usage.input_tokens + usage.output_tokens,
    }
