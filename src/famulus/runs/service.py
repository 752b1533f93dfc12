"""What every door may ask of runs: start one, follow it, look at it, cancel it.

Starting commits the message and its run before anything is answered; following may begin, break off and resume at any
event, on any instance, any number of times.
"""

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, replace
from functools import partial

from famulus.assistants.cache import AssistantCache
from famulus.assistants.settings import ResolvedAssistant
from famulus.campus.courses import course_card
from famulus.conversations.errors import MessageNotFound, ThreadNotFound
from famulus.conversations.parts import Attached
from famulus.conversations.threads import find_message
from famulus.conversations.views import message_view
from famulus.identity.principal import Principal
from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.errors import Forbidden, NotFound
from famulus.kernel.lane import Statement
from famulus.kernel.live import Listener, Live
from famulus.kernel.tables import utc_now
from famulus.llm.opened import Models
from famulus.llm.protocol import FORMATS
from famulus.runs.ask import Ask, Started, acceptance
from famulus.runs.channel import Channel, Pipe
from famulus.runs.errors import FormatNotSupported, RunNotFound, ServerBusy
from famulus.runs.events import START, TERMINAL, BadEventId, Entry, EventId
from famulus.runs.journal import topic
from famulus.runs.runner import Runner
from famulus.runs.sql.accept import Acceptance, Accepted, accept, accept_first
from famulus.runs.sql.again import accept_again, accept_changed
from famulus.runs.sql.forget import forget
from famulus.runs.sql.lease import cancel
from famulus.runs.sql.read import (
    RunAndAnswer,
    ThreadRow,
    events_after,
    message_with_key,
    newest_event,
    run_of,
    thread_of,
)
from famulus.runs.sql.rows import Steps
from famulus.runs.views import RunView, run_view
from famulus.runs.work import Asker, Work

POLL = 1.0
"""Seconds between looks into the journal of a run that another instance works on; a live word comes sooner."""
QUIET_POLLS = 5
"""Fruitless looks after which a follower is shown a sign of life."""
THREADS_KNOWN = 20_000
CANCEL_PATIENCE = 2.0
"""Seconds that cancelling waits to show the run's end rather than the request for it."""
Accepting = Callable[[Acceptance], Steps[Accepted | None]]
"""A script that accepts a message; None where there is no such thread."""


@dataclass(slots=True)
class Place:
    """How far a follower has come."""

    run_id: str
    after: EventId


class Runs:
    """The runs of one application."""

    def __init__(
        self,
        database: Database,
        live: Live,
        models: Models,
        assistants: AssistantCache,
        runner: Runner,
        *,
        max_live: int,
        crash: CrashPoints,
    ) -> None:
        self._database = database
        self._live = live
        self._models = models
        self._assistants = assistants
        self._runner = runner
        self._max_live = max_live
        self._crash = crash
        self._threads: dict[tuple[str, str], ThreadRow] = {}

    async def start(self, principal: Principal, ask: Ask) -> Started:
        """Accept a message. Returns once it is committed and the work on its answer has begun or is queued.

        Raises ThreadNotFound, ThreadArchived, Forbidden, RunInProgress, KeyReused, TooManyQueued, FormatNotSupported or
        ServerBusy; then nothing is kept.
        """
        self._make_room(principal)
        thread = await self._thread(principal, ask.thread_id)
        asker = Asker(principal, thread.assistant_id, thread.course_id, ask.client)
        return await self._start(accept, ask, asker)

    async def begin(self, principal: Principal, ask: Ask, thread: ThreadRow, opening: Statement) -> Started:
        """Accept the first message of a thread that `opening` keeps, both in one transaction.

        Raises ThreadNotFound where no row came of `opening`, or what `start` raises; then nothing is kept, no thread
        either. The person's right to the thread's course is the caller's to ask for.
        """
        self._make_room(principal)
        asker = Asker(principal, thread.assistant_id, thread.course_id, ask.client)
        return await self._start(partial(accept_first, opening), replace(ask, thread_id=thread.id), asker)

    def _make_room(self, principal: Principal) -> None:
        principal.needs("chat")
        if len(self._runner.works) >= self._max_live:
            raise ServerBusy(retry_after=2)

    async def _start(self, script: Accepting, ask: Ask, asker: Asker) -> Started:
        assistant = await self._assistants.get(asker.assistant_id)
        formed = ask.application is not None and ask.application.format is not None
        if formed and self._models.get(assistant.settings.model).kind not in FORMATS:
            raise FormatNotSupported()
        return await self._accept(script, ask, asker, assistant)

    async def again(
        self, principal: Principal, ask: Ask, message_id: str, *, changed: bool = False
    ) -> Started:
        """Answer a message of the person's anew; what was said after it is forgotten. Of `ask` no text is needed.

        If it is `changed`, it says from now on what `ask` says; the files that it was sent with stay.
        Raises MessageNotFound, RunInProgress, or what `start` raises; then nothing has changed.
        """
        principal.needs("chat")
        thread = await self._thread(principal, ask.thread_id)
        async with self._database.read() as session:
            message = await find_message(session, principal, message_id)
        if message.thread_id != ask.thread_id or message.role != "user":
            raise MessageNotFound()
        if len(self._runner.works) >= self._max_live:
            raise ServerBusy(retry_after=2)
        assistant = await self._assistants.get(thread.assistant_id)
        asker = Asker(principal, thread.assistant_id, thread.course_id, ask.client)
        files = tuple(part for part in message.parts if isinstance(part, Attached))
        ask = replace(ask, attachments=files) if changed else replace(ask, text=message.text)
        script = accept_changed if changed else accept_again
        return await self._accept(script, ask, asker, assistant, message_id)

    async def _accept(
        self,
        script: Accepting,
        ask: Ask,
        asker: Asker,
        assistant: ResolvedAssistant,
        message_id: str | None = None,
    ) -> Started:
        model = assistant.settings.model or self._models.default
        a = acceptance(ask, asker, assistant, model=model, runner=self._runner, message_id=message_id)
        self._crash.reach("accept.before")
        accepted: Accepted | None = await self._database.lane.write(partial(script, a))
        self._crash.reach("accept.committed")
        if accepted is None:
            raise ThreadNotFound()
        if not accepted.replayed:
            self._begin(accepted, asker, assistant)
        return Started(run_view(accepted.run, None), message_view(accepted.message), accepted.replayed)

    async def get(self, principal: Principal, run_id: str) -> RunView:
        """A run of this person, with its answer once there is one; raises RunNotFound."""
        found = await self._find(principal, run_id)
        return run_view(found.run, found.answer)

    async def cancel(self, principal: Principal, run_id: str) -> RunView:
        """Ask for a run's end; asking again, or after its end, changes nothing. Raises RunNotFound."""
        principal.needs("chat")
        row = await self._database.lane.write(partial(cancel, run_id, principal.user_id, utc_now()))
        if row is None:
            raise RunNotFound()
        if row.status == "queued":  # it waited for a person; whoever takes it, ends it
            await self._runner.next_in_thread(row.thread_id)
        work = self._runner.works.get(run_id)
        if work is not None and work.task is not None:
            work.halt("cancelled")
            await asyncio.wait([work.task], timeout=CANCEL_PATIENCE)
        self._live.tell(topic(run_id))
        return await self.get(principal, run_id)

    async def message_with_key(self, principal: Principal, thread_id: str, key: str) -> str | None:
        """The message of this person's that was accepted in a thread with this Idempotency-Key."""
        principal.needs("chat")
        script = partial(message_with_key, thread_id, principal.user_id, key)
        found: str | None = await self._database.lane.read(script)
        return found

    async def forget(self, principal: Principal, run_id: str) -> bool:
        """Forget a run that has ended; says whether its thread has no other. Raises RunNotFound or RunInProgress."""
        principal.needs("chat")
        alone: bool | None = await self._database.lane.write(partial(forget, run_id, principal.user_id))
        if alone is None:
            raise RunNotFound()
        return alone

    async def follow(
        self, principal: Principal, run_id: str, after: EventId = START, pipe: Pipe | None = None
    ) -> AsyncGenerator[list[Entry], None]:
        """The events of a run after an id, in order and without gaps, until its terminal event.

        An empty list is a sign of life. With a `pipe`, what can be pushed into it is not yielded; what is yielded has
        to be out before the next is asked for. Raises RunNotFound or BadEventId at once, before there is a generator.
        """
        live = await self._check(principal, run_id, after)
        return self._follow(principal, Place(run_id, after), pipe, live=live)

    async def _follow(
        self, principal: Principal, place: Place, pipe: Pipe | None, *, live: bool
    ) -> AsyncGenerator[list[Entry], None]:
        run_id = place.run_id
        with self._live.listen(topic(run_id)) as listener:
            while True:
                entries = await self._next(place, listener, pipe, patience=QUIET_POLLS if live else 1)
                yield entries
                if entries:
                    place.after = entries[-1].id
                    if isinstance(entries[-1].event, TERMINAL):
                        return
                elif not live:
                    return
                elif run_id not in self._runner.works:
                    live = await self._is_live(principal, run_id)

    async def events(self, principal: Principal, run_id: str, after: EventId) -> list[Entry]:
        """The journalled events after an id, a page of them, without waiting."""
        await self._check(principal, run_id, after)
        found: list[Entry] = await self._database.lane.read(partial(events_after, run_id, after))
        return found

    async def _thread(self, principal: Principal, thread_id: str) -> ThreadRow:
        thread = await self._facts(thread_id, principal.user_id)
        if thread.course_id is not None:
            try:
                async with self._database.read() as session:
                    await course_card(session, principal, thread.course_id)
            except NotFound as error:
                raise Forbidden("You are no longer in this thread's course, so it cannot go on.") from error
        return thread

    async def _facts(self, thread_id: str, user_id: str) -> ThreadRow:
        """Whose and where a thread is never changes, so it is read once; accepting sees whether it still exists."""
        key = (thread_id, user_id)
        thread: ThreadRow | None = self._threads.get(key)
        if thread is None:
            thread = await self._database.lane.read(partial(thread_of, thread_id, user_id))
            if thread is None:
                raise ThreadNotFound()
            if len(self._threads) >= THREADS_KNOWN:
                self._threads.clear()
            self._threads[key] = thread
        return thread

    def _begin(self, accepted: Accepted, asker: Asker, assistant: ResolvedAssistant) -> None:
        run = accepted.run
        if run.status == "running":
            work = Work(run, asker, Channel(run.epoch), asked=accepted.message)
            work.show(accepted.events)
            self._runner.begin(work)
        elif assistant.settings.on_second_message == "interrupt":
            for work in list(self._runner.works.values()):
                if work.run.thread_id == run.thread_id:
                    work.halt("cancelled")

    async def _find(self, principal: Principal, run_id: str) -> RunAndAnswer:
        principal.needs("chat")
        found: RunAndAnswer | None = await self._database.lane.read(
            partial(run_of, run_id, principal.user_id)
        )
        if found is None:
            raise RunNotFound()
        return found

    async def _check(self, principal: Principal, run_id: str, after: EventId) -> bool:
        """Whether the run is live. Raises unless it is this person's, and the id one that may have been given out.

        What is alive elsewhere may have shown more than is journalled. So may what died, of its own epoch; and an
        instance that has just stood still may not know yet that it lost the run.
        """
        principal.needs("chat")
        work = self._runner.works.get(run_id)
        if work is not None and work.run.user_id == principal.user_id and after.epoch <= work.run.epoch:
            newest, live = EventId(work.run.epoch, work.channel.next_n - 1), True
            if after > newest:  # what happens is in the journal a moment before it is shown
                newest = await self._database.lane.read(partial(newest_event, run_id))
        else:
            run = (await self._find(principal, run_id)).run
            newest, live = EventId(run.epoch, 10**9), run.live
            if not live and after.epoch == run.epoch:
                newest = await self._database.lane.read(partial(newest_event, run_id))
        if after > newest:
            raise BadEventId(
                "This id lies in the future of the run; send the last one that you have received."
            )
        return live

    async def _next(
        self, place: Place, listener: Listener, pipe: Pipe | None, *, patience: int
    ) -> list[Entry]:
        """The next entries: from the live channel, else from the journal; empty after so many looks without news."""
        for look in range(1, patience + 1):
            work = self._runner.works.get(place.run_id)
            entries = work.channel.since(place.after) if work else None
            if entries:
                return entries
            if work is not None and entries is not None and not work.channel.ended:
                if pipe is None:
                    await work.channel.wait()
                else:
                    place.after = await work.channel.feed(pipe, place.after)
                return work.channel.since(place.after) or []
            script = partial(events_after, place.run_id, place.after)
            if found := await self._database.lane.read(script):
                return found
            if look < patience:
                await listener.wait(POLL)
        return []

    async def _is_live(self, principal: Principal, run_id: str) -> bool:
        """Whether a quiet run is still to end; one whose thread was deleted has ended."""
        try:
            return (await self._find(principal, run_id)).run.live
        except RunNotFound:
            return False
