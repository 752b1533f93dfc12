"""What the asker's own client does for an answer: calls that it carries out, and questions that it puts to the person.

Who brings a tool decides what a call of it does, for it is not made here:

    declared by the assistant   the run waits, as for a yes, and goes on with what the client sends back
    brought with the message    the answer ends with the call; what came of it stands in the next message

What an assistant declares is known as long as the assistant is there, so any client of the person's can answer, hours
later and after a restart; it is offered where the client has said that it can. What a message brings is known alone to
whoever sent it, who may never come back: nothing waits for them. Either way the result is data, like any.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Annotated, Any

import msgspec
from pydantic import Field

from famulus.llm.protocol import ToolSpec
from famulus.tools.arguments import Arguments, as_schema, spec_of
from famulus.tools.contract import Done, Json, Tool, ToolContext, ToolFailed
from famulus.tools.offer import Offer
from famulus.tools.openapi.toolset import checker

ASK = "ask_person"
MOST_TOOLS, MOST_SCHEMA = 30, 10_000
NAME = r"^[A-Za-z0-9_]{1,64}$"
EMPTY: dict[str, Any] = {"type": "object", "properties": {}}


class ClientTool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A tool that the client carries out, as an assistant declares it."""

    name: Annotated[str, msgspec.Meta(pattern=NAME)]
    description: Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
    parameters: dict[str, Any] = msgspec.field(default_factory=dict[str, Any])
    """JSON schema of an object."""


class Question(Arguments):
    """One question."""

    question: Annotated[str, Field(min_length=1, max_length=500)]
    options: Annotated[list[Annotated[str, Field(min_length=1, max_length=200)]], Field(max_length=12)] = (
        Field(default_factory=list[str])
    )
    """What can be chosen; without, the person writes freely."""
    multiple: bool = False
    """Whether several may be chosen."""


class AskPerson(Arguments):
    """Questions that the person answers together."""

    questions: Annotated[list[Question], Field(min_length=1, max_length=8)]


def with_declared(offer: Offer, declared: Sequence[ClientTool], *, asks: bool) -> Offer:
    """An offer with what the assistant has the client do; a name of ours cannot be taken by a tool of the client's."""
    ours = [_asking()] if asks else []
    return _with(offer, [tool for tool in (*ours, *map(_tool, declared)) if tool.name not in offer.tools])


def with_brought(offer: Offer, brought: Sequence[ToolSpec]) -> Offer:
    """An offer with what came with the message; such a tool stands in for one of ours with its name."""
    return _with(offer, [_brought(tool) for tool in brought])


def _with(offer: Offer, added: Sequence[Tool]) -> Offer:
    if not added:
        return offer
    new = {tool.name: tool for tool in added}
    kept = (spec for spec in offer.specs if spec.name not in new)
    return Offer({**offer.tools, **new}, (*kept, *map(spec_of, new.values())))


def fault_of(tool: ClientTool) -> str | None:
    """Why a declaration cannot be used, as a sentence; None for a good one."""
    schema = tool.parameters or EMPTY
    if schema.get("type") != "object" or not isinstance(schema.get("properties", {}), dict):
        return f"The parameters of {tool.name!r} must be the JSON schema of an object."
    if len(as_schema(schema)) > MOST_SCHEMA:
        return f"The parameters of {tool.name!r} are longer than {MOST_SCHEMA:,} bytes."
    if checker({"properties": {}, **schema}) is None:
        return f"The parameters of {tool.name!r} are no JSON schema."
    return None


def _asking() -> Tool:
    return Tool(
        name=ASK,
        description=(
            "Put questions to the person, each with choices or a field to write in, and get their answers. Use it when"
            " you cannot go on without knowing more, and ask everything at once."
        ),
        parameters=AskPerson,
        effect="reads",
        act=_elsewhere,
        place="server",
        wants="answers",
    )


def _tool(declared: ClientTool) -> Tool:
    schema: dict[str, Any] = {"properties": {}, **(declared.parameters or EMPTY)}
    return Tool(
        name=declared.name,
        description=declared.description,
        parameters=as_schema(schema),
        effect="reads",
        act=_elsewhere,
        place="server",
        check=partial(_check, schema),
        wants="result",
    )


def _brought(tool: ToolSpec) -> Tool:
    """What it is given is for the program to check, whose words are told as the model has written them."""
    return Tool(
        name=tool.name,
        description=tool.description,
        parameters=tool.parameters,
        effect="reads",
        act=_elsewhere,
        place="server",
        check=_as_it_is,
        wants="result",
        waits=False,
    )


def _as_it_is(given: Json) -> Json:
    return given


def _check(schema: dict[str, Any], given: Json) -> Json:
    check: Callable[[Json], Any] | None = checker(schema)
    if check is None:
        raise ToolFailed("The assistant declares this tool with a schema that cannot be read.")
    return check(given)


async def _elsewhere(_context: ToolContext, _given: object) -> Done:
    raise ToolFailed("Only the client of the person who asks can do this.")
