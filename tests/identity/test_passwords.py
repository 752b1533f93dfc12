"""Hashing: the dummy costs what a real hash costs, older hashes are replaced, the queue has an end."""

import asyncio
from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from famulus.identity.brake import Brake, TooManyFailures
from famulus.identity.gate import Gate
from famulus.identity.passwords import DUMMY_HASH, Passwords, SignInsBusy
from famulus.identity.sessions import WrongCredentials, sign_in, sign_up
from famulus.kernel.database import Database


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    made = Passwords()
    yield made
    made.close()


async def test_a_password_is_right_however_its_letters_are_composed(passwords: Passwords) -> None:
    kept = await passwords.hash("pass wörd")

    assert await passwords.verify("pass wo\u0308rd", kept) == (True, None)
    assert await passwords.verify("pass word", kept) == (False, None)


async def test_the_dummy_has_the_current_parameters(passwords: Passwords) -> None:
    kept = await passwords.hash("anything")

    assert kept.split("$")[1:4] == DUMMY_HASH.split("$")[1:4]
    assert await passwords.verify("anything", None) == (False, None)


async def test_an_older_hash_is_replaced(passwords: Passwords) -> None:
    older = PasswordHash((Argon2Hasher(time_cost=1, memory_cost=1024, parallelism=1),)).hash("correct horse")

    right, better = await passwords.verify("correct horse", older)

    assert right
    assert better is not None
    assert await passwords.verify("correct horse", better) == (True, None)


async def test_a_hash_of_unknown_kind_never_fits(passwords: Passwords) -> None:
    assert await passwords.verify("x", "$2b$12$abcdefghijklmnopqrstuu") == (False, None)


async def test_more_than_fit_in_the_queue_are_sent_away() -> None:
    passwords = Passwords(threads=1, waiting=1)

    results = await asyncio.gather(*(passwords.hash("x") for _ in range(4)), return_exceptions=True)
    passwords.close()

    assert sum(isinstance(result, SignInsBusy) for result in results) == 2


async def test_hashing_leaves_the_writer_free(database: Database) -> None:
    gate = Gate(passwords=Passwords(threads=1))
    signing_up = asyncio.create_task(
        sign_up(database, gate, email="a@x.local", name="A", password="correct horse", mode="web")
    )
    written = 0
    while not signing_up.done():
        async with asyncio.timeout(5), database.write():
            written += 1
        await asyncio.sleep(0.001)
    gate.close()

    assert (await signing_up).account.email == "a@x.local"
    assert written > 1


async def test_a_burst_of_guesses_is_braked_as_well(database: Database) -> None:
    gate = Gate()
    guesses = [
        sign_in(database, gate, email="a@x.local", password=f"guess {n}", mode="web") for n in range(20)
    ]

    results = await asyncio.gather(*guesses, return_exceptions=True)
    gate.close()

    tried = sum(isinstance(result, WrongCredentials) for result in results)
    assert 5 <= tried <= 6
    assert sum(isinstance(result, TooManyFailures) for result in results) == 20 - tried


class Clock:
    """A time that passes when it is told to."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def fails(brake: Brake, times: int, email: str = "a@x.local", address: str | None = None) -> None:
    for _ in range(times):
        brake.failed(email, address)


def waits(brake: Brake, email: str = "a@x.local", address: str | None = None) -> float:
    try:
        brake.check(email, address)
    except TooManyFailures as error:
        return error.retry_after or 0
    return 0


def test_the_wait_doubles_to_a_minute_and_is_forgotten() -> None:
    clock = Clock()
    brake = Brake(clock=clock)

    fails(brake, 4)
    assert waits(brake) == 0
    fails(brake, 1)
    assert waits(brake) == 2
    fails(brake, 3)
    assert waits(brake) == 9
    fails(brake, 100)
    assert waits(brake) == 61
    clock.now = 60
    assert waits(brake) == 0
    clock.now = 16 * 60
    fails(brake, 1)
    assert waits(brake) == 0


def test_success_clears_the_account_but_not_the_address() -> None:
    brake = Brake()

    fails(brake, 30, address="192.0.2.1")
    brake.succeeded("a@x.local")

    assert waits(brake) == 0
    assert waits(brake, address="192.0.2.1") > 0
    assert waits(brake, address="192.0.2.2") == 0


def test_an_ipv6_network_counts_as_one() -> None:
    brake = Brake()

    for n in range(30):
        brake.failed(f"a{n}@x.local", f"2001:db8::{n:x}")

    assert waits(brake, "b@x.local", "2001:db8::ffff") > 0


def test_the_brake_remembers_a_bounded_number() -> None:
    brake = Brake(keys=3)

    for n in range(5):
        fails(brake, 5, f"a{n}@x.local")

    assert [waits(brake, f"a{n}@x.local") > 0 for n in range(5)] == [False, False, True, True, True]
