"""A call that a program makes for a person, outside of any conversation: checked, weighed and carried out as theirs.

    arguments checked ─▶ rules ─┬─ allow ─▶ carried out; what changes something is written down with it
                                ├─ ask ───▶ not done; the program is told what would happen
                                └─ deny ──▶ not done

What the program's model has read is not known here, so it counts as tainted.
"""

from dataclasses import dataclass
from typing import TypeVar

import structlog

from famulus.identity import audit
from famulus.identity.principal import NeedsPerson, Principal
from famulus.kernel.database import Database
from famulus.kernel.errors import Unavailable
from famulus.kernel.ids import new_id
from famulus.kernel.text import visible_json
from famulus.runs.acting import DENIED, Hands
from famulus.runs.calls import Outcome, as_json, bounded, conceal, outcome_of, shown_arguments
from famulus.runs.carrying import UNKNOWN, Plan, act_in, guarded, noted, to_its_end
from famulus.tools.arguments import check_arguments, read_arguments
from famulus.tools.contract import Done, Json, NeedsApproval, Preview, Tool, ToolContext
from famulus.tools.offer import Offer, Toolbox
from famulus.tools.policy import decide

log = structlog.get_logger(__name__)
T = TypeVar("T")
NOT_DONE = (
    "Not done: a person has to confirm this in Famulus, and no program can do that. Tell them what would happen, and "
    "that they get it by asking for it in a conversation there."
)


@dataclass(frozen=True, slots=True)
class Caller:
    """What programs do for people."""

    database: Database
    toolbox: Toolbox
    hands: Hands

    async def offer(self, principal: Principal) -> Offer:
        """The person's tools."""
        return await self.toolbox.offer(principal, ("*",))

    async def call(self, principal: Principal, tool: Tool, arguments: Json) -> Outcome:
        """Make one call of a tool that the person is offered; whatever goes wrong is an outcome that says so."""
        plan = await guarded(tool.name, self._plan(tool, arguments))
        if isinstance(plan, Outcome):
            return plan
        if principal.by_a_tool and tool.effect != "reads":
            return Outcome("denied", NeedsPerson().detail)
        rules = await self.hands.rules.get(principal.organization_id)
        decision = decide(tool, (rules,), tainted=True).decision
        context = ToolContext(principal, "", None, plan.call_id, tainted=True)
        try:
            match decision:
                case "deny":
                    return Outcome("denied", DENIED)
                case "ask":
                    return await self._foresee(plan, context)
                case "allow":
                    return await self._carry_out(plan, context)
        except Unavailable as error:
            return Outcome("failed", f"{error.title}: {error.detail}")

    async def _plan(self, tool: Tool, arguments: Json) -> Plan:
        read = read_arguments(as_json(arguments))
        given = check_arguments(tool, read)
        return Plan(new_id("call"), tool, given, read, shown_arguments(read, tool.secrets))

    async def _foresee(self, plan: Plan, context: ToolContext, reason: str | None = None) -> Outcome:
        """What the call would do; nothing is done."""
        preview = await guarded(plan.tool.name, self.hands.carrier.preview(plan, context))
        if isinstance(preview, Outcome):
            return preview
        return Outcome("denied", _told(preview, reason))

    async def _carry_out(self, plan: Plan, context: ToolContext) -> Outcome:
        try:
            if plan.tool.place == "database":
                return await to_its_end(self._in_the_database(plan, context))
            return await self._elsewhere(plan, context)
        except NeedsApproval as word:
            return await self._foresee(plan, context, str(word))

    async def _in_the_database(self, plan: Plan, context: ToolContext) -> Outcome:
        if plan.tool.effect == "reads":
            done = await guarded(plan.tool.name, self.hands.carrier.act(plan, context))
            return outcome_of(done) if isinstance(done, Done) else done
        outcome = await guarded(plan.tool.name, self._transaction(plan, context))
        if outcome.status != "ok":
            await self._write_down(context.principal, plan, outcome)
        return outcome

    async def _transaction(self, plan: Plan, context: ToolContext) -> Outcome:
        async with self.database.write() as session:
            principal, outcome = await act_in(session, plan, context)
            note = noted(principal, plan, outcome)
            audit.record(session, principal, note.action, note.thing, after=note.after)
        return outcome

    async def _elsewhere(self, plan: Plan, context: ToolContext) -> Outcome:
        outcome = Outcome("unknown", UNKNOWN)
        try:
            done = await guarded(plan.tool.name, self.hands.carrier.act(plan, context))
            outcome = outcome_of(done) if isinstance(done, Done) else done
        finally:
            # Whoever has gone away meanwhile may have changed something all the same.
            if plan.tool.effect != "reads":
                await to_its_end(self._write_down(context.principal, plan, outcome))
        return outcome

    async def _write_down(self, principal: Principal, plan: Plan, outcome: Outcome) -> None:
        note = noted(principal, plan, outcome)
        async with self.database.write() as session:
            audit.record(session, principal, note.action, note.thing, after=note.after)


def _told(preview: Preview, reason: str | None) -> str:
    """A preview as a program is told of it, with nothing that does not show."""
    changes = [
        {"field": each.field, "before": conceal(each.before), "after": conceal(each.after)}
        for each in preview.changes
    ]
    would: dict[str, object] = {"said": NOT_DONE, "would": preview.title}
    if changes:
        would["changes"] = changes
    notes = [*preview.notes, *([reason] if reason else [])]
    if notes:
        would["notes"] = notes
    return bounded(visible_json(as_json(would)))
