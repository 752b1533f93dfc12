"""How a thread begins: where it is, who answers in it, and the one statement of the fast lane that keeps it.

Many begin in the same moment, a whole class of them, and each with its own first message. So what is looked up is read
beforehand, outside the transaction that writes; and the statement, handed to whoever accepts the message, shares that
transaction and its commit with others.
"""

from dataclasses import dataclass
from functools import partial

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.errors import AssistantInactive
from famulus.assistants.resolve import resolve
from famulus.assistants.rights import find_assistant
from famulus.campus.courses import course_card
from famulus.conversations.errors import ThreadKeyReused, ThreadNotFound
from famulus.conversations.models import Thread
from famulus.conversations.threads import ThreadCard, begun_with
from famulus.identity.principal import Principal
from famulus.kernel.database import Database, run_in
from famulus.kernel.ids import new_id
from famulus.kernel.lane import Statement, rows_of
from famulus.kernel.tables import utc_now

COLUMNS = (
    "id",
    "user_id",
    "organization_id",
    "course_id",
    "assistant_id",
    "title",
    "titled_by",
    "last_position",
    "key",
    "fleeting",
    "created_at",
    "updated_at",
)
INSERT = (
    f"INSERT INTO threads ({', '.join(COLUMNS)})"  # noqa: S608 – names of ours
    f" VALUES ({', '.join(f'${n}' for n in range(1, len(COLUMNS) + 1))})"
    " ON CONFLICT (user_id, key) DO NOTHING RETURNING title"
)


@dataclass(frozen=True, slots=True)
class Seat:
    """Where a thread is, and who answers in it."""

    organization_id: str | None
    course_id: str | None
    assistant_id: str
    assistant_name: str


@dataclass(frozen=True, slots=True)
class Beginning:
    """What a new thread is to be."""

    course_id: str | None = None
    assistant_id: str | None = None
    """Without it the registry resolves who answers."""
    title: str | None = None
    key: str | None = None
    """The client's key: a thread that it has begun already is the one."""
    fleeting: bool = False
    """Whether it serves a program that keeps the conversation itself."""
    at_home: bool = False
    """Whether the assistant of a course is asked in that course, where none is named."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A thread that a key has begun before, or one that is still to be kept."""

    card: ThreadCard
    opening: Statement | None
    """Keeps it, and gives its title; no row comes back where the key has begun another meanwhile."""


async def find_seat(
    session: AsyncSession,
    principal: Principal,
    *,
    course_id: str | None,
    assistant_id: str | None,
    at_home: bool = False,
) -> Seat:
    """Where a new thread of this person would be; without `assistant_id` the registry resolves who answers."""
    principal.needs("chat")
    assistant = None if assistant_id is None else await find_assistant(session, principal, assistant_id)
    if assistant is not None and at_home and course_id is None:
        course_id = assistant.course_id
    organization_id = principal.organization_id
    if course_id is not None:
        organization_id = (await course_card(session, principal, course_id)).organization_id
    if assistant is None:
        found = await resolve(
            session, role=principal.role, organization_id=organization_id, course_id=course_id
        )
        return Seat(organization_id, course_id, found.id, found.name)
    if not assistant.active:
        raise AssistantInactive()
    return Seat(organization_id, course_id, assistant.id, assistant.name)


async def look(session: AsyncSession, principal: Principal, how: Beginning) -> Begun:
    """The thread that the key has begun, else a new one, which is kept by its statement alone.

    Raises ThreadKeyReused where the key's is in another course, and what forbids a new one.
    """
    card = await begun_with(session, principal, how.key) if how.key is not None else None
    if card is not None and not how.at_home:  # where it would be is known without a look
        _require(card, how.course_id)
        return Begun(card, None)
    seat = await find_seat(
        session, principal, course_id=how.course_id, assistant_id=how.assistant_id, at_home=how.at_home
    )
    if card is not None:
        _require(card, seat.course_id)
        return Begun(card, None)
    thread = _thread(principal, seat, how)
    values = tuple(getattr(thread, name) for name in COLUMNS)
    return Begun(ThreadCard(thread, seat.assistant_name), (INSERT, values))


def _require(card: ThreadCard, course_id: str | None) -> None:
    if card.thread.course_id != course_id:
        raise ThreadKeyReused()


def _thread(principal: Principal, seat: Seat, how: Beginning) -> Thread:
    now = utc_now()
    return Thread(
        id=new_id("thr"),
        user_id=principal.user_id,
        organization_id=seat.organization_id,
        course_id=seat.course_id,
        assistant_id=seat.assistant_id,
        title=how.title,
        titled_by="person" if how.title else None,
        last_position=0,
        key=how.key,
        fleeting=how.fleeting,
        created_at=now,
        updated_at=now,
    )


async def create_thread(
    session: AsyncSession, principal: Principal, how: Beginning = Beginning()
) -> ThreadCard:
    """A new thread within a session's transaction; raises what `look` raises."""
    begun = await look(session, principal, how)
    if begun.opening is not None and not await run_in(session, rows_of(begun.opening)):
        return await _of_the_other(session, principal, how)
    return begun.card


async def begin_thread(database: Database, principal: Principal, how: Beginning = Beginning()) -> ThreadCard:
    """The same in a transaction that is shared with others; committed when it returns."""
    async with database.read() as session:
        begun = await look(session, principal, how)
    if begun.opening is not None and not await database.lane.write(partial(rows_of, begun.opening)):
        async with database.read() as session:
            return await _of_the_other(session, principal, how)
    return begun.card


async def _of_the_other(session: AsyncSession, principal: Principal, how: Beginning) -> ThreadCard:
    """Of two requests with one key at the same moment this is the second: the thread of the first."""
    begun = await look(session, principal, how)
    if begun.opening is not None:  # and it was deleted since
        raise ThreadNotFound()
    return begun.card
