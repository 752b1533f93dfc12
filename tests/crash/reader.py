"""Workers that read sources and make their vectors, each a process of its own to be killed; one ends when all is done.

python -m tests.crash.reader DATABASE EMBEDDINGS [--loose]: each line of its input is a crash point, or empty, and begins the
life of a worker that is armed with it; a line of its output says how that ended. A worker is a fork, for to import it all
takes longer than a life. `--loose` plants a bug: of what is read, the documents are committed first and their chunks in
a transaction of their own.
"""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from msgspec import structs
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.http import Outbound
from famulus.kernel.jobs import Worker
from famulus.kernel.live import Live
from famulus.kernel.settings import load_settings
from famulus.knowledge import ingest
from famulus.knowledge.blocks import Parsed
from famulus.knowledge.gather import Gatherer
from famulus.knowledge.jobs import SOURCE_JOB, SourceKeeper
from famulus.knowledge.meaning import Meaning
from famulus.knowledge.store import Draft, Owner, put
from famulus.knowledge.vectors import EMBED_JOB
from famulus.llm.embedding.choose import Embedders, Places

KINDS = (SOURCE_JOB, EMBED_JOB)
LEASE = 0.6
MODEL = "compatible:letters"


async def work(url: str, embeddings: str) -> None:
    """Work until nothing is left to do."""
    settings = load_settings(source_folders=["/"])
    crash, database = CrashPoints(settings.crash_point), Database(url)
    outbound = Outbound()
    embedders = Embedders(MODEL, Places(Path("nowhere"), embeddings))
    keeper = SourceKeeper(database, Gatherer(database, outbound, settings), Live())
    handlers = {SOURCE_JOB: keeper.handle, EMBED_JOB: Meaning(database, embedders, crash).handle}
    told = {SOURCE_JOB: keeper.broke_off}
    worker = Worker(database, handlers, "reader", told=told, concurrency=1, lease=LEASE, poll=0.05)
    # What the dead one held is free again, so that reading goes on before embedding, however fast the machine.
    await asyncio.sleep(LEASE)
    await worker.start()
    open_jobs = text("SELECT count(*) FROM jobs WHERE kind IN (:one, :two) AND status <> 'failed'")
    while True:
        async with database.read() as session:
            if not await session.scalar(open_jobs, dict(zip(("one", "two"), KINDS, strict=True))):
                break
        await asyncio.sleep(0.05)
    await worker.stop()
    await embedders.close()
    await outbound.close()
    await database.close()


def main(url: str, embeddings: str) -> None:
    """One life after another."""
    for point in sys.stdin:
        child = os.fork()
        if child == 0:
            os.environ["FAMULUS_CRASH_POINT"] = point.strip()
            asyncio.run(work(url, embeddings))
            os._exit(0)
        sys.stdout.write(f"ended with {os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])}\n")
        sys.stdout.flush()


async def _loose(session: AsyncSession, source_id: str, owner: Owner, drafts: Sequence[Draft]) -> None:
    crash = CrashPoints(load_settings().crash_point)
    hollow = [
        replace(draft, outcome=structs.replace(draft.outcome, pieces=[]))
        for draft in drafts
        if isinstance(draft.outcome, Parsed)
    ]
    await put(session, source_id, owner, hollow)
    await session.commit()
    crash.reach("ingest.batch")
    await put(session, source_id, owner, drafts)


if __name__ == "__main__":
    if "--loose" in sys.argv:
        ingest.put = _loose
    main(*sys.argv[1:3])
