"""What an answer does besides writing: its tool calls, weighed, carried out or put before a person.

    call ─▶ arguments checked ─▶ rules ─┬─ allow ─▶ carried out (`carrying`)
                                        ├─ ask ───▶ foreseen, and the run put aside until somebody has answered
                                        └─ deny ──▶ not done; the model is told

A call of a tool that the message has brought meets no rules of ours: the answer ends with it (`tools.client`).

Calls of one step are taken in their order, those that only read and stand together side by side. Once one of them has
to wait, those after it that change something are not done, for they may rest on it.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from famulus.assistants.settings import AssistantSettings
from famulus.conversations.parts import ClientCall
from famulus.conversations.parts import Tool as ToolPart
from famulus.kernel.tables import utc_now
from famulus.llm.protocol import ToolCall, ToolSpec
from famulus.runs.asking import asked_of, card_of
from famulus.runs.calls import Outcome, bounded, shown_arguments
from famulus.runs.carrying import UNKNOWN, Carrier, Plan, guarded
from famulus.runs.errors import ApprovalExpired
from famulus.runs.events import ApprovalAnswered, ApprovalCard, ApprovalRequested
from famulus.runs.sql.approvals import Decided, decided, suspend
from famulus.runs.work import Work
from famulus.tools.arguments import check_arguments, read_arguments
from famulus.tools.contract import Preview, Tool, ToolContext
from famulus.tools.policy import Verdict, decide
from famulus.tools.relevance import FIND, Told
from famulus.tools.rules import RulesCache

MAX_CALLS = 8
"""Tool calls in one step; what a model asks for beyond is not done."""
AT_ONCE = 4
"""Calls that only read, side by side."""
SURPLUS = f"Not done: at most {MAX_CALLS} calls are made at once. Call again for the rest."
DENIED = "Not done: the rules of this organization or assistant do not allow it."
AFTER_WAITING = "Not done: a call before it waits for the person. Call again once that is settled."
CLIENT = "Waits for the application in which it was asked"
NOT_ANSWERED = "Not confirmed; nothing was done."


class Suspended(Exception):
    """The run waits for a person; its attempt is over."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What the calls of all runs share."""

    carrier: Carrier
    rules: RulesCache
    approval_lifetime: float
    """Seconds that a call waits for a person."""


class Acting:
    """The tool calls of one attempt."""

    def __init__(
        self, hands: Hands, work: Work, offer: Told, context: ToolContext, settings: AssistantSettings
    ) -> None:
        self._hands = hands
        self._carrier = hands.carrier
        self._work = work
        self._offer = offer
        self._context = context
        self._settings = settings

    @property
    def specs(self) -> tuple[ToolSpec, ...]:
        """The tools that the model is told of."""
        return self._offer.specs

    async def use(self, calls: Sequence[ToolCall]) -> bool:
        """Make the calls of one step; says whether the answer ends with some that its client is to make.

        Raises `Suspended` when some of them wait for a person.
        """
        waiting: list[tuple[Plan, Verdict]] = []
        reading: list[Plan] = []
        theirs: list[ToolCall] = []
        here = self._here()  # the model has written all of them before it reads what any of them brings
        for number, call in enumerate(calls):
            weighed = await self._weigh(call, here, surplus=number >= MAX_CALLS)
            if isinstance(weighed, Plan) and not weighed.tool.waits:
                theirs.append(call)
                continue
            if isinstance(weighed, Plan) and weighed.tool.effect == "reads":
                reading.append(weighed)
                continue
            await self._make(reading, here, waiting)
            reading.clear()
            match weighed:
                case Outcome():
                    await self._carrier.settle(self._work, call, weighed)
                case Plan() if waiting:
                    await self._carrier.settle(self._work, call, Outcome("denied", AFTER_WAITING))
                case Plan():
                    await self._make([weighed], here, waiting)
                case plan, verdict:
                    await self._foresee(plan, verdict, waiting)
        await self._make(reading, here, waiting)
        if waiting:
            for call in theirs:
                await self._carrier.settle(self._work, call, Outcome("denied", AFTER_WAITING))
            await self._suspend(waiting)
        self._work.draft.parts += [ClientCall(call.id, call.name, call.arguments) for call in theirs]
        return bool(theirs)

    async def _weigh(
        self, call: ToolCall, here: ToolContext, *, surplus: bool
    ) -> Plan | tuple[Plan, Verdict] | Outcome:
        """A call that may be made; or one with who has to say yes first; or why it is not made."""
        tool = self._offer.tools.get(call.name)
        if surplus and (tool is None or tool.waits):
            return Outcome("failed", SURPLUS)
        plan = await self._plan(call)
        if isinstance(plan, Outcome) or not plan.tool.waits:
            return plan
        verdict = await self._verdict(plan.tool, here)
        match verdict.decision:
            case "allow" if plan.tool.wants != "yes":
                return plan, Verdict("ask")
            case "allow":
                return plan
            case "ask":
                return plan, verdict
            case "deny":
                return Outcome("denied", DENIED)

    async def resume(self) -> None:
        """Do what earlier attempts have left: take up answers, call again what the far side knows by its key.

        Raises ApprovalExpired when nobody has answered in time.
        """
        for called in self._work.repeat:
            call = ToolCall(called.call_id, called.name, called.arguments)
            plan = await self._plan(call)
            if isinstance(plan, Plan):  # it was allowed when it was made first
                await self._carrier.carry_out(self._work, replace(plan, approved=True), self._here())
            else:
                unknown = Outcome("unknown", UNKNOWN)
                await self._carrier.settle(self._work, call, unknown, shown=called.arguments)
        self._work.repeat.clear()
        if not self._work.waiting:
            return
        answers = {
            each.call_id: each for each in await self._carrier.read(partial(decided, self._work.run.id))
        }
        for card in list(self._work.waiting):
            answer = answers[card.call_id]
            if answer.status == "pending":
                raise ApprovalExpired()
            await self._take_up(card, answer)
            self._work.waiting.remove(card)

    async def _take_up(self, card: ApprovalCard, answer: Decided) -> None:
        approved = answer.status == "approved"
        if card.id not in self._work.answered:
            event = ApprovalAnswered(
                card.id, card.call_id, "approved" if approved else "denied", answer.reason
            )
            await self._carrier.journal.write(self._work, event)
        call = ToolCall(card.call_id, card.name, answer.edited or answer.arguments)
        if not approved:
            reason = f" The reason given: {answer.reason}" if answer.reason else ""
            said = f"The person said no; nothing was done.{reason}"
            denied = Outcome("denied", said)
            return await self._carrier.settle(
                self._work, call, denied, shown=card.arguments, wants=card.wants
            )
        if card.wants != "yes":
            outcome = Outcome("ok", answer.reason or "")
            return await self._carrier.settle(
                self._work, call, outcome, shown=card.arguments, wants=card.wants
            )
        plan = await self._plan(call)
        if isinstance(plan, Plan) and (await self._verdict(plan.tool, self._here())).decision == "deny":
            plan = Outcome("denied", DENIED)  # the rules have changed since
        if isinstance(plan, Outcome):
            return await self._carrier.settle(self._work, call, plan, shown=card.arguments)
        asked = card.arguments if answer.edited else None
        await self._carrier.carry_out(self._work, replace(plan, asked=asked, approved=True), self._here())

    async def _plan(self, call: ToolCall) -> Plan | Outcome:
        """The tool and the checked arguments of a call; or why it cannot be made."""
        tools = self._offer.tools
        tool = tools.get(call.name)
        if tool is None:
            return Outcome("failed", bounded(f"There is no tool {call.name!r}. There are: {_names(tools)}."))
        return await guarded(tool.name, self._read(tool, call))

    async def _read(self, tool: Tool, call: ToolCall) -> Plan:
        arguments = read_arguments(call.arguments)
        given = check_arguments(tool, arguments)
        return Plan(call.id, tool, given, arguments, shown_arguments(arguments, tool.secrets))

    async def _verdict(self, tool: Tool, here: ToolContext) -> Verdict:
        organization = await self._hands.rules.get(self._context.principal.organization_id)
        return decide(tool, (organization, self._settings.tool_rules), tainted=here.tainted)

    def _tainted(self) -> bool:
        """Whether the model has read, in this answer or before it, what others may have written."""
        # What `find_tools` shows is no more than what a model is told of a tool anyway.
        return self._context.tainted or any(
            isinstance(part, ToolPart) and part.name != FIND for part in self._work.draft.parts
        )

    def _here(self) -> ToolContext:
        return replace(self._context, tainted=self._tainted())

    async def _make(
        self, plans: Sequence[Plan], here: ToolContext, waiting: list[tuple[Plan, Verdict]]
    ) -> None:
        """Carry calls out, side by side; one whose tool finds that a person has to say yes waits like the others."""
        if not plans:
            return
        if len(plans) == 1:
            return await self._keep(
                plans[0], await self._carrier.carry_out(self._work, plans[0], here), waiting
            )
        parts, gate = self._work.draft.parts, asyncio.Semaphore(AT_ONCE)
        begun = len(parts)

        async def make(plan: Plan) -> str | None:
            async with gate:
                return await self._carrier.carry_out(self._work, plan, here)

        try:
            async with asyncio.TaskGroup() as group:
                made = [group.create_task(make(plan)) for plan in plans]
        except (
            ExceptionGroup
        ) as broken:  # what says that the run is no longer ours, whichever call has heard it
            raise broken.exceptions[0] from None
        finally:
            done = {part.call_id: part for part in parts[begun:] if isinstance(part, ToolPart)}
            parts[begun:] = [done[plan.call_id] for plan in plans if plan.call_id in done]
        for plan, task in zip(plans, made, strict=True):
            await self._keep(plan, task.result(), waiting)

    async def _keep(self, plan: Plan, reason: str | None, waiting: list[tuple[Plan, Verdict]]) -> None:
        """Have a call wait for which a person turned out to have to say yes."""
        if reason is not None:
            await self._foresee(plan, Verdict("ask"), waiting, reason)

    async def _foresee(
        self, plan: Plan, verdict: Verdict, waiting: list[tuple[Plan, Verdict]], reason: str | None = None
    ) -> None:
        """Work out what a call would do, before anybody is asked; one that could not be made is not asked about."""
        if plan.tool.wants != "yes":
            waiting.append((replace(plan, preview=Preview(CLIENT, plan.arguments)), Verdict("ask")))
            return
        preview = await guarded(plan.tool.name, self._carrier.preview(plan, self._here()))
        if isinstance(preview, Outcome):
            call = ToolCall(plan.call_id, plan.tool.name, plan.shown)
            return await self._carrier.settle(self._work, call, preview)
        if reason is not None:
            preview = replace(preview, notes=(*preview.notes, reason))
        waiting.append((self._bound(plan, preview), verdict))

    def _bound(self, plan: Plan, preview: Preview) -> Plan:
        arguments = preview.arguments
        shown = shown_arguments(arguments, plan.tool.secrets)
        return replace(plan, arguments=arguments, shown=shown, preview=preview)

    async def _suspend(self, waiting: Sequence[tuple[Plan, Verdict]]) -> None:
        """Put the run aside with everything that waits, in one transaction. Raises `Suspended`."""
        await asyncio.shield(self._write_suspension(waiting))
        raise Suspended()

    async def _write_suspension(self, waiting: Sequence[tuple[Plan, Verdict]]) -> None:
        work, lifetime, now = self._work, self._hands.approval_lifetime, utc_now()
        cards = [card_of(plan, lifetime=lifetime, now=now) for plan, _ in waiting]
        asked = [
            asked_of(card, plan, verdict, self._context.principal.organization_id)
            for card, (plan, verdict) in zip(cards, waiting, strict=True)
        ]
        events = [ApprovalRequested(card) for card in cards]
        await self._carrier.suspend(
            work,
            events,
            lambda rows: suspend(
                work.run,
                self._carrier.journal.owner,
                rows,
                asked,
                spent=work.draft.spent,
                lifetime=lifetime,
                at=now,
            ),
        )


def unanswered(work: Work) -> None:
    """Say in the answer that what waited for a person was not done."""
    for card in work.waiting:
        work.draft.close_text()
        work.draft.parts.append(
            ToolPart(
                card.call_id, card.name, card.arguments, "denied", NOT_ANSWERED, card.effect, wants=card.wants
            )
        )


def _names(tools: Mapping[str, Tool]) -> str:
    return ", ".join(tools) or "none"
