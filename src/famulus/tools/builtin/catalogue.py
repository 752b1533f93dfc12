"""The list of our own tools of the rooms below; rooms above bring theirs."""

from famulus.kernel.database import Database
from famulus.tools.builtin import courses, knowledge, tasks
from famulus.tools.contract import Tool


def built_in(database: Database) -> tuple[Tool, ...]:
    """Every tool of ours that needs no room above this one."""
    return (*knowledge.tools(database), *courses.TOOLS, *tasks.TOOLS)
