"""Tools that look into the material."""

from functools import partial
from typing import Annotated

from pydantic import Field

from famulus.kernel.database import Database
from famulus.knowledge.retrieve import search
from famulus.tools.arguments import Arguments
from famulus.tools.contract import Done, Tool, ToolContext

PASSAGES = 5


class Search(Arguments):
    """What to look for."""

    query: Annotated[str, Field(min_length=1, max_length=1000)]
    """What to look for, in a few words."""


def tools(database: Database) -> tuple[Tool, ...]:
    """The tools of this subject."""
    return (
        Tool(
            name="search_knowledge",
            description="Search the material of the course for passages about a subject. Use it when the passages "
            "that you were given do not answer the question.",
            parameters=Search,
            effect="reads",
            place="server",
            act=partial(_search, database),
        ),
    )


async def _search(database: Database, context: ToolContext, given: Search) -> Done:
    found = await search(
        database, context.principal, given.query, course_id=context.course_id, limit=PASSAGES
    )
    rows = [{"title": p.title, "section": " › ".join(p.heading_path), "text": p.text} for p in found]
    said = f"Found {len(rows)} passages." if rows else "Found no passage about it."
    return Done(said, rows)
