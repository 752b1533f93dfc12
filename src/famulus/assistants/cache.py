"""Assistants by id for the turn, remembered for two seconds: a busy server asks for the same few again and again."""

from functools import partial

from famulus.assistants.events import AssistantChanged
from famulus.assistants.registry import load
from famulus.assistants.settings import ResolvedAssistant
from famulus.kernel.bus import Bus
from famulus.kernel.database import Database
from famulus.kernel.memory import Memory

MEMORY = 2.0
"""Seconds; a change made on this instance is seen at once."""
SIZE = 5_000


class AssistantCache:
    """What `registry.load` says, a little while ago at most."""

    def __init__(self, database: Database, bus: Bus) -> None:
        self._database = database
        self._memory = Memory[str, ResolvedAssistant](seconds=MEMORY, size=SIZE)
        bus.subscribe(AssistantChanged, lambda event: self._memory.forget(event.assistant_id))

    async def get(self, assistant_id: str) -> ResolvedAssistant:
        """The version that answers; raises AssistantNotFound or AssistantInactive."""
        return await self._memory.get(assistant_id, partial(self._load, assistant_id))

    async def _load(self, assistant_id: str) -> ResolvedAssistant:
        async with self._database.read() as session:
            return await load(session, assistant_id)
