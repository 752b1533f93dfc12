"""Threads that nobody lists: of programs that keep the conversation themselves, gone after a day, and of guests."""

from datetime import timedelta

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.assistants.registry import ensure_default
from famulus.campus.guests import ADDRESS
from famulus.conversations.beginning import Beginning, create_thread
from famulus.conversations.threads import list_threads
from famulus.conversations.tidying import KEPT, Tidying
from famulus.identity.accounts import create_account
from famulus.identity.principal import Principal
from famulus.kernel.database import Database, run_in
from famulus.kernel.lane import just
from famulus.kernel.paging import Paging
from famulus.kernel.tables import utc_now

REST = "UPDATE threads SET updated_at = $2 WHERE id = $1"


async def rest(session: AsyncSession, thread_id: str, long: timedelta) -> None:
    """Have nothing said in a thread for so long."""
    await run_in(session, just((REST, (thread_id, utc_now() - long))))


async def test_they_are_listed_nowhere_and_removed(database: Database) -> None:
    async with database.write() as session:
        await ensure_default(session)
        account = await create_account(session, email="ada@x.local", name="Ada", password_hash=None)
        principal = Principal(account.id, "Ada", "ada@x.local")
        kept = await create_thread(session, principal)
        fleeting = [await create_thread(session, principal, Beginning(fleeting=True)) for _ in range(2)]
        await rest(session, fleeting[0].thread.id, KEPT + timedelta(minutes=1))
        await rest(session, kept.thread.id, KEPT * 9)
    async with database.read() as session:
        listed = await list_threads(session, principal, Paging())
    assert [card.thread.id for card in listed.items] == [kept.thread.id]

    await Tidying(database, timedelta(days=30)).handle({})
    async with database.read() as session:
        left = set(await session.scalars(text("SELECT id FROM threads")))
    assert left == {kept.thread.id, fleeting[1].thread.id}


async def test_what_guests_have_said_goes_when_it_has_rested(database: Database) -> None:
    """As long as the operator says, and with its messages; what anybody else has said stays."""
    said = text("INSERT INTO messages (id, thread_id, position, role, status, parts, created_at) VALUES ('msg_1', :id, 1, "
                "'user', 'complete', '[]', CURRENT_TIMESTAMP)")  # fmt: skip
    threads: dict[str, list[str]] = {}
    async with database.write() as session:
        await ensure_default(session)
        for email in ("ada@x.local", ADDRESS):
            account = await create_account(session, email=email, name="Ada", password_hash=None)
            principal = Principal(account.id, "Ada", email)
            cards = [await create_thread(session, principal) for _ in range(2)]
            await rest(session, cards[0].thread.id, timedelta(days=3, minutes=1))
            threads[email] = [card.thread.id for card in cards]
        await session.execute(said, {"id": threads[ADDRESS][0]})

    await Tidying(database, timedelta(days=4)).handle({})
    async with database.read() as session:
        assert len(set(await session.scalars(text("SELECT id FROM threads")))) == 4
    await Tidying(database, timedelta(days=3)).handle({})
    async with database.read() as session:
        left = set(await session.scalars(text("SELECT id FROM threads")))
        assert (await session.scalars(text("SELECT id FROM messages"))).all() == []
    assert left == {*threads["ada@x.local"], threads[ADDRESS][1]}
