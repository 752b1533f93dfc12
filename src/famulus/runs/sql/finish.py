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
ADD_TO_THREAD = (
    "UPDATE threads SET last_position = last_position + 1, head_id = $2, preview = $3, updated_at = $4"
    " WHERE id = $1 RETURNING last_position, titled_by"
)
END_RUN = (
    "UPDATE runs SET status = $4, answer_id = $5, input_tokens = $6, output_tokens = $7, error = $8, finished_at = $9,"
    " cited = $10, cost = $11, asker = '' WHERE id = $1 AND epoch = $2 AND owner = $3 AND status = 'running' RETURNING"
    " EXISTS (SELECT 1 FROM runs w WHERE w.thread_id = runs.thread_id AND w.status = 'queued')"
)
"""What its asker came with is kept no longer than it is needed.

Once the thread is locked: a message queued before is seen here, and a later one finds the thread free."""


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
    cost: int | None
    cited: int
    error: str | None
    finished_at: datetime
    pending: Sequence[JournalRow]
    """Journal rows not yet written."""
    next_n: int
    """The number of the first closing event."""
    title_job: Callable[[], Statement] | None
    """The statement that asks for a better title, taken when the thread has only its first words for one."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What finishing a run came to."""

    events: list[Event]
    """The closing events, made once the answer's position is known."""
    queue: bool
    """Whether another message waits in the thread."""


def finish(e: Ending, closing: Callable[[int], list[Event]]) -> Steps[Finished]:
    """Store the end of a run. Raises LeaseLost when another instance holds it or it has ended already."""
    if e.answer_id is None:
        threads = yield LOCK_THREAD, (e.run.thread_id,)
    else:
        threads = yield ADD_TO_THREAD, (e.run.thread_id, e.answer_id, e.preview, e.finished_at)
    ended = yield (
        END_RUN,
        (
            e.run.id, e.run.epoch, e.owner, e.status, e.answer_id, e.input_tokens, e.output_tokens, e.error,
            e.finished_at, e.cited, e.cost,
        ),
    )  # fmt: skip
    if not ended or not threads:
        raise LeaseLost()
    position, titled_by = threads[0]
    if e.answer_id is not None:
        yield INSERT_MESSAGE, _answer(e, e.answer_id, position).values()
    last = closing(position)
    yield from insert_events(e.run.id, e.run.epoch, [*e.pending, *journal_rows(e.next_n, last)])
    if e.title_job is not None and titled_by == "words":
        yield e.title_job()
    return Finished(last, bool(ended[0][0]))


def _answer(e: Ending, answer_id: str, position: int) -> MessageRow:
    return MessageRow(
        answer_id, e.run.thread_id, position, e.run.message_id, e.run.id, "assistant", e.message_status, e.parts,
        e.finished_at,
    )  # fmt: skip
