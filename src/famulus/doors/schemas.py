"""What the native door takes, and the shapes it gives, for its OpenAPI document."""

from typing import Annotated, Literal, Self

import msgspec
from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from famulus.conversations.parts import Effect, Wants
from famulus.conversations.schemas import MessageOut
from famulus.kernel.text import Id, Input, LongText
from famulus.tools.arguments import MAX_ARGUMENTS

MESSAGE_LENGTH = 10_000


class PageContext(Input):
    """The page that the person is looking at while asking. It is shown to the model as data, never as instructions."""

    url: Annotated[str, LongText(2000, 0, single_line=True)] = ""
    title: Annotated[str, LongText(300, 0, single_line=True)] = ""
    path: Annotated[str, LongText(1000, 0, single_line=True)] = ""
    headings: Annotated[list[Annotated[str, LongText(300, 0, single_line=True)]], Field(max_length=50)] = (
        Field(default_factory=list)
    )
    description: Annotated[str, LongText(2000, 0)] = ""


class SendMessage(Input):
    """A message to a thread."""

    message: Annotated[str, LongText(MESSAGE_LENGTH)]
    context: PageContext | None = None
    attachments: Annotated[list[Id], Field(max_length=10)] = Field([], description="Files that go with it.")


class UsageOut(BaseModel):
    """Tokens, as the model's provider counted them."""

    input_tokens: int
    output_tokens: int
    cost_usd: float | None
    """US dollars; null where the price of the model, or what it has taken, is not known."""


class ProblemOut(BaseModel):
    """Why a run failed."""

    code: str
    detail: str
    retry: bool


class RunOut(BaseModel):
    """How one answer comes about."""

    id: str
    thread_id: str
    status: Literal["queued", "running", "awaiting_approval", "completed", "failed", "cancelled"]
    message_id: str
    answer: MessageOut | None
    error: ProblemOut | None
    model: str | None
    usage: UsageOut
    created_at: str
    finished_at: str | None


class RunAccepted(BaseModel):
    """The acknowledgement: message and run are stored."""

    run: RunOut
    message: MessageOut


class EventOut(BaseModel):
    """One event of a run; `event.type` says which."""

    id: str
    event: dict[str, object]


class EventPage(BaseModel):
    """A page of journalled events; continue with `next` as `after`."""

    items: list[EventOut]
    next: str | None


class ChangeOut(BaseModel):
    """One field of what would be changed."""

    field: str
    before: object
    after: object


class ApprovalCardOut(BaseModel):
    """A call that waits for a person, with all that it would do."""

    id: str
    call_id: str
    name: str
    effect: Effect
    title: str
    arguments: str
    changes: list[ChangeOut]
    notes: list[str]
    hash: str
    expires_at: str
    wants: Wants


class ApprovalOut(BaseModel):
    """A call that waits, or waited, for a person; `mine` says whether the person who looks may answer."""

    id: str
    run_id: str
    thread_id: str
    status: Literal["pending", "approved", "denied", "expired", "withdrawn"]
    approver: str
    mine: bool
    approval: ApprovalCardOut
    edited: str | None
    reason: str | None
    answered_at: str | None
    created_at: str


class ApprovalPage(BaseModel):
    """Approvals, the newest first."""

    items: list[ApprovalOut]
    next: str | None


class AnswerApproval(Input):
    """What a person says to one call."""

    decision: Literal["approve", "deny"]
    hash: Annotated[str, LongText(64, 1, single_line=True)] = Field(
        description="The hash of what was shown; an answer to anything else is refused."
    )
    reason: Annotated[str, LongText(1000)] | None = Field(None, description="Told to the assistant.")
    arguments: dict[str, object] | None = Field(
        None, description="With `approve`: what to carry out instead. Checked like any arguments."
    )
    result: dict[str, object] | None = Field(
        None, description="With `approve`, where `wants` is not `yes`: what the client made of the call."
    )

    @model_validator(mode="after")
    def _can_be_carried_out(self) -> Self:
        given = self.arguments or self.result
        if given is None:
            return self
        try:
            size = len(msgspec.json.encode([self.arguments, self.result]))
        except (ValueError, RecursionError):
            raise PydanticCustomError("arguments", "These arguments are not valid JSON text.") from None
        if self.decision == "deny":
            raise PydanticCustomError("arguments", "Arguments and results go with `approve` only.")
        if size > MAX_ARGUMENTS:
            raise PydanticCustomError(
                "arguments", "At most {most} bytes of arguments.", {"most": MAX_ARGUMENTS}
            )
        return self
