"""Exchanges for doors on which one request is a whole one: a message, maybe in a new thread, and its whole answer."""

from dataclasses import dataclass, replace

from famulus.conversations.threads import ThreadCard, create_thread, forget_unused
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError
from famulus.runs.events import ApprovalCard, ApprovalRequested
from famulus.runs.service import Ask, Runs, Started
from famulus.runs.views import RunView


@dataclass(frozen=True, slots=True)
class Ended:
    """A run of which nothing more comes by itself."""

    run: RunView
    waiting: list[ApprovalCard]
    """What a person has to confirm before it goes on."""


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a new thread is to be, beside its first message."""

    course_id: str | None = None
    assistant_id: str | None = None
    """Without it the registry resolves who answers."""
    title: str | None = None
    fleeting: bool = False


class Exchanges:
    """The exchanges of one application."""

    def __init__(self, database: Database, runs: Runs) -> None:
        self._database = database
        self._runs = runs

    async def begin(
        self, principal: Principal, ask: Ask, where: Beginning = Beginning()
    ) -> tuple[ThreadCard, Started]:
        """Accept the first message of a new thread. Raises what refuses it; then no thread stays behind.

        The same key again is the same thread and the same run. The thread is told as it was before the message.
        """
        async with self._database.write() as session:
            card = await create_thread(
                session,
                principal,
                course_id=where.course_id,
                assistant_id=where.assistant_id,
                title=where.title,
                key=ask.key,
                fleeting=where.fleeting,
            )
            thread_id = card.thread.id
        try:
            return card, await self._runs.start(principal, replace(ask, thread_id=thread_id))
        except FamulusError:
            async with self._database.write() as session:
                await forget_unused(session, principal, thread_id)
            raise

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
