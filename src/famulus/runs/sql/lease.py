"""Holding runs: claim what nobody holds, renew what this instance holds, journal under the lease, cancel, let go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from famulus.runs.errors import LeaseLost
from famulus.runs.events import RunCancelled
from famulus.runs.sql.rows import (
    RUN_COLUMNS,
    SELECT_RUN,
    JournalRow,
    RunRow,
    Spent,
    Steps,
    insert_all_events,
    insert_events,
    journal_rows,
)

WAITS_LONGEST = (
    "r.status = 'queued' AND NOT EXISTS (SELECT 1 FROM runs o WHERE o.thread_id = r.thread_id"
    " AND (o.status IN ('running', 'awaiting') OR (o.status = 'queued' AND o.id < r.id)))"
)
ORPHANED = "r.status IN ('running', 'awaiting') AND r.lease_until < {now}"
"""Nobody renews its lease, or nobody has answered in time for a call that waits for a person."""
CLAIM = (
    "UPDATE runs SET status = 'running', owner = $1, epoch = epoch + 1, lease_until = {{now}} + $2 WHERE id IN"
    " (SELECT r.id FROM runs r WHERE {which} ORDER BY r.id LIMIT {limit})"
    " AND (status = 'queued' OR (status IN ('running', 'awaiting') AND lease_until < {{now}}))"
    f" RETURNING {RUN_COLUMNS}"
)
CLAIM_ANY = CLAIM.format(which=f"({ORPHANED}) OR ({WAITS_LONGEST})", limit="$3")
CLAIM_NEXT = CLAIM.format(which=f"{WAITS_LONGEST} AND r.thread_id = $3", limit="1")


def claim(owner: str, lease: float, limit: int) -> Steps[list[RunRow]]:
    """Take over runs whose lease ran out, and queued ones whose thread is free; each begins its next epoch."""
    rows = yield CLAIM_ANY, (owner, lease, limit)
    return [RunRow(*row) for row in rows]


def anything_to_claim() -> Steps[bool]:
    """A look before the write, so that an idle server writes nothing."""
    rows = yield f"SELECT 1 FROM runs r WHERE ({ORPHANED}) OR ({WAITS_LONGEST}) LIMIT 1", ()
    return bool(rows)


def claim_next(owner: str, lease: float, thread_id: str) -> Steps[list[RunRow]]:
    """Take the run that waits longest in one thread, if the thread is free."""
    rows = yield CLAIM_NEXT, (owner, lease, thread_id)
    return [RunRow(*row) for row in rows]


@dataclass(frozen=True, slots=True)
class Pulse:
    """What an instance learns when it renews its leases."""

    held: dict[str, int]
    """Epoch by run that is still this instance's."""
    cancelled: frozenset[str]
    """Runs whose cancellation somebody asked for."""


def pulse(owner: str, lease: float, pending: Sequence[tuple[str, int, Sequence[JournalRow]]]) -> Steps[Pulse]:
    """Renew every lease of an instance and write its runs' pending journal rows, where it still holds them."""
    rows = yield (
        "UPDATE runs SET lease_until = {now} + $2 WHERE owner = $1 AND status = 'running'"
        " RETURNING id, epoch, cancel_requested",
        (owner, lease),
    )
    held = {row[0]: row[1] for row in rows}
    yield from insert_all_events([journal for journal in pending if held.get(journal[0]) == journal[1]])
    return Pulse(held, frozenset(row[0] for row in rows if row[2]))


def journal(run: RunRow, owner: str, rows: Sequence[JournalRow], spent: Spent) -> Steps[None]:
    """Write journal rows at once, because what they tell of happens next or has happened; raises LeaseLost.

    With them goes what the run has taken so far, for whoever takes it over.
    """
    held = yield (
        "UPDATE runs SET input_tokens = $4, output_tokens = $5, cost = $6"
        " WHERE id = $1 AND epoch = $2 AND owner = $3 AND status = 'running' RETURNING id",
        (run.id, run.epoch, owner, *spent),
    )
    if not held:
        raise LeaseLost()
    yield from insert_events(run.id, run.epoch, rows)


def release(owner: str, run_id: str | None = None) -> Steps[None]:
    """Let one run of an instance go, or all of them, so that another, or the next start, takes over at once."""
    one, values = ("", (owner,)) if run_id is None else (" AND id = $2", (owner, run_id))
    yield f"UPDATE runs SET lease_until = 0 WHERE owner = $1 AND status = 'running'{one}", values


def holders() -> Steps[list[str]]:
    """Who holds runs at the moment, alive or not."""
    rows = yield "SELECT DISTINCT owner FROM runs WHERE status = 'running' AND owner IS NOT NULL", ()
    return [row[0] for row in rows]


def cancel(run_id: str, user_id: str, at: datetime) -> Steps[RunRow | None]:
    """Ask for a run's end: one not begun ends here, a running one by its holder; None if it is not this user's.

    One that waits for a person is queued, for whoever takes it to end it with all that was said.
    """
    rows = yield (
        "UPDATE runs SET cancel_requested = TRUE,"
        " status = CASE status WHEN 'awaiting' THEN 'queued' ELSE status END"
        " WHERE id = $1 AND user_id = $2 AND status IN ('queued', 'running', 'awaiting')"
        f" RETURNING {RUN_COLUMNS}",
        (run_id, user_id),
    )
    if rows and RunRow(*rows[0]).status == "queued" and RunRow(*rows[0]).epoch == 0:
        yield (
            "UPDATE runs SET status = 'cancelled', epoch = epoch + 1, finished_at = $2, asker = '' WHERE id = $1",
            (run_id, at),
        )
        epoch = RunRow(*rows[0]).epoch + 1
        yield from insert_events(run_id, epoch, journal_rows(1, [RunCancelled(run_id)]))
    rows = yield SELECT_RUN + " WHERE id = $1 AND user_id = $2", (run_id, user_id)
    return RunRow(*rows[0]) if rows else None
