"""What is written down of wrong passwords: enough to see an attack, too little to fill a table with, and no secret."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
from sqlalchemy import func, select, update

from famulus.identity import administration, brake
from famulus.identity.accounts import create_account
from famulus.identity.gate import Gate
from famulus.identity.models import Attempts, AuditEntry
from famulus.identity.sign_in import Suspended, WrongCredentials, sign_in
from famulus.kernel.database import Database
from famulus.kernel.errors import TooMany, Unauthenticated
from famulus.kernel.paging import Paging

PASSWORD = "correct horse battery"
ADA, NOBODY = "ada@famulus.local", "hunter2@famulus.local"
HERE = "192.0.2.1"


@pytest.fixture
async def gate(database: Database) -> AsyncIterator[Gate]:
    """With an account to guess at."""
    gate = Gate()
    async with database.write() as session:
        hashed = await gate.new_hash(PASSWORD, email=ADA, name="Ada")
        await create_account(session, email=ADA, name="Ada", password_hash=hashed, verified=True)
    yield gate
    gate.close()


async def guess(
    database: Database, gate: Gate, email: str, password: str = "a wrong guess", address: str = HERE
) -> None:
    await sign_in(database, gate, email=email, password=password, mode="api", address=address)


async def wrong(database: Database, gate: Gate, email: str, times: int, address: str = HERE) -> None:
    for _ in range(times):
        with pytest.raises((WrongCredentials, TooMany)):
            await guess(database, gate, email, address=address)


async def over(database: Database) -> None:
    """The waits are over, and nothing is forgotten."""
    async with database.write() as session:
        await session.execute(update(Attempts).values(last_at=Attempts.last_at - 61))


async def noted(database: Database) -> list[AuditEntry]:
    async with database.read() as session:
        query = select(AuditEntry).where(AuditEntry.action.in_(("account.wrong_password", "address.slowed")))
        return list(await session.scalars(query.order_by(AuditEntry.id)))


async def test_failures_are_written_down_until_the_brake_closes(database: Database, gate: Gate) -> None:
    await wrong(database, gate, ADA, 7)
    for _ in range(3):
        await over(database)
        await wrong(database, gate, ADA, 1)
    found = await noted(database)

    assert [one.after and one.after["failures"] for one in found] == [1, 2, 3, 4, 5]
    assert [one.after and one.after["slowed"] for one in found] == [False] * 4 + [True]
    assert {(one.thing_name, one.actor_id, one.organization_id) for one in found} == {(ADA, None, None)}


async def test_what_was_typed_is_not_kept(database: Database, gate: Gate) -> None:
    """A password in the field of the address, which happens, is a digest."""
    await wrong(database, gate, NOBODY, 2)
    await wrong(database, gate, "hunter3", 1)
    found = await noted(database)

    assert [one.thing_id == found[0].thing_id for one in found] == [True, True, False]
    assert all((one.thing_id or "").startswith("sha256:") for one in found)
    for one in found:
        assert "hunter" not in f"{one.thing_id} {one.thing_name} {one.before} {one.after}"
        assert "guess" not in f"{one.thing_id} {one.thing_name} {one.before} {one.after}"


async def test_a_right_password_leaves_no_failure(database: Database, gate: Gate) -> None:
    await guess(database, gate, ADA, PASSWORD)
    assert await noted(database) == []


@pytest.mark.slow
async def test_a_network_address_that_is_slowed_is_told_once(database: Database, gate: Gate) -> None:
    for number in range(brake.GUESSES_FROM.free + 2):
        with pytest.raises((WrongCredentials, TooMany)):
            await guess(database, gate, f"{number}@famulus.local")
    found = [one for one in await noted(database) if one.action == "address.slowed"]

    assert [(one.thing_id, one.after) for one in found] == [(HERE, {"failures": brake.GUESSES_FROM.free})]


async def test_who_is_suspended_and_knows_the_password_is_written_down(
    database: Database, gate: Gate
) -> None:
    async with database.write() as session:
        accounts = await administration.list_accounts(session, Paging(1))
        await administration.suspend(session, None, accounts.items[0].id)
    with pytest.raises(Suspended):
        await guess(database, gate, ADA, PASSWORD)
    [entry] = await noted(database)

    assert entry.after == {"why": "not let in", "failures": 1, "slowed": False}


async def test_nobody_fills_the_table(database: Database, gate: Gate) -> None:
    """From however many addresses, at however many accounts at once."""
    many = Attempts(key=brake.Counted(brake.NOTES, "").key, count=brake.NOTES.free - 6, last_at=time.time())
    async with database.write() as session:
        session.add(many)

    async def one(number: int) -> None:
        with pytest.raises(Unauthenticated):
            await guess(database, gate, f"{number}@famulus.local", address=f"198.51.100.{number}")

    await asyncio.gather(*map(one, range(12)))
    kept = len(await noted(database))
    assert 6 <= kept < 12, "six, and more only where the others took seconds"
    await over(database)
    await asyncio.gather(*map(one, range(20, 24)))
    assert len(await noted(database)) == kept + 1, "one a minute"
    async with database.read() as session:
        assert await session.scalar(select(func.count()).select_from(AuditEntry)) == 7
