"""What a turn reads: its thread, its history, a run with its answer, the journal after an event."""

from dataclasses import dataclass
from typing import NamedTuple

from famulus.runs.events import START, Entry, EventId, decode_row
from famulus.runs.sql.rows import SELECT_MESSAGE, SELECT_RUN, MessageRow, RunRow, Steps

JOURNAL_PAGE = 200
"""Journal rows read at once; a row of text may hold some dozens of events."""


@dataclass(frozen=True, slots=True)
class ThreadRow:
    """What a turn needs to know of its thread."""

    id: str
    course_id: str | None
    assistant_id: str


def thread_of(thread_id: str, user_id: str) -> Steps[ThreadRow | None]:
    """The thread, if it is this user's."""
    rows = yield (
        "SELECT id, course_id, assistant_id FROM threads WHERE id = $1 AND user_id = $2",
        (thread_id, user_id),
    )
    return ThreadRow(*rows[0]) if rows else None


class Said(NamedTuple):
    """What a turn needs of a message; `parts` is JSON."""

    role: str
    parts: str


def history(message_id: str, asked: MessageRow | None, limit: int) -> Steps[list[Said]]:
    """The asked message last, before it up to `limit` - 1 earlier ones, oldest first. `asked` spares a look if known.

    Answers count as earlier even when they came to be after the asked message, which then had waited for them.
    """
    if asked is None:
        found = yield SELECT_MESSAGE + " WHERE id = $1", (message_id,)
        asked = MessageRow(*found[0])
    rows = yield (
        "SELECT role, parts FROM messages WHERE thread_id = $1 AND id <> $2"
        " AND (role = 'assistant' OR position < $3) ORDER BY position DESC LIMIT $4",
        (asked.thread_id, asked.id, asked.position, limit - 1),
    )
    return [*(Said(*row) for row in reversed(rows)), Said(asked.role, asked.parts)]


@dataclass(frozen=True, slots=True)
class RunAndAnswer:
    """A run with its answer, once there is one."""

    run: RunRow
    answer: MessageRow | None


def run_of(run_id: str, user_id: str) -> Steps[RunAndAnswer | None]:
    """The run, if it is this user's."""
    rows = yield SELECT_RUN + " WHERE id = $1 AND user_id = $2", (run_id, user_id)
    if not rows:
        return None
    run = RunRow(*rows[0])
    answers = yield SELECT_MESSAGE + " WHERE id = $1", (run.answer_id,)
    return RunAndAnswer(run, MessageRow(*answers[0]) if answers else None)


def message_with_key(thread_id: str, user_id: str, key: str) -> Steps[str | None]:
    """The message of the run that was accepted with this key in this user's thread."""
    rows = yield (
        "SELECT message_id FROM runs WHERE thread_id = $1 AND user_id = $2 AND idempotency_key = $3",
        (thread_id, user_id, key),
    )
    return rows[0][0] if rows else None


def newest_event(run_id: str) -> Steps[EventId]:
    """The id of the last journalled event; the start when there is none."""
    rows = yield (
        "SELECT epoch, last FROM run_events WHERE run_id = $1 ORDER BY epoch DESC, n DESC LIMIT 1",
        (run_id,),
    )
    return EventId(*rows[0]) if rows else START


def events_after(run_id: str, after: EventId) -> Steps[list[Entry]]:
    """The next journalled events; empty when there are none yet."""
    rows = yield (
        "SELECT epoch, n, data FROM run_events WHERE run_id = $1 AND (epoch > $2 OR (epoch = $2 AND last > $3))"
        " ORDER BY epoch, n LIMIT $4",
        (run_id, after.epoch, after.n, JOURNAL_PAGE),
    )
    return [entry for row in rows for entry in decode_row(*row) if entry.id > after]
