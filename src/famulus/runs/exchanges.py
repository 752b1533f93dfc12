"""Exchanges for doors on which one request is a whole one: a message, maybe in a new thread, and its whole answer."""

from dataclasses import dataclass, replace

from famulus.conversations.beginning import Beginning, Begun, look
from famulus.conversations.errors import ThreadNotFound
from famulus.conversations.threads import ThreadCard
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.runs.ask import Ask, Started
from famulus.runs.events import ApprovalCard, ApprovalRequested
from famulus.runs.service import Runs
from famulus.runs.sql.read import ThreadRow
from famulus.runs.views import RunView


@dataclass(frozen=True, slots=True)
class Ended:
    """A run of which nothing more comes by itself."""

    run: RunView
    waiting: list[ApprovalCard]
    """What a person has to confirm before it goes on."""


class Exchanges:
    """The exchanges of one application."""

    def __init__(self, database: Database, runs: Runs) -> None:
        self._database = database
        self._runs = runs

    async def begin(self, principal: Principal, ask: Ask, where: Beginning) -> tuple[ThreadCard, Started]:
        """Accept the first message of a new thread. Raises what refuses it; then there is no thread.

        Without a key of its own the message's begins the thread: the same key again is the same thread and the same
        run. The thread is told as it was before the message.
        """
        how = where if where.key is not None else replace(where, key=ask.key)
        begun = await self._look(principal, how)
        if begun.opening is not None:
            thread = begun.card.thread
            row = ThreadRow(thread.id, thread.course_id, thread.assistant_id)
            try:
                return begun.card, await self._runs.begin(principal, ask, row, begun.opening)
            except ThreadNotFound:  # of two requests with one key at the same moment, this is the second
                begun = await self._look(principal, how)
                if begun.opening is not None:
                    raise
        return begun.card, await self._runs.start(principal, replace(ask, thread_id=begun.card.thread.id))

    async def _look(self, principal: Principal, how: Beginning) -> Begun:
        async with self._database.read() as session:
            return await look(session, principal, how)

    async def say(self, principal: Principal, ask: Ask, *, course_id: str | None = None) -> Started:
        """Accept a message to the thread that `ask` names, or to a new one where it names none."""
        if ask.thread_id:
            return await self._runs.start(principal, ask)
        return (await self.begin(principal, ask, Beginning(course_id)))[1]

    async def ended(self, principal: Principal, run_id: str) -> Ended:
        """A run once nothing more comes of it by itself: it has ended, or it waits for a person."""
        waiting: list[ApprovalCard] = []
        async for batch in await self._runs.follow(principal, run_id):
            waiting += [each.event.approval for each in batch if isinstance(each.event, ApprovalRequested)]
        run = await self._runs.get(principal, run_id)
        return Ended(run, waiting if run.status == "awaiting_approval" else [])
