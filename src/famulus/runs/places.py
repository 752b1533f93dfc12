"""In which courses runs take place, for those who watch over what is read of them."""

from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.figures import thread_facts
from famulus.runs.models import Run


async def courses_of(session: AsyncSession, run_ids: Collection[str]) -> dict[str, str | None]:
    """The course of each run's thread, None for one in no course; a run that is gone is not there."""
    if not run_ids:
        return {}
    thread = thread_facts().subquery()
    query = select(Run.id, thread.c.course_id).join(thread, thread.c.id == Run.thread_id)
    rows = await session.execute(query.where(Run.id.in_(run_ids)))
    return {row[0]: row[1] for row in rows}
