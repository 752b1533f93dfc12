"""A person's tasks over HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, status

from famulus.campus import tasks
from famulus.campus.schemas.tasks import NewTask, TaskChange, TaskFilters, TaskOut, TaskPage
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession

router = APIRouter(prefix="/api/v1/tasks", tags=["tasks"])


@router.get("")
async def list_tasks(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    filters: Annotated[TaskFilters, Query()],
) -> TaskPage:
    """The person's own tasks; nobody else sees them."""
    found = await tasks.list_tasks(session, principal, filters, paging)
    return TaskPage(items=found.items, next=found.next)


@router.post("", status_code=status.HTTP_201_CREATED)
async def create_task(body: NewTask, principal: CurrentPrincipal, session: WriteSession) -> TaskOut:
    """Note something down that is to be done."""
    return await tasks.create_task(session, principal, body)


@router.get("/{task_id}")
async def get_task(task_id: IdPath, principal: CurrentPrincipal, session: ReadSession) -> TaskOut:
    """One task."""
    return await tasks.get_task(session, principal, task_id)


@router.patch("/{task_id}")
async def change_task(
    task_id: IdPath, body: TaskChange, principal: CurrentPrincipal, session: WriteSession
) -> TaskOut:
    """Change what is given; `done` sets or clears `done_at`, and `due_at` may be null."""
    return await tasks.change_task(session, principal, task_id, body)


@router.post("/{task_id}/archive")
async def archive_task(task_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> TaskOut:
    """Put a task away."""
    return await tasks.archive_task(session, principal, task_id)


@router.post("/{task_id}/restore")
async def restore_task(task_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> TaskOut:
    """Take a task out of the archive."""
    return await tasks.archive_task(session, principal, task_id, away=False)


@router.delete("/{task_id}", status_code=status.HTTP_204_NO_CONTENT)
async def delete_task(task_id: IdPath, principal: CurrentPrincipal, session: WriteSession) -> None:
    """Remove a task for good."""
    await tasks.delete_task(session, principal, task_id)
