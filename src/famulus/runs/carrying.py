"""Carrying a tool call out, at most once: an effect of ours commits with its result, any other is journalled before.

    act + tool.called + tool.finished, one transaction    (database) nothing happened, or all of it
    tool.called ─▶ act ─▶ tool.finished                   (outside)  a crash between them is shown as unknown

Whatever a tool raises becomes an outcome here; what says that the run is no longer ours goes through.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.campus.presence import principal_again
from famulus.conversations.parts import Tool as ToolPart
from famulus.conversations.parts import Wants
from famulus.identity import audit
from famulus.identity.principal import Principal
from famulus.kernel.crash import CrashPoints
from famulus.kernel.database import Database
from famulus.kernel.errors import FamulusError, Unavailable
from famulus.kernel.lane import MakeScript, Statement
from famulus.llm.protocol import ToolCall
from famulus.runs.calls import Outcome, bounded, outcome_of, shown_text
from famulus.runs.errors import LeaseLost
from famulus.runs.events import Event, ToolCalled, ToolFinished
from famulus.runs.journal import Journal
from famulus.runs.sql.rows import JournalRow, Steps
from famulus.runs.work import Work
from famulus.tools.arguments import SECRET
from famulus.tools.contract import (
    Done,
    Json,
    NeedsApproval,
    OutcomeUnknown,
    Preview,
    Retry,
    Tool,
    ToolContext,
    ToolFailed,
)

log = structlog.get_logger(__name__)
T = TypeVar("T")
LOOK_FIRST = "Look before you do it again."
UNKNOWN = f"Whether it was done is not known: the connection ended before the answer came. {LOOK_FIRST}"
TOO_SLOW = "It took too long and was given up; nothing was done."
BROKEN = "The tool failed for a reason of its own; the server's log has it."


@dataclass(frozen=True, slots=True)
class Plan:
    """A call with its tool and its checked arguments."""

    call_id: str
    tool: Tool
    given: Any
    """What the tool takes."""
    arguments: Json
    shown: str
    """The arguments as JSON that may be kept and shown."""
    preview: Preview | None = None
    asked: str | None = None
    """What the model had asked for, where a person changed it."""
    approved: bool = False
    """Whether a person has said yes."""


async def guarded(name: str, doing: Awaitable[T]) -> T | Outcome:
    """What comes of it; whatever a tool raises is an outcome that tells the model what went wrong."""
    try:
        return await doing
    except (LeaseLost, Unavailable, NeedsApproval):
        raise
    except Retry as word:
        return Outcome("failed", bounded(str(word)), lack=word.lack)
    except ToolFailed as word:
        return Outcome("failed", bounded(str(word)))
    except OutcomeUnknown as word:
        return Outcome("unknown", bounded(f"{word} {LOOK_FIRST}"))
    except FamulusError as error:
        return Outcome("failed", bounded(f"{error.title}: {error.detail}"))
    except Exception:  # a tool may fail in any way; the run goes on and the log has the details
        log.exception("tool_failed", tool=name)
        return Outcome("failed", BROKEN)


class Carrier:
    """Carries calls out for the runs of one instance."""

    def __init__(self, database: Database, journal: Journal, crash: CrashPoints) -> None:
        self._database = database
        self.journal = journal
        self._crash = crash

    async def carry_out(self, work: Work, plan: Plan, context: ToolContext) -> str | None:
        """Make one call. Returns why a person has to say yes first, if the tool finds so; then nothing was done."""
        context = replace(context, key=f"{work.run.id}.{plan.call_id}")
        if plan.tool.place == "outside":
            await self.journal.write(work, _called(plan))
        else:
            await self.journal.announce(work, _called(plan))
        self._crash.reach("tool.called")
        try:
            if plan.tool.place == "database" and plan.tool.effect != "reads":
                await to_its_end(self._commit(work, plan, context))
            else:
                await self._elsewhere(work, plan, context)
        except NeedsApproval as word:
            if not plan.approved:
                return str(word)
            await self._finish(work, plan, Outcome("failed", bounded(str(word))))
        self._crash.reach("tool.finished")
        return None

    async def settle(
        self,
        work: Work,
        call: ToolCall,
        outcome: Outcome,
        *,
        shown: str | None = None,
        wants: Wants = "yes",
    ) -> None:
        """Keep what became of a call that was not made."""
        arguments = shown if shown is not None else shown_text(call.arguments)
        events: list[Event] = [ToolFinished(call.id, call.name, outcome.status, outcome.result)]
        if shown is None:
            events.insert(0, ToolCalled(call.id, call.name, arguments))
        await self.journal.write(work, *events)
        part = ToolPart(call.id, call.name, arguments, outcome.status, outcome.result, wants=wants)
        work.draft.parts.append(part)

    async def preview(self, plan: Plan, context: ToolContext) -> Preview:
        """What a call would do; raises what the tool raises."""
        if plan.tool.preview is None:
            return Preview(named(plan.tool), plan.arguments)
        async with self._database.read() as session:
            here = replace(context, transaction=session)
            return await in_time(plan.tool, plan.tool.preview(here, plan.given))

    async def read(self, script: MakeScript) -> Any:
        """Read on the fast lane."""
        return await self._database.lane.read(script)

    async def suspend(
        self, work: Work, events: Sequence[Event], script: Callable[[Sequence[JournalRow]], Steps[None]]
    ) -> None:
        """Put a run aside with the events that say why, and let go of it."""
        self._crash.reach("approval.before")
        async with work.lock:
            count, rows = work.pending(*events)
            await self._database.lane.write(lambda: script(rows))
            work.queue = False
            self.journal.show(work, count, events)
        self._crash.reach("approval.committed")

    async def _commit(self, work: Work, plan: Plan, context: ToolContext) -> None:
        """Act and keep the result in one transaction; a failure is kept in one of its own."""
        async with work.lock:
            try:
                kept = await guarded(plan.tool.name, self._transaction(work, plan, context))
            except Unavailable as error:
                # Perhaps it was committed: the journal says so to whoever takes the run over.
                raise LeaseLost() from error
            if not isinstance(kept, Outcome):
                outcome, count = kept
                self.journal.show(work, count, [_finished(plan, outcome)])
                work.draft.parts.append(_part(plan, outcome))
                return
        await self._finish(work, plan, kept)

    async def _transaction(self, work: Work, plan: Plan, context: ToolContext) -> tuple[Outcome, int]:
        async with self._database.write() as session:
            principal, outcome = await act_in(session, plan, context)
            self._crash.reach("tool.effect")
            event = _finished(plan, outcome)
            note = _note(principal, plan, outcome)
            count = await self.journal.write_last(
                session, work, event, (note,), lambda: self._crash.reach("tool.kept")
            )
        return outcome, count

    async def _elsewhere(self, work: Work, plan: Plan, context: ToolContext) -> None:
        """Act where no transaction of ours reaches, or only read."""
        doing = guarded(plan.tool.name, self.act(plan, context))
        try:
            done = await doing
        except asyncio.CancelledError:
            if plan.tool.effect != "reads" and work.stop == "cancelled":
                await self._finish(work, plan, Outcome("unknown", UNKNOWN), context.principal)
            raise
        outcome = outcome_of(done) if isinstance(done, Done) else done
        self._crash.reach("tool.effect")
        await self._finish(work, plan, outcome, context.principal)

    async def act(self, plan: Plan, context: ToolContext) -> Done | Outcome:
        """Make a call that no transaction of ours keeps the result of; raises what the tool raises."""
        tool = plan.tool
        try:
            async with asyncio.timeout(tool.timeout):
                if tool.place == "database":
                    async with self._database.read() as session:
                        return await tool.act(replace(context, transaction=session), plan.given)
                return await tool.act(context, plan.given)
        except TimeoutError:
            if tool.effect == "reads":
                raise ToolFailed(TOO_SLOW) from None
            return Outcome("unknown", UNKNOWN)

    async def _finish(
        self, work: Work, plan: Plan, outcome: Outcome, principal: Principal | None = None
    ) -> None:
        note = _note(principal or work.asker.principal, plan, outcome)
        await self.journal.write(work, _finished(plan, outcome), also=(note,))
        work.draft.parts.append(_part(plan, outcome))


async def act_in(session: AsyncSession, plan: Plan, context: ToolContext) -> tuple[Principal, Outcome]:
    """Act in a transaction, with the rights of now: the person may have lost some since they asked.

    Returns as whom, and what came of it; raises what the tool raises, and AskerGone.
    """
    principal = await principal_again(session, context.principal)
    here = replace(context, principal=principal, transaction=session)
    return principal, outcome_of(await in_time(plan.tool, plan.tool.act(here, plan.given)))


async def in_time(tool: Tool, doing: Awaitable[T]) -> T:
    """Wait within the tool's time; said here, for a transaction takes any other TimeoutError for its database's."""
    try:
        async with asyncio.timeout(tool.timeout):
            return await doing
    except TimeoutError:
        raise ToolFailed(TOO_SLOW) from None


async def to_its_end(doing: Awaitable[T]) -> T:
    """See it through although whoever waits is cancelled meanwhile: what it did is done, and has to be told."""
    task = asyncio.ensure_future(doing)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled() and (error := task.exception()):
            log.warning("tool_ended_alone", error=repr(error))
        raise


def named(tool: Tool) -> str:
    """A tool's name as people read it."""
    return tool.name.replace("_", " ").strip().capitalize()


def _called(plan: Plan) -> ToolCalled:
    tool = plan.tool
    return ToolCalled(
        plan.call_id,
        tool.name,
        plan.shown,
        tool.effect,
        outside=tool.place == "outside",
        repeatable=tool.repeatable and SECRET not in plan.shown,
        asked=plan.asked,
    )


def _finished(plan: Plan, outcome: Outcome) -> ToolFinished:
    return ToolFinished(plan.call_id, plan.tool.name, outcome.status, outcome.result, outcome.undo)


def _part(plan: Plan, outcome: Outcome) -> ToolPart:
    return ToolPart(
        plan.call_id, plan.tool.name, plan.shown, outcome.status, outcome.result, plan.tool.effect, plan.asked,
        outcome.undo,
    )  # fmt: skip


def noted(principal: Principal, plan: Plan, outcome: Outcome) -> audit.Done:
    """What the audit keeps of a call. What a tool only looked for is between the person and the assistant."""
    after: dict[str, object] = {"status": outcome.status, "effect": plan.tool.effect}
    if plan.tool.effect != "reads" and not plan.tool.private:
        after["arguments"] = plan.shown
    if plan.approved:
        after["approved"] = True
    thing = audit.Thing(plan.call_id[:100], plan.tool.name, principal.organization_id)
    return audit.Done("tool.call", thing, after=after)


def _note(principal: Principal, plan: Plan, outcome: Outcome) -> Statement:
    return audit.statement(principal, noted(principal, plan, outcome))
