"""Runs as every door shows them."""

from typing import Literal, cast

import msgspec

from famulus.conversations.parts import MessageView
from famulus.conversations.views import message_view, rfc3339
from famulus.runs.events import Problem, Usage, dollars
from famulus.runs.sql.rows import MessageRow, RunRow

RunStatus = Literal["queued", "running", "awaiting_approval", "completed", "failed", "cancelled"]


class RunView(msgspec.Struct, frozen=True):
    """A run as every door shows it."""

    id: str
    thread_id: str
    status: RunStatus
    message_id: str
    answer: MessageView | None
    error: Problem | None
    model: str | None
    usage: Usage
    created_at: str
    finished_at: str | None


def run_view(run: RunRow, answer: MessageRow | None) -> RunView:
    """A stored run for a door."""
    return RunView(
        id=run.id,
        thread_id=run.thread_id,
        status="awaiting_approval" if run.status == "awaiting" else cast(RunStatus, run.status),
        message_id=run.message_id,
        answer=message_view(answer) if answer else None,
        error=msgspec.json.decode(run.error, type=Problem) if run.error else None,
        model=run.model,
        usage=Usage(run.input_tokens, run.output_tokens, dollars(run.cost)),
        created_at=rfc3339(run.created_at),
        finished_at=rfc3339(run.finished_at) if run.finished_at else None,
    )
