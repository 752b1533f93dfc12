"""How a run ends: the answer as it is kept, the closing events, and the error in words for the reader."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

import msgspec

from famulus.conversations.parts import (
    Citation,
    Failure,
    MessageStatus,
    MessageView,
    Part,
    encode_parts,
    text_of,
)
from famulus.conversations.views import rfc3339
from famulus.kernel.errors import FamulusError
from famulus.kernel.ids import new_id
from famulus.kernel.lane import Statement
from famulus.kernel.tables import utc_now
from famulus.runs.events import (
    Event,
    MessageCompleted,
    Problem,
    RunCancelled,
    RunCompleted,
    RunFailed,
    Usage,
    dollars,
)
from famulus.runs.sql.finish import Ending
from famulus.runs.work import Work

PREVIEW = 160
Status = Literal["completed", "failed", "cancelled"]


def problem_of(error: FamulusError) -> Problem:
    """An error as a reader of a run sees it."""
    return Problem(error.code, error.detail, error.retry)


def preview_of(text: str) -> str:
    """The first words of a message on one line, for lists."""
    line = " ".join(text[: PREVIEW * 2].split())
    return line if len(line) <= PREVIEW else line[: PREVIEW - 1].rstrip() + "…"


@dataclass(frozen=True, slots=True)
class Close:
    """The end of one run, ready to be written."""

    work: Work
    owner: str
    status: Status
    problem: Problem | None = None
    title_job: Callable[[], Statement] | None = None

    def parts(self) -> tuple[Part, ...]:
        """What is kept of the answer; a failure keeps its reason too, so that it is shown after a reload."""
        parts: tuple[Part, ...] = self.work.draft.finished_parts()
        if self.problem is not None:
            parts = (*parts, Failure(self.problem.code, self.problem.detail, self.problem.retry))
        return parts

    def message_status(self) -> MessageStatus:
        """How complete the answer is."""
        match self.status:
            case "completed":
                return "complete"
            case "failed":
                return "failed"
            case "cancelled":
                return "partial"

    def ending(self, answer_id: str, now: datetime) -> Ending:
        """The rows to write; an answer stopped before its first word keeps no message."""
        run, draft = self.work.run, self.work.draft
        parts = self.parts()
        count, rows = self.work.pending()
        return Ending(
            run=run,
            owner=self.owner,
            status=self.status,
            answer_id=answer_id if parts else None,
            message_status=self.message_status(),
            parts=encode_parts(parts),
            preview=preview_of(text_of(parts) or (self.problem.detail if self.problem else "")),
            input_tokens=draft.input_tokens,
            output_tokens=draft.output_tokens,
            cost=draft.microdollars,
            cited=sum(isinstance(part, Citation) for part in parts),
            error=msgspec.json.encode(self.problem).decode() if self.problem else None,
            finished_at=now,
            pending=rows,
            next_n=self.work.journalled + count + 1,
            title_job=self.title_job,
        )

    def events(self, answer_id: str, now: datetime, position: int) -> list[Event]:
        """The closing events, once the answer's position in its thread is known."""
        run, parts = self.work.run, self.parts()
        events: list[Event] = []
        if parts:
            events.append(
                MessageCompleted(
                    MessageView(
                        id=answer_id,
                        thread_id=run.thread_id,
                        position=position,
                        parent_id=run.message_id,
                        role="assistant",
                        status=self.message_status(),
                        text=text_of(parts),
                        parts=parts,
                        run_id=run.id,
                        created_at=rfc3339(now),
                    )
                )
            )
        return [*events, self._terminal()]

    def _terminal(self) -> Event:
        if self.problem is not None:
            return RunFailed(self.work.run.id, self.problem)
        if self.status == "cancelled":
            return RunCancelled(self.work.run.id)
        draft = self.work.draft
        usage = Usage(draft.input_tokens, draft.output_tokens, dollars(draft.microdollars))
        return RunCompleted(self.work.run.id, usage)


def prepare(close: Close) -> tuple[Ending, datetime, str]:
    """The ending with the time and the answer's id that its closing events need."""
    now, answer_id = utc_now(), new_id("msg")
    return close.ending(answer_id, now), now, answer_id
