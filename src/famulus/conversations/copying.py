"""Threads that programs keep here: messages added to one, one that goes on from the middle of another, their marks."""

from collections.abc import Mapping, Sequence

import msgspec
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.conversations.given import Given, given_rows
from famulus.conversations.models import Message, Thread
from famulus.conversations.parts import MessageView, decode_parts
from famulus.conversations.threads import find_message, find_thread, own
from famulus.conversations.views import MessageRow, message_view
from famulus.identity.principal import Principal
from famulus.kernel.ids import new_id
from famulus.kernel.tables import utc_now

MOST_COPIED = 500
"""Messages that a model is told at most, so that more would be copied for nobody."""


async def add_messages(
    session: AsyncSession, principal: Principal, thread_id: str, given: Sequence[Given]
) -> list[MessageView]:
    """Add messages at a thread's end; raises ThreadNotFound."""
    await find_thread(session, principal, thread_id)
    thread = await session.get_one(Thread, thread_id, with_for_update=True, populate_existing=True)
    return [message_view(row) for row in _add(session, thread, given)]


def _add(session: AsyncSession, thread: Thread, given: Sequence[Given]) -> list[MessageRow]:
    now = utc_now()
    rows = given_rows(thread.id, given, thread.last_position, thread.head_id, now)
    session.add_all(Message(**{name: getattr(row, name) for name in MessageRow.__slots__}) for row in rows)
    if rows:
        thread.last_position, thread.head_id, thread.updated_at = rows[-1].position, rows[-1].id, now
    return rows


async def fork_thread(
    session: AsyncSession,
    principal: Principal,
    message_id: str,
    *,
    fleeting: bool = False,
    key: str | None = None,
) -> Thread:
    """A new thread with what was said up to a message, the newest 500 of it; raises MessageNotFound.

    With a `key` that has begun a thread already it is that one.
    """
    last = await find_message(session, principal, message_id)
    if key is not None:
        query = own(principal).where(Thread.key == key)
        if (begun := (await session.execute(query)).scalar_one_or_none()) is not None:
            return begun
    earlier = await find_thread(session, principal, last.thread_id)
    told = await _told_up_to(session, last)
    now = utc_now()
    thread = Thread(
        id=new_id("thr"),
        user_id=principal.user_id,
        organization_id=earlier.organization_id,
        course_id=earlier.course_id,
        assistant_id=earlier.assistant_id,
        title=earlier.title,
        titled_by=earlier.titled_by,
        preview=earlier.preview,
        last_position=0,
        key=key,
        fleeting=fleeting,
        created_at=now,
        updated_at=now,
    )
    session.add(thread)
    await session.flush()
    _add(session, thread, told)
    await session.flush()
    return thread


async def _told_up_to(session: AsyncSession, last: MessageView) -> list[Given]:
    query = (
        select(Message)
        .where(Message.thread_id == last.thread_id, Message.position <= last.position)
        .order_by(Message.position.desc())
        .limit(MOST_COPIED)
    )
    return [
        Given("user" if message.role == "user" else "assistant", decode_parts(message.parts))
        for message in reversed((await session.scalars(query)).all())
    ]


async def mark_thread(
    session: AsyncSession, principal: Principal, thread_id: str, marks: Mapping[str, str]
) -> Thread:
    """Put a program's own texts on a thread, in place of those before; raises ThreadNotFound."""
    thread = await find_thread(session, principal, thread_id)
    thread.marks = msgspec.json.encode(marks).decode()
    return thread


def marks_of(thread: Thread) -> dict[str, str]:
    """The texts that a program has put on a thread."""
    return msgspec.json.decode(thread.marks, type=dict[str, str]) if thread.marks else {}


async def find_answer(session: AsyncSession, principal: Principal, run_id: str) -> MessageView | None:
    """What is kept of a run's answer in this person's threads."""
    mine = own(principal).with_only_columns(Thread.id)
    query = select(Message).where(
        Message.run_id == run_id, Message.role == "assistant", Message.thread_id.in_(mine)
    )
    message = (await session.execute(query)).scalar_one_or_none()
    return message and message_view(MessageRow(*[getattr(message, name) for name in MessageRow.__slots__]))
