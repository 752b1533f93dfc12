"""Calls that wait for a person: put the run aside with them, read them, answer each once."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from famulus.kernel.lane import Statement
from famulus.runs.errors import LeaseLost
from famulus.runs.sql.rows import JournalRow, RunRow, Spent, Steps, insert_events

SUSPEND = (
    "UPDATE runs SET status = 'awaiting', owner = NULL, lease_until = {now} + $4,"
    " input_tokens = $5, output_tokens = $6, cost = $7"
    " WHERE id = $1 AND epoch = $2 AND owner = $3 AND status = 'running' AND NOT cancel_requested RETURNING id"
)
INSERT = (
    "INSERT INTO approvals (id, run_id, thread_id, user_id, organization_id, call_id, tool, arguments, card, hash,"
    " approver, status, expires_at, created_at)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, 'pending', {now} + $12, $13)"
)
LOCK_RUN = (
    "UPDATE runs SET status = status WHERE id = (SELECT run_id FROM approvals WHERE id = $1)"
    " AND status = 'awaiting' RETURNING id"
)
ANSWER = (
    "UPDATE approvals SET status = $2, reason = $3, edited = $4, answered_by = $5, answered_at = $6"
    " WHERE id = $1 AND status = 'pending' AND hash = $7 AND expires_at > {now} RETURNING run_id"
)
RESUME = (
    "UPDATE runs SET status = 'queued', lease_until = 0 WHERE id = $1 AND status = 'awaiting'"
    " AND NOT EXISTS (SELECT 1 FROM approvals a WHERE a.run_id = runs.id AND a.status = 'pending') RETURNING thread_id"
)


@dataclass(frozen=True, slots=True)
class Asked:
    """An approval to be stored."""

    id: str
    organization_id: str | None
    call_id: str
    tool: str
    arguments: str
    card: str
    hash: str
    approver: str


@dataclass(frozen=True, slots=True)
class Decided:
    """What somebody has answered, if anybody has."""

    id: str
    call_id: str
    tool: str
    status: str
    arguments: str
    edited: str | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer to be stored; `hash` stands for what was shown."""

    approval_id: str
    status: str
    hash: str
    reason: str | None
    edited: str | None
    answered_by: str
    at: datetime
    audit: Statement


def suspend(
    run: RunRow,
    owner: str,
    rows: Sequence[JournalRow],
    asked: Sequence[Asked],
    *,
    spent: Spent,
    lifetime: float,
    at: datetime,
) -> Steps[None]:
    """Put a run aside until its calls are answered for: nobody holds it, and it may wait so many seconds.

    Raises LeaseLost where it is another's by now, or is to end.
    """
    held = yield SUSPEND, (run.id, run.epoch, owner, lifetime, *spent)
    if not held:
        raise LeaseLost()
    yield from insert_events(run.id, run.epoch, rows)
    for each in asked:
        yield (
            INSERT,
            (
                each.id, run.id, run.thread_id, run.user_id, each.organization_id, each.call_id, each.tool,
                each.arguments, each.card, each.hash, each.approver, lifetime, at,
            ),
        )  # fmt: skip


def decided(run_id: str) -> Steps[list[Decided]]:
    """Every approval of a run, in the order in which they were asked for."""
    columns = ", ".join(Decided.__slots__)
    rows = yield f"SELECT {columns} FROM approvals WHERE run_id = $1 ORDER BY id", (run_id,)
    return [Decided(*row) for row in rows]


def reply(r: Reply) -> Steps[bool | None]:
    """Answer for one call; None when that is no longer possible, else whether the run has nothing more to wait for."""
    waiting = yield LOCK_RUN, (r.approval_id,)
    if not waiting:
        return None
    answered = yield ANSWER, (r.approval_id, r.status, r.reason, r.edited, r.answered_by, r.at, r.hash)
    if not answered:
        return None
    yield r.audit
    resumed = yield RESUME, (answered[0][0],)
    return bool(resumed)
