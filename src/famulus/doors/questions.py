"""Answers that a program brings to calls which wait in a thread: checked together, given one after another.

A program may send the same answers again when it does not know whether they arrived; what is settled stays as it is,
and the run is followed from where it had stopped.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.doors.bodies import as_json, fault, text
from famulus.doors.programs import Rooms
from famulus.doors.settled import journalled, read_question, settled
from famulus.identity.principal import Principal
from famulus.kernel.paging import MAX_LIMIT, Paging
from famulus.runs.approvals import Answer, ApprovalView
from famulus.runs.errors import ApprovalDiffers, ApprovalNotFound
from famulus.runs.events import START, ApprovalRequested, Entry, EventId
from famulus.tools.arguments import MAX_ARGUMENTS as MOST_ARGUMENTS


@dataclass(frozen=True, slots=True)
class Reply:
    """What is said to one call, by the id that the program was shown."""

    question: str
    said: object
    """To a call that waits for a yes: a boolean, or an object with `approved` and perhaps `reason` and `arguments`."""
    path: str
    """Where in the request it stands."""
    dropped: bool = False
    """Whether the question was put aside, which is a no."""


@dataclass(frozen=True, slots=True)
class TakenUp:
    """Where a run goes on."""

    run_id: str
    before: list[Entry]
    """The events up to where it had stopped, as far as they still hold."""
    after: EventId


async def answer_all(
    rooms: Rooms, principal: Principal, thread_id: str, replies: Sequence[Reply], path: str
) -> TakenUp:
    """Answer for everything that waits in a thread; the run goes on with it.

    Raises ApprovalNotFound, ApprovalDiffers, Invalid where something that waits has no answer, or what answering
    raises.
    """
    async with rooms.database.read() as session:
        views = [await _find(session, rooms, principal, thread_id, reply) for reply in replies]
    run_id = views[0].run_id
    await _require_all(rooms, principal, run_id, {view.id for view in views}, path)
    entries = await journalled(rooms.runs, principal, run_id)
    asked = [n for n, each in enumerate(entries) if _asks(each, views)]
    before = entries[: asked[-1] + 1] if asked else []
    answers = [_answer(view, reply) for view, reply in zip(views, replies, strict=True)]
    for view, answer in zip(views, answers, strict=True):
        if view.status == "pending":
            await rooms.approvals.answer(principal, view.id, answer)
    return TakenUp(run_id, settled(before), before[-1].id if before else START)


async def _find(
    session: AsyncSession, rooms: Rooms, principal: Principal, thread_id: str, reply: Reply
) -> ApprovalView:
    named = read_question(reply.question)
    if named is None:
        raise ApprovalNotFound()
    view = await rooms.approvals.get(session, principal, named[0])
    if view.thread_id != thread_id:
        raise ApprovalNotFound()
    if view.approval.hash != named[1]:
        raise ApprovalDiffers()
    return view


async def waiting_in(rooms: Rooms, principal: Principal, run_id: str) -> list[ApprovalView]:
    """What a run waits for, in the order in which it was asked."""
    async with rooms.database.read() as session:
        found = await rooms.approvals.list(session, principal, Paging(MAX_LIMIT), pending=True, run_id=run_id)
    return found.items[::-1]


async def _require_all(rooms: Rooms, principal: Principal, run_id: str, ids: set[str], path: str) -> None:
    open_still = [
        view.approval.title for view in await waiting_in(rooms, principal, run_id) if view.id not in ids
    ]
    if open_still:
        raise fault(path, f"Answer for everything that waits; still open: {'; '.join(open_still)[:300]}.")


def _asks(entry: Entry, views: Sequence[ApprovalView]) -> bool:
    event = entry.event
    return isinstance(event, ApprovalRequested) and event.approval.id in {view.id for view in views}


def _answer(view: ApprovalView, reply: Reply) -> Answer:
    """What an answer comes to; raises Invalid for what is neither yes nor no, where that is asked."""
    shown, said = view.approval.hash, reply.said
    as_json(said, reply.path, MOST_ARGUMENTS)
    if reply.dropped:
        return Answer("deny", shown)
    if view.approval.wants != "yes":
        return Answer("approve", shown, result=said)
    decision: dict[str, object] = (
        cast(dict[str, object], said) if isinstance(said, dict) else {"approved": said}
    )
    approved, arguments = decision.get("approved"), decision.get("arguments")
    if not isinstance(approved, bool):
        raise fault(reply.path, "Say yes or no: `approved` is true or false.")
    if arguments is not None and not isinstance(arguments, dict):
        raise fault(f"{reply.path}.arguments", "Arguments are an object.")
    reason = decision.get("reason")
    words = text(reason, f"{reply.path}.reason", 1000, blank=True) if isinstance(reason, str) else None
    if not approved:
        return Answer("deny", shown, words or None)
    return Answer("approve", shown, words or None, cast(dict[str, object] | None, arguments))
