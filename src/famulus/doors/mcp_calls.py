"""A call that a program makes for a person, outside of any conversation: checked, weighed and carried out as theirs.

    arguments checked ─▶ rules ─┬─ allow ─▶ carried out; what changes something is written down with it
                                ├─ ask ───▶ the person is asked, where the program can; else told, and not done
                                └─ deny ──▶ not done

What the program's model has read is not known here, so it counts as tainted.
"""

import time
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import TypeVar

import msgspec
import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.doors.mcp_asking import CONFIRM, Kept, Question, Talk, Yes, confirming, lacking
from famulus.identity import audit
from famulus.identity.principal import NeedsPerson, Principal
from famulus.kernel.database import Database
from famulus.kernel.duplicates import duplicates_are
from famulus.kernel.errors import FamulusError, Unavailable
from famulus.kernel.ids import new_id
from famulus.kernel.secrets import Vault
from famulus.kernel.tables import utc_now
from famulus.kernel.text import visible_json
from famulus.runs.acting import DENIED, Hands
from famulus.runs.approvals import may_say_yes
from famulus.runs.asking import card_of
from famulus.runs.calls import Outcome, as_json, bounded, conceal, outcome_of, shown_arguments
from famulus.runs.carrying import UNKNOWN, Plan, act_in, guarded, noted, to_its_end
from famulus.runs.errors import ApprovalSettled
from famulus.tools.arguments import SECRET, check_arguments, read_arguments
from famulus.tools.contract import Done, Json, NeedsApproval, Preview, Tool, ToolContext
from famulus.tools.offer import Offer, Toolbox
from famulus.tools.policy import Verdict, decide

log = structlog.get_logger(__name__)
T = TypeVar("T")
NOT_DONE = (
    "Not done: a person has to confirm this. Tell them what would happen, and that they get it by asking for it in a "
    "conversation in Famulus, or with a program that can ask them and that they have signed in to, without an API key."
)
ANOTHER = "Not done: the answer is to another call, or came too late. Call again."
SAID_NO = "The person said no; nothing was done."
SAID_NOTHING = "The person did not answer; nothing was done."


ALONE = Talk()
"""Of a program that can ask nobody."""


@dataclass(frozen=True, slots=True)
class Caller:
    """What programs do for people."""

    database: Database
    toolbox: Toolbox
    hands: Hands
    vault: Vault

    async def offer(self, principal: Principal) -> Offer:
        """The person's tools."""
        return await self.toolbox.offer(principal, ("*",))

    async def call(
        self, principal: Principal, tool: Tool, arguments: Json, talk: Talk = ALONE
    ) -> Outcome | Question:
        """Make one call of a tool that the person is offered; whatever goes wrong is an outcome that says so.

        Where the program can ask, what the person has to say first is a question; the call comes again with its answer.
        """
        kept = talk.kept or Kept(tool.name, _digest(arguments))
        if (kept.tool, kept.digest) != (tool.name, _digest(arguments)):
            return Outcome("failed", ANOTHER)
        if kept.yes is not None:
            return await self._answered(principal, tool, kept.yes, talk)
        if kept.asked:
            if talk.answer is None or talk.answer.action != "accept":
                return Outcome("denied", SAID_NOTHING)
            said = {name: each for name, each in talk.answer.content.items() if name in kept.asked}
            kept = msgspec.structs.replace(kept, filled={**kept.filled, **said}, asked=())
        given = {**arguments, **kept.filled}
        outcome = await self._weigh(principal, tool, given, kept, asks=talk.asks)
        if isinstance(outcome, Outcome) and outcome.lack is not None and talk.asks:
            return lacking(tool, outcome.lack, given, kept) or outcome
        return outcome

    async def _weigh(
        self, principal: Principal, tool: Tool, arguments: Json, kept: Kept, *, asks: bool
    ) -> Outcome | Question:
        plan = await guarded(tool.name, self._plan(tool, arguments))
        if isinstance(plan, Outcome):
            return plan
        if principal.by_a_tool and tool.effect != "reads":
            return Outcome("denied", NeedsPerson().detail)
        verdict = await self._verdict(principal, tool)
        context = ToolContext(principal, "", None, plan.call_id, tainted=True)
        asking = kept if asks and self._may_confirm(principal, verdict) else None
        try:
            match verdict.decision:
                case "deny":
                    return Outcome("denied", DENIED)
                case "ask":
                    return await self._foresee(plan, context, asking)
                case "allow":
                    return await self._carry_out(plan, context)
        except NeedsApproval as word:
            return await self._foresee(plan, context, asking, str(word))
        except Unavailable as error:
            return Outcome("failed", f"{error.title}: {error.detail}")

    async def _answered(self, principal: Principal, tool: Tool, yes: Yes, talk: Talk) -> Outcome:
        """Do what a person has said yes to, once, with the rights and the rules of now."""
        verdict = await self._verdict(principal, tool)
        if not self._may_confirm(principal, verdict):
            return Outcome("denied", NOT_DONE)
        if yes.expires < time.time() or talk.answer is None:
            return Outcome("denied", ANOTHER)
        if talk.answer.action == "cancel":
            return Outcome("denied", SAID_NOTHING)
        plan = await guarded(tool.name, self._plan(tool, yes.arguments))
        if isinstance(plan, Outcome):
            return plan
        said_yes = talk.answer.action == "accept" and talk.answer.content.get(CONFIRM) is True
        try:
            if not said_yes:
                await self._write_once(principal, plan, yes, "approval.deny")
                return Outcome("denied", SAID_NO)
            if verdict.decision == "deny":
                return Outcome("denied", DENIED)
            plan = replace(plan, call_id=yes.id, approved=True)
            context = ToolContext(principal, "", None, yes.id, tainted=True)
            return await self._carry_out(plan, context, yes)
        except NeedsApproval as word:
            return Outcome("failed", bounded(str(word)))
        except FamulusError as error:
            return Outcome("failed", f"{error.title}: {error.detail}")

    @staticmethod
    def _may_confirm(principal: Principal, verdict: Verdict) -> bool:
        """Whether a yes that comes this way counts: it is a person's own, and of the one whose it is to give."""
        return principal.is_person and may_say_yes(principal, verdict.approver)

    async def _verdict(self, principal: Principal, tool: Tool) -> Verdict:
        rules = await self.hands.rules.get(principal.organization_id)
        return decide(tool, (rules,), tainted=True)

    async def _plan(self, tool: Tool, arguments: Json) -> Plan:
        read = read_arguments(as_json(arguments))
        given = check_arguments(tool, read)
        return Plan(new_id("call"), tool, given, read, shown_arguments(read, tool.secrets))

    async def _foresee(
        self, plan: Plan, context: ToolContext, asking: Kept | None, reason: str | None = None
    ) -> Outcome | Question:
        """What the call would do; nothing is done. With `asking` it is put before the person."""
        preview = await guarded(plan.tool.name, self.hands.carrier.preview(plan, context))
        if isinstance(preview, Outcome):
            return preview
        if reason is not None:
            preview = replace(preview, notes=(*preview.notes, reason))
        shown = shown_arguments(preview.arguments, plan.tool.secrets)
        if asking is None or SECRET in shown:  # a secret is not handed about, not even sealed
            return Outcome("denied", _told(preview))
        plan = replace(plan, arguments=preview.arguments, shown=shown, preview=preview)
        lifetime = self.hands.approval_lifetime
        card = card_of(plan, lifetime=lifetime, now=utc_now())
        expires = time.time() + lifetime
        return confirming(card, preview.arguments, asking, entry=new_id("aud"), expires=expires)

    async def _carry_out(self, plan: Plan, context: ToolContext, yes: Yes | None = None) -> Outcome:
        if plan.tool.place == "database" and (plan.tool.effect != "reads" or yes is None):
            return await to_its_end(self._in_the_database(plan, context, yes))
        if yes is not None:
            await self._write_once(context.principal, plan, yes, "approval.approve")
        return await self._elsewhere(plan, context)

    async def _in_the_database(self, plan: Plan, context: ToolContext, yes: Yes | None) -> Outcome:
        if plan.tool.effect == "reads":
            done = await guarded(plan.tool.name, self.hands.carrier.act(plan, context))
            return outcome_of(done) if isinstance(done, Done) else done
        outcome = await guarded(plan.tool.name, self._transaction(plan, context, yes))
        if outcome.status != "ok":
            await self._write_down(context.principal, plan, outcome)
        return outcome

    async def _transaction(self, plan: Plan, context: ToolContext, yes: Yes | None) -> Outcome:
        async with self.database.write() as session:
            if yes is not None:
                await _use(session, context.principal, plan, yes, "approval.approve")
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

    async def _write_once(self, principal: Principal, plan: Plan, yes: Yes, action: str) -> None:
        """Use an answer up before what it is for is done elsewhere. Raises ApprovalSettled."""
        async with self.database.write() as session:
            await _use(session, principal, plan, yes, action)


async def _use(session: AsyncSession, principal: Principal, plan: Plan, yes: Yes, action: str) -> None:
    """Write an answer down; it counts once, for there is one entry of it. Raises ApprovalSettled."""
    thing = audit.Thing(yes.id, plan.tool.name, principal.organization_id)
    done = audit.Done(action, thing, after={"tool": plan.tool.name, "hash": yes.hash}, id=yes.entry)
    with duplicates_are(ApprovalSettled()):
        if not await audit.record_once(session, principal, done):
            raise ApprovalSettled()


def _digest(arguments: Json) -> str:
    return sha256(msgspec.json.encode(arguments, enc_hook=str, order="deterministic")).hexdigest()


def _told(preview: Preview) -> str:
    """A preview as a program is told of it, with nothing that does not show."""
    changes = [
        {"field": each.field, "before": conceal(each.before), "after": conceal(each.after)}
        for each in preview.changes
    ]
    would: dict[str, object] = {"said": NOT_DONE, "would": preview.title}
    if changes:
        would["changes"] = changes
    if preview.notes:
        would["notes"] = list(preview.notes)
    return bounded(visible_json(as_json(would)))
