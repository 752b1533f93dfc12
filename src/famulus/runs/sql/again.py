"""Answering a message anew: what was said after it goes, and it gets another run, in one transaction."""

from dataclasses import replace

from famulus.runs.errors import RunInProgress
from famulus.runs.sql.accept import LOCK_THREAD, Acceptance, Accepted, insert_run
from famulus.runs.sql.rows import SELECT_MESSAGE, MessageRow, Steps

LIVE = "SELECT id FROM runs WHERE thread_id = $1 AND status IN ('queued', 'running', 'awaiting')"
FORGET = "DELETE FROM messages WHERE thread_id = $1 AND position > $2"
END_THREAD_WITH = (
    "UPDATE threads SET last_position = $2, head_id = $3, preview = $4, updated_at = $5 WHERE id = $1"
)
REWRITE = "UPDATE messages SET parts = $2 WHERE id = $1"
GIVE_UP_KEY = "UPDATE runs SET idempotency_key = NULL WHERE thread_id = $1 AND idempotency_key = $2"


def accept_changed(a: Acceptance) -> Steps[Accepted | None]:
    """The same for a message that says something else from now on; its key, if it has one, is the new run's."""
    return (yield from accept_again(a, changed=True))


def accept_again(a: Acceptance, *, changed: bool = False) -> Steps[Accepted | None]:
    """Forget what follows a message and store a run for it; None when it is gone. Raises RunInProgress."""
    threads = yield LOCK_THREAD, (a.thread_id, a.user_id)
    found = yield SELECT_MESSAGE + " WHERE id = $1 AND thread_id = $2", (a.message_id, a.thread_id)
    if not threads or not found:
        return None
    live = yield LIVE, (a.thread_id,)
    if live:
        raise RunInProgress()
    message = MessageRow(*found[0])
    yield FORGET, (a.thread_id, message.position)
    yield END_THREAD_WITH, (a.thread_id, message.position, message.id, a.preview, a.created_at)
    if changed:
        message = replace(message, parts=a.parts)
        yield REWRITE, (message.id, a.parts)
        if a.key is not None:
            yield GIVE_UP_KEY, (a.thread_id, a.key)
    return (yield from insert_run(a, message, "running", a.first_events))
