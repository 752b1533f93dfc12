"""The native door of what waits for a person: look at it, answer it; and of taking back what was done."""

from typing import Annotated, cast

from fastapi import APIRouter, Depends, Query, Request, Response

from famulus.conversations.schemas import MessageOut
from famulus.doors.answers import json_answer
from famulus.doors.schemas import AnswerApproval, ApprovalOut, ApprovalPage
from famulus.identity.deps import CurrentPrincipal, IdPath, PagingDep, ReadSession, WriteSession
from famulus.runs.approvals import Answer, Approvals
from famulus.runs.undoing import Undoing

router = APIRouter(prefix="/api/v1", tags=["approvals"])


async def _approvals(request: Request) -> Approvals:
    return cast(Approvals, request.app.state.approvals)


async def _undoing(request: Request) -> Undoing:
    return cast(Undoing, request.app.state.undoing)


ApprovalsDep = Annotated[Approvals, Depends(_approvals)]
UndoingDep = Annotated[Undoing, Depends(_undoing)]
CallId = Annotated[str, Query(min_length=1, max_length=200, description="The call that is taken back.")]


@router.get("/approvals", response_model=ApprovalPage)
async def list_approvals(
    principal: CurrentPrincipal,
    session: ReadSession,
    paging: PagingDep,
    approvals: ApprovalsDep,
    *,
    pending: Annotated[bool, Query(description="Only those that still wait.")] = False,
) -> Response:
    """Calls of tools that wait, or waited, for the person or for the role that they have; the newest first."""
    found = await approvals.list(session, principal, paging, pending=pending)
    return json_answer({"items": found.items, "next": found.next})


@router.get("/approvals/{approval_id}", response_model=ApprovalOut)
async def get_approval(
    approval_id: IdPath, principal: CurrentPrincipal, session: ReadSession, approvals: ApprovalsDep
) -> Response:
    """One of them, with exactly what would be carried out."""
    return json_answer(await approvals.get(session, principal, approval_id))


@router.post("/approvals/{approval_id}", response_model=ApprovalOut)
async def answer_approval(
    approval_id: IdPath, body: AnswerApproval, principal: CurrentPrincipal, approvals: ApprovalsDep
) -> Response:
    """Say yes or no. Once nothing else is waited for, the run goes on: follow its events after the last one."""
    answer = Answer(body.decision, body.hash, body.reason, body.arguments, body.result)
    return json_answer(await approvals.answer(principal, approval_id, answer))


@router.post("/messages/{message_id}/undo", response_model=MessageOut)
async def undo_call(
    message_id: IdPath,
    call_id: CallId,
    principal: CurrentPrincipal,
    session: WriteSession,
    undoing: UndoingDep,
) -> Response:
    """Take back what a tool did in an answer, where it can be taken back; once."""
    return json_answer(await undoing.undo(session, principal, message_id, call_id))
