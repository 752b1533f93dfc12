"""Which tools a person's assistant is offered: those whose right they can have somewhere, of those it is given."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from famulus.campus.access import in_reach
from famulus.identity.principal import Principal
from famulus.llm.protocol import ToolSpec
from famulus.tools.arguments import spec_of
from famulus.tools.contract import Tool

Source = Callable[[Principal], Awaitable[Sequence[Tool]]]
"""Tools from outside that this person may use, such as those of their organization's connections."""
REMEMBERED = 512
Key = tuple[str | None, frozenset[str] | None, bool, bool, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Offer:
    """What one answer may use."""

    tools: Mapping[str, Tool]
    """By name."""
    specs: tuple[ToolSpec, ...]
    """What the model is told of."""


class Toolbox:
    """Our own tools, and those that connections bring."""

    def __init__(self, own: Sequence[Tool], sources: Sequence[Source] = ()) -> None:
        self._own = {tool.name: tool for tool in own}
        assert len(self._own) == len(own), "two tools have the same name"
        self._sources = sources
        self._offers: dict[Key, Offer] = {}

    @property
    def own(self) -> Mapping[str, Tool]:
        """Our own tools by name."""
        return self._own

    async def offer(self, principal: Principal, patterns: tuple[str, ...]) -> Offer:
        """The tools for this person, of those whose names fit one of the patterns."""
        own = self._of_ours(principal, patterns)
        tools = dict(own.tools)
        for source in self._sources:
            for tool in await source(principal):
                if _fits(tool, patterns) and _may_use(principal, tool):
                    tools.setdefault(tool.name, tool)  # a name of ours cannot be taken by another's
        if len(tools) == len(own.tools):
            return own
        return Offer(
            tools, (*own.specs, *(spec_of(tool) for name, tool in tools.items() if name not in own.tools))
        )

    def _of_ours(self, principal: Principal, patterns: tuple[str, ...]) -> Offer:
        key = (
            principal.role,
            principal.scopes,
            principal.email_verified,
            principal.session_id is not None,
            patterns,
        )
        offer = self._offers.get(key)
        if offer is None:
            tools = {
                name: tool
                for name, tool in self._own.items()
                if _fits(tool, patterns) and _may_use(principal, tool)
            }
            offer = Offer(tools, tuple(spec_of(tool) for tool in tools.values()))
            if len(self._offers) >= REMEMBERED:
                self._offers.clear()
            self._offers[key] = offer
        return offer


def _fits(tool: Tool, patterns: Sequence[str]) -> bool:
    return any(fnmatchcase(tool.name, pattern) for pattern in patterns)


def _may_use(principal: Principal, tool: Tool) -> bool:
    """Whether the person can have the right that a tool takes at all; whether here, its service says."""
    if (
        principal.scopes is not None
        and ("read" if tool.effect == "reads" else "write") not in principal.scopes
    ):
        return False
    if tool.needs is None:
        return True
    thing, action = tool.needs
    return in_reach(principal, action, thing)
