"""What the audit keeps of passwords that were wrong: which account was tried, from where, and when the brake closed.

An address without an account is kept as a digest: people type passwords into the wrong field. For both the same is
written, so that no time tells which it was. Nobody fills the table: of one account the failures are written down until
its brake closes, of a network address when its brake closes, and of all together no more than `brake.NOTES`.
"""

from collections.abc import Sequence

from sqlalchemy.ext.asyncio import AsyncSession

from famulus.identity import audit, brake
from famulus.identity.accounts import Account
from famulus.identity.brake import Try

WRONG, SLOWED = "account.wrong_password", "address.slowed"


async def note(
    session: AsyncSession, account: Account | None, tries: Sequence[Try], *, why: str = "wrong password"
) -> None:
    """Write a failed try down, unless it is one of too many."""
    done = [each for one in tries if (each := _done(account, one, why)) is not None]
    if done and await brake.may_note(session):
        await audit.record_all(session, None, done)


def _done(account: Account | None, one: Try, why: str) -> audit.Done | None:
    limit, count = one.counted.limit, one.count
    if limit is brake.GUESSES and count <= limit.free:
        unknown = audit.Thing(f"sha256:{one.counted.key[:32]}", "an address without an account")
        after = {"why": why, "failures": count, "slowed": count == limit.free}
        return audit.Done(WRONG, audit.of_account(account) if account else unknown, after=after)
    if limit is brake.GUESSES_FROM and count == limit.free:
        return audit.Done(SLOWED, audit.Thing(one.counted.what, one.counted.what), after={"failures": count})
    return None
