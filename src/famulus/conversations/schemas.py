"""What the routes of threads take and give."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import BaseModel

from famulus.conversations.parts import Rating
from famulus.conversations.threads import ThreadCard
from famulus.kernel.text import Id, Input, LongText, Name


class NewThread(Input):
    """A new conversation, in a course or outside any."""

    course_id: Id | None = None
    assistant_id: Id | None = None
    title: Name | None = None


class RenameThread(Input):
    """A title of the person's own."""

    title: Name


class AssistantRef(BaseModel):
    """Who answers."""

    id: str
    name: str


class ThreadOut(BaseModel):
    """A conversation."""

    id: str
    title: str | None
    preview: str | None
    course_id: str | None
    assistant: AssistantRef
    live_run_id: str | None
    """The run in progress, if any: follow it."""
    created_at: datetime
    updated_at: datetime
    archived_at: datetime | None

    @classmethod
    def of(cls, card: ThreadCard) -> "ThreadOut":
        """The wire's form of a thread."""
        thread = card.thread
        return cls(
            id=thread.id,
            title=thread.title,
            preview=thread.preview,
            course_id=thread.course_id,
            assistant=AssistantRef(id=thread.assistant_id, name=card.assistant_name),
            live_run_id=card.live_run_id,
            created_at=thread.created_at,
            updated_at=thread.updated_at,
            archived_at=thread.archived_at,
        )


class PartOut(BaseModel, extra="allow"):
    """A part of a message; the other fields depend on its type."""

    type: Literal[
        "text",
        "citation",
        "tool",
        "page",
        "attachment",
        "original",
        "failure",
        "application",
        "client_call",
        "client_result",
    ]


class NewFeedback(Input):
    """What the person thinks of an answer."""

    rating: Rating
    comment: Annotated[str, LongText(2000, 0)] = ""


class FeedbackOut(BaseModel):
    """What the person said of an answer."""

    rating: Rating
    comment: str


class GivenFeedback(FeedbackOut):
    """Feedback as it is kept now."""

    message_id: str
    created_at: datetime


class MessageOut(BaseModel):
    """One turn of a thread."""

    id: str
    thread_id: str
    position: int
    parent_id: str | None
    role: Literal["user", "assistant"]
    status: Literal["complete", "partial", "failed"]
    text: str
    parts: list[PartOut]
    run_id: str | None
    created_at: str
    feedback: FeedbackOut | None
    """What the person thinks of it."""


class ThreadPage(BaseModel):
    """A page of threads, newest first."""

    items: list[ThreadOut]
    next: str | None


class MessagePage(BaseModel):
    """A page of messages by position."""

    items: list[MessageOut]
    next: str | None
