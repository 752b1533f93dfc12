"""Runs, messages and journal rows as they are stored, with the statements that several scripts share."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import TypeVar

from famulus.conversations.views import MessageRow, Stored
from famulus.kernel.lane import Row, Statement
from famulus.runs.events import Event, ReasoningDelta, TextDelta, encode_row

T = TypeVar("T")
PIECES = (TextDelta, ReasoningDelta)
Rows = list[Row]
Steps = Generator[Statement, Rows, T]
JournalRow = tuple[int, list[Event]]
"""The number of a row's first event, and its events: one structural event, or consecutive text."""
Spent = tuple[int, int, int | None]
"""Tokens read, tokens written, and what they cost in millionths of a US dollar, if that is known."""


@dataclass(frozen=True, slots=True)
class RunRow:
    """A run as it is stored."""

    id: str
    thread_id: str
    user_id: str
    message_id: str
    answer_id: str | None
    status: str
    epoch: int
    asker: str
    model: str | None
    input_tokens: int
    output_tokens: int
    cost: int | None
    error: str | None
    cancel_requested: bool
    created_at: Stored
    finished_at: Stored | None
    body_hash: str
    request_id: str | None

    @property
    def live(self) -> bool:
        """Whether its end is still to come."""
        return self.status in ("queued", "running")


RUN_COLUMNS = ", ".join(RunRow.__slots__)
SELECT_RUN = f"SELECT {RUN_COLUMNS} FROM runs"


MESSAGE_COLUMNS = ", ".join(MessageRow.__slots__)
SELECT_MESSAGE = f"SELECT {MESSAGE_COLUMNS} FROM messages"
INSERT_MESSAGE = f"INSERT INTO messages ({MESSAGE_COLUMNS}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"


def insert_messages(rows: Sequence[MessageRow]) -> Steps[None]:
    """Add messages in few statements whose texts stay prepared."""
    left = list(rows)
    while left:
        count = next(size for size in _MESSAGES if size <= len(left))
        taken, left = left[:count], left[count:]
        yield _MESSAGES[count], tuple(chain.from_iterable(row.values() for row in taken))


def journal_rows(first: int, events: Sequence[Event]) -> list[JournalRow]:
    """Consecutive events, numbered from `first`, as journal rows: a run of pieces shares one."""
    rows: list[JournalRow] = []
    for n, event in enumerate(events, first):
        if rows and isinstance(event, PIECES) and type(event) is type(rows[-1][1][0]):
            rows[-1][1].append(event)
        else:
            rows.append((n, [event]))
    return rows


def insert_events(run_id: str, epoch: int, rows: Sequence[JournalRow]) -> Steps[None]:
    """Add journal rows of one run."""
    yield from insert_all_events([(run_id, epoch, rows)])


def insert_all_events(journals: Sequence[tuple[str, int, Sequence[JournalRow]]]) -> Steps[None]:
    """Add journal rows of many runs, each with its epoch, in few statements whose texts stay prepared.

    Writing a row again, after a commit whose outcome was lost, replaces it by the same or a longer run of text.
    """
    left = [
        (run_id, epoch, n, n + len(events) - 1, encode_row(events))
        for run_id, epoch, rows in journals
        for n, events in rows
    ]
    while left:
        count = next(size for size in _INSERTS if size <= len(left))
        taken, left = left[:count], left[count:]
        yield _INSERTS[count], tuple(chain.from_iterable(taken))


def _insert(count: int) -> str:
    rows = ", ".join(f"(${i}, ${i + 1}, ${i + 2}, ${i + 3}, ${i + 4})" for i in range(1, count * 5, 5))
    return (
        f"INSERT INTO run_events (run_id, epoch, n, last, data) VALUES {rows} ON CONFLICT (run_id, epoch, n)"
        " DO UPDATE SET last = excluded.last, data = excluded.data"
    )


_INSERTS = {count: _insert(count) for count in (64, 16, 4, 3, 2, 1)}


def _messages(count: int) -> str:
    places = (", ".join(f"${i + k}" for k in range(9)) for i in range(1, count * 9, 9))
    return f"INSERT INTO messages ({MESSAGE_COLUMNS}) VALUES {', '.join(f'({row})' for row in places)}"


_MESSAGES = {count: _messages(count) for count in (32, 8, 1)}
