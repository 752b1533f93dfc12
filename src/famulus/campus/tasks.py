"""Tasks: what a person wants to get done. Theirs alone, whatever anybody's role; so the audit does not quote them."""

from collections.abc import Mapping

from sqlalchemy import Select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus import access, archive
from famulus.campus.models import Task
from famulus.campus.names import Order
from famulus.campus.schemas.tasks import NewTask, TaskChange, TaskFilters, TaskOut, TaskSort
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.database import put
from famulus.kernel.ids import new_id
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import fold

ORDERS: Mapping[TaskSort, Order] = {
    "due_at": ([Task.due_first, Task.id], False),
    "-due_at": ([Task.due_last, Task.id], True),
    "created_at": ([Task.id], False),
    "-created_at": ([Task.id], True),
}
"""Ids sort by time of creation."""
FOUND = 5


async def list_tasks(
    session: AsyncSession, principal: Principal, filters: TaskFilters, paging: Paging
) -> Page[TaskOut]:
    """The person's own tasks."""
    query = _mine(principal, archived=filters.archived)
    if filters.done is not None:
        query = query.where(Task.done_at.is_not(None) if filters.done else Task.done_at.is_(None))
    if filters.due_before is not None:
        query = query.where(Task.due_at < filters.due_before)
    if filters.due_after is not None:
        query = query.where(Task.due_at >= filters.due_after)
    if filters.q is not None:
        query = _with_words(query, filters.q)
    by, descending = ORDERS[filters.sort]
    found: Page[Task] = await page(session, query, by=by, paging=paging, descending=descending)
    return found.map(TaskOut.model_validate)


async def find_tasks(session: AsyncSession, principal: Principal, words: str) -> list[TaskOut]:
    """The newest of the person's own tasks whose titles have all these words, those not done first."""
    query = _with_words(_mine(principal), words)
    found = await session.scalars(query.order_by(Task.done_at.is_not(None), Task.id.desc()).limit(FOUND))
    return [TaskOut.model_validate(task) for task in found]


async def get_task(session: AsyncSession, principal: Principal, task_id: str) -> TaskOut:
    """One task; raises NotFound."""
    return TaskOut.model_validate(await access.find(session, principal, Task, task_id))


async def create_task(session: AsyncSession, principal: Principal, new: NewTask) -> TaskOut:
    """A new task of the person's own."""
    now = utc_now()
    task = Task(
        id=new_id("tsk"),
        user_id=principal.user_id,
        title=new.title,
        description=new.description,
        due_at=new.due_at,
        created_at=now,
        updated_at=now,
    )
    put(session, task)
    audit.record(session, principal, "task.create", _thing(task))
    return TaskOut.model_validate(task)


async def change_task(
    session: AsyncSession, principal: Principal, task_id: str, change: TaskChange
) -> TaskOut:
    """Change what is given; `done` says since when by itself. Raises NotFound."""
    task = await access.find(session, principal, Task, task_id)
    given = change.given()
    if "done" in given:
        since = task.done_at or utc_now()
        given["done_at"] = since if given.pop("done") else None
    before, after = audit.change(task, given)
    if after:
        await session.flush()
        times = {"before": _times(before), "after": _times(after)}
        audit.record(session, principal, "task.change", _thing(task), **times)
    return TaskOut.model_validate(task)


async def archive_task(
    session: AsyncSession, principal: Principal, task_id: str, *, away: bool = True
) -> TaskOut:
    """Put a task away or take it out again. Raises NotFound."""
    task = await access.find(session, principal, Task, task_id)
    await archive.put_away(session, principal, task, _thing(task), away=away)
    return TaskOut.model_validate(task)


async def delete_task(session: AsyncSession, principal: Principal, task_id: str) -> None:
    """Remove a task for good. Raises NotFound."""
    task = await access.find(session, principal, Task, task_id)
    await session.delete(task)
    await session.flush()
    audit.record(session, principal, "task.remove", _thing(task))


def _mine(principal: Principal, *, archived: bool = False) -> Select[Task]:
    return access.visible(principal, Task).where(archive.on_shelf(Task, archived=archived))


def _with_words(query: Select[Task], words: str) -> Select[Task]:
    return query.where(*[Task.title_key.contains(word, autoescape=True) for word in fold(words).split()])


def _times(values: Mapping[str, object]) -> dict[str, object]:
    """Of a change, when it is due and done; what a task says is nobody's but its owner's."""
    return {name: value for name, value in values.items() if name in ("due_at", "done_at")}


def _thing(task: Task) -> audit.Thing:
    return audit.Thing(task.id, "a task")
