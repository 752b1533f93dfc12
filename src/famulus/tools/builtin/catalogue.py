"""The list of our own tools of the rooms below; rooms above bring theirs."""

from famulus.kernel.database import Database
from famulus.kernel.settings import Settings
from famulus.knowledge.retrieve import Retriever
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


def built_in(database: Database, settings: Settings, retriever: Retriever | None = None) -> tuple[Tool, ...]:
    """Every tool of ours that needs no room above this one. Without a `retriever` they search by words alone."""
    return (
        *knowledge.tools(database, retriever or Retriever(database)),
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
