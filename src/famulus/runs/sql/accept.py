"""Accepting a message: its row, its run and the first events in one transaction, which is the acknowledgement."""

from dataclasses import dataclass
from datetime import datetime

from famulus.conversations.errors import AttachmentNotFound, ThreadArchived
from famulus.conversations.given import Given, given_rows
from famulus.kernel.lane import Statement
from famulus.runs.errors import KeyReused, RunInProgress, TooManyQueued
from famulus.runs.events import Event
from famulus.runs.sql.rows import (
    INSERT_MESSAGE,
    SELECT_MESSAGE,
    SELECT_RUN,
    MessageRow,
    RunRow,
    Steps,
    insert_events,
    insert_messages,
    journal_rows,
)

MAX_QUEUED = 20
LOCK_THREAD = (
    "UPDATE threads SET last_position = last_position WHERE id = $1 AND user_id = $2"
    " RETURNING last_position, head_id, title, archived_at"
)
ADD_TO_THREAD = (
    "UPDATE threads SET last_position = $2, head_id = $3, preview = $4, updated_at = $5,"
    " title = COALESCE(title, $6), titled_by = COALESCE(titled_by, 'words') WHERE id = $1"
)
TAKE = (
    "UPDATE attachments SET thread_id = $3, message_id = $4"
    " WHERE id = $1 AND user_id = $2 AND status = 'ready' AND message_id IS NULL RETURNING id"
)
INSERT_RUN = (
    "INSERT INTO runs (id, thread_id, user_id, message_id, status, epoch, owner, lease_until, cancel_requested,"
    " idempotency_key, body_hash, asker, model, input_tokens, output_tokens, request_id, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, {now} + $8, FALSE, $9, $10, $11, $12, 0, 0, $13, $14)"
)


@dataclass(frozen=True, slots=True)
class Acceptance:
    """Everything that accepting one message writes."""

    run_id: str
    message_id: str
    thread_id: str
    user_id: str
    parts: str
    preview: str
    title: str
    """Taken as the thread's title if it has none."""
    key: str | None
    body_hash: str
    policy: str
    asker: str
    model: str
    owner: str
    lease: float
    request_id: str | None
    created_at: datetime
    first_events: tuple[Event, ...]
    """Journalled when the run starts at once."""
    attachments: tuple[str, ...]
    """What the message takes with it."""
    titled_event: Event
    """Journalled after them when the thread takes `title`."""
    earlier: tuple[Given, ...] = ()
    """What goes before the message in the thread, as its sender tells it."""


@dataclass(frozen=True, slots=True)
class Accepted:
    """What accepting came to."""

    run: RunRow
    message: MessageRow
    events: tuple[Event, ...] = ()
    replayed: bool = False
    """Whether the key had been used for the same message before: nothing was written now."""


def accept(a: Acceptance) -> Steps[Accepted | None]:
    """Store a message and its run; None when the thread is not this user's. Raises what refuses it."""
    threads = yield LOCK_THREAD, (a.thread_id, a.user_id)
    if not threads:
        return None
    position, head_id, title, archived_at = threads[0]
    if a.key is not None:
        earlier = yield SELECT_RUN + " WHERE thread_id = $1 AND idempotency_key = $2", (a.thread_id, a.key)
        if earlier:
            return (yield from _replay(a, RunRow(*earlier[0])))
    if archived_at is not None:
        raise ThreadArchived()
    status = yield from _make_room(a)
    return (yield from _add(a, position, head_id, status, untitled=title is None))


def accept_first(opening: Statement, a: Acceptance) -> Steps[Accepted | None]:
    """Store the first message of a thread that begins with it; None when no row came of `opening`.

    Nobody else knows of the thread yet, so there is nothing in it to look for.
    """
    kept = yield opening
    if not kept:
        return None
    [(title,)] = kept
    return (yield from _add(a, 0, None, "running", untitled=title is None))


def _add(
    a: Acceptance, position: int, head_id: str | None, status: str, *, untitled: bool
) -> Steps[Accepted]:
    """Store the message at the thread's end, with what goes before it, and its run."""
    if a.earlier:
        rows = given_rows(a.thread_id, a.earlier, position, head_id, a.created_at)
        yield from insert_messages(rows)
        position, head_id = rows[-1].position, rows[-1].id
    message = MessageRow(
        a.message_id, a.thread_id, position + 1, head_id, a.run_id, "user", "complete", a.parts, a.created_at
    )
    yield INSERT_MESSAGE, message.values()
    yield ADD_TO_THREAD, (a.thread_id, position + 1, a.message_id, a.preview, a.created_at, a.title)
    for attachment in a.attachments:
        taken = yield TAKE, (attachment, a.user_id, a.thread_id, a.message_id)
        if not taken:
            raise AttachmentNotFound()
    events = (*a.first_events, a.titled_event) if untitled else a.first_events
    return (yield from insert_run(a, message, status, events))


def _replay(a: Acceptance, run: RunRow) -> Steps[Accepted]:
    if run.body_hash != a.body_hash:
        raise KeyReused()
    messages = yield SELECT_MESSAGE + " WHERE id = $1", (run.message_id,)
    return Accepted(run, MessageRow(*messages[0]), replayed=True)


def _make_room(a: Acceptance) -> Steps[str]:
    """The status a new run begins with, by the assistant's policy for a second message."""
    live = yield (
        "SELECT id FROM runs WHERE thread_id = $1 AND status IN ('queued', 'running', 'awaiting')",
        (a.thread_id,),
    )
    if live and a.policy == "reject":
        raise RunInProgress()
    if len(live) > MAX_QUEUED:
        raise TooManyQueued()
    if live and a.policy == "interrupt":
        yield (
            "UPDATE runs SET cancel_requested = TRUE,"
            " status = CASE status WHEN 'awaiting' THEN 'queued' ELSE status END"
            " WHERE thread_id = $1 AND status IN ('queued', 'running', 'awaiting')",
            (a.thread_id,),
        )
    return "queued" if live else "running"


def insert_run(a: Acceptance, message: MessageRow, status: str, events: tuple[Event, ...]) -> Steps[Accepted]:
    """Store the run of a message that is stored, with its first events where it starts at once."""
    running = status == "running"
    yield (
        INSERT_RUN,
        (
            a.run_id, a.thread_id, a.user_id, a.message_id, status, int(running), a.owner if running else None,
            a.lease, a.key, a.body_hash, a.asker, a.model, a.request_id, a.created_at,
        ),
    )  # fmt: skip
    run = RunRow(
        id=a.run_id, thread_id=a.thread_id, user_id=a.user_id, message_id=a.message_id, answer_id=None,
        status=status, epoch=int(running), asker=a.asker, model=a.model, input_tokens=0, output_tokens=0,
        cost=None, error=None, cancel_requested=False, created_at=a.created_at, finished_at=None, body_hash=a.body_hash,
        request_id=a.request_id,
    )  # fmt: skip
    if not running:
        return Accepted(run, message)
    yield from insert_events(a.run_id, 1, journal_rows(1, events))
    return Accepted(run, message, events)
