"""Tools for a person's own tasks. Nobody else sees those, so the audit does not quote them."""

from datetime import datetime
from typing import Annotated

from pydantic import Field

from famulus.campus import tasks
from famulus.campus.schemas.tasks import NewTask, TaskChange, TaskFilters, TaskOut
from famulus.kernel.paging import Paging
from famulus.kernel.text import Moment
from famulus.tools.arguments import Arguments, plain
from famulus.tools.builtin.wording import SHOWN, listing, quoted
from famulus.tools.contract import Done, Lack, Preview, Retry, Tool, ToolContext, Undo

Title = Annotated[str, Field(min_length=1, max_length=200)]


class CreateTask(Arguments):
    """A task to be."""

    title: Title
    """What is to be done, in a few words."""
    description: Annotated[str, Field(max_length=10_000)] = ""
    due_at: Moment | None = None
    """Until when, as RFC 3339 with a zone."""


class ListTasks(Arguments):
    """Which tasks."""

    done: bool | None = None
    """Only those that are done, or that are not."""
    due_after: Moment | None = None
    due_before: Moment | None = None
    """`this week` is from its Monday to the next."""
    words: Annotated[str, Field(max_length=200)] | None = None
    """Words of the title."""


class UpdateTask(Arguments):
    """What of a task is to be different; what is left away stays."""

    task: Title
    """The task's title, words of it, or its id."""
    title: Title | None = None
    description: Annotated[str, Field(max_length=10_000)] | None = None
    due_at: Moment | None = None
    """null: at no time."""
    done: bool | None = None


class OneTask(Arguments):
    """Which task."""

    task: Title
    """The task's title, words of it, or its id."""


async def _create(context: ToolContext, given: CreateTask) -> Done:
    task = await tasks.create_task(context.session, context.principal, NewTask(**given.model_dump()))
    undo = Undo("delete_task", {"task": task.id}, f"Remove {quoted(task.title)} again")
    return Done(f"Added {quoted(task.title)} to your tasks.", _card(task), undo, ("Show my tasks",))


async def _list(context: ToolContext, given: ListTasks) -> Done:
    filters = TaskFilters(
        done=given.done, due_after=given.due_after, due_before=given.due_before, q=given.words or None
    )
    found = await tasks.list_tasks(context.session, context.principal, filters, Paging(SHOWN, None))
    rows = [_card(task) for task in found.items]
    return listing(rows, "task", more=found.next is not None)


async def _update(context: ToolContext, given: UpdateTask) -> Done:
    task = await _find(context, given.task)
    wanted = {name: value for name, value in given.model_dump(exclude_unset=True).items() if name != "task"}
    if not wanted:
        raise Retry("Say what is to be different: `title`, `description`, `due_at` or `done`.")
    after = await tasks.change_task(context.session, context.principal, task.id, TaskChange(**wanted))
    before = {name: _value(task, name) for name in wanted}
    undo = Undo("update_task", {"task": task.id, **before}, f"Change {quoted(after.title)} back")
    said = (
        f"Marked {quoted(after.title)} as done."
        if wanted == {"done": True}
        else f"Changed the task {quoted(after.title)}."
    )
    return Done(said, _card(after), undo)


async def _delete(context: ToolContext, given: OneTask) -> Done:
    task = await _find(context, given.task)
    await tasks.delete_task(context.session, context.principal, task.id)
    again = {"title": task.title, "description": task.description}
    undo = Undo(
        "create_task",
        again | ({"due_at": task.due_at} if task.due_at else {}),
        f"Add {quoted(task.title)} again",
    )
    return Done(f"Removed the task {quoted(task.title)}.", None, undo)


async def _foresee_deletion(context: ToolContext, given: OneTask) -> Preview:
    task = await _find(context, given.task)
    return Preview(f"Remove the task {quoted(task.title)} for good", {**plain(given), "task": task.id})


async def _find(context: ToolContext, words: str) -> TaskOut:
    """The one task of the person's that is meant. Raises `Retry` with the candidates."""
    if words.startswith("tsk_"):
        return await tasks.get_task(context.session, context.principal, words)
    found = await tasks.find_tasks(context.session, context.principal, words)
    exact = [task for task in found if task.title.casefold() == words.casefold()]
    match exact or found:
        case [task]:
            return task
        case []:
            raise Retry(f"The person has no task {words!r}. Ask which one is meant, or list the tasks.")
        case several:
            named = "; ".join(f"{task.title} ({task.id})" for task in several)
            lack = Lack(meant=words, choices=tuple((task.id, task.title) for task in several))
            raise Retry(
                f"{words!r} may mean {named}. Ask which one is meant, and call again with its id.", lack
            )


def _value(task: TaskOut, name: str) -> object:
    return task.done_at is not None if name == "done" else getattr(task, name)


def _card(task: TaskOut) -> dict[str, object]:
    def text(moment: datetime | None) -> str | None:
        return moment.isoformat() if moment else None

    return {
        "id": task.id,
        "title": task.title,
        "description": task.description,
        "due_at": text(task.due_at),
        "done": task.done_at is not None,
    }


TOOLS = (
    Tool(
        name="create_task",
        description="Add a task to the person's own to-do list.",
        parameters=CreateTask,
        effect="writes",
        needs=("task", "create"),
        act=_create,
        private=True,
    ),
    Tool(
        name="list_tasks",
        description="List the person's own tasks, by what is done, when they are due, or words of the title.",
        parameters=ListTasks,
        effect="reads",
        needs=("task", "see"),
        act=_list,
        private=True,
    ),
    Tool(
        name="update_task",
        description="Change one of the person's tasks: its title, description, due time, or whether it is done.",
        parameters=UpdateTask,
        effect="writes",
        needs=("task", "change"),
        act=_update,
        private=True,
    ),
    Tool(
        name="delete_task",
        description="Remove one of the person's tasks for good. To tick a task off, use update_task instead.",
        parameters=OneTask,
        effect="destroys",
        needs=("task", "remove"),
        act=_delete,
        preview=_foresee_deletion,
        private=True,
    ),
)
