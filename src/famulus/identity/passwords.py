"""Password hashing: Argon2id in a small thread pool of its own, so that a wave of sign-ins slows only sign-ins.

Hashing takes some 20 ms of a core and 19 MiB; nothing of it may happen while a database session is open.
"""

import asyncio
import unicodedata
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from pwdlib import PasswordHash
from pwdlib.exceptions import UnknownHashError
from pwdlib.hashers.argon2 import Argon2Hasher

from famulus.kernel.errors import TooMany

T = TypeVar("T")
THREADS = 2
WAITING = 64
"""Hashes that may wait for a thread; more would only time out at the client."""
DUMMY_HASH = (
    "$argon2id$v=19$m=19456,t=2,p=1$4emN9pOf25U4hDsn3TWEog$V1jvYkSNn5mCC/MNHYOclSubZv1batwdznujUkjPHY4"
)
"""A hash in the current parameters of a password nobody has: checking against it takes an unknown user's time."""


class SignInsBusy(TooMany):
    """Too many people are signing in at this moment; try again in a second."""

    code = "sign_ins_busy"


class Passwords:
    """Hashes and checks passwords, a few at a time. Build one per application and `close` it."""

    def __init__(self, threads: int = THREADS, waiting: int = WAITING) -> None:
        # The least that OWASP's password storage cheat sheet asks of Argon2id: 19 MiB, two passes, one lane.
        self._hasher = PasswordHash((Argon2Hasher(time_cost=2, memory_cost=19_456, parallelism=1),))
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="password")
        self._turns = asyncio.Semaphore(threads)
        self._places = threads + waiting

    async def hash(self, password: str) -> str:
        """The hash to keep of a password."""
        return await self._run(lambda: self._hasher.hash(_composed(password)))

    async def verify(
        self, password: str, kept: str | None, *, first: Callable[[], Awaitable[None]] | None = None
    ) -> tuple[bool, str | None]:
        """Whether the password is right, and a better hash to keep instead where the kept one is of an older kind.

        Without a kept hash it is wrong and takes as long. `first` is awaited when the turn has come, and may raise.
        """
        right, better = await self._run(lambda: self._check(_composed(password), kept or DUMMY_HASH), first)
        return (right, better) if kept else (False, None)

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _check(self, password: str, kept: str) -> tuple[bool, str | None]:
        try:
            return self._hasher.verify_and_update(password, kept)
        except UnknownHashError:
            self._hasher.verify(password, DUMMY_HASH)
            return False, None

    async def _run(self, work: Callable[[], T], first: Callable[[], Awaitable[None]] | None = None) -> T:
        if self._places <= 0:
            raise SignInsBusy(retry_after=1)
        self._places -= 1
        try:
            async with self._turns:
                if first is not None:
                    await first()
                return await asyncio.get_running_loop().run_in_executor(self._pool, work)
        finally:
            self._places += 1


def _composed(password: str) -> str:
    """Keyboards differ in how they send an accented letter; it is one letter all the same."""
    return unicodedata.normalize("NFKC", password)
