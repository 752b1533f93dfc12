"""Threads and their messages, as their owner lists, renames and deletes them. Nobody else sees them."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal, cast

from msgspec import structs
from sqlalchemy import Select, and_, bindparam, delete, func, or_, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.registry import assistant_names
from famulus.conversations.errors import MessageNotFound, ThreadNotFound
from famulus.conversations.models import Feedback, Message, Thread
from famulus.conversations.parts import (
    FeedbackView,
    MessageView,
    Part,
    Rating,
    decode_parts,
    encode_parts,
    text_of,
)
from famulus.conversations.views import MessageRow, message_view
from famulus.identity.principal import Principal
from famulus.kernel.database import Database, run_in
from famulus.kernel.lane import rows_of
from famulus.kernel.paging import Page, Paging, page
from famulus.kernel.tables import utc_now

LIVE_RUNS = (
    "SELECT thread_id, min(id) FROM runs"
    " WHERE status IN ('queued', 'running', 'awaiting') AND thread_id IN :ids GROUP BY thread_id"
)
"""The run in progress by thread. Runs are a room above this one, so their table is only named here."""
WITH_KEY = "SELECT id FROM threads WHERE user_id = $1 AND key = $2"
"""Of the fast lane: almost every first message asks it, and almost always in vain."""


@dataclass(frozen=True, slots=True)
class ThreadCard:
    """A thread as lists show it."""

    thread: Thread
    assistant_name: str
    live_run_id: str | None = None


def own(principal: Principal) -> Select[Thread]:
    """The threads of this person; an API key needs the scope `chat` for them."""
    principal.needs("chat")
    return select(Thread).where(Thread.user_id == principal.user_id)


async def has_begun(database: Database, principal: Principal, key: str) -> bool:
    """Whether a key has begun a thread of this person's: mostly not, which is told without a session."""
    principal.needs("chat")
    return bool(await database.lane.read(partial(rows_of, (WITH_KEY, (principal.user_id, key)))))


async def begun_with(session: AsyncSession, principal: Principal, key: str) -> ThreadCard | None:
    """The thread of this person that a key has begun; None where it has begun none."""
    principal.needs("chat")
    found = await run_in(session, rows_of((WITH_KEY, (principal.user_id, key))))
    return await get_thread(session, principal, found[0][0]) if found else None


async def find_thread(session: AsyncSession, principal: Principal, thread_id: str) -> Thread:
    """One thread of this person; raises ThreadNotFound."""
    thread = (await session.execute(own(principal).where(Thread.id == thread_id))).scalar_one_or_none()
    if thread is None:
        raise ThreadNotFound()
    return thread


def _listed(principal: Principal, course_id: str | None, *, archived: bool) -> Select[Thread]:
    put_away = Thread.archived_at.is_not(None) if archived else Thread.archived_at.is_(None)
    query = own(principal).where(~Thread.fleeting, put_away)
    return query if course_id is None else query.where(Thread.course_id == course_id)


async def list_threads(
    session: AsyncSession,
    principal: Principal,
    paging: Paging,
    *,
    course_id: str | None = None,
    archived: bool = False,
    oldest_first: bool = False,
) -> Page[ThreadCard]:
    """The person's threads, the one with the newest message first, or last: those in use, or those put away."""
    query = _listed(principal, course_id, archived=archived)
    found: Page[Thread] = await page(
        session, query, by=[Thread.updated_at, Thread.id], paging=paging, descending=not oldest_first
    )
    return Page(await _cards(session, found.items), found.next)


async def numbered_threads(
    session: AsyncSession,
    principal: Principal,
    number: int,
    size: int,
    *,
    course_id: str | None = None,
    archived: bool = False,
) -> tuple[list[ThreadCard], int]:
    """The same list by page numbers, from 1, for clients that know no other paging; and how many threads there are."""
    query = _listed(principal, course_id, archived=archived)
    count = await session.scalar(query.with_only_columns(func.count()))
    ordered = (
        query.order_by(Thread.updated_at.desc(), Thread.id.desc()).offset((number - 1) * size).limit(size)
    )
    return await _cards(session, (await session.scalars(ordered)).all()), count or 0


async def get_thread(session: AsyncSession, principal: Principal, thread_id: str) -> ThreadCard:
    """One thread of this person as lists show it; raises ThreadNotFound."""
    return (await _cards(session, [await find_thread(session, principal, thread_id)]))[0]


async def _cards(session: AsyncSession, found: Sequence[Thread]) -> list[ThreadCard]:
    """Threads with who answers in them and the newest run in progress, in two queries however many they are."""
    if not found:  # an empty list has no type, and PostgreSQL would guess one
        return []
    names = await assistant_names(session, {thread.assistant_id for thread in found})
    query = text(LIVE_RUNS).bindparams(bindparam("ids", expanding=True))
    rows = await session.execute(query, {"ids": [thread.id for thread in found]})
    live: dict[str, str] = {row[0]: row[1] for row in rows}
    return [ThreadCard(thread, names[thread.assistant_id], live.get(thread.id)) for thread in found]


async def rename_thread(
    session: AsyncSession, principal: Principal, thread_id: str, title: str
) -> ThreadCard:
    """Give a thread the person's own title, which no model replaces."""
    thread = await find_thread(session, principal, thread_id)
    thread.title, thread.titled_by = title, "person"
    return (await _cards(session, [thread]))[0]


async def archive_thread(
    session: AsyncSession, principal: Principal, thread_id: str, *, away: bool = True
) -> ThreadCard:
    """Put a thread away, or take it out again; doing it twice changes nothing. What was said is kept."""
    thread = await find_thread(session, principal, thread_id)
    if (thread.archived_at is not None) != away:
        thread.archived_at = utc_now() if away else None
    return (await _cards(session, [thread]))[0]


async def delete_thread(session: AsyncSession, principal: Principal, thread_id: str) -> None:
    """Delete a thread with its messages, runs and journal; a run in progress loses its lease."""
    thread = await find_thread(session, principal, thread_id)
    await session.execute(delete(Thread).where(Thread.id == thread.id))


async def list_messages(
    session: AsyncSession, principal: Principal, thread_id: str, paging: Paging, *, newest_first: bool = False
) -> Page[MessageView]:
    """The messages of a thread by position."""
    await find_thread(session, principal, thread_id)
    query = (
        select(Message, Feedback, Message.position)
        .outerjoin(Feedback, Feedback.message_id == Message.id)
        .where(Message.thread_id == thread_id)
    )
    found = await page(session, query, by=[Message.position], paging=paging, descending=newest_first)
    return found.map(lambda row: _view(row[0], row[1]))


async def find_message(
    session: AsyncSession, principal: Principal, message_id: str, *, to_change: bool = False
) -> MessageView:
    """One message of this person's threads; raises MessageNotFound. `to_change` keeps others from it meanwhile."""
    mine = own(principal).with_only_columns(Thread.id)
    query = select(Message).where(Message.id == message_id, Message.thread_id.in_(mine))
    if to_change:
        query = query.with_for_update(of=Message)
    message = (await session.execute(query)).scalar_one_or_none()
    if message is None:
        raise MessageNotFound()
    return message_view(_row(message))


async def find_messages(
    session: AsyncSession,
    principal: Principal,
    thread_id: str,
    *,
    ids: Collection[str] = (),
    run_ids: Collection[str] = (),
) -> list[MessageView]:
    """Messages of a thread by their ids, and answers by their runs, in their order; raises ThreadNotFound."""
    await find_thread(session, principal, thread_id)
    if not ids and not run_ids:
        return []
    of_runs = and_(Message.run_id.in_(run_ids), Message.role == "assistant")
    query = select(Message).where(Message.thread_id == thread_id, or_(Message.id.in_(ids), of_runs))
    found = (await session.execute(query.order_by(Message.position))).scalars()
    return [message_view(_row(message)) for message in found]


async def rewrite_parts(
    session: AsyncSession, principal: Principal, message_id: str, parts: tuple[Part, ...]
) -> MessageView:
    """Keep other parts of a message than it had; raises MessageNotFound."""
    await find_message(session, principal, message_id)
    message = await session.get_one(Message, message_id)
    message.parts = encode_parts(parts)
    await session.flush()
    return _view(message, await session.get(Feedback, message_id))


def _view(message: Message, feedback: Feedback | None) -> MessageView:
    said = feedback and FeedbackView(cast(Rating, feedback.rating), feedback.comment)
    return structs.replace(message_view(_row(message)), feedback=said)


def _row(message: Message) -> MessageRow:
    return MessageRow(*[getattr(message, name) for name in MessageRow.__slots__])


@dataclass(frozen=True, slots=True)
class FirstExchange:
    """What a title is made from."""

    thread_id: str
    user_id: str
    titled_by: str | None
    question: str
    answer: str


async def first_exchange(session: AsyncSession, thread_id: str) -> FirstExchange | None:
    """The first question and answer of a thread; None while there is no answer."""
    thread = await session.get(Thread, thread_id)
    query = (
        select(Message.role, Message.parts)
        .where(Message.thread_id == thread_id)
        .order_by(Message.position)
        .limit(4)
    )
    said = {
        role: text_of(decode_parts(parts)) for role, parts in reversed((await session.execute(query)).all())
    }
    if thread is None or not said.get("user") or not said.get("assistant"):
        return None
    return FirstExchange(thread.id, thread.user_id, thread.titled_by, said["user"], said["assistant"])


async def retitle(session: AsyncSession, thread_id: str, title: str, *, by: Literal["model"]) -> bool:
    """Replace a title made of first words; False when a person has chosen one meanwhile, or the thread is gone."""
    change = update(Thread).where(Thread.id == thread_id, Thread.titled_by == "words")
    done = await session.execute(change.values(title=title, titled_by=by).returning(Thread.id))
    return done.first() is not None
