"""What a tool is: a name, what it does, its arguments, its effect, the right it takes, and how it acts as the asker.

    Tool ── check(arguments) ─▶ preview(context, given)? ─▶ act(context, given) ─▶ Done
                 Retry              NeedsApproval               Retry | ToolFailed | any error of ours

Authors have four words besides a result: `Retry` (tell the model, let it mend its call), `ToolFailed` (tell the model
and the person), `NeedsApproval` (a person has to say yes first) and, for what leaves the house, `OutcomeUnknown`
(nobody can tell whether it was done). A tool has no rights of its own: it calls the same services as every door, with
the asker's principal. Where its effect is a change of our database, it acts in the transaction that keeps its result,
so that both happen or neither.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.principal import Principal

Effect = Literal["reads", "writes", "destroys"]
Wants = Literal["yes", "result", "answers"]
"""What a call that waits, waits for: a person's yes, what the client makes of it, or answers to its questions."""
Place = Literal["database", "server", "outside"]
"""Where a tool acts: in one transaction of ours, on this server without a transaction (it only reads), elsewhere."""
Json = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Lack:
    """What a call lacks that the person can say, for who can ask them."""

    fields: tuple[str, ...] = ()
    """The arguments that are missing."""
    meant: str = ""
    """The name that stands for several things; the argument that has it is to be one of `choices` instead."""
    choices: tuple[tuple[str, str], ...] = ()
    """Ids and names."""


class Retry(Exception):
    """The model called the tool wrongly; the message tells it how to mend the call."""

    def __init__(self, said: str, lack: Lack | None = None, *, advice: str = "") -> None:
        """`said` is for anybody; `advice` is what a model is told besides."""
        super().__init__(f"{said} {advice}".rstrip())
        self.said = said
        self.lack = lack


class ToolFailed(Exception):
    """The tool could not do it; the message is for the model and the person."""


class OutcomeUnknown(Exception):
    """Whether it was done cannot be told: the request was out, and no usable answer came."""


class NeedsApproval(Exception):
    """A person has to say yes before this call is made; the message tells them why."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """For whom, where and under which key a tool acts."""

    principal: Principal
    thread_id: str
    course_id: str | None
    key: str = ""
    """Names this one call for ever: what leaves the house carries it as its idempotency key."""
    transaction: AsyncSession | None = None
    tainted: bool = False
    """Whether the model has read what others wrote: passages, pages, results of tools."""

    @property
    def session(self) -> AsyncSession:
        """The transaction that a tool of the place `database` acts in."""
        assert self.transaction is not None, "only tools of the place `database` have a transaction"
        return self.transaction


@dataclass(frozen=True, slots=True)
class Undo:
    """The call that takes back what a tool did."""

    tool: str
    arguments: Json
    label: str
    """On the button: `Restore the track “Python”`."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a tool did."""

    said: str
    """One sentence for the person and the model: `Created the track “Python” in “Data Science”.`"""
    data: object = None
    """What the model gets to read: plain values that JSON has."""
    undo: Undo | None = None
    next: tuple[str, ...] = ()
    """What could follow, as the person would ask for it."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One field of what would be changed."""

    field: str
    before: object
    after: object


@dataclass(frozen=True, slots=True)
class Preview:
    """What a call would do, worked out by the tool from its real arguments before a person is asked."""

    title: str
    """What will happen, in one sentence: `Archive the track “Python”`."""
    arguments: Json
    """The call's arguments with every name bound to the id it meant; exactly these are carried out."""
    changes: tuple[Difference, ...] = ()
    notes: tuple[str, ...] = ()
    """What else follows from it: `3 courses stay, without a track.`"""


Check = Callable[[Json], Any]
Act = Callable[[ToolContext, Any], Awaitable[Done]]
Foresee = Callable[[ToolContext, Any], Awaitable[Preview]]


@dataclass(frozen=True, slots=True)
class Tool:
    """One thing an assistant may do."""

    name: str
    """Letters, digits and `_`, at most 64 characters; one name, one tool."""
    description: str
    """What it does and when to use it, for the model."""
    parameters: type[BaseModel] | bytes
    """The arguments: a model, or the JSON schema of an object as text."""
    effect: Effect
    act: Act
    """Acts as the asker with arguments that were checked; raises `Retry`, `ToolFailed` or an error of ours."""
    place: Place = "database"
    needs: tuple[str, str] | None = None
    """The thing and the action of the rights table; who cannot have that right anywhere is not offered the tool."""
    check: Check | None = None
    """Turns the arguments into what `act` takes; raises `Retry`. By default the model `parameters` does it."""
    preview: Foresee | None = None
    """What a call would do, read in a transaction; raises as `act` does."""
    always_asks: bool = False
    """Whether a person is asked whatever the policy says, as for everything that destroys."""
    repeatable: bool = False
    """Of a tool that acts elsewhere: whether the far side knows a repeated call by its key."""
    timeout: float = 15.0
    """Seconds for one call."""
    secrets: frozenset[str] = field(default=frozenset())
    """Names of arguments that nobody gets to see again."""
    wants: Wants = "yes"
    """Other than `yes`: it is not made here, but by the asker's client."""
    waits: bool = True
    """Of one that the client makes: whether the run waits for what comes of it, or the answer ends with the call."""
    private: bool = False
    """Whether what it is given is nobody's but the person's: the audit does not quote it."""
    source: str = ""
    """The connection that it comes from; empty for our own."""
