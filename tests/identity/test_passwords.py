"""Hashing: the dummy costs what a real hash costs, older hashes are replaced, the queue has an end."""

import asyncio
from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from famulus.identity.brake import TooManyFailures
from famulus.identity.gate import Gate
from famulus.identity.passwords import DUMMY_HASH, Passwords, SignInsBusy
from famulus.identity.sign_in import WrongCredentials, sign_in, sign_up
from famulus.kernel.database import Database
from famulus.kernel.settings import load_settings


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
        sign_up(
            database,
            gate,
            load_settings(),
            email="a@x.local",
            name="A",
            password="correct horse",
            mode="web",
        )
    )
    written = 0
    while not signing_up.done():
        async with asyncio.timeout(30), database.write():
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
