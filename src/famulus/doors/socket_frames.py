"""What a client may send over the WebSocket: one JSON object a frame, its `type` says which.

Whatever else stands in it is not looked at: who somebody is and which role they have is known from the handshake.
"""

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter

from famulus.conversations.parts import Page
from famulus.doors.schemas import MESSAGE_LENGTH, AnswerApproval
from famulus.kernel.text import Id, Input, LongText

LOOSE = ConfigDict(extra="ignore", frozen=True, strict=True)
Place = Annotated[str, StringConstraints(max_length=40)]
"""An event id, which is looked at where it is used."""
Line = Annotated[str, LongText(1000, 0, single_line=True)]


class PageWords(Input):
    """What the page says of itself; a role in it is not believed."""

    model_config = LOOSE

    current_page: Line = ""
    selected_project: Line = ""

    def page(self) -> Page:
        """As a message keeps it."""
        project = f"Selected project: {self.selected_project}" if self.selected_project else ""
        return Page(path=self.current_page, description=project)


class UserMessage(Input):
    """A message to a thread; without one to a new one. With a `client_id` it is accepted once, however often sent."""

    model_config = LOOSE

    type: Literal["user_message"]
    content: Annotated[str, LongText(MESSAGE_LENGTH)]
    context: PageWords | None = None
    thread_id: Id | None = None
    course_id: Id | None = None
    client_id: Annotated[str, StringConstraints(pattern=r"^[\x21-\x7e]{1,255}$")] | None = None


class Resume(Input):
    """Follow a run, after an event."""

    model_config = LOOSE

    type: Literal["resume"]
    run_id: Id
    after: Place | None = None


class Cancel(Input):
    """End a run."""

    model_config = LOOSE

    type: Literal["cancel"]
    run_id: Id


class Approve(AnswerApproval):
    """Answer for a call that waits, and go on after an event, by default the last that was sent here."""

    model_config = LOOSE

    type: Literal["approve"]
    approval_id: Id
    decision: Literal["approve", "deny"] = "approve"
    after: Place | None = None


class Ping(Input):
    """Ask for a `pong`."""

    model_config = LOOSE

    type: Literal["ping"]


FrameIn = UserMessage | Resume | Cancel | Approve | Ping
read_frame = TypeAdapter[FrameIn](Annotated[FrameIn, Field(discriminator="type")]).validate_json
"""A frame from its text; raises pydantic's ValidationError."""
