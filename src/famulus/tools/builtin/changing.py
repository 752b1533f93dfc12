"""Tools that change what there is, and that put it away and take it out again: one way for every kind of thing.

A kind says how its thing is found, what of it is to be different, and which service does it; what is shown before, said
after and taken back is the same for all.
"""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pydantic import ValidationError

from famulus.campus import access
from famulus.tools.arguments import MAX_ARGUMENTS, Arguments, plain
from famulus.tools.builtin.wording import brief, listed, quoted
from famulus.tools.contract import Difference, Done, Json, Preview, Retry, Tool, ToolContext, Undo

LONGEST_SHOWN = 2_000
"""Characters of one value that a person is shown before a change."""


# --- Putting away and taking out ---------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """The one thing that is meant."""

    id: str
    name: str
    archived: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """A kind of thing that can be put away."""

    kind: str
    arguments: type[Arguments]
    find: Callable[[ToolContext, Any, bool], Awaitable[Found]]
    """What is meant; where the last is true, rather something archived."""
    move: Callable[..., Awaitable[object]]
    """The service: `(session, principal, id, away=…)`."""
    follows: Callable[[ToolContext, Found], Awaitable[tuple[str, ...]]]
    """What else comes of putting it away. Raises what the service would."""
    effect: str
    """The same for the model, in one sentence."""


def shelf_tools(shelf: Shelf) -> tuple[Tool, Tool]:
    """`archive_…` and `restore_…` of a kind."""
    needs = (shelf.kind, "archive")
    return (
        Tool(
            name=f"archive_{shelf.kind}",
            description=f"Put {_a(shelf.kind)} away. {shelf.effect} It can be restored.",
            parameters=shelf.arguments,
            effect="destroys",
            needs=needs,
            act=partial(_archive, shelf),
            preview=partial(_foresee_archive, shelf),
        ),
        Tool(
            name=f"restore_{shelf.kind}",
            description=f"Take {_a(shelf.kind)} out of the archive again.",
            parameters=shelf.arguments,
            effect="writes",
            needs=needs,
            act=partial(_restore, shelf),
            preview=partial(_foresee_restoring, shelf),
        ),
    )


async def _archive(shelf: Shelf, context: ToolContext, given: Any) -> Done:
    found = await shelf.find(context, given, False)
    await shelf.move(context.session, context.principal, found.id, away=True)
    named, data = f"the {shelf.kind} {quoted(found.name)}", {"id": found.id, "name": found.name}
    if found.archived:
        return Done(f"T{named[1:]} was archived already.", data)
    undo = Undo(f"restore_{shelf.kind}", {shelf.kind: found.id}, f"Restore {named}")
    return Done(f"Archived {named}.", data, undo, (f"Restore {named}",))


async def _restore(shelf: Shelf, context: ToolContext, given: Any) -> Done:
    found = await shelf.find(context, given, True)
    await shelf.move(context.session, context.principal, found.id, away=False)
    named, data = f"the {shelf.kind} {quoted(found.name)}", {"id": found.id, "name": found.name}
    if not found.archived:
        return Done(f"T{named[1:]} is not archived.", data)
    undo = Undo(f"archive_{shelf.kind}", {shelf.kind: found.id}, f"Archive {named} again")
    return Done(f"Restored {named}.", data, undo)


async def _foresee_archive(shelf: Shelf, context: ToolContext, given: Any) -> Preview:
    found = await shelf.find(context, given, False)
    notes = (*await shelf.follows(context, found), "It can be restored.")
    return Preview(
        f"Archive the {shelf.kind} {quoted(found.name)}", {shelf.kind: found.id}, (_archived(found),), notes
    )


async def _foresee_restoring(shelf: Shelf, context: ToolContext, given: Any) -> Preview:
    found = await shelf.find(context, given, True)
    await shelf.follows(context, found)  # whoever may not is told so before anybody is asked
    change = Difference("archived", found.archived, False)
    return Preview(f"Restore the {shelf.kind} {quoted(found.name)}", {shelf.kind: found.id}, (change,))


def _archived(found: Found) -> Difference:
    return Difference("archived", found.archived, True)


def taken_back(context: ToolContext, kind: str, id: str, name: str) -> Undo | None:
    """What takes back that something was made: putting it away, where its maker may do that."""
    if not access.in_reach(context.principal, "archive", kind):
        return None
    return Undo(f"archive_{kind}", {kind: id}, f"Archive the {kind} {quoted(name)}")


# --- Changing ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Wish:
    """What of a thing is to be different."""

    id: str
    name: str
    before: Mapping[str, object]
    """What it is now, by argument."""
    wanted: Mapping[str, object]
    """What it is to be, by argument, with names bound to ids."""
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    """What to show instead of ids."""

    @property
    def changed(self) -> list[str]:
        """The arguments that would make a difference."""
        return [name for name, value in self.wanted.items() if self.before[name] != value]


@dataclass(frozen=True, slots=True)
class Changing:
    """A kind of thing that can be changed."""

    kind: str
    arguments: type[Arguments]
    read: Callable[[ToolContext, Any], Awaitable[Wish]]
    write: Callable[[ToolContext, Wish], Awaitable[str]]
    """The service; returns what the thing is called now."""
    require: Callable[[ToolContext, Wish], Awaitable[None]]
    """Raises what the service would raise for whoever may not."""
    description: str
    as_arguments: Callable[[Json], Json] = dict
    """Values by argument as the tool takes them."""


def change_tool(changing: Changing) -> Tool:
    """`update_…` of a kind."""
    return Tool(
        name=f"update_{changing.kind}",
        description=changing.description,
        parameters=changing.arguments,
        effect="writes",
        needs=(changing.kind, "change"),
        act=partial(_change, changing),
        preview=partial(_foresee_change, changing),
    )


def wanted_of(given: Arguments, *which: str) -> dict[str, object]:
    """The arguments that say what is to be different; null is nothing said. Raises `Retry` where there are none."""
    names = [name for name in type(given).model_fields if name not in which]
    values = plain(given)
    wanted = {name: values[name] for name in names if values.get(name) is not None}
    if not wanted:
        raise Retry(f"Say what is to be different: {', '.join(f'`{name}`' for name in names)}.")
    return wanted


async def _change(changing: Changing, context: ToolContext, given: Any) -> Done:
    wish = await changing.read(context, given)
    name = await changing.write(context, wish)
    data = {"id": wish.id, "name": name}
    if not wish.changed:
        return Done(f"The {changing.kind} {quoted(name)} is so already.", data)
    before = {each: wish.before[each] for each in wish.changed}
    undo = _undo(changing, wish.id, before, name)
    if wish.changed in (["name"], ["title"]):
        said = f"Renamed the {changing.kind} {quoted(wish.name)} to {quoted(name)}."
    else:
        said = f"Changed the {changing.kind} {quoted(name)}: {listed(_fields(wish))}."
    return Done(said, data, undo)


def _undo(changing: Changing, id: str, before: Json, name: str) -> Undo | None:
    """The change back; None where what was there is too long for a call."""
    arguments = {changing.kind: id, **changing.as_arguments(before)}
    try:
        changing.arguments.model_validate(arguments)
    except ValidationError:
        return None
    if len(json.dumps(arguments, ensure_ascii=False)) > MAX_ARGUMENTS:
        return None
    return Undo(f"update_{changing.kind}", arguments, f"Change the {changing.kind} {quoted(name)} back")


async def _foresee_change(changing: Changing, context: ToolContext, given: Any) -> Preview:
    wish = await changing.read(context, given)
    await changing.require(context, wish)

    def shown(value: object) -> object:
        return brief(wish.names.get(value, value), LONGEST_SHOWN) if isinstance(value, str) else value

    changes = tuple(
        Difference(_field(name), shown(wish.before[name]), shown(wish.wanted[name])) for name in wish.changed
    )
    notes = () if changes else ("It is so already; nothing would be different.",)
    arguments = {changing.kind: wish.id, **changing.as_arguments(wish.wanted)}
    return Preview(f"Change the {changing.kind} {quoted(wish.name)}", arguments, changes, notes)


def _fields(wish: Wish) -> list[str]:
    return [_field(name) for name in wish.changed]


def _field(argument: str) -> str:
    return argument.removeprefix("move_to_")


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
