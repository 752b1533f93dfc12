"""The last transaction of a turn: answer, usage, the run's end and its terminal event, all or nothing."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from famulus.conversations.parts import MessageStatus
from famulus.kernel.lane import Statement
from famulus.runs.errors import LeaseLost
from famulus.runs.events import Event
from famulus.runs.sql.rows import (
    INSERT_MESSAGE,
    JournalRow,
    MessageRow,
    RunRow,
    Steps,
    insert_events,
    journal_rows,
)

LOCK_THREAD = (
    "UPDATE threads SET last_position = last_position WHERE id = $1 RETURNING last_position, titled_by"
)
END_RUN = (
    "UPDATE runs SET status = $4, answer_id = $5, input_tokens = $6, output_tokens = $7, error = $8, finished_at = $9,"
    " cited = $10"
    " WHERE id = $1 AND epoch = $2 AND owner = $3 AND status = 'running' RETURNING id"
)
ADD_TO_THREAD = (
    "UPDATE threads SET last_position = $2, head_id = $3, preview = $4, updated_at = $5 WHERE id = $1"
)


@dataclass(frozen=True, slots=True)
class Ending:
    """Everything that finishing one run writes."""

    run: RunRow
    owner: str
    status: str
    answer_id: str | None
    """None when there is nothing to keep."""
    message_status: MessageStatus
    parts: str
    preview: str
    input_tokens: int
    output_tokens: int
    cited: int
    error: str | None
    finished_at: datetime
    pending: Sequence[JournalRow]
    """Journal rows not yet written."""
    next_n: int
    """The number of the first closing event."""
    title_job: Callable[[], Statement] | None
    """The statement that asks for a better title, taken when the thread has only its first words for one."""


def finish(e: Ending, closing: Callable[[int], list[Event]]) -> Steps[list[Event]]:
    """Store the end of a run; returns the closing events, made once the answer's position is known.

    Raises LeaseLost when another instance holds the run or it has ended already.
    """
    threads = yield LOCK_THREAD, (e.run.thread_id,)
    ended = yield (
        END_RUN,
        (
            e.run.id, e.run.epoch, e.owner, e.status, e.answer_id, e.input_tokens, e.output_tokens, e.error,
            e.finished_at, e.cited,
        ),
    )  # fmt: skip
    if not ended or not threads:
        raise LeaseLost()
    position, titled_by = threads[0][0] + 1, threads[0][1]
    if e.answer_id is not None:
        yield from _add_answer(e, e.answer_id, position)
    last = closing(position)
    yield from insert_events(e.run.id, e.run.epoch, [*e.pending, *journal_rows(e.next_n, last)])
    if e.title_job is not None and titled_by == "words":
        yield e.title_job()
    return last


def _add_answer(e: Ending, answer_id: str, position: int) -> Steps[None]:
    message = MessageRow(
        answer_id, e.run.thread_id, position, e.run.message_id, e.run.id, "assistant", e.message_status, e.parts,
        e.finished_at,
    )  # fmt: skip
    yield INSERT_MESSAGE, message.values()
    yield ADD_TO_THREAD, (e.run.thread_id, position, answer_id, e.preview, e.finished_at)
