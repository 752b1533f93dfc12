"""The brake: it doubles, it counts for all instances at once, and what many do at the same moment it counts as well."""

import asyncio

import pytest
from sqlalchemy import select, update

from famulus.identity import brake
from famulus.identity.brake import GUESSES, Counted, TooManyFailures, TooManyMails
from famulus.identity.models import Attempts
from famulus.kernel.database import Database

ADA = "ada@x.local"


async def fail(database: Database, times: int, email: str = ADA, address: str | None = None) -> None:
    """Try and fail, with time enough between."""
    for _ in range(times):
        await pass_time(database, 61)
        async with database.write() as session:
            await brake.reserve(session, brake.guesses(email, address))


async def pass_time(database: Database, seconds: float) -> None:
    async with database.write() as session:
        await session.execute(update(Attempts).values(last_at=Attempts.last_at - seconds))


async def waits(database: Database, email: str = ADA, address: str | None = None) -> float:
    try:
        async with database.read() as session:
            await brake.check(session, brake.guesses(email, address))
    except TooManyFailures as error:
        return error.retry_after or 0
    return 0


async def test_the_wait_doubles_to_a_minute_and_is_forgotten(database: Database) -> None:
    await fail(database, 4)
    assert await waits(database) == 0
    for times, seconds in ((1, 1), (1, 2), (1, 4), (3, 32), (5, 60)):
        await fail(database, times)
        assert 0 <= await waits(database) - seconds <= 1
    await pass_time(database, 61)
    assert await waits(database) == 0
    await pass_time(database, 15 * 60)
    await fail(database, 1)
    assert await waits(database) == 0
    async with database.read() as session:
        assert list(await session.scalars(select(Attempts.count))) == [1], "it begins anew"


async def test_a_try_that_has_to_wait_is_not_counted(database: Database) -> None:
    await fail(database, 6)
    for _ in range(10):
        with pytest.raises(TooManyFailures):
            async with database.write() as session:
                await brake.reserve(session, brake.guesses(ADA, None))
    async with database.read() as session:
        assert list(await session.scalars(select(Attempts.count))) == [6]


async def test_of_many_at_one_moment_only_the_free_ones_are_tried(database: Database) -> None:
    """On two instances, which know of each other by the database alone."""
    other = Database(str(database.url.render_as_string(hide_password=False)))

    async def attempt(number: int) -> None:
        place = (database, other)[number % 2]
        async with place.write() as session:
            await brake.reserve(session, brake.guesses(ADA, None))

    results = await asyncio.gather(*(attempt(n) for n in range(50)), return_exceptions=True)
    await other.close()

    assert sum(result is None for result in results) == GUESSES.free
    assert sum(isinstance(result, TooManyFailures) for result in results) == 50 - GUESSES.free


async def test_a_right_one_clears_the_account_and_gives_the_address_back(database: Database) -> None:
    await fail(database, 30, "b@x.local", "192.0.2.1")
    before = await waits(database, "c@x.local", "192.0.2.1")
    await pass_time(database, 61)
    async with database.write() as session:
        tries = await brake.reserve(session, brake.guesses(ADA, "192.0.2.1"))
    async with database.write() as session:
        await brake.give_back(session, tries)
    await pass_time(database, -61)

    assert await waits(database) == 0
    assert before > 0
    assert await waits(database, "c@x.local", "192.0.2.1") == pytest.approx(before, abs=1)
    assert await waits(database, "c@x.local", "192.0.2.2") == 0
    async with database.read() as session:
        assert await session.get(Attempts, Counted(GUESSES, ADA).key) is None


async def test_a_first_try_that_is_right_leaves_nothing(database: Database) -> None:
    async with database.write() as session:
        tries = await brake.reserve(session, brake.guesses(ADA, "192.0.2.1"))
    async with database.write() as session:
        await brake.give_back(session, tries)
    async with database.read() as session:
        assert list(await session.scalars(select(Attempts.key))) == []


async def test_an_ipv6_network_counts_as_one(database: Database) -> None:
    for n in range(30):
        await fail(database, 1, f"a{n}@x.local", f"2001:db8::{n:x}")

    assert await waits(database, "b@x.local", "2001:db8::ffff") > 0
    assert await waits(database, "b@x.local", "2001:db8:0:1::1") == 0


async def test_mails_wait_longer(database: Database) -> None:
    for _ in range(3):
        async with database.write() as session:
            await brake.reserve(session, brake.mails(ADA, None))
    with pytest.raises(TooManyMails) as refused:
        async with database.write() as session:
            await brake.reserve(session, brake.mails(ADA, None))
    assert "mails" in refused.value.detail


async def test_only_digests_are_kept_and_old_ones_are_removed(database: Database) -> None:
    await fail(database, 1, address="192.0.2.1")
    async with database.read() as session:
        keys = list(await session.scalars(select(Attempts.key)))
    assert len(keys) == 2
    assert all(len(key) == 64 and "ada" not in key and "192" not in key for key in keys)
    await pass_time(database, 7 * 3600)
    async with database.write() as session:
        await brake.forget_old(session)
    async with database.read() as session:
        assert list(await session.scalars(select(Attempts.key))) == []
