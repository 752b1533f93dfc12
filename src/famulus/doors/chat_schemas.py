"""What the doors of existing front ends take and give: chats, and the simple chat."""

from typing import Annotated, Literal, Self

from pydantic import BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from famulus.conversations.schemas import MessageOut, ThreadOut
from famulus.conversations.threads import ThreadCard
from famulus.doors.schemas import MESSAGE_LENGTH, PageContext, ProblemOut
from famulus.kernel.text import Id, Input, LongText, Name

GUEST_LENGTH = 2_000
"""Characters of a message of somebody who has not signed in."""


class NewChat(Input):
    """A new chat, in a course or outside any."""

    course_id: Id | None = None
    title: Name | None = None


class ChatOut(ThreadOut):
    """A chat: a thread under the name that front ends look for."""

    thread_id: str

    @classmethod
    def of(cls, card: ThreadCard) -> "ChatOut":
        """The wire's form of a thread."""
        return cls(thread_id=card.thread.id, **ThreadOut.of(card).model_dump())


class ChatPage(BaseModel):
    """A page of chats, newest first: `next` continues it by key; the rest is there when `page` was asked for."""

    items: list[ChatOut]
    next: str | None
    page: int | None = None
    size: int | None = None
    total: int | None = None


class SendToChat(Input):
    """A message to a chat; without `thread_id` to a new one, maybe in a course."""

    thread_id: Id | None = None
    course_id: Id | None = Field(None, description="Of the new chat; only without `thread_id`.")
    message: Annotated[str, LongText(MESSAGE_LENGTH)]
    context: PageContext | None = None

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.thread_id is not None and self.course_id is not None:
            raise PydanticCustomError(
                "course_id", "A chat that exists keeps its course; leave `course_id` away."
            )
        return self


class ToolCallOut(BaseModel):
    """A call of a tool in an answer."""

    tool: str
    arguments: object
    result: object


class SentOut(BaseModel):
    """A message and what came of it."""

    thread_id: str
    run_id: str
    status: Literal["queued", "running", "awaiting_approval", "completed", "failed", "cancelled"]
    response: str
    tool_calls: list[ToolCallOut]
    answer: MessageOut | None
    error: ProblemOut | None


class ChatMessage(Input):
    """A message of the simple chat; null begins a conversation."""

    conversation_id: Id | None = None
    message: Annotated[str, LongText(MESSAGE_LENGTH)]


class ChatAnswer(BaseModel):
    """Its answer."""

    conversation_id: str
    response: str
    tool_calls: list[ToolCallOut]


class OpenMessage(Input):
    """A message whose answer streams as text."""

    conversation_id: Annotated[str, LongText(300, single_line=True)] | None = Field(
        None, description="The header `X-Conversation-Id` of the answer before."
    )
    message: Annotated[str, LongText(MESSAGE_LENGTH)]
