"""The list of our own tools of the rooms below; rooms above bring theirs."""

from famulus.kernel.database import Database
from famulus.kernel.settings import Settings
from famulus.tools.builtin import (
    courses,
    drafts,
    knowledge,
    lessons,
    organizations,
    people,
    person,
    projects,
    tasks,
    tracks,
)
from famulus.tools.contract import Tool


def built_in(database: Database, settings: Settings) -> tuple[Tool, ...]:
    """Every tool of ours that needs no room above this one."""
    return (
        *knowledge.tools(database),
        *person.TOOLS,
        *organizations.tools(),
        *projects.tools(),
        *tracks.tools(),
        *courses.tools(),
        *lessons.tools(),
        *drafts.TOOLS,
        *people.tools(settings),
        *tasks.TOOLS,
    )
