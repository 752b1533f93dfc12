"""A worker is killed in the middle of a job: once the lease is over another begins it again, and it is done once."""

import asyncio
import os
import signal
import sys
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from famulus.kernel.database import Database
from famulus.kernel.jobs import Worker, enqueue
from famulus.kernel.jobs_table import Job, Payload
from tests.support.waiting import until

PROGRAM = """
import asyncio, sys
from famulus.kernel.database import Database
from famulus.kernel.jobs import Worker

async def begin(payload):
    print("begun", payload["n"], flush=True)
    await asyncio.Event().wait()

async def main():
    worker = Worker(Database(sys.argv[1]), {"note": begin}, "doomed", lease=2.0, poll=0.02, concurrency=1)
    await worker.start()
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def no_jobs(database: Database) -> bool:
    """Whether every job is done."""
    async with database.read() as session:
        return await session.scalar(select(Job.id)) is None


@pytest.mark.crash
async def test_a_job_of_a_killed_worker_is_done_by_another(database: Database, database_url: str) -> None:
    async with database.write() as session:
        await enqueue(session, "note", {"n": 1}, unique="a")
    doomed = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        PROGRAM,
        database_url,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2] / "src")},
    )
    assert doomed.stdout is not None
    assert await asyncio.wait_for(doomed.stdout.readline(), 60) == b"begun 1\n"
    done: list[Payload] = []

    async def finish(payload: Payload) -> None:
        done.append(payload)

    workers = [Worker(database, {"note": finish}, name, lease=30, poll=0.02) for name in ("one", "two")]
    for worker in workers:
        await worker.start()
    doomed.send_signal(signal.SIGKILL)
    await doomed.wait()
    await until(partial(no_jobs, database))
    for worker in workers:
        await worker.stop()

    assert done == [{"n": 1}]
