"""Threads of programs that keep the conversation themselves: in no list, and gone after a day."""

from datetime import timedelta

from sqlalchemy import text

from famulus.assistants.registry import ensure_default
from famulus.conversations.threads import create_thread, list_threads
from famulus.conversations.tidying import KEPT, Tidying
from famulus.identity.accounts import create_account
from famulus.identity.principal import Principal
from famulus.kernel.database import Database
from famulus.kernel.paging import Paging
from famulus.kernel.tables import utc_now


async def test_they_are_listed_nowhere_and_removed(database: Database) -> None:
    async with database.write() as session:
        await ensure_default(session)
        account = await create_account(session, email="ada@x.local", name="Ada", password_hash=None)
        principal = Principal(account.id, "Ada", "ada@x.local")
        kept = await create_thread(session, principal)
        fleeting = [await create_thread(session, principal, fleeting=True) for _ in range(2)]
        fleeting[0].thread.updated_at = utc_now() - KEPT - timedelta(minutes=1)
        kept.thread.updated_at = utc_now() - KEPT * 9
    async with database.read() as session:
        listed = await list_threads(session, principal, Paging())
    assert [card.thread.id for card in listed.items] == [kept.thread.id]

    await Tidying(database).handle({})
    async with database.read() as session:
        left = set(await session.scalars(text("SELECT id FROM threads")))
    assert left == {kept.thread.id, fleeting[1].thread.id}
