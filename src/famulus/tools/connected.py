"""The tools of an organization's connections, for the turn: made once of each document, and remembered."""

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import structlog

from famulus.identity.principal import Principal
from famulus.kernel.bus import Bus
from famulus.kernel.database import Database
from famulus.kernel.memory import Memory
from famulus.tools.connections import document_of, enabled_links
from famulus.tools.contract import Tool
from famulus.tools.events import ConnectionsChanged
from famulus.tools.kinds import Kinds
from famulus.tools.links import Link, Problem

log = structlog.get_logger(__name__)
MEMORY, SIZE = 2.0, 5_000
MADE = 200
"""Connections whose tools are kept ready."""


class Connected:
    """The tools that a person's organization has from others; a change made on this instance is seen at once."""

    def __init__(self, database: Database, bus: Bus, kinds: Kinds) -> None:
        self._database = database
        self._kinds = kinds
        self._memory = Memory[str, tuple[Tool, ...]](seconds=MEMORY, size=SIZE)
        self._made: OrderedDict[str, tuple[Tool, ...]] = OrderedDict()
        bus.subscribe(ConnectionsChanged, lambda event: self._memory.forget(event.organization_id))

    async def tools(self, principal: Principal) -> Sequence[Tool]:
        """Every tool of every connection in use; which of them this person may use, the toolbox says."""
        if principal.organization_id is None:
            return ()
        return await self._memory.get(
            principal.organization_id, partial(self._load, principal.organization_id)
        )

    async def _load(self, organization_id: str) -> tuple[Tool, ...]:
        async with self._database.read() as session:
            links = await enabled_links(session, organization_id)
        tools: list[Tool] = []
        for link, version in links:
            tools += await self._of(link, version)
        return tuple(tools)

    async def _of(self, link: Link, version: str) -> tuple[Tool, ...]:
        made = self._made.get(version)
        if made is None:
            async with self._database.read() as session:
                document = await document_of(session, link.id)
            try:
                made = tuple(await self._kinds.tools(replace(link, document=document)))
            except Problem as problem:
                log.warning("connection_unusable", connection_id=link.id, problem=str(problem))
                made = ()
            self._made[version] = made
            if len(self._made) > MADE:
                self._made.popitem(last=False)
        self._made.move_to_end(version)
        return made
