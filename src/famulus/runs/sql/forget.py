"""Forgetting a run: its row, its journal and what waited in it. What was said stays in its thread."""

from famulus.runs.errors import RunInProgress
from famulus.runs.sql.rows import Steps


def forget(run_id: str, user_id: str) -> Steps[bool | None]:
    """Whether its thread has no other run now; None if it is not this user's. Raises RunInProgress before its end."""
    rows = yield "SELECT status, thread_id FROM runs WHERE id = $1 AND user_id = $2", (run_id, user_id)
    if not rows:
        return None
    status, thread_id = rows[0]
    if status in ("queued", "running", "awaiting"):
        raise RunInProgress("This is still being answered; cancel it first.")
    yield "DELETE FROM runs WHERE id = $1 AND status = $2", (run_id, status)
    left = yield "SELECT id FROM runs WHERE thread_id = $1 LIMIT 1", (thread_id,)
    return not left
