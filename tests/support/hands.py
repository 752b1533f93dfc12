"""The platform's tools at the hands of the people of a world, each call in a transaction of its own as runs make it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from sqlalchemy import select

from famulus.app import own_tools
from famulus.campus.models import Course, Enrolment, Lesson, Organization, Project, Track
from famulus.identity.principal import Principal
from famulus.kernel.settings import load_settings
from famulus.tools.arguments import check_arguments, read_arguments
from famulus.tools.contract import Done, Preview, Tool, ToolContext
from tests.support.rooms import World

KINDS: tuple[Any, ...] = (Organization, Project, Track, Course, Lesson, Enrolment)
APART = ("created_at", "updated_at", "position")
"""What may be otherwise afterwards: when something was touched; a course that comes back to its track comes last."""


class Row(NamedTuple):
    """A place, or somebody in it."""

    kind: str
    archived: bool
    values: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Hands:
    """Everybody's way to the tools."""

    world: World
    tools: Mapping[str, Tool]
    ids: dict[str, str] = field(default_factory=dict[str, str])
    """Of what was added to the world, by name."""
    sessions: dict[str, str] = field(default_factory=dict[str, str])
    """Sessions of those who have one here, by name."""

    async def who(self, name: str) -> Principal:
        """The person as a run has them."""
        principal = await self.world.principal(name)
        return replace(principal, session_id=self.sessions.get(name))

    async def act(self, who: str, tool: str, *, course_id: str | None = None, **arguments: object) -> Done:
        """Make a call."""
        given = check_arguments(self.tools[tool], arguments)
        principal = await self.who(who)
        async with self.world.database.write() as session:
            context = ToolContext(principal, "thr_1", course_id, transaction=session)
            return await self.tools[tool].act(context, given)

    async def foresee(self, who: str, tool: str, **arguments: object) -> Preview:
        """What a call would do."""
        preview = self.tools[tool].preview
        assert preview is not None, f"{tool} says what it would do"
        principal = await self.who(who)
        async with self.world.database.read() as session:
            context = ToolContext(principal, "thr_1", None, transaction=session)
            return await preview(context, check_arguments(self.tools[tool], arguments))

    async def undo(self, who: str, done: Done) -> Done:
        """Take a call back, by what is kept of it."""
        assert done.undo is not None, "it can be taken back"
        return await self.act(who, done.undo.tool, **read_arguments(json.dumps(done.undo.arguments)))

    async def state(self) -> list[Row]:
        """All places and who is in them, but for what is `APART`."""
        async with self.world.database.read() as session:
            found: list[Row] = []
            for kind in KINDS:
                columns = [each for each in kind.__table__.columns if each.key not in APART]
                for row in (await session.execute(select(*columns))).mappings():
                    away = row.get("archived_at") is not None
                    values = {key: str(value) for key, value in row.items() if key != "archived_at"}
                    found.append(Row(kind.__name__, away, tuple(sorted(values.items()))))
            return sorted(found)


def hands_of(world: World) -> Hands:
    """The tools of an application on a world's database."""
    tools = own_tools(world.database, load_settings())
    return Hands(world, {tool.name: tool for tool in tools})
