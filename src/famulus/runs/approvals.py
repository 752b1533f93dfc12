"""What a person may do about calls that wait for them: look, say yes, say no, or say yes to other arguments.

An answer is bound by a hash to what was shown, counts once, and sets the run going again where it was the last that the
run waited for. Who asked answers, or whoever has the role that the rules name.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import partial
from typing import Literal

import msgspec
from sqlalchemy import ColumnElement, Select, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.views import rfc3339
from famulus.identity import audit
from famulus.identity.principal import Principal, Role
from famulus.kernel.database import Database
from famulus.kernel.errors import FieldProblem, Forbidden, Invalid
from famulus.kernel.live import Live
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now
from famulus.kernel.text import visible_json
from famulus.runs.acting import Hands
from famulus.runs.calls import NOTE, as_json, bounded, conceal, shown_arguments
from famulus.runs.carrying import Plan
from famulus.runs.errors import ApprovalDiffers, ApprovalNotFound, ApprovalSettled
from famulus.runs.events import ApprovalCard
from famulus.runs.journal import topic
from famulus.runs.models import Approval, Run
from famulus.runs.runner import Runner
from famulus.runs.sql.approvals import Reply, reply
from famulus.runs.work import decode_asker
from famulus.tools.arguments import SECRET, check_arguments
from famulus.tools.contract import Retry, ToolContext, ToolFailed
from famulus.tools.offer import Toolbox

Status = Literal["pending", "approved", "denied", "expired", "withdrawn"]
"""`withdrawn`: its run has ended without an answer."""
REACH: dict[Role, tuple[str, ...]] = {
    "site_admin": (),
    "organization_admin": ("organization_admin", "teacher"),
    "teacher": ("teacher",),
    "student": (),
}
"""By role, the approvers named in rules that it can stand for."""
_decode_card = msgspec.json.Decoder(ApprovalCard).decode


class ApprovalView(msgspec.Struct, frozen=True):
    """A call that waits, or waited, for a person."""

    id: str
    run_id: str
    thread_id: str
    status: Status
    approver: str
    mine: bool
    """Whether the person who looks may answer."""
    approval: ApprovalCard
    """What is shown."""
    edited: str | None
    """JSON of the arguments that were approved instead."""
    reason: str | None
    answered_at: str | None
    created_at: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person says to one call."""

    decision: Literal["approve", "deny"]
    hash: str
    """The hash of what they were shown."""
    reason: str | None = None
    arguments: Mapping[str, object] | None = None
    """With `approve`: what to carry out instead."""
    result: object = None
    """With `approve`, where something else than a yes is waited for: what the client made of the call."""


class Approvals:
    """The approvals of one application."""

    def __init__(
        self, database: Database, live: Live, runner: Runner, toolbox: Toolbox, hands: Hands
    ) -> None:
        self._database = database
        self._live = live
        self._runner = runner
        self._toolbox = toolbox
        self._hands = hands

    async def list(
        self,
        session: AsyncSession,
        principal: Principal,
        paging: Paging,
        *,
        pending: bool,
        run_id: str | None = None,
    ) -> Page[ApprovalView]:
        """What this person may see, newest first; with `pending`, what still can be answered; perhaps of one run."""
        query = _visible(principal)
        if run_id is not None:
            query = query.where(Approval.run_id == run_id)
        if pending:
            query = query.where(_open())
        query = query.add_columns(Approval.id)
        found = await page(session, query, by=[Approval.id], paging=paging, descending=True)
        return found.map(lambda row: _view(principal, row[0], row[1]))

    async def get(self, session: AsyncSession, principal: Principal, approval_id: str) -> ApprovalView:
        """One of them; raises ApprovalNotFound."""
        approval, status, _ = await self._find(session, principal, approval_id)
        return _view(principal, approval, status)

    async def answer(self, principal: Principal, approval_id: str, answer: Answer) -> ApprovalView:
        """Say yes or no. Returns once it is committed and, where nothing else is waited for, the run goes on.

        Raises NeedsPerson, ApprovalNotFound, Forbidden, ApprovalDiffers, ApprovalSettled, or Invalid for other
        arguments that the tool does not take; then nothing has changed.
        """
        principal.needs_person()
        async with self._database.read() as session:
            approval, status, asker = await self._find(session, principal, approval_id)
        view = _view(principal, approval, status)
        if not view.mine:
            raise Forbidden(f"Only {_who(approval.approver)} may answer this.")
        if view.status != "pending":
            raise ApprovalSettled()
        if answer.hash != approval.hash:
            raise ApprovalDiffers()
        answer = _brought(view.approval, answer)
        edited = await self._edited(approval, asker, answer)
        resumed = await self._database.lane.write(partial(reply, _reply(principal, approval, answer, edited)))
        if resumed is None:
            raise ApprovalSettled()
        if resumed:
            await self._runner.next_in_thread(approval.thread_id)
        self._live.tell(topic(approval.run_id))
        async with self._database.read() as session:
            return await self.get(session, principal, approval_id)

    async def _find(
        self, session: AsyncSession, principal: Principal, approval_id: str
    ) -> tuple[Approval, str, str]:
        row = (await session.execute(_visible(principal).where(Approval.id == approval_id))).one_or_none()
        if row is None:
            raise ApprovalNotFound()
        return row[0], row[1], row[2]

    async def _edited(self, approval: Approval, asker: str, answer: Answer) -> str | None:
        """Other arguments, checked as those of the model are, and with their names bound; None for the same."""
        if answer.arguments is None or answer.decision == "deny":
            return None
        who = decode_asker(asker)
        offer = await self._toolbox.offer(who.principal, ("*",))
        tool = offer.tools.get(approval.tool)
        if tool is None:
            raise ApprovalSettled("This tool is no longer there; say no, and ask anew.")
        context = ToolContext(who.principal, approval.thread_id, who.course_id)
        shown = shown_arguments(answer.arguments, tool.secrets)
        if SECRET in shown:
            message = "This call has a secret in it, which is not shown and so cannot be kept; say no, and ask anew."
            raise Invalid(fields=(FieldProblem("arguments", message),))
        try:
            given = check_arguments(tool, answer.arguments)
            plan = Plan(approval.call_id, tool, given, answer.arguments, shown)
            preview = await self._hands.carrier.preview(plan, context)
        except (Retry, ToolFailed) as word:
            said = word.said if isinstance(word, Retry) else str(word)
            raise Invalid(fields=(FieldProblem("arguments", said),)) from word
        return as_json(preview.arguments)


def _brought(card: ApprovalCard, answer: Answer) -> Answer:
    """The answer with what the assistant is told of it: why not, or what the client made of the call."""
    if card.wants == "yes" or answer.decision == "deny":
        if answer.result is not None:
            raise Invalid(fields=(FieldProblem("result", "A yes takes no result; leave it away."),))
        return answer
    if answer.result is None or answer.arguments is not None:
        message = (
            "This waits for the page that offered it, which sends what came of the call and nothing else; a yes is not"
            " enough. Deny it to cancel it."
        )
        raise Invalid(fields=(FieldProblem("result", message),))
    shown = {"data": conceal(answer.result), "note": NOTE}
    return replace(answer, result=None, reason=bounded(visible_json(as_json(shown))))


def _reply(principal: Principal, approval: Approval, answer: Answer, edited: str | None) -> Reply:
    status = "approved" if answer.decision == "approve" else "denied"
    after: dict[str, object] = {"tool": approval.tool, "hash": approval.hash}
    if edited is not None:
        after["edited"] = True
    thing = audit.Thing(approval.id, approval.tool, approval.organization_id)
    action = "approval.approve" if status == "approved" else "approval.deny"
    return Reply(
        approval_id=approval.id,
        status=status,
        hash=answer.hash,
        reason=answer.reason,
        edited=edited,
        answered_by=principal.user_id,
        at=utc_now(),
        audit=audit.statement(principal, audit.Done(action, thing, after=after)),
    )


def _visible(principal: Principal) -> Select[Approval, str, str]:
    """What this person has asked, and what waits for the role that they have."""
    principal.needs("chat")
    query = select(Approval, Run.status, Run.asker).join(Run, Run.id == Approval.run_id)
    reach = _reach(principal)
    if not reach or principal.organization_id is None:
        return query.where(Approval.user_id == principal.user_id)
    of_role = and_(
        Approval.organization_id == principal.organization_id,
        Approval.approver.in_(reach),
    )
    return query.where(or_(Approval.user_id == principal.user_id, of_role))


def _reach(principal: Principal) -> tuple[str, ...]:
    """The approvers that this person can stand for; nobody teaches before the address is verified."""
    if principal.role is None or (principal.role == "teacher" and not principal.email_verified):
        return ()
    return REACH[principal.role]


def _open() -> ColumnElement[bool]:
    return and_(Approval.status == "pending", Run.status == "awaiting")


def _view(principal: Principal, approval: Approval, run_status: str) -> ApprovalView:
    return ApprovalView(
        id=approval.id,
        run_id=approval.run_id,
        thread_id=approval.thread_id,
        status=_status(approval, run_status),
        approver=approval.approver,
        mine=_may_answer(principal, approval),
        approval=_decode_card(approval.card),
        edited=approval.edited,
        reason=approval.reason,
        answered_at=rfc3339(approval.answered_at) if approval.answered_at else None,
        created_at=rfc3339(approval.created_at),
    )


def _status(approval: Approval, run_status: str) -> Status:
    if approval.status == "approved":
        return "approved"
    if approval.status == "denied":
        return "denied"
    if approval.expires_at < datetime.now(UTC).timestamp():
        return "expired"
    return "pending" if run_status == "awaiting" else "withdrawn"


def _may_answer(principal: Principal, approval: Approval) -> bool:
    if approval.approver == "asker":
        return approval.user_id == principal.user_id
    return approval.organization_id == principal.organization_id and may_say_yes(principal, approval.approver)


def may_say_yes(principal: Principal, approver: str) -> bool:
    """Whether a person can stand for the approver that the rules name for a call of their own."""
    return approver == "asker" or approver in _reach(principal)


def _who(approver: str) -> str:
    return "who asked" if approver == "asker" else f"somebody with the role {approver} in the organization"
