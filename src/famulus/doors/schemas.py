"""What the native door takes, and the shapes it gives, for its OpenAPI document."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from famulus.conversations.schemas import MessageOut
from famulus.kernel.text import Input, LongText

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


class UsageOut(BaseModel):
    """Tokens, as the model's provider counted them."""

    input_tokens: int
    output_tokens: int


class ProblemOut(BaseModel):
    """Why a run failed."""

    code: str
    detail: str
    retry: bool


class RunOut(BaseModel):
    """How one answer comes about."""

    id: str
    thread_id: str
    status: Literal["queued", "running", "completed", "failed", "cancelled"]
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
