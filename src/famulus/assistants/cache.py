"""Assistants by id for the turn, remembered for two seconds: a busy server asks for the same few again and again."""

import time

from famulus.assistants.events import AssistantChanged
from famulus.assistants.registry import load
from famulus.assistants.settings import ResolvedAssistant
from famulus.kernel.bus import Bus
from famulus.kernel.database import Database

MEMORY = 2.0
"""Seconds; a change made on this instance is seen at once."""
SIZE = 5_000


class AssistantCache:
    """What `registry.load` says, a little while ago at most."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._known: dict[str, tuple[float, ResolvedAssistant]] = {}
        bus.subscribe(AssistantChanged, self._forget)

    async def get(self, assistant_id: str) -> ResolvedAssistant:
        """The version that answers; raises AssistantNotFound or AssistantInactive."""
        known = self._known.get(assistant_id)
        if known is not None and known[0] > time.monotonic():
            return known[1]
        async with self._database.read() as session:
            assistant = await load(session, assistant_id)
        if len(self._known) >= SIZE:
            self._known.clear()
        self._known[assistant_id] = (time.monotonic() + MEMORY, assistant)
        return assistant

    def _forget(self, event: AssistantChanged) -> None:
        self._known.pop(event.assistant_id, None)
