"""The brake on guessing: after some failures each further try has to wait, twice as long each time.

It counts per account, whether it exists or not, and per network address, in the database: a restart forgets nothing,
and several instances count together. A try is counted before it is made and given back when it succeeds, so that many
at the same moment are no way around it.
"""

import hashlib
import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import delete, select, text, update
from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity.models import Attempts
from famulus.kernel.clock import clock, clock_of
from famulus.kernel.errors import TooMany


class TooManyFailures(TooMany):
    """Too many failed sign-ins; wait a little before the next try."""

    code = "too_many_failures"


class TooManyMails(TooMany):
    """Too many mails were asked for; wait a little before the next."""

    code = "too_many_mails"


class TooManyGuestMessages(TooMany):
    """So many messages were sent without a sign-in; wait a little before the next, or sign in."""

    code = "too_many_guest_messages"


@dataclass(frozen=True, slots=True)
class Limit:
    """How often something may be tried before each further try has to wait."""

    name: str
    free: int
    longest: float = 60.0
    """Seconds of the longest wait; short enough that nobody can keep somebody else out for long."""
    memory: float = 15 * 60.0
    """Seconds without a failure after which all is forgotten."""
    refusal: type[TooMany] = TooManyFailures


GUESSES = Limit("account", free=5)
GUESSES_FROM = Limit("address", free=30)
"""A whole class may sit behind one address."""
MAILS = Limit("mail account", free=3, longest=3600.0, memory=6 * 3600.0, refusal=TooManyMails)
MAILS_FROM = Limit("mail address", free=30, longest=600.0, memory=3600.0, refusal=TooManyMails)
SIGN_UPS_FROM = Limit("sign-up address", free=30)
REFUSALS_FROM = Limit("refusal address", free=10)
"""Of people from outside; what follows is not written down. Nobody has to wait for it."""
GUESTS_FROM = Limit("guest address", free=20, memory=3600.0, refusal=TooManyGuestMessages)
GUESTS = Limit("guests", free=1000, longest=1.0, memory=3600.0, refusal=TooManyGuestMessages)
"""All guests of the site together: so many, and then one a second."""
NOTES = Limit("notes of failures", free=1000, memory=3600.0)
"""How much is written down of failures, on the whole site: so much, and then one a minute until an hour is quiet."""
LONGEST_MEMORY = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Counted:
    """Something that is counted under a limit; only a digest of it is kept."""

    limit: Limit
    what: str

    @property
    def key(self) -> str:
        """Under which it stands in the table."""
        return hashlib.sha256(f"{self.limit.name} {self.what}".encode("utf-8", "replace")).hexdigest()


@dataclass(frozen=True, slots=True)
class Try:
    """A try that has been counted, and what is needed to give it back."""

    counted: Counted
    at: float
    before: float | None
    """When the one before it was; None where there was none."""
    count: int
    """How many it is, with this one."""


_WAIT = (
    "CASE WHEN a.count < :free THEN 0 WHEN a.count - :free > 11 OR (1 << (a.count - :free)) > :longest"
    " THEN :longest ELSE (1 << (a.count - :free)) END"
)
_RESERVE = (
    "INSERT INTO attempts AS a (key, count, last_at) VALUES (:key, 1, {now}) ON CONFLICT (key) DO UPDATE SET"
    " count = CASE WHEN {now} - a.last_at > :memory THEN 1 ELSE a.count + 1 END, last_at = {now}"
    " WHERE {now} - a.last_at > :memory OR {now} >= a.last_at + {wait} RETURNING last_at, count"
)
"""One statement, so that of many at the same moment each counts the one before it. No row: the wait is not over."""


def guesses(email: str, address: str | None) -> list[Counted]:
    """What a try to know the password of an account counts for."""
    return _both(GUESSES, GUESSES_FROM, email, address)


def mails(email: str, address: str | None) -> list[Counted]:
    """What asking for a mail to an address counts for."""
    return _both(MAILS, MAILS_FROM, email, address)


def sign_ups(address: str | None) -> list[Counted]:
    """What signing up with an address that has an account counts for."""
    return [] if address is None else [Counted(SIGN_UPS_FROM, _network(address))]


def refusals(address: str | None) -> Counted:
    """What somebody from outside who is not let in counts for."""
    return Counted(REFUSALS_FROM, _network(address or ""))


def guest_messages(address: str | None) -> list[Counted]:
    """What a message of somebody who has not signed in counts for."""
    return [Counted(GUESTS_FROM, _network(address or "")), Counted(GUESTS, "")]


async def check(session: AsyncSession, counted: Sequence[Counted]) -> None:
    """Raise the limit's refusal, saying how many seconds to wait, unless a try is free now. Counts nothing."""
    by_key = {each.key: each for each in counted}
    rows = await session.execute(
        select(Attempts.key, Attempts.count, Attempts.last_at, clock()).where(Attempts.key.in_(by_key))
    )
    held = [(by_key[key], _wait(by_key[key].limit, count, last_at, now)) for key, count, last_at, now in rows]
    held = [(each, wait) for each, wait in held if wait > 0]
    if held:
        each, wait = max(held, key=lambda pair: pair[1])
        raise _refusal(each.limit, wait)


async def reserve(session: AsyncSession, counted: Sequence[Counted]) -> list[Try]:
    """Count a try, before it is made. Raises the limit's refusal, and then counts nothing, if the transaction ends."""
    now = clock_of(session.get_bind().dialect.name)
    statement = text(_RESERVE.format(now=now, wait=_WAIT))
    tries: list[Try] = []
    for each in counted:
        before = await session.scalar(select(Attempts.last_at).where(Attempts.key == each.key))
        limit = each.limit
        values = {"key": each.key, "free": limit.free, "longest": limit.longest, "memory": limit.memory}
        row = (await session.execute(statement, values)).one_or_none()
        if row is None:
            await check(session, counted)
            raise _refusal(limit, 1.0)  # it was over in this very moment; the next try is free
        tries.append(Try(each, row[0], before, row[1]))
    return tries


async def give_back(session: AsyncSession, tries: Sequence[Try]) -> None:
    """A try was right. The account's failures are forgotten; the address's stay: a guesser may have an account, too."""
    for each in tries:
        mine = Attempts.key == each.counted.key
        if each.counted.limit is not GUESSES_FROM:
            await session.execute(delete(Attempts).where(mine))
            continue
        if each.before is not None:
            await session.execute(
                update(Attempts).where(mine, Attempts.last_at == each.at).values(last_at=each.before)
            )
        await session.execute(update(Attempts).where(mine).values(count=Attempts.count - 1))
        await session.execute(delete(Attempts).where(mine, Attempts.count <= 0))


async def may_note(session: AsyncSession) -> bool:
    """Whether one more failure is written down: not when somebody makes so many as to fill the table with them."""
    try:
        await reserve(session, [Counted(NOTES, "")])
    except TooMany:
        return False
    return True


async def forgive(session: AsyncSession, email: str) -> None:
    """Forget the failures of an account whose owner has shown otherwise who they are."""
    await session.execute(delete(Attempts).where(Attempts.key == Counted(GUESSES, email).key))


async def forget_old(session: AsyncSession) -> None:
    """Remove what no limit remembers any more."""
    await session.execute(delete(Attempts).where(Attempts.last_at < clock() - LONGEST_MEMORY))


def _both(account: Limit, network: Limit, email: str, address: str | None) -> list[Counted]:
    counted = [Counted(account, email)]
    return counted if address is None else [*counted, Counted(network, _network(address))]


def _wait(limit: Limit, count: int, last_at: float, now: float) -> float:
    if count < limit.free or now - last_at > limit.memory:
        return 0
    return last_at + min(2.0 ** min(count - limit.free, 12), limit.longest) - now


def _refusal(limit: Limit, wait: float) -> TooMany:
    seconds = int(wait) + 1
    return limit.refusal(f"{_sentence(limit)}; try again in {seconds} seconds.", retry_after=seconds)


def _sentence(limit: Limit) -> str:
    return (limit.refusal.__doc__ or "").partition(";")[0]


def _network(address: str) -> str:
    """Whoever has one IPv6 address has the other 2⁶⁴ of its network as well."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
