"""Jobs: what is enqueued is done, after the commit and at least once, whatever becomes of handlers and workers."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession
from structlog.testing import capture_logs

from famulus.kernel import jobs_lease
from famulus.kernel.database import Database
from famulus.kernel.ids import new_id
from famulus.kernel.jobs import INSERT_JOB, Handler, Later, Worker, enqueue, job_values
from famulus.kernel.jobs_lease import FAILED_KEPT
from famulus.kernel.jobs_table import Job, Payload
from famulus.kernel.lane import Row as LaneRow
from famulus.kernel.lane import Script, Value
from famulus.kernel.tables import utc_now
from tests.support.outage import cut
from tests.support.waiting import until

HOUR = timedelta(hours=1)


class Diary:
    """A handler that notes the payloads it was given and then does what it is told."""

    def __init__(self, *then: Exception | Callable[[], Any]) -> None:
        self.payloads: list[Payload] = []
        self.now = 0
        self.most = 0
        self._then = list(then)

    async def __call__(self, payload: Payload) -> None:
        self.payloads.append(payload)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            deed = self._then.pop(0) if self._then else None
            if isinstance(deed, Exception):
                raise deed
            if deed is not None:
                await deed()
        finally:
            self.now -= 1

    async def was_called(self, times: int = 1) -> bool:
        return len(self.payloads) >= times


@asynccontextmanager
async def working(
    database: Database, handler: Handler, *, owner: str = "here", **options: Any
) -> AsyncGenerator[Worker]:
    """A worker for jobs of the kind `note`, stopped in the end."""
    quick: dict[str, Any] = {"poll": 0.02, "backoff": 0.01}
    worker = Worker(database, {"note": handler}, owner, **(quick | options))
    await worker.start()
    try:
        yield worker
    finally:
        await worker.stop(0)


async def ask(database: Database, payload: Payload | None = None, **options: Any) -> None:
    """Enqueue a job of the kind `note` in a transaction of its own."""
    async with database.write() as session:
        await enqueue(session, "note", payload or {}, **options)


async def rows(database: Database) -> Sequence[Any]:
    """Every job there is, but those that see to the jobs themselves."""
    async with database.read() as session:
        columns = (Job.id, Job.kind, Job.status, Job.attempts, Job.error, Job.holder, Job.run_at, Job.payload)
        query = select(*columns).where(Job.kind != "jobs.purge").order_by(Job.id)
        return (await session.execute(query)).all()


async def nothing_left(database: Database) -> bool:
    """Whether every job is done."""
    return not await rows(database)


async def change(database: Database, **values: Any) -> None:
    """Set columns of every job."""
    async with database.write() as session:
        await session.execute(update(Job).values(**values))


# --- being asked ----------------------------------------------------------------------------------


async def test_a_job_is_done_with_its_payload_and_gone(database: Database) -> None:
    payload: Payload = {"course": "crs_1", "count": 3, "again": True, "none": None, "text": "Grüße\0🚀"}
    diary = Diary()

    async with working(database, diary):
        await ask(database, payload)
        await until(partial(nothing_left, database))

    assert diary.payloads == [payload]


async def test_a_job_of_a_transaction_that_fails_is_never_done(database: Database) -> None:
    diary = Diary()

    async with working(database, diary):
        with pytest.raises(RuntimeError, match="second thoughts"):
            async with database.write() as session:
                await enqueue(session, "note", {"n": 1})
                raise RuntimeError("second thoughts")
        await ask(database, {"n": 2})
        await until(partial(nothing_left, database))

    assert diary.payloads == [{"n": 2}]


async def test_a_job_that_is_enqueued_here_is_begun_without_waiting_for_the_poll(database: Database) -> None:
    diary = Diary()

    async with working(database, diary, poll=3600):
        for n in range(3):
            await ask(database, {"n": n})
            await until(partial(diary.was_called, n + 1))


async def test_a_job_that_was_waiting_is_found(database: Database) -> None:
    await ask(database)
    diary = Diary()

    async with working(database, diary):
        await until(diary.was_called)


async def test_a_script_of_the_fast_lane_enqueues_the_same_row(database: Database) -> None:
    def script(values: tuple[Value, ...]) -> Script:
        found: list[LaneRow] = yield INSERT_JOB, values
        return found

    later = datetime(2100, 1, 1, tzinfo=UTC)
    for key, run_at in ((None, None), ("once", None), ("once", None), ("later", later)):
        await database.lane.write(partial(script, job_values("note", {"n": "ü"}, unique=key, run_at=run_at)))
        await ask(database, {"n": "ü"}, unique=key and f"{key} more", run_at=run_at)

    found = [(*tuple(row)[1:6], row.payload) for row in await rows(database)]
    assert found == [("note", "pending", 0, None, None, {"n": "ü"})] * 6
    assert [row.run_at == later.timestamp() for row in await rows(database)] == [False] * 4 + [True] * 2
    await change(database, run_at=0)
    diary = Diary()
    async with working(database, diary):
        await until(partial(nothing_left, database))
    assert len(diary.payloads) == 6


async def test_a_job_is_not_done_before_its_time(database: Database) -> None:
    await ask(database, {"n": 1}, run_at=utc_now() + HOUR)
    await ask(database, {"n": 2}, run_at=utc_now() - HOUR)
    diary = Diary()

    async with working(database, diary):
        await until(diary.was_called)
        await asyncio.sleep(0.1)
        assert diary.payloads == [{"n": 2}]
        await change(database, run_at=0)
        await until(partial(nothing_left, database))

    assert diary.payloads == [{"n": 2}, {"n": 1}]


async def test_a_naive_time_is_refused(database: Database) -> None:
    with pytest.raises(ValueError, match="naive"):
        await ask(database, run_at=datetime(2026, 1, 1))  # noqa: DTZ001 - that is the point


async def test_jobs_of_other_kinds_are_left_for_other_workers(database: Database) -> None:
    async with database.write() as session:
        await enqueue(session, "of tomorrow's release", {})
    diary = Diary()

    async with working(database, diary):
        await ask(database)
        await until(diary.was_called)

    # Stopped at once, and yet the job that was done is gone.
    assert [row.kind for row in await rows(database)] == ["of tomorrow's release"]


# --- unique keys ----------------------------------------------------------------------------------


async def test_a_key_is_pending_once_however_many_ask_for_it(database: Database) -> None:
    async def several() -> None:
        async with database.write() as session:
            for key in ("a", "a", "b", None, None):
                await enqueue(session, "note", {"key": key}, unique=key)

    await asyncio.gather(*(several() for _ in range(5)))

    keys = [row.payload["key"] for row in await rows(database)]
    assert (keys.count("a"), keys.count("b"), keys.count(None)) == (1, 1, 10)


async def test_what_is_asked_for_while_it_runs_is_done_afterwards_not_beside_it(database: Database) -> None:
    go_on = asyncio.Event()
    diary = Diary(go_on.wait)

    async with working(database, diary):
        await ask(database, {"n": 1}, unique="a")
        await until(diary.was_called)
        for _ in range(3):
            await ask(database, {"n": 2}, unique="a")
        await ask(database, {"n": 3}, unique="b")
        await until(partial(diary.was_called, 2))
        await asyncio.sleep(0.1)
        assert diary.payloads == [{"n": 1}, {"n": 3}]
        go_on.set()
        await until(partial(nothing_left, database))

    assert diary.payloads == [{"n": 1}, {"n": 3}, {"n": 2}]


async def test_a_failed_attempt_gives_way_to_a_newer_job_of_its_key(database: Database) -> None:
    go_on = asyncio.Event()

    async def fail() -> None:
        await go_on.wait()
        raise RuntimeError("broken")

    diary = Diary(fail)
    async with working(database, diary, backoff=3600):
        await ask(database, {"n": 1}, unique="a")
        await until(diary.was_called)
        await ask(database, {"n": 2}, unique="a")
        go_on.set()
        await until(partial(nothing_left, database))

    assert diary.payloads == [{"n": 1}, {"n": 2}]


# --- failing --------------------------------------------------------------------------------------


async def test_a_handler_that_fails_is_tried_again(database: Database) -> None:
    diary = Diary(RuntimeError("first"), RuntimeError("second"))

    with capture_logs() as logged:
        async with working(database, diary):
            await ask(database, {"n": 1})
            await until(partial(nothing_left, database))

    assert diary.payloads == [{"n": 1}] * 3
    assert [line["event"] for line in logged] == ["job_will_be_retried", "job_will_be_retried", "job_done"]


async def test_each_pause_is_twice_as_long(database: Database) -> None:
    diary = Diary(*[RuntimeError("broken")] * 3)
    pauses: list[float] = []

    async with working(database, diary, backoff=100):
        await ask(database)
        for n in range(1, 4):
            await until(partial(diary.was_called, n))

            async def put_back(n: int = n) -> bool:
                (row,) = await rows(database)
                return row.status == "pending" and row.attempts == n

            await until(put_back)
            (row,) = await rows(database)
            pauses.append(row.run_at - utc_now().timestamp())
            await change(database, run_at=0)

    assert [base - 30 < pause <= base for base, pause in zip((100, 200, 400), pauses, strict=True)] == [
        True
    ] * 3


async def test_a_handler_that_never_succeeds_is_given_up_with_what_went_wrong(database: Database) -> None:
    diary = Diary(*[RuntimeError("broken\0" + "x" * 10_000)] * 9)

    async def failed() -> bool:
        return [row.status for row in await rows(database)] == ["failed"]

    with capture_logs() as logged:
        async with working(database, diary, max_attempts=3):
            await ask(database, unique="a")
            await until(failed)
            await ask(database, unique="a")
            await until(partial(diary.was_called, 4))

    first = (await rows(database))[0]
    assert (first.attempts, first.holder) == (3, None)
    assert first.error.startswith("RuntimeError: brokenx")
    assert len(first.error) == 2000
    assert "job_failed" in [line["event"] for line in logged]


async def test_later_is_no_failure(database: Database) -> None:
    diary = Diary(*[Later(0.01)] * 5)

    async with working(database, diary, max_attempts=2):
        await ask(database)
        await until(partial(nothing_left, database))

    assert len(diary.payloads) == 6


async def test_later_waits_as_long_as_it_says(database: Database) -> None:
    diary = Diary(Later(3600))

    async def put_back() -> bool:
        return [(row.status, row.attempts) for row in await rows(database)] == [("pending", 0)]

    async with working(database, diary):
        await ask(database)
        await until(diary.was_called)
        await until(put_back)

    (row,) = await rows(database)
    assert 3500 < row.run_at - utc_now().timestamp() <= 3601


async def test_a_handler_that_takes_too_long_is_ended_and_tried_again(database: Database) -> None:
    diary = Diary(asyncio.Event().wait)

    with capture_logs() as logged:
        async with working(database, diary, time_limit=0.1):
            await ask(database)
            await until(partial(nothing_left, database))

    assert len(diary.payloads) == 2
    assert [line["event"] for line in logged] == ["job_will_be_retried", "job_done"]


async def test_failed_jobs_are_forgotten_after_a_while(database: Database) -> None:
    ages = {"new": timedelta(days=1), "old": FAILED_KEPT + timedelta(days=1)}
    values: dict[str, Any] = {"kind": "note", "payload": {}, "run_at": 0, "created_at": utc_now()}
    async with database.write() as session:
        for error, age in ages.items():
            failed = {"status": "failed", "error": error, "finished_at": utc_now() - age}
            await session.execute(insert(Job).values(id=new_id("job"), **values, **failed))
        await session.execute(insert(Job).values(id=new_id("job"), **values, status="pending"))

    await jobs_lease.purge(database)

    assert [(row.status, row.error) for row in await rows(database)] == [("failed", "new"), ("pending", None)]


# --- workers --------------------------------------------------------------------------------------


async def test_no_more_jobs_run_at_once_than_the_worker_may(database: Database) -> None:
    go_on = asyncio.Event()
    diary = Diary(*[go_on.wait] * 7)
    for n in range(7):
        await ask(database, {"n": n})

    async with working(database, diary, concurrency=3):
        await until(partial(diary.was_called, 3))
        await asyncio.sleep(0.1)
        assert diary.now == 3
        go_on.set()
        await until(partial(nothing_left, database))

    assert (diary.most, len(diary.payloads)) == (3, 7)


async def test_several_workers_do_each_job_once(database: Database, database_url: str) -> None:
    other = Database(database_url)
    diary = Diary()
    for n in range(40):
        await ask(database, {"n": n})

    async with working(database, diary, owner="one"), working(other, diary, owner="two"):
        await until(partial(nothing_left, database))
    await other.close()

    assert sorted(str(payload["n"]) for payload in diary.payloads) == sorted(str(n) for n in range(40))


async def test_a_long_job_is_held_by_renewing_its_lease(database: Database) -> None:
    go_on = asyncio.Event()
    diary = Diary(go_on.wait)
    leases: set[float] = set()

    async def renewed_twice() -> bool:
        async with database.read() as session:
            leases.update(await session.scalars(select(Job.lease_until)))
        return len(leases - {0.0}) >= 3

    async with working(database, diary, lease=2.0):
        await ask(database)
        await until(diary.was_called)
        await until(renewed_twice)
        go_on.set()
        await until(partial(nothing_left, database))

    assert max(leases) > utc_now().timestamp() - 60


async def test_a_worker_that_has_lost_its_lease_ends_the_handler_and_writes_nothing(
    database: Database,
) -> None:
    ended = asyncio.Event()

    async def wait() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    diary = Diary(wait)
    async with working(database, diary, lease=3.0):
        await ask(database)
        await until(diary.was_called)
        await change(database, holder="another", lease_until=utc_now().timestamp() + 3600)
        await asyncio.wait_for(ended.wait(), 30)

    (row,) = await rows(database)
    assert (row.status, row.holder, row.attempts) == ("running", "another", 1)


async def test_a_job_whose_lease_has_run_out_is_begun_again(database: Database) -> None:
    await ask(database, {"n": 1})
    await change(database, status="running", holder="gone", lease_until=1, attempts=1)
    diary = Diary()

    async with working(database, diary):
        await until(partial(nothing_left, database))

    assert diary.payloads == [{"n": 1}]


async def test_a_job_that_kills_its_worker_each_time_is_given_up(database: Database) -> None:
    await ask(database)
    await change(database, status="running", holder="gone", lease_until=1, attempts=8)
    diary = Diary()

    async def failed() -> bool:
        return [row.status for row in await rows(database)] == ["failed"]

    async with working(database, diary, max_attempts=8):
        await until(failed)

    assert diary.payloads == []
    assert "died" in (await rows(database))[0].error


async def test_what_is_not_done_when_the_worker_stops_is_put_back_at_once(database: Database) -> None:
    diary = Diary(asyncio.Event().wait)

    async with working(database, diary):
        await ask(database, {"n": 1})
        await until(diary.was_called)

    (row,) = await rows(database)
    assert (row.status, row.attempts, row.holder) == ("pending", 0, None)
    async with working(database, diary):
        await until(partial(nothing_left, database))
    assert diary.payloads == [{"n": 1}] * 2


async def test_stopping_waits_for_what_is_nearly_done(database: Database) -> None:
    diary = Diary(partial(asyncio.sleep, 0.1))
    worker = Worker(database, {"note": diary}, "here", poll=0.02)
    await worker.start()
    await ask(database)
    await until(diary.was_called)
    await worker.stop(10)

    assert await nothing_left(database)


@pytest.mark.parametrize("dialect", [pytest.param("postgresql", marks=pytest.mark.postgres)], indirect=True)
async def test_a_database_that_goes_away_for_a_moment_is_survived(database: Database) -> None:
    diary = Diary()
    async with working(database, diary, lease=1.0):
        await ask(database, {"n": 1})
        await until(diary.was_called)
        for _ in range(5):
            values = job_values("note", {"n": 2}, unique="again")
            await cut(database, (INSERT_JOB.replace("{now}", "0"), values))
            await asyncio.sleep(0.05)
        await until(partial(nothing_left, database))

    assert {"n": 2} in diary.payloads


async def test_a_database_without_its_tables_is_complained_of_once(database: Database) -> None:
    async with database.engine.begin() as connection:
        await connection.execute(text("ALTER TABLE jobs RENAME TO jobs_elsewhere"))
    diary = Diary()

    with capture_logs() as logged:
        async with working(database, diary):
            await asyncio.sleep(0.3)
            async with database.engine.begin() as connection:
                await connection.execute(text("ALTER TABLE jobs_elsewhere RENAME TO jobs"))
            await ask(database)
            await until(diary.was_called)

    assert [line["event"] for line in logged].count("job_poll_failed") == 1


async def test_who_wants_to_hears_of_attempts_that_failed_in_the_transaction_that_says_so(
    database: Database,
) -> None:
    heard: list[tuple[Payload, str, str]] = []

    async def told(session: AsyncSession, payload: Payload, error: str) -> None:
        status = (await session.scalars(select(Job.status).where(Job.kind == "note"))).one()
        heard.append((payload, error, status))

    diary = Diary(Later(0), ValueError("once"), ValueError("twice"))
    async with working(database, diary, told={"note": told}, max_attempts=2):
        await ask(database, {"n": 1})
        await until(partial(_given_up, database))

    assert [(payload, error) for payload, error, _ in heard] == [
        ({"n": 1}, "ValueError: once"),
        ({"n": 1}, "ValueError: twice"),
    ]
    assert {status for _, _, status in heard} == {"running"}


async def _given_up(database: Database) -> bool:
    return [row.status for row in await rows(database)] == ["failed"]
