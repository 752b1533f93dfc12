"""Feedback: what a person thinks of an answer in a thread of theirs. Others see it in numbers only."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.errors import MessageNotFound
from famulus.conversations.models import Feedback, Message, Thread
from famulus.conversations.parts import Rating
from famulus.identity.principal import Principal
from famulus.kernel.duplicates import Vanished, duplicates_are, insert_or
from famulus.kernel.errors import Conflict
from famulus.kernel.tables import utc_now


class NotAnAnswer(Conflict):
    """This message is a question; feedback is given on answers."""

    code = "not_an_answer"


@dataclass(frozen=True, slots=True)
class Given:
    """Feedback as it is kept."""

    message_id: str
    rating: Rating
    comment: str
    created_at: datetime


async def give_feedback(
    session: AsyncSession, principal: Principal, message_id: str, rating: Rating, comment: str
) -> Given:
    """Say what one thinks of an answer, in place of what one said before. Raises MessageNotFound or NotAnAnswer."""
    message = await _own_message(session, principal, message_id)
    if message.role != "assistant":
        raise NotAnAnswer()
    now = utc_now()
    said = {"rating": rating, "comment": comment, "created_at": now}
    statement = insert_or(session, Feedback).values(
        message_id=message.id, thread_id=message.thread_id, **said
    )
    with duplicates_are(Vanished()):
        await session.execute(
            statement.on_conflict_do_update(index_elements=[Feedback.message_id], set_=said)
        )
    return Given(message.id, rating, comment, now)


async def take_feedback_back(session: AsyncSession, principal: Principal, message_id: str) -> None:
    """Say nothing of an answer any more; where nothing was said, there is nothing to do. Raises MessageNotFound."""
    message = await _own_message(session, principal, message_id)
    await session.execute(delete(Feedback).where(Feedback.message_id == message.id))


async def _own_message(session: AsyncSession, principal: Principal, message_id: str) -> Message:
    query = (
        select(Message)
        .join(Thread, Thread.id == Message.thread_id)
        .where(Message.id == message_id, Thread.user_id == principal.user_id)
    )
    message = (await session.execute(query)).scalar_one_or_none()
    if message is None:
        raise MessageNotFound()
    return message
